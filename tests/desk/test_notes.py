"""Notes, outcomes and follow-ups on the desk and for scripts."""

import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from gateway.config.after_call import OutcomeSettings
from gateway.config.tables import PrivacySettings, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.directory import Agent
from tests.desk.conftest import ANA, PASSWORD, Browser, Clock, Office, now_ms
from tests.desk.test_access import basic
from tests.desk.test_hub import told
from tests.desk.test_missed import list_of, post

Put = Callable[..., Any]
Browse = Callable[..., Browser]
OUTCOMES = (
    OutcomeSettings(code="venda", label="Venda", labels={"en": "Sale"}),
    OutcomeSettings(code="retorno", label="Retornar", follow_up=True),
)


def configure(desk: Desk, **settings: Any) -> None:
    """Let acme have other settings."""
    tenants = cast("dict[str, TenantSettings]", desk._services.config.tenants)
    tenants["acme"] = tenants["acme"].model_copy(update=settings)


@pytest.fixture
def put(browse: Browse, desk: Desk) -> Callable[..., Any]:
    """Saves a note as a program with Ana's password, or another's."""
    configure(desk, outcomes=OUTCOMES)
    browser = browse()

    def save(call_id: int, login: str = "ana", **body: Any) -> Any:
        more = browser._place({"headers": basic(login), "json": body})
        return browser.client.put(f"/api/calls/{call_id}/note", **more)

    return save


def ended(office: Office, number: str = ANA, ramal: str = "3501") -> int:
    office.ring(number, ramal)
    office.answer(number, ramal)
    return office.hang_up(number, ramal)


def test_a_script_writes_and_reads_a_note(put: Put, browse: Browse, office: Office) -> None:
    call_id = ended(office)
    address = f"/api/calls/{call_id}/note"
    assert browse().get(address, headers=basic()).get_json()["revision"] == 0
    saved = put(call_id, text="Quer proposta\r\naté sexta  ", outcome="venda", follow_up="2026-03-05T14:20", revision=0)
    assert saved.status_code == 200, saved.text
    note = browse().get(address, headers=basic("bruno")).get_json()
    assert saved.get_json()["note"] == note
    assert (note["text"], note["outcome"], note["revision"]) == ("Quer proposta\naté sexta", "venda", 1)
    assert (note["follow_up"], note["follow_up_local"]) == ("2026-03-05T17:20:00.000Z", "2026-03-05T14:20")
    assert (note["author"], note["author_name"]) == ("ana", "Ana Martins")


def test_the_second_of_two_gets_the_other_text(put: Put, office: Office) -> None:
    call_id = ended(office)
    put(call_id, text="da Ana", revision=0)
    refused = put(call_id, "bruno", text="do Bruno", revision=0)
    assert (refused.status_code, refused.get_json()["code"]) == (409, 296)
    assert refused.get_json()["note"]["text"] == "da Ana"
    assert put(call_id, "bruno", text="da Ana\ndo Bruno", revision=1).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "á" * 4097},
        {"outcome": "outra"},
        {"follow_up": "amanhã"},
        {"follow_up": "0001-01-01"},
        {"revision": "-1"},
        {"revision": "9" * 40},
        {"outcome": "retorno", "finished": True},
        {"txet": "oi"},
        {"text": ["oi"]},
    ],
)
def test_what_cannot_be_kept_is_refused(put: Put, office: Office, wrong: dict[str, Any]) -> None:
    call_id = ended(office)
    answer = put(call_id, **({"text": "oi"} | wrong))
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["message"]


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"{{", b"", b"[1]"])
def test_a_body_that_is_no_json_object_is_told_so(browse: Browse, office: Office, body: bytes) -> None:
    more = browse()._place({"headers": basic("ana"), "data": body, "content_type": "application/json"})
    answer = browse().client.put(f"/api/calls/{ended(office)}/note", **more)
    assert (answer.status_code, answer.json["message"]) == (400, "esperado um objeto JSON.")


def test_the_longest_note_is_kept(put: Put, office: Office) -> None:
    assert put(ended(office), text="á" * 4096).status_code == 200


def test_an_outcome_that_is_offered_no_more_stays(put: Put, office: Office, desk: Desk, ana: Browser) -> None:
    call_id = ended(office)
    put(call_id, text="oi", outcome="venda")
    configure(desk, outcomes=OUTCOMES[1:])
    assert re.search(r'<option value="venda"\s+selected', ana.get(f"/ligacoes/{call_id}").text)
    assert put(call_id, text="oi!", outcome="venda", revision=1).status_code == 200


