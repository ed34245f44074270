"""Who is on the phone: what each extension does, who waits in which queue, and nothing that a visitor may not see."""

import re
from collections.abc import Callable

from gateway.domain.messages import AgentState, AgentStateChanged, CallHeld, QueueEntered
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from tests.desk.conftest import ANA, EXCHANGE, PASSWORD, Browser, Office, now_ms
from tests.desk.test_pages import words


def seat(browser: Browser, extension: str) -> str:
    found = re.search(rf'<li class="(\w+)" id="ramal-{extension}">(.*?)</li>', browser.get("/agora").text, re.S)
    assert found
    return f"{found[1]}: {words(found[2]).strip()}"


def test_an_extension_shows_what_it_does(ana: Browser, office: Office) -> None:
    assert seat(ana, "3502") == "free: 3502 Bruno Lima livre"
    office.know("Padaria São João", ANA)
    office.ring(ANA, "3502")
    assert re.fullmatch(r"ringing: 3502 Bruno Lima tocando \d:\d\d Padaria São João", seat(ana, "3502"))
    call_id = office.answer(ANA, "3502")
    assert re.fullmatch(r"talking: 3502 Bruno Lima em conversa \d:\d\d Padaria São João", seat(ana, "3502"))
    assert f'href="/ligacoes/{call_id}"' in ana.get("/agora").text
    office.core.handle(CallHeld("acme", "3502", ANA, EXCHANGE, now_ms()))
    assert seat(ana, "3502").startswith("held: 3502 Bruno Lima em espera")
    office.hang_up(ANA, "3502")
    assert seat(ana, "3502") == "free: 3502 Bruno Lima livre"


def test_a_call_that_is_spoken_in_counts_before_one_that_rings(ana: Browser, office: Office) -> None:
    office.ring(ANA, "3502")
    office.answer(ANA, "3502")
    office.ring("1133334444", "3502")
    assert seat(ana, "3502").startswith("talking")


def test_what_the_exchange_tells_of_agents_is_shown(ana: Browser, office: Office) -> None:
    office.core.handle(AgentStateChanged("acme", "3502", "b1", AgentState.PAUSE, EXCHANGE, now_ms(), reason="<almoço>"))
    assert re.fullmatch(r"paused: 3502 Bruno Lima em pausa \d:\d\d Em pausa: &lt;almoço&gt;", seat(ana, "3502"))
    office.core.handle(AgentStateChanged("acme", "3502", "b1", AgentState.LOGOUT, EXCHANGE, now_ms()))
    assert seat(ana, "3502").startswith("away")


def test_an_extension_of_nobody_is_there_once_it_had_a_call(ana: Browser, office: Office) -> None:
    office.ring(ANA, "3555")
    office.hang_up(ANA, "3555")
    assert seat(ana, "3555") == "free: 3555 livre"


def test_a_queue_shows_who_waits_the_longest_first(ana: Browser, office: Office) -> None:
    office.know("Padaria", ANA)
    for number, ago in (("1133334444", 5_000), (ANA, 65_000)):
        office.core.handle(QueueEntered("acme", "", number, EXCHANGE, now_ms() - ago, queue="Vendas"))
    office.core.handle(AgentStateChanged("acme", "3502", "b1", AgentState.READY, EXCHANGE, now_ms(), queue="Vendas"))
    queue = words(re.findall(r'<ul class="queues">(.*?)</ul>', ana.get("/agora").text, re.S)[0]).strip()
    assert re.fullmatch(r"Vendas 2 esperam Padaria 1:\d\d \(11\) 3333-4444 0:\d\d Na fila: 1; em pausa: 0 · b1", queue)


def test_an_agent_sees_that_others_are_busy_and_not_with_whom(
    ana: Browser, browse: Callable[..., Browser], office: Office
) -> None:
    caio = Agent(0, "acme", "caio", "Caio", "3503", role=Role.AGENT)
    office.directory.save_agent(caio, hash_password(PASSWORD), now_ms())
    office.know("Padaria", ANA)
    office.ring(ANA, "3502")
    office.answer(ANA, "3502")
    office.core.handle(QueueEntered("acme", "", "1133334444", EXCHANGE, now_ms(), queue="Vendas"))
    browser = browse()
    browser.log_in("caio")
    page = browser.get("/agora").text
    assert re.fullmatch(r"talking: 3502 Bruno Lima em conversa \d:\d\d", seat(browser, "3502"))
    assert "Padaria" not in page
    assert "1133334444" not in page
    assert "um cliente" in page
    assert "Padaria" in ana.get("/agora").text


def test_another_company_s_extensions_are_not_there(ana: Browser, office: Office) -> None:
    office.ring(ANA, "3999", tenant="rival")
    assert "3999" not in ana.get("/agora").text
