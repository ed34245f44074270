"""How calls ended, and calls that are over although nobody told their end, on every page and for every script."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.desk.conftest import Browser, Clock, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_pages import words

MINUTE = 60_000


def missed(office: Office, result: str = "NOANSWER", **more: object) -> int:
    office.ring()
    return office.hang_up(result=result, duration_s=0, **more)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("NOANSWER", "Não atendida"),
        ("BUSY", "Ocupado"),
        ("21", "Rejeitada"),
        ("CONGESTION", "Não completada"),
        ("CANCEL", "Cancelada antes de atender"),
        ("voicemail", "Caixa postal"),
        ("ABANDON", "Abandonada na espera"),
        ("302", "Encaminhada"),
    ],
)
def test_a_call_says_how_it_ended_everywhere(ana: Browser, office: Office, result: str, said: str) -> None:
    call_id = missed(office, result)
    for path in (f"/telas/ligacao/{call_id}", "/ligacoes", f"/ligacoes/{call_id}"):
        seen = words(ana.get(path).text)
        assert said in seen, path
        assert "Encerrada" not in seen, path


def test_a_call_that_nobody_answered_has_no_length(ana: Browser, office: Office) -> None:
    call_id = missed(office)
    for path in (f"/telas/ligacao/{call_id}", "/ligacoes", "/telas/recentes", f"/ligacoes/{call_id}"):
        assert not re.search(r"(?<!\d)0:00", ana.get(path).text), path  # but the hour may be 10:00
    assert "Não atendida" in words(ana.get("/telas/recentes").text)


def test_what_was_before_says_that_nobody_answered(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 10 * MINUTE)
    office.hang_up(at=now_ms() - 9 * MINUTE, result="NOANSWER")
    assert "Não atendida" in words(ana.get(f"/telas/ligacao/{office.ring()}").text)


def test_an_answered_call_shows_its_length_as_ever(ana: Browser, office: Office) -> None:
    office.ring(at=now_ms() - 75_000)
    call_id = office.hang_up(result="ANSWERED")
    assert "Encerrada 1:15" in words(ana.get(f"/telas/ligacao/{call_id}").text)


def test_words_that_nobody_knows_are_shown_as_they_came(ana: Browser, office: Office) -> None:
    call_id = missed(office, "VENDA <feita>")
    seen = ana.get(f"/ligacoes/{call_id}").text
    assert "VENDA &lt;feita&gt;" in seen
    assert "Encerrada" in words(seen)


def test_scripts_get_the_code_and_the_words(browse: Callable[..., Browser], office: Office) -> None:
    call_id = missed(office)
    call = browse().get(f"/api/calls/{call_id}", headers=basic()).get_json()
    assert (call["result"], call["result_text"], call["status"], call["duration_s"]) == (
        "missed",
        "NOANSWER",
        "ended",
        0,
    )


def test_screens_hear_the_code_and_the_words(ana: Browser, office: Office) -> None:
    missed(office)
    answer = ana.get("/events?last_event_id=1", buffered=False)
    blocks: Iterator[bytes] = iter(answer.response)
    next(blocks)
    told = json.loads(next(blocks).decode().split("data: ")[1])
    answer.close()
    assert (told["kind"], told["result"], told["result_text"]) == ("call_ended", "missed", "NOANSWER")


def test_a_call_can_be_marked_as_over_from_its_card(ana: Browser, office: Office, clock: Clock) -> None:
    call_id = office.ring()
    clock.ahead_ms = 2 * MINUTE
    card = ana.get(f"/telas/ligacao/{call_id}").text
    assert "Em andamento" in words(card)
    (address,) = re.findall(r'class="over" method="post" action="([^"]+)"', card)
    answer = ana.post(address, data={"csrf": ana.token()}, headers={"HX-Request": "true"})
    assert "Marcada como encerrada por ana" in words(answer.text)
    assert 'data-state="ended"' in answer.text
    assert "Já encerrou" not in answer.text
    assert 'class="card ' not in ana.get("/").text
    assert "Marcada como encerrada por ana" in words(ana.get("/ligacoes").text)


def test_without_a_script_it_leads_back_to_the_call(ana: Browser, office: Office) -> None:
    call_id = office.ring(ramal="3502")
    assert "Já encerrou" in ana.get(f"/ligacoes/{call_id}").text
    answer = ana.post(f"/ligacoes/{call_id}/encerrada", data={"csrf": ana.token()})
    assert (answer.status_code, answer.location) == (303, f"/ligacoes/{call_id}")
    assert "por ana em" in words(ana.get(f"/ligacoes/{call_id}").text)


def test_a_late_end_completes_a_call_that_was_marked(ana: Browser, office: Office) -> None:
    call_id = office.ring(at=now_ms() - MINUTE)
    ana.post(f"/ligacoes/{call_id}/encerrada", data={"csrf": ana.token()})
    assert office.hang_up(recording_url="http://pbx/1.wav") == call_id
    seen = words(ana.get(f"/ligacoes/{call_id}").text)
    assert re.search(r"Encerrada 1:\d\d ", words(ana.get(f"/telas/ligacao/{call_id}").text))
    assert "Marcada como encerrada por ana em" in seen


def test_of_two_who_mark_at_once_one_is_told_of_the_other(browse: Callable[..., Browser], office: Office) -> None:
    call_id = office.ring()
    people = {name: browse() for name in ("ana", "bruno")}
    with ThreadPoolExecutor(2) as pool:
        ask = lambda name: people[name].post(f"/api/calls/{call_id}/over", headers=basic(name))  # noqa: E731
        answers = [answer.get_json() for answer in pool.map(ask, people)]
    first, second = sorted(answers, key=lambda answer: not answer["marked"])
    assert (first["marked"], second["marked"]) == (True, False)
    by = first["call"]["over_by"]
    assert second["call"]["over_by"] == by
    assert second["message"] == f"a ligação já foi marcada como encerrada por {by}"


def test_marking_a_call_that_has_ended_changes_nothing(browse: Callable[..., Browser], office: Office) -> None:
    call_id = missed(office)
    answer = browse().post(f"/api/calls/{call_id}/over", headers=basic()).get_json()
    assert (answer["ok"], answer["marked"], answer["call"]["status"]) == (True, False, "ended")
    assert "já tinha terminado" in answer["message"]


def test_nobody_marks_another_company_s_call_or_without_the_form_s_token(ana: Browser, office: Office) -> None:
    theirs, mine = office.ring(tenant="rival"), office.ring()
    assert ana.post(f"/ligacoes/{theirs}/encerrada", data={"csrf": ana.token()}).status_code == 404
    token = {"X-CSRF-Token": ana.token()}
    assert ana.post(f"/api/calls/{theirs}/over", headers=token).status_code == 404
    assert ana.post(f"/ligacoes/{mine}/encerrada").status_code == 403
    assert ana.post(f"/api/calls/{mine}/over").status_code == 403
    cross = token | {"Sec-Fetch-Site": "cross-site"}
    assert ana.post(f"/api/calls/{mine}/over", headers=cross).status_code == 403
    assert office.calls.get("acme", mine).status == "ringing"  # type: ignore[union-attr]


def test_the_log_is_filtered_by_where_calls_stand(ana: Browser, office: Office) -> None:
    missed(office)
    going_on = office.ring("4733330001")
    for query, wanted in (("missed", [1]), ("ringing", [going_on]), ("", [going_on, 1]), ("tudo", [going_on, 1])):
        text = ana.get(f"/ligacoes?situacao={query}").text
        assert [int(call_id) for call_id in re.findall(r'<tr data-call="(\d+)"', text)] == wanted
    assert "Nenhuma ligação com estes filtros" in ana.get("/ligacoes?situacao=over").text


def test_the_filter_goes_along_to_older_calls(ana: Browser, office: Office) -> None:
    for n in range(51):
        office.ring(f"47333300{n:02}")
    (older,) = re.findall(r'href="(/ligacoes\?[^"]*antes=\d+)"', ana.get("/ligacoes?situacao=ringing").text)
    assert "situacao=ringing" in older
