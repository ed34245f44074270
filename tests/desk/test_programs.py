"""The browser extension's session: made and revoked at the desk, shown once, good for /api and the stream of events."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.desk.conftest import ANA, Browser, Clock, Office

FROM_EXTENSION = {"Origin": "chrome-extension://abcdefghijklmnopabcdefghijklmnop"}
DAY_MS = 24 * 3600 * 1000


def connect(browser: Browser, name: str = "notebook") -> str:
    """Make a session at the desk; its token."""
    got = browser.post("/extensao", data={"nome": name, "csrf": browser.token("/extensao")})
    assert got.status_code == 200, got.text
    found = re.search(r"http://localhost#(ctix_[\w-]{43})<", got.text)
    assert found
    return found[1]


def bearer(token: str) -> dict[str, str]:
    return FROM_EXTENSION | {"Authorization": f"Bearer {token}"}


def revoke(browser: Browser) -> None:
    """Press the first button that revokes."""
    found = re.search(r'action="(/extensao/\w+/revogar)"', browser.get("/extensao").text)
    assert found
    assert browser.post(found[1], data={"csrf": browser.token("/extensao")}).status_code == 303


def test_a_token_dials_and_reads_without_a_password_or_a_cookie(ana: Browser, browse, office: Office) -> None:
    token, program = connect(ana), browse()
    assert program.get("/api/me", headers=bearer(token)).json["login"] == "ana"
    got = program.post("/api/dial", json={"number": ANA}, headers=bearer(token))
    assert got.status_code == 200, got.text
    assert [order.extension for order in office.exchange.orders] == ["3501"]


def test_a_token_opens_the_stream_of_its_agent(ana: Browser, browse) -> None:
    got = browse().get("/events", headers=bearer(connect(ana)))
    assert (got.status_code, got.mimetype) == (200, "text/event-stream")
    got.close()


def test_a_token_is_shown_once_and_stored_as_a_hash_only(ana: Browser, office: Office) -> None:
    token = connect(ana)
    assert token not in ana.get("/extensao").text
    assert token.encode() not in stored(office)


def stored(office: Office) -> bytes:
    path = Path(office.engine.url.database or "")
    with sqlite3.connect(path) as database:
        return "\n".join(database.iterdump()).encode()


@pytest.mark.parametrize("path", ["/", "/extensao", "/ligacoes", "/telas/agora"])
def test_a_token_opens_no_page_of_the_desk(ana: Browser, browse, path: str) -> None:
    assert browse().get(path, headers=bearer(connect(ana))).status_code == 303


def test_a_token_is_no_cookie(ana: Browser, browse) -> None:
    token, program = connect(ana), browse()
    program.client.set_cookie("cti_session", token)
    assert program.get("/").status_code == 303
    assert program.get("/api/me").status_code == 401


def test_a_token_of_another_company_is_refused(ana: Browser, browse) -> None:
    assert browse("rival").get("/api/me", headers=bearer(connect(ana))).status_code == 401


@pytest.mark.parametrize("token", ["ctix_", "ctix_wrong", "ctix_" + "a" * 43])
def test_a_wrong_token_is_refused(ana: Browser, browse, token: str) -> None:
    assert browse().get("/api/me", headers=bearer(token)).status_code == 401


def test_a_wrong_token_is_refused_also_beside_a_good_cookie(ana: Browser) -> None:
    assert ana.get("/api/me", headers=bearer("ctix_wrong")).status_code == 401


def test_a_revoked_token_opens_nothing_and_the_others_go_on(ana: Browser, browse) -> None:
    first, second = connect(ana, "velho"), connect(ana, "novo")
    revoke(ana)
    assert sorted(browse().get("/api/me", headers=bearer(token)).status_code for token in (first, second)) == [200, 401]


def test_nobody_revokes_another_agent_s(ana: Browser, browse) -> None:
    token = connect(ana)
    found = re.search(r'action="(/extensao/\w+/revogar)"', ana.get("/extensao").text)
    assert found
    bruno = browse()
    bruno.log_in("bruno")
    assert "notebook" not in bruno.get("/extensao").text
    assert bruno.post(found[1], data={"csrf": bruno.token("/extensao")}).status_code == 404
    assert browse().get("/api/me", headers=bearer(token)).status_code == 200


def test_a_new_password_ends_the_programs_too(ana: Browser, browse, office: Office) -> None:
    token = connect(ana)
    found = office.directory.agent_with_hash("acme", "ana")
    assert found
    office.directory.save_agent(*found, 1)
    assert browse().get("/api/me", headers=bearer(token)).status_code == 401


def test_a_log_out_at_the_desk_leaves_the_extension_connected(ana: Browser, browse) -> None:
    token = connect(ana)
    ana.post("/logout", data={"csrf": ana.token()})
    assert browse().get("/api/me", headers=bearer(token)).status_code == 200


def test_a_token_ends_after_half_a_year(ana: Browser, browse, clock: Clock) -> None:
    token = connect(ana)
    clock.ahead_ms = 179 * DAY_MS
    assert browse().get("/api/me", headers=bearer(token)).status_code == 200
    clock.ahead_ms = 181 * DAY_MS
    assert browse().get("/api/me", headers=bearer(token)).status_code == 401


def test_the_desk_lists_them_with_their_last_use(ana: Browser, browse) -> None:
    token = connect(ana, "PC da recepção")
    shown = ana.get("/extensao").text
    assert "PC da recepção" in shown
    assert "nunca" in shown
    browse().get("/api/me", headers=bearer(token))
    assert "nunca" not in ana.get("/extensao").text


def test_an_agent_has_a_few_of_them_only(ana: Browser) -> None:
    for number in range(10):
        connect(ana, f"PC {number}")
    got = ana.post("/extensao", data={"nome": "PC 11", "csrf": ana.token("/extensao")})
    assert got.status_code == 409
    assert "Você já tem 10." in got.text
    assert "ctix_" not in got.text


def test_another_site_s_page_makes_none(ana: Browser) -> None:
    sent = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    got = ana.post("/extensao", data={"nome": "x", "csrf": ana.token("/extensao")}, headers=sent)
    assert got.status_code == 403
    assert ana.post("/extensao", data={"nome": "x"}).status_code == 403
