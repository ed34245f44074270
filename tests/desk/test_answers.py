"""Who took a call: on cards, in the log and for scripts."""

import json
import re
from collections.abc import Callable, Iterator

from tests.desk.conftest import ANA, Browser, Clock, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_pages import words

MINUTE = 60_000


def test_a_card_says_that_its_call_is_answered_and_for_how_long(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 90_000)
    answered_at = now_ms() - 65_000
    call_id = office.answer(at=answered_at)
    card = ana.get(f"/telas/ligacao/{call_id}").text
    assert 'data-state="talking"' in card
    assert f'data-since="{answered_at}"' in card
    assert re.search(r"Atendida 1:0\d", words(card))
    assert "Já encerrou" in words(card)
    assert "Recebida 3501 Número desconhecido (47) 99999-8888 Atendida" in words(ana.get("/ligacoes").text)


def test_a_long_conversation_is_there_when_the_page_is_loaded_anew(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 10 * MINUTE)
    call_id = office.answer(at=now_ms() - 9 * MINUTE)
    assert f'id="ligacao-{call_id}"' in ana.get("/telas/agora").text


def test_those_who_rang_too_see_who_took_it_and_their_card_goes(ana: Browser, office: Office) -> None:
    mine, his = office.ring(), office.ring(ramal="3502")
    assert office.answer(ramal="3502") == his
    card = ana.get(f"/telas/ligacao/{mine}").text
    assert 'data-state="elsewhere"' in card
    assert "Atendida por Bruno" in words(card)
    assert "(ramal 3502)" in words(card)
    assert f'id="ligacao-{mine}"' not in ana.get("/telas/agora").text
    assert "Atendida por Bruno" in words(ana.get("/ligacoes").text)
    office.hang_up(result="NOANSWER", duration_s=0)
    assert "Atendida por Bruno" in words(ana.get(f"/ligacoes/{mine}").text)
    assert "Não atendida" not in words(ana.get("/telas/recentes").text)


def test_an_extension_without_an_agent_is_named_itself(ana: Browser, office: Office) -> None:
    mine = office.ring()
    office.ring(ramal="3509")
    office.answer(ramal="3509")
    assert "Atendida no ramal 3509" in words(ana.get(f"/telas/ligacao/{mine}").text)


def test_a_call_that_ended_shows_how_long_they_spoke(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 100_000)
    office.answer(at=now_ms() - 75_000)
    call_id = office.hang_up(at=now_ms())
    assert re.search(r"Encerrada 1:1[45]", words(ana.get(f"/telas/ligacao/{call_id}").text))
    page = words(ana.get(f"/ligacoes/{call_id}").text)
    assert "Tocou por 0:25" in page
    assert re.search(r"Atendida \d\d/\d\d/\d{4} \d\d:\d\d · Ana", page), page


def test_what_goes_on_is_found_whether_it_rings_or_is_answered(ana: Browser, office: Office) -> None:
    office.ring()
    office.answer()
    office.ring("4733330001")
    text = ana.get("/ligacoes?situacao=ringing").text
    assert re.findall(r'<tr data-call="(\d+)"', text) == ["2", "1"]


def test_scripts_get_who_took_it(browse: Callable[..., Browser], office: Office) -> None:
    office.ring(at=now_ms() - 9000)
    office.answer(at=now_ms() - 5000)
    found = browse().get("/api/calls?status=talking", headers=basic()).get_json()
    (call,) = found["calls"]
    assert (call["status"], call["answered_by"], call["answered_agent"]) == ("talking", "3501", "ana")
    assert call["ring_s"] == 4


def test_scripts_get_what_was_missed(browse: Callable[..., Browser], office: Office) -> None:
    for number, result in ((ANA, "NOANSWER"), ("4733330001", "ANSWERED"), ("4733330002", "21")):
        office.ring(number)
        office.hang_up(number, result=result)
    office.ring("4733330003")
    asked = {"1": [3, 1], "0": [4, 2], "true": [3, 1], "": [4, 3, 2, 1]}
    for value, wanted in asked.items():
        found = browse().get(f"/api/calls?missed={value}", headers=basic()).get_json()["calls"]
        assert [call["id"] for call in found] == wanted
        assert all(call["missed"] is (call["id"] in (1, 3)) for call in found)
    refused = browse().get("/api/calls?missed=sim", headers=basic())
    assert (refused.status_code, refused.get_json()["code"]) == (400, 220)


