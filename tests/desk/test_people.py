"""The page of people: what exchanges tell of agents, and who is in a call."""

import re

from gateway.domain.messages import AgentState, AgentStateChanged
from tests.desk.conftest import EXCHANGE, Browser, Office, now_ms
from tests.desk.test_pages import words


def tell(office: Office, ramal: str, agent: str, state: AgentState, **more: str) -> None:
    office.core.handle(AgentStateChanged("acme", ramal, agent, state, EXCHANGE, now_ms(), **more))  # type: ignore[arg-type]


def rows(browser: Browser) -> list[str]:
    return [words(row).strip() for row in re.findall(r"<tr>.*?</tr>", browser.get("/pessoas").text, re.S)[1:]]


def test_everybody_is_there_with_what_the_exchange_told_last(ana: Browser, office: Office) -> None:
    tell(office, "3501", "a77", AgentState.LOGIN)
    tell(office, "3501", "a77", AgentState.PAUSE, reason="<almoço>")
    tell(office, "3509", "Zé da Central", AgentState.READY, queue="Vendas")
    mine, bruno, other = rows(ana)
    assert re.fullmatch(r"Ana Martins 3501 Em pausa: &lt;almoço&gt; · \d\d/\d\d/\d{4} \d\d:\d\d —", mine)
    assert bruno == "Bruno Lima 3502 — —"
    assert re.fullmatch(r"Zé da Central 3509 Disponível · Vendas · \d\d/\d\d/\d{4} \d\d:\d\d —", other)
    assert "&lt;almoço&gt;" in ana.get("/pessoas").text


def test_who_is_in_a_call_is_said_with_the_call(ana: Browser, office: Office) -> None:
    office.know("Padaria", "4733334444")
    call_id = office.ring("4733334444", "3502")
    assert "Bruno Lima 3502 — Padaria" in rows(ana)
    assert f'href="/ligacoes/{call_id}"' in ana.get("/pessoas").text
    office.hang_up("4733334444", "3502")
    assert "Bruno Lima 3502 — —" in rows(ana)


def test_another_company_s_people_are_not_there(ana: Browser, office: Office) -> None:
    office.core.handle(AgentStateChanged("rival", "3509", "Evangelina", AgentState.READY, EXCHANGE, now_ms()))
    assert "Evangelina" not in ana.get("/pessoas").text
