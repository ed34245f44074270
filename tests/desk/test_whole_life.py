"""Calls of which the exchange tells more: on hold, at several extensions, in a queue, with fields and notes."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.identifiers import Identifier
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
)
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from gateway.store.imports.loading import LoadedAccount, Phone, write_accounts
from tests.desk.conftest import ANA, EXCHANGE, PASSWORD, Browser, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_pages import words

CPF = "52998224725"


@pytest.fixture
def bruno(browse: Callable[..., Browser]) -> Browser:
    """Bruno's browser, logged in."""
    browser = browse()
    assert browser.log_in("bruno").status_code == 303
    return browser


def tell(office: Office, kind: type[Any], ramal: str = "3501", telefone: str = ANA, **more: Any) -> int:
    """The exchange tells of the call that it calls ``c1``; our id of it."""
    at = more.pop("at", None) or now_ms()
    before = {"to": more.pop("to")} if "to" in more else {}
    message = kind(
        tenant="acme",
        ramal=ramal,
        telefone=telefone,
        origin=EXCHANGE,
        received_at=at,
        **before,
        **{"call_ref": "c1"} | more,
    )
    return office.core.handle(message).call_id


def card(browser: Browser, call_id: int) -> str:
    return browser.get(f"/telas/ligacao/{call_id}").text


def account(office: Office, code: str, *identifiers: Identifier, number: str | None = None) -> None:
    phones = (Phone(number, "", number),) if number else ()
    loaded = LoadedAccount(code, f"Conta {code}", phones, identifiers=identifiers)
    office.journal.run(lambda connection: write_accounts(connection, "acme", "erp", [loaded], now_ms()))


def test_a_card_says_that_its_call_is_on_hold_and_since_when(ana: Browser, office: Office) -> None:
    tell(office, CallStarted, at=now_ms() - 90_000)
    tell(office, CallAnswered, at=now_ms() - 80_000)
    held_at = now_ms() - 20_000
    call_id = tell(office, CallHeld, at=held_at)
    text = card(ana, call_id)
    assert 'data-state="held"' in text
    assert f'data-since="{held_at}"' in text
    assert re.search(r"Em espera 0:2\d", words(text))
    assert f'id="ligacao-{call_id}"' in ana.get("/telas/agora").text
    tell(office, CallResumed)
    assert 'data-state="talking"' in card(ana, call_id)
    assert re.search(r"Atendida 1:2\d", words(card(ana, call_id)))


def test_one_call_at_two_extensions_stands_differently_on_their_screens(
    ana: Browser, bruno: Browser, office: Office
) -> None:
    call_id = tell(office, CallStarted)
    assert tell(office, CallStarted, "3502") == call_id
    for screen in (ana, bruno):
        assert 'data-state="ringing"' in card(screen, call_id)
        assert f'id="ligacao-{call_id}"' in screen.get("/telas/agora").text
    tell(office, CallAnswered, "3502")
    assert "Atendida por Bruno" in words(card(ana, call_id))
    assert "Já encerrou" not in words(card(ana, call_id)), "it goes on, at Bruno's"
    assert "Já encerrou" in words(card(bruno, call_id))
    assert f'id="ligacao-{call_id}"' not in ana.get("/telas/agora").text
    assert 'data-state="talking"' in card(bruno, call_id)
    assert f'id="ligacao-{call_id}"' in bruno.get("/telas/agora").text
    assert "Atendida por Bruno" in words(ana.get("/telas/recentes").text)


def test_a_transfer_closes_the_call_here_and_opens_it_there_with_what_was_known(
    ana: Browser, bruno: Browser, office: Office
) -> None:
    account(office, "17", number=ANA)
    call_id = tell(office, CallStarted, queue="Suporte", fields={"protocolo": "2026-7"})
    tell(office, CallAnswered)
    assert tell(office, CallTransferred, to="3502") == call_id
    assert "Transferida para 3502" in words(card(ana, call_id))
    assert f'id="ligacao-{call_id}"' not in ana.get("/telas/agora").text
    there = words(card(bruno, call_id))
    for text in ("Tocando", "Conta 17", "Transferida por Ana Martins (ramal 3501)", "Suporte", "Protocolo: 2026-7"):
        assert text in there
    assert f'id="ligacao-{call_id}"' in bruno.get("/telas/agora").text
    tell(office, CallAnswered, "3502")
    assert 'data-state="talking"' in card(bruno, call_id)