def test_a_call_of_nobody_s_takes_no_note(put: Put, office: Office) -> None:
    assert put(999, text="oi").status_code == 404


def test_another_site_cannot_write_in_an_agent_s_name(ana: Browser, office: Office) -> None:
    call_id = ended(office)
    address = f"/api/calls/{call_id}/note"
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://outra.example"}):
        answer = ana.client.put(address, **ana._place({"json": {"text": "oi"}, "headers": headers}))
        assert answer.status_code == 403, headers
    token = {"X-CSRF-Token": ana.token()}
    assert ana.client.put(address, **ana._place({"json": {"text": "oi"}, "headers": token})).status_code == 200


def test_without_a_script_the_form_saves_and_tells_of_another_text(ana: Browser, put: Put, office: Office) -> None:
    call_id = ended(office)
    form = {"texto": "da Ana", "desfecho": "venda", "retorno": "", "revisao": "0", "csrf": ana.token()}
    answer = ana.post(f"/ligacoes/{call_id}/anotacao", data=form)
    assert (answer.status_code, answer.location) == (303, f"/ligacoes/{call_id}")
    put(call_id, "bruno", text="do Bruno", revision=1)
    answer = ana.post(f"/ligacoes/{call_id}/anotacao", data=form | {"texto": "da Ana, mais", "revisao": "1"})
    assert answer.status_code == 409
    assert "do Bruno\n\nda Ana, mais" in answer.text
    assert 'name="revisao" value="2"' in answer.text


