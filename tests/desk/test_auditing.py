"""What is written down of who did what."""

import json
from collections.abc import Callable

import pytest

from gateway.domain.audit import NAMES, AuditAction, AuditEntry
from gateway.domain.roles import Role
from gateway.logins.passwords import hash_password
from gateway.store.audit import AuditFilter, AuditLog, remove_older
from gateway.store.directory import Agent
from tests.desk.conftest import PASSWORD, Browser, Clock, Office, now_ms
from tests.desk.test_access import basic

Log = Callable[..., list[tuple[str, str, str]]]


@pytest.fixture
def log(office: Office) -> Log:
    """Who did what with what, oldest first, logins left out."""

    def read(*, logins: bool = False) -> list[tuple[str, str, str]]:
        entries = AuditLog(office.engine, office.journal).pages("acme", AuditFilter())
        told = [(each.login, each.action.value, each.subject) for each in entries]
        return told if logins else [each for each in told if not each[1].startswith(("logg", "login"))]

    return read


def test_logins_are_written_down_good_and_wrong_ones(browse: Callable[..., Browser], log: Log) -> None:
    browser = browse()
    browser.log_in("ana", "wrong-password")
    browser.log_in("ana")
    browser.post("/logout", data={"csrf": browser.token()})
    browser.get("/api/me", headers=basic("bruno", "wrong-password"))
    wanted = [("ana", "login_failed"), ("ana", "logged_in"), ("ana", "logged_out"), ("bruno", "login_failed")]
    assert [each[:2] for each in log(logins=True)] == wanted


def test_no_password_stands_in_it(browse: Callable[..., Browser], office: Office) -> None:
    browser = browse()
    browser.log_in("ana", "hidden-wrong-1")
    browser.log_in("ana")
    form = {"atual": PASSWORD, "nova": "hidden-new-2", "outra_vez": "hidden-new-2", "csrf": browser.token("/senha")}
    assert browser.post("/senha", data=form).status_code == 200
    text = str(list(AuditLog(office.engine, office.journal).pages(None, AuditFilter())))
    assert "password_changed" in text
    assert "hidden" not in text
    assert PASSWORD not in text


def test_listening_is_written_down_once_however_often_a_player_asks(
    ana: Browser, office: Office, log: Log, clock: Clock
) -> None:
    office.ring()
    call_id = office.hang_up(recording_url="https://pbx/1.wav")
    for _ in range(3):
        answer = ana.get(f"/ligacoes/{call_id}/gravacao", headers={"Range": "bytes=0-"})
        assert (answer.status_code, answer.location) == (302, "https://pbx/1.wav")
    assert log() == [("ana", "listened", str(call_id))]
    clock.ahead_ms += 11 * 60_000
    ana.get(f"/ligacoes/{call_id}/gravacao")
    assert len(log()) == 2


@pytest.mark.parametrize("url", [None, "javascript:alert(1)"])
def test_a_call_without_a_recording_leads_nowhere(ana: Browser, office: Office, log: Log, url: str | None) -> None:
    office.ring()
    call_id = office.hang_up(recording_url=url)
    assert ana.get(f"/ligacoes/{call_id}/gravacao").status_code == 404
    assert log() == []


def test_what_changes_or_reveals_something_leaves_a_line(ana: Browser, office: Office, log: Log) -> None:
    office.know("Padaria", "4733334444")
    call_id, token = office.ring("4733339999"), ana.token()
    ana.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": token, "nome": "Nova", "visto": ""})
    ana.post(f"/ligacoes/{call_id}/encerrada", data={"csrf": token})
    ana.get("/qualidade.csv?ver=sem-ddd")
    ana.get("/trafego")
    ana.get("/trafego", headers={"HX-Request": "true"})
    ana.get("/auditoria.csv?usuario=ana")
    assert log() == [
        ("ana", "call_corrected", str(call_id)),
        ("ana", "call_marked_over", str(call_id)),
        ("ana", "exported", ""),
        ("ana", "traffic_read", ""),
        ("ana", "audit_read", "ana"),
    ]
    found = AuditLog(office.engine, office.journal).newest("acme", AuditFilter(action="call_corrected"), limit=1)[0]
    assert json.loads(found.detail) == {"nome": "Nova"}
    assert found.client == "192.168.0.50"


def test_what_was_refused_leaves_no_line(browse: Callable[..., Browser], office: Office, log: Log) -> None:
    agent = Agent(0, "acme", "caio", "Caio", "3503", role=Role.AGENT)
    office.directory.save_agent(agent, hash_password(PASSWORD), now_ms())
    call_id, caio = office.ring("4733339999", "3501"), browse()
    caio.log_in("caio")
    caio.post(f"/telas/ligacao/{call_id}/vincular", data={"csrf": caio.token(), "nome": "Nova"})
    assert caio.get("/trafego").status_code == 403
    assert log() == []


def test_the_page_filters_and_shows_texts_as_texts(ana: Browser, office: Office) -> None:
    audit = AuditLog(office.engine, office.journal)
    for number in range(3):
        audit.add(AuditEntry("acme", now_ms(), "<b>bia", "10.0.0.1", AuditAction.EXPORTED, f"s{number}"))
    audit.add(AuditEntry("rival", now_ms(), "rui", "10.0.0.1", AuditAction.EXPORTED, "secret of rival"))
    page = ana.get("/auditoria?acao=exported", headers={"Accept-Language": "en"}).text
    assert page.count("&lt;b&gt;bia") == 3
    assert "<b>bia" not in page
    assert "secret of rival" not in page
    assert "logged in at" not in page.partition("<tbody>")[2]
    assert "s1" in ana.get("/auditoria?objeto=s1", headers={"HX-Request": "true"}).text
    assert "s2" not in ana.get("/auditoria?objeto=s1", headers={"HX-Request": "true"}).text
    assert ana.get("/auditoria?de=x&ate=9999999&antes=-1&acao=nope").status_code == 200


def test_the_csv_has_no_formulas(ana: Browser, office: Office) -> None:
    AuditLog(office.engine, office.journal).add(AuditEntry("acme", 0, "=1+1", "x", AuditAction.EXPORTED, "@a"))
    lines = ana.get("/auditoria.csv").get_data(as_text=True).splitlines()
    assert "1970-01-01T00:00:00.000Z;'=1+1;x;exported;'@a;" in "\n".join(lines)


def test_entries_are_removed_by_age_only(office: Office) -> None:
    audit = AuditLog(office.engine, office.journal)
    for at in (1, 2, 3):
        audit.add(AuditEntry("acme", at, "ana", "", AuditAction.EXPORTED))
    assert office.journal.run(lambda connection: remove_older(connection, before=3)) == 2
    assert [each.at for each in audit.pages("acme", AuditFilter())] == [3]


def test_every_action_has_words() -> None:
    assert set(NAMES) == set(AuditAction)