def test_a_call_s_page_shows_who_rang_and_who_talked_when(ana: Browser, office: Office) -> None:
    at = now_ms() - 100_000
    call_id = tell(office, CallStarted, at=at)
    tell(office, CallStarted, "3502", at=at)
    tell(office, CallAnswered, "3502", at=at + 10_000)
    tell(office, CallEnded, "3502", at=at + 75_000)
    page = ana.get(f"/ligacoes/{call_id}").text
    first, second = [words(leg) for leg in re.findall(r"<li>.*?</li>", page.split('class="legs"')[1], re.S)[:2]]
    assert re.search(r"3501 · Ana Martins Atendida em outro ramal tocou \d\d:\d\d:\d\d · até", first)
    assert re.search(r"3502 · Bruno Lima Encerrada tocou [\d:]{8} · atendida [\d:]{8} · até [\d:]{8} \(1:05\)", second)
    assert "Atendida por" not in words(page.split("<h2>")[0])


def test_notes_and_fields_are_shown_as_text_and_only_good_addresses_as_links(ana: Browser, office: Office) -> None:
    call_id = tell(office, CallStarted, fields={"<b>nome</b>": "<script>alert(1)</script>"})
    tell(office, CallEnded)
    tell(office, CallNoted, recording_url="http://127.0.0.1:9/a.wav", cost="R$ 0,32")
    tell(office, CallNoted, recording_url="javascript:alert(1)", transcript="- Bom dia!\n- <i>Oi</i> \u202ememo")
    page = ana.get(f"/ligacoes/{call_id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;nome&lt;/b&gt;" in page
    assert "- Bom dia!\n- &lt;i&gt;Oi&lt;/i&gt;" in page
    assert "\u202e" not in page
    assert "R$ 0,32" in words(page)
    assert f'src="/ligacoes/{call_id}/gravacao"' in page
    assert ana.get(f"/ligacoes/{call_id}/gravacao").location == "http://127.0.0.1:9/a.wav"
    tell(office, CallNoted, recording_url="http://127.0.0.1:9/b.wav")
    place = len(ana.get(f"/api/calls/{call_id}").get_json()["notes"]) - 1
    assert f'href="/ligacoes/{call_id}/gravacao/{place}"' in ana.get(f"/ligacoes/{call_id}").text
    assert ana.get(f"/ligacoes/{call_id}/gravacao/{place}").location == "http://127.0.0.1:9/b.wav"
    assert ana.get(f"/ligacoes/{call_id}/gravacao/99").status_code == 404
    assert "javascript:" not in page


def test_a_field_names_the_account_where_nobody_has_the_number(ana: Browser, office: Office) -> None:
    account(office, "17", Identifier("cpf", CPF))
    call_id = tell(office, CallStarted, fields={"obs": "segunda via", "cpf": "529.982.247-25"})
    assert "Conta 17" in words(card(ana, call_id))
    assert "o que a central enviou" in words(ana.get(f"/ligacoes/{call_id}").text)


def test_the_number_counts_before_the_fields(ana: Browser, office: Office) -> None:
    account(office, "17", Identifier("cpf", CPF))
    account(office, "18", number=ANA)
    call_id = tell(office, CallStarted, fields={"cpf": CPF})
    assert "Conta 18" in words(card(ana, call_id))


def test_a_field_that_comes_with_the_end_names_the_account_then(ana: Browser, office: Office) -> None:
    account(office, "17", Identifier("cpf", CPF))
    call_id = tell(office, CallStarted)
    assert "Conta 17" not in words(card(ana, call_id))
    tell(office, CallEnded, fields={"documento": CPF})
    assert "Conta 17" in words(card(ana, call_id))


@pytest.mark.parametrize("number", [ANA, "anonymous"])
def test_of_two_accounts_with_one_identifier_none_is_chosen_and_both_are_offered(
    browse: Callable[..., Browser], ana: Browser, office: Office, number: str
) -> None:
    for code in ("17", "18"):
        account(office, code, Identifier("contrato", "c10"))
    call_id = tell(office, CallStarted, telefone=number, fields={"contrato": "C-10"})
    text = card(ana, call_id)
    assert "2 contas identificadas pelo que a central enviou" in words(text)
    assert "Conta 17" in words(text)
    assert "Conta 18" in words(text)
    call = browse().get(f"/api/calls/{call_id}", headers=basic()).get_json()
    assert call["account"] is None
    (chosen,) = re.findall(r'"conta": ?"(\d+)"[^>]*>Conta 18<', text.replace("&#34;", '"'))
    ana.post(f"/telas/ligacao/{call_id}/conta", data={"csrf": ana.token(), "conta": chosen})
    assert browse().get(f"/api/calls/{call_id}", headers=basic()).get_json()["account"] == "Conta 18"
    tell(office, CallEnded, telefone=number)
    later = office.ring(number)
    assert browse().get(f"/api/calls/{later}", headers=basic()).get_json()["account"] is None


def test_a_script_gets_all_of_it(browse: Callable[..., Browser], office: Office) -> None:
    account(office, "17", number=ANA)
    call_id = tell(office, CallStarted, queue="Suporte", fields={"cpf": CPF})
    tell(office, CallStarted, "3502")
    tell(office, CallAnswered)
    call = browse().get(f"/api/calls/{call_id}", headers=basic()).get_json()
    assert (call["account_id"], call["account_code"], call["account"]) == (1, "17", "Conta 17")
    assert (call["answered_agent"], call["answered_agent_name"]) == ("ana", "Ana Martins")
    assert (call["fields"], call["rang"], len(call["legs"])) == ({"cpf": CPF}, ["3501", "3502"], 2)


def test_two_agents_at_one_extension_see_the_same_and_nobody_is_said_to_have_taken_it(
    browse: Callable[..., Browser], ana: Browser, bruno: Browser, office: Office
) -> None:
    office.directory.save_agent(Agent(0, "acme", "caio", "Caio Reis", "3501"), hash_password(PASSWORD), now_ms())
    caio = browse()
    caio.log_in("caio")
    call_id = tell(office, CallStarted)
    tell(office, CallStarted, "3502")
    tell(office, CallAnswered)
    for screen in (ana, caio):
        assert 'data-state="talking"' in card(screen, call_id)
        assert f'id="ligacao-{call_id}"' in screen.get("/telas/agora").text
    assert "Atendida no ramal 3501" in words(card(bruno, call_id))


def consultation(office: Office) -> tuple[int, int]:
    """Ana asks Bruno, and transfers her caller to him: ids of the call and of the consultation."""
    began = now_ms() - 60_000
    tell(office, CallStarted, at=began)
    tell(office, CallAnswered, at=began + 1000)
    asks = {"ramal": "3502", "telefone": "3501", "direction": Direction.INTERNAL, "call_ref": "c2"}
    tell(office, CallStarted, at=began + 5000, **asks)
    tell(office, CallAnswered, at=began + 6000, **asks)
    asked = tell(office, CallEnded, at=began + 26_000, **asks, goes_on=False, joined_to="c1", result="ATTENDEDTRANSFER")
    return tell(office, CallTransferred, at=began + 26_000, to="3502", attended=True), asked


def test_the_page_of_a_transferred_call_names_its_consultation(ana: Browser, office: Office) -> None:
    call_id, asked = consultation(office)
    page = ana.get(f"/ligacoes/{call_id}").text
    assert re.search(r"Consulta \d\d:\d\d · 3501 com 3502 \(0:20\)", words(page))
    assert f'href="/ligacoes/{asked}"' in page
    page = ana.get(f"/ligacoes/{asked}").text
    assert f"Consulta para ligação {call_id}" in words(page)
    assert f'href="/ligacoes/{call_id}"' in page


def test_the_log_has_a_consultation_only_where_it_is_asked_for(ana: Browser, office: Office) -> None:
    call_id, asked = consultation(office)
    found = {query: ana.get(f"/api/calls{query}").get_json()["calls"] for query in ("", "?consultations=1")}
    assert [call["id"] for call in found[""]] == [call_id]
    assert [(call["id"], call["consultation_for"]) for call in found["?consultations=1"]] == [
        (asked, call_id),
        (call_id, None),
    ]
    page = ana.get("/ligacoes").text
    assert f"/ligacoes/{call_id}" in page
    assert f"/ligacoes/{asked}" not in page
    assert [call["id"] for call in ana.get("/api/calls?search=ramal:3502").get_json()["calls"]] == [call_id]