def test_the_next_who_speaks_with_the_customer_sees_the_last_notes(put: Put, ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    first = ended(office, ramal="3502")
    put(first, "bruno", text="<b>prefere</b> boleto", outcome="venda")
    card = ana.get(f"/telas/ligacao/{office.ring()}").text
    assert "&lt;b&gt;prefere&lt;/b&gt; boleto" in card
    assert "Bruno Lima" in card
    assert "<strong>Venda</strong>" in card
    account = office.calls.get("acme", first)
    assert account
    assert "prefere" in ana.get(f"/contas/{account.account_id}").text


def test_a_card_has_the_note_of_its_call_to_go_on_with(put: Put, ana: Browser, office: Office) -> None:
    call_id = office.ring()
    put(call_id, text="\nvai </textarea><script>ligar", outcome="retorno", follow_up="2026-03-05T14:20")
    card = ana.get(f"/telas/ligacao/{call_id}").text
    assert re.search(r'data-revision="1"', card)
    assert "\n\nvai &lt;/textarea&gt;&lt;script&gt;ligar</textarea>" in card
    assert re.search(r'<option value="retorno" data-asks selected>Retornar', card)
    assert 'value="2026-03-05T14:20"' in card


def test_outcomes_are_named_in_the_reader_s_language(put: Put, browse: Browse, office: Office) -> None:
    browser = browse()
    browser.log_in()
    page = browser.get(f"/ligacoes/{ended(office)}", headers={"Accept-Language": "en"}).text
    assert ">Sale</option>" in page


def test_a_screen_hears_of_a_finished_note_alone(put: Put, office: Office, open_hub: Callable[..., Hub]) -> None:
    call_id = ended(office)
    screen = open_hub().subscribe("acme", "3501")
    put(call_id, text="digita")
    put(call_id, text="digita e termina", outcome="venda", revision=1, finished=True)
    event = next(told(screen))
    assert (event["event"], event["call_id"]) == ("call_noted", call_id)
    assert event["note"]["text"] == "digita e termina"
    assert (event["note"]["author"], event["note"]["outcome"]) == ("ana", "venda")


def test_follow_ups_stand_under_the_missed_calls_and_in_the_badge(
    put: Put, ana: Browser, office: Office, clock: Clock
) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    call_id = ended(office)
    soon = now_ms() + 60_000
    put(call_id, text="ligar", outcome="retorno", follow_up=iso_local(soon))
    assert 'class="badge' not in ana.get("/telas/perdidas").text
    clock.ahead_ms = 2 * 60_000
    page = list_of(ana)
    assert f'id="retorno-{call_id}"' in page
    assert "Metalúrgica Silva" in page
    assert ">1<" in ana.get("/telas/perdidas").text
    answer = post(ana, f"/perdidas/{call_id}/retornado")
    assert f'id="retorno-{call_id}"' not in answer.text
    assert 'class="badge' not in ana.get("/telas/perdidas").text


def iso_local(at: int) -> str:
    from gateway.store.calls import iso

    return iso(at) or ""


def test_scripts_see_and_finish_follow_ups(put: Put, browse: Browse, office: Office) -> None:
    call_id = ended(office)
    put(call_id, text="ligar", follow_up=iso_local(now_ms() - 60_000))
    browser = browse()
    (found,) = browser.get("/api/missed", headers=basic()).get_json()["follow_ups"]
    assert (found["call_id"], found["due"], found["mine"], found["text"]) == (call_id, True, True, "ligar")
    done = [browser.post(f"/api/calls/{call_id}/note/done", headers=basic()).get_json()["changed"] for _ in range(2)]
    assert done == [True, False]
    assert browser.post("/api/calls/999/note/done", headers=basic()).status_code == 404


@pytest.fixture
def carla(desk: Desk, office: Office, browse: Browse) -> Browser:
    """Carla, an agent who sees her own calls only, with masked telephones."""
    configure(desk, privacy=PrivacySettings(mask_numbers_for=("agent",)))
    carla = Agent(0, "acme", "carla", "Carla", "3510", role=Role.AGENT)
    office.directory.save_agent(carla, hash_password(PASSWORD), now_ms())
    browser = browse()
    browser.log_in("carla")
    return browser


def test_an_agent_reads_the_customer_s_notes_but_not_a_colleague_s_call(
    put: Put, carla: Browser, office: Office
) -> None:
    theirs = ended(office, ramal="3502")
    put(theirs, text="prefere boleto")
    assert carla.get(f"/api/calls/{theirs}/note", headers=basic("carla")).status_code == 404
    assert put(theirs, "carla", text="x", revision=1).status_code == 404
    assert post(carla, f"/perdidas/{theirs}/retornado").status_code == 404
    assert "prefere boleto" in carla.get(f"/telas/ligacao/{office.ring(ramal='3510')}").text


def test_a_telephone_in_a_note_is_hidden_from_who_may_not_see_it(put: Put, carla: Browser, office: Office) -> None:
    call_id = ended(office, ramal="3510")
    put(call_id, text="liga no (47) 99999-8888", follow_up=iso_local(now_ms()))
    for path in (f"/ligacoes/{call_id}", "/perdidas", f"/telas/ligacao/{office.ring(ramal='3510')}"):
        assert "99999" not in carla.get(path).text, path
    assert f'data-note="{call_id}"' not in carla.get(f"/ligacoes/{call_id}").text, "it cannot be written over with dots"
    assert put(call_id, "carla", text="x", revision=1).status_code == 403


def test_an_auditor_reads_notes_and_writes_none(put: Put, browse: Browse, office: Office) -> None:
    office.directory.save_agent(
        Agent(0, "acme", "rui", "Rui", "", role=Role.AUDITOR), hash_password(PASSWORD), now_ms()
    )
    call_id = ended(office)
    put(call_id, text="prefere boleto")
    browser = browse()
    browser.log_in("rui")
    page = browser.get(f"/ligacoes/{call_id}").text
    assert "prefere boleto" in page
    assert "<textarea" not in page
    assert put(call_id, "rui", text="x", revision=1).status_code == 403


def test_a_configured_company_is_needed_for_outcomes_only(ana: Browser, office: Office) -> None:
    page = ana.get(f"/ligacoes/{ended(office)}").text
    assert "<textarea" in page
    assert 'name="desfecho"' not in page


def test_outcomes_with_one_code_are_refused() -> None:
    twice = [outcome.model_dump() for outcome in (OUTCOMES[0], replace_label(OUTCOMES[0]))]
    with pytest.raises(ValueError, match="venda"):
        TenantSettings.model_validate({"outcomes": twice})


def replace_label(outcome: OutcomeSettings) -> OutcomeSettings:
    return outcome.model_copy(update={"label": "Outra"})


def test_scripts_read_the_outcomes_to_choose_from(put: Put, browse: Browse) -> None:
    answer = browse().get("/api/outcomes", headers=basic() | {"Accept-Language": "en"}).get_json()
    assert answer["outcomes"] == [
        {"code": "venda", "label": "Sale", "follow_up": False},
        {"code": "retorno", "label": "Retornar", "follow_up": True},
    ]