def test_the_log_marks_what_was_missed_and_finds_it(ana: Browser, office: Office) -> None:
    for extension in ("3501", "3502"):
        office.ring(ramal=extension)
    for extension in ("3502", "3501"):
        office.hang_up(ramal=extension, result="CANCEL")
    text = ana.get("/ligacoes?situacao=missed").text
    assert re.findall(r'<tr data-call="(\d+)"', text) == ["1"]
    assert 'class="status ended missed"' in text


def test_a_transferred_call_leaves_one_screen_and_comes_up_on_the_other(
    browse: Callable[..., Browser], ana: Browser, office: Office
) -> None:
    office.know("Metalúrgica Silva", ANA)
    mine = office.ring()
    office.answer()
    his = office.transfer("3502")
    assert "Transferida para 3502" in words(ana.get(f"/telas/ligacao/{mine}").text)
    assert f'id="ligacao-{mine}"' not in ana.get("/telas/agora").text
    there = ana.get(f"/telas/ligacao/{his}").text
    assert "Transferida por Ana Martins (ramal 3501)" in words(there)
    assert "Transferida por" not in words(ana.get(f"/telas/ligacao/{mine}").text)
    assert "Transferida por" in words(ana.get(f"/ligacoes/{his}").text)
    assert 'data-state="ringing"' in there
    assert "Metalúrgica Silva" in there
    call = browse().get(f"/api/calls/{mine}", headers=basic()).get_json()
    assert (call["status"], call["result"], call["transferred_to"]) == ("ended", "answered", "3502")


def test_screens_hear_of_an_answer(ana: Browser, office: Office, clock: Clock) -> None:
    office.ring()
    office.answer()
    answer = ana.get("/events?last_event_id=1", buffered=False)
    blocks: Iterator[bytes] = iter(answer.response)
    next(blocks)
    told = json.loads(next(blocks).decode().split("data: ")[1])
    answer.close()
    assert (told["kind"], told["status"], told["answered_agent"]) == ("call_answered", "talking", "ana")


def test_the_diagnosis_tells_of_the_answer(ana: Browser, office: Office) -> None:
    office.ring(ANA)
    call_id = office.answer(ANA)
    assert "atendimento, por get, de 192.168.0.9" in words(ana.get(f"/ligacoes/{call_id}").text)


def test_the_steps_tell_of_the_transfer_on_both_of_its_calls(ana: Browser, office: Office) -> None:
    mine = office.ring(ANA)
    his = office.transfer("3502")
    said = f"transferência, por get, de 192.168.0.9: ramal=3501 telefone={ANA} ramal_destino=3502"
    assert said in words(ana.get(f"/ligacoes/{mine}").text)
    there = words(ana.get(f"/ligacoes/{his}").text)
    assert said in there
    assert "início, por get" not in there


def test_the_page_says_where_a_call_went_and_not_that_it_ended_there(ana: Browser, office: Office) -> None:
    mine = office.ring(ANA)
    office.transfer("3502")
    there = words(ana.get(f"/ligacoes/{mine}").text)
    assert "Transferida para 3502" in there
    assert "Encerrada no ramal" not in there
    outside = office.transfer("4732100123", "47988887777")
    assert "Transferida para (47) 3210-0123" in words(ana.get(f"/ligacoes/{outside}").text)
    guessed = office.ring("4733334444")
    office.hang_up("4733334444", "3502")
    assert "Encerrada no ramal 3502" in words(ana.get(f"/ligacoes/{guessed}").text)


def test_screens_hear_where_a_call_was_transferred_to(ana: Browser, office: Office) -> None:
    office.ring()
    office.transfer("3502")
    answer = ana.get("/events?last_event_id=1", buffered=False)
    blocks: Iterator[bytes] = iter(answer.response)
    next(blocks)
    told = json.loads(next(blocks).decode().split("data: ")[1])
    answer.close()
    assert (told["kind"], told["status"], told["transferred_to"]) == ("call_transferred", "ended", "3502")
