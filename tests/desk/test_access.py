"""Who gets in, as whom, and for how long."""

import base64
import re
import time
from collections.abc import Callable

import pytest
from werkzeug.test import Client

from gateway.desk import access
from gateway.desk.hub import Hub
from gateway.errors import LoginsBusy
from gateway.logins.passwords import Verifier
from tests.desk.conftest import PASSWORD, Browser, Clock, Office

Browse = Callable[..., Browser]


def basic(login: str = "ana", password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()}


def test_whoever_is_not_logged_in_is_shown_the_login(browse: Browse) -> None:
    answer = browse().get("/ligacoes?ramal=3501")
    assert (answer.status_code, answer.location) == (303, "/login?next=/ligacoes?ramal%3D3501")


def test_a_login_leads_to_the_page_that_was_asked_for(browse: Browse) -> None:
    answer = browse().log_in(next="/ligacoes?ramal=3501")
    assert (answer.status_code, answer.location) == (303, "/ligacoes?ramal=3501")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil", ""])
def test_a_login_never_leads_to_another_site(browse: Browse, elsewhere: str) -> None:
    assert browse().log_in(next=elsewhere).location == "/"


def test_below_a_companys_own_path_links_and_cookies_stay_there(browse: Browse) -> None:
    browser = browse(root="/t/acme")
    assert browser.get("/").location == "/t/acme/login"
    answer = browser.log_in(next="/t/rival/")
    assert answer.location == "/t/acme/"
    assert "Path=/t/acme;" in answer.headers.getlist("Set-Cookie")[0]
    assert 'href="/t/acme/ligacoes"' in browser.get("/").text


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browse: Browse) -> None:
    cookie = browse().log_in().headers.getlist("Set-Cookie")[0]
    assert cookie.startswith("cti_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_never_travels_in_clear(browse: Browse) -> None:
    answer = browse().get("/login", environ={"wsgi.url_scheme": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(("login", "password"), [("ana", "errada-123"), ("ninguem", PASSWORD), ("", "")])
def test_a_wrong_login_does_not_say_what_was_wrong(browse: Browse, login: str, password: str) -> None:
    answer = browse().log_in(login, password)
    assert answer.status_code == 401
    assert "Usuário ou senha incorretos." in answer.text
    assert "cti_session" not in str(answer.headers)


def test_guessing_passwords_is_slowed_down(browse: Browse) -> None:
    browser = browse()
    answers = [browser.log_in("bruno", f"errada-{n}") for n in range(11)]
    assert answers[-1].status_code == 429
    assert "tentativas demais" in answers[-1].text


def test_a_stranger_elsewhere_locks_no_agent_out(browse: Browse) -> None:
    stranger, bruno = browse(), browse()
    for number in range(11):
        answer = stranger.post(
            "/login",
            data={"usuario": "bruno", "senha": f"errada-{number}", "csrf": stranger.token("/login")},
            environ={"cti.client": "203.0.113.5"},
        )
    assert answer.status_code == 429
    assert bruno.log_in("bruno").status_code == 303


def test_too_many_logins_at_once_are_told_to_come_back(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise LoginsBusy

    monkeypatch.setattr(Verifier, "verify", busy)
    answer = browse().log_in()
    assert answer.status_code == 503
    assert "logins demais ao mesmo tempo" in answer.text
    script = browse().get("/api/me", headers=basic())
    assert (script.status_code, script.get_json()["code"], script.headers["Retry-After"]) == (503, 445, "2")


def test_a_session_ends_after_half_a_day(ana: Browser, clock: Clock) -> None:
    clock.ahead_ms = access.SESSION_MS - 60_000
    assert ana.get("/").status_code == 200
    clock.ahead_ms = access.SESSION_MS + 60_000
    assert ana.get("/").location == "/login"


def test_after_logging_out_the_cookie_is_worth_nothing(ana: Browser, browse: Browse) -> None:
    cookie = ana.client.get_cookie("cti_session")
    assert cookie
    assert ana.post("/logout", data={"csrf": ana.token()}).location == "/login"
    thief = browse()
    thief.client.set_cookie("cti_session", cookie.value)
    assert thief.get("/").location == "/login"


def test_a_removed_agent_is_out_at_once(ana: Browser, office: Office) -> None:
    office.directory.remove_agent("acme", "ana")
    assert ana.get("/").location == "/login"


def test_a_session_of_one_company_opens_nothing_at_another(ana: Browser, browse: Browse) -> None:
    cookie = ana.client.get_cookie("cti_session")
    assert cookie
    stranger = browse("rival")
    stranger.client.set_cookie("cti_session", cookie.value)
    assert stranger.get("/").location == "/login"
    assert stranger.get("/api/calls").status_code == 401
    assert stranger.get("/events").status_code == 401


@pytest.mark.parametrize("path", ["/discar", "/logout", "/api/dial"])
def test_a_form_without_its_token_does_nothing(ana: Browser, office: Office, path: str) -> None:
    assert ana.post(path, data={"numero": "4732100123", "number": "4732100123"}).status_code == 403
    assert ana.post(path, data={"numero": "4732100123", "csrf": "0" * 64}).status_code == 403
    assert office.exchange.orders == []
    assert ana.get("/").status_code == 200


def test_the_token_of_another_visitor_does_not_help(ana: Browser, browse: Browse, office: Office) -> None:
    bruno = browse()
    bruno.log_in("bruno")
    assert ana.post("/discar", data={"numero": "4732100123", "csrf": bruno.token()}).status_code == 403
    assert office.exchange.orders == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://localhost:9999"},
        {"Referer": "https://evil.example/page"},
        {"Referer": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_another_site_cannot_place_calls_in_an_agents_name(
    ana: Browser, office: Office, headers: dict[str, str]
) -> None:
    form = {"numero": "4732100123", "csrf": ana.token()}
    assert ana.post("/discar", data=form, headers=headers).status_code == 403
    assert ana.post("/api/dial", json={"number": "1"}, headers=headers | basic()).status_code == 403
    assert office.exchange.orders == []


def test_the_gateways_own_pages_may_place_calls(ana: Browser, office: Office) -> None:
    form = {"numero": "4732100123", "csrf": ana.token()}
    own = (
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": "http://localhost/numero"},
        {},
    )
    for headers in own:
        assert ana.post("/discar", data=form, headers=headers).status_code == 303
    assert len(office.exchange.orders) == len(own)


def test_scripts_log_in_with_every_request(browse: Browse) -> None:
    assert browse().get("/api/me", headers=basic()).get_json()["name"] == "Ana Martins"
    assert browse("rival").get("/api/me", headers=basic()).get_json()["tenant"] == "rival"


def test_a_script_without_login_is_told_how_to_log_in(browse: Browse) -> None:
    answer = browse().get("/api/me")
    assert (answer.status_code, answer.get_json()["code"]) == (401, 320)
    assert "token" not in answer.get_json()["hint"]
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_script_with_a_wrong_password_is_refused(browse: Browse) -> None:
    answer = browse().get("/api/me", headers=basic(password="errada-123"))
    assert (answer.status_code, answer.get_json()["code"]) == (401, 330)


def test_the_pages_own_script_never_makes_the_browser_ask_for_a_password(browse: Browse) -> None:
    assert "WWW-Authenticate" not in browse().get("/api/me", headers={"X-Requested-With": "desk"}).headers
    assert "WWW-Authenticate" not in browse().get("/events").headers


def test_a_piece_of_a_page_sends_the_whole_page_to_the_login(browse: Browse) -> None:
    answer = browse().get("/telas/recentes", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_passwords_are_for_programs_only(browse: Browse) -> None:
    assert browse().get("/", headers=basic()).location == "/login"


def test_a_page_of_another_session_gets_no_piece_and_is_loaded_anew(ana: Browser) -> None:
    """Whoever logs in in another tab of the browser has the cookie now: the old page would show that agent's calls."""
    headers = {"HX-Request": "true", "X-CSRF-Token": ana.token()}
    assert ana.get("/telas/recentes", headers=headers).status_code == 200
    ana.log_in("bruno")
    answer = ana.get("/telas/recentes", headers=headers)
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (403, "true")
    assert ana.get("/api/me", headers=headers).status_code == 403


def test_a_stream_is_only_for_the_session_that_its_page_names(ana: Browser) -> None:
    (mark,) = re.findall(r'data-session="(\w+)"', ana.get("/").text)
    ana.get(f"/events?sessao={mark}").close()
    ana.log_in("bruno")
    answer = ana.get(f"/events?sessao={mark}")
    assert answer.status_code == 403
    assert "Recarregue-a" in answer.text


def test_the_public_name_of_a_session_tells_nothing_of_its_cookie(ana: Browser) -> None:
    seen = ana.get("/").text
    cookie = ana.client.get_cookie("cti_session")
    assert cookie
    assert cookie.value not in seen


@pytest.mark.parametrize("leave", ["/logout", "/login"])
def test_a_session_that_ends_ends_its_streams(ana: Browser, browse: Browse, hub: Hub, leave: str) -> None:
    other = browse()
    other.log_in()
    streams = [ana.get("/events", buffered=False), other.get("/events", buffered=False)]
    for stream in streams:
        assert next(iter(stream.response)) == b"retry: 1000\n\n"
    assert hub.open_screens() == 2
    if leave == "/login":
        ana.log_in("bruno")
    else:
        ana.post("/logout", data={"csrf": ana.token()})
    assert hub.open_screens() == 1
    for _ in streams[0].response:  # what came before, and then its end
        pass
    streams[1].close()


@pytest.mark.parametrize("by", ["cookie", "password"])
def test_a_stream_ends_where_another_process_ended_the_login(
    ana: Browser, browse: Browse, office: Office, hub: Hub, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """A command has removed the agent, or another worker logged it out."""
    monkeypatch.setattr("gateway.desk.screens.ASK_EVERY_S", 0)
    browser, headers = (ana, {}) if by == "cookie" else (browse(), basic())
    stream = browser.get("/events", buffered=False, headers=headers)
    told = iter(stream.response)
    assert next(told) == b"retry: 1000\n\n"
    office.ring()
    hub.ring()
    assert b"call_started" in next(part for part in told if b"pulse" not in part)
    office.directory.remove_agent("acme", "ana")
    office.ring(telefone="4733334444")
    hub.ring()
    deadline = time.monotonic() + 10
    for part in told:
        assert b"call_started" not in part
        assert time.monotonic() < deadline, "the stream goes on"
    assert not hub.open_screens()


PLANTED = "a-value-that-another-page-has-set"


def sending(browser: Browser, **cookies: str | list[str]) -> Browser:
    """A browser at the same desk that sends just these cookies, also several of one name."""
    pairs = [(name, each) for name, value in cookies.items() for each in ([value] if isinstance(value, str) else value)]
    header = "; ".join(f"{name}={value}" for name, value in pairs)

    class Sender(Browser):
        def _place(self, more: dict[str, object]) -> dict[str, object]:
            placed = super()._place(more)
            placed["environ_overrides"]["HTTP_COOKIE"] = header
            return placed

    return Sender(Client(browser.client.application, use_cookies=False), browser.tenant, browser.root)


def login_form(browser: Browser, token: str) -> dict[str, str]:
    return {"usuario": "ana", "senha": PASSWORD, "csrf": token}


def test_a_login_cookie_that_was_there_before_is_not_kept(browse: Browse) -> None:
    browser = browse()
    browser.client.set_cookie("cti_login", PLANTED)
    seen = {PLANTED}
    for _ in range(2):
        token = browser.token("/login")
        cookie = browser.client.get_cookie("cti_login")
        assert cookie
        assert cookie.value not in seen
        assert token == access.form_token(cookie.value)
        seen.add(cookie.value)


def test_a_form_that_hangs_on_a_planted_cookie_logs_nobody_in(browse: Browse) -> None:
    """A page that set the cookie knows its token, and could log a visitor in as somebody of its own choice."""
    browser = browse()
    attacker = browse()
    token = attacker.token("/login")
    planted = attacker.client.get_cookie("cti_login")
    assert planted
    browser.token("/login")
    own = browser.client.get_cookie("cti_login")
    assert own
    # The planted one is of a parent domain, so that the browser sends both.
    both = sending(browser, cti_login=[planted.value, own.value])
    for each in (token, access.form_token(own.value)):
        answer = both.post("/login", data=login_form(both, each))
        assert (answer.status_code, answer.location) == (403, None)
        assert "Entre de novo" in answer.text
        assert "cti_session" not in str(answer.headers)


@pytest.mark.parametrize("proof", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}])
def test_a_login_page_in_another_tab_spoils_no_login(browse: Browse, proof: dict[str, str]) -> None:
    browser = browse()
    first = browser.token("/login")
    browser.token("/login")
    assert browser.post("/login", data=login_form(browser, first)).status_code == 403
    assert browser.post("/login", data=login_form(browser, first), headers=proof).status_code == 303


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_logs_nobody_in(browse: Browse, headers: dict[str, str]) -> None:
    browser = browse()
    answer = browser.post("/login", data=login_form(browser, browser.token("/login")), headers=headers)
    assert answer.status_code == 403
    assert "cti_session" not in str(answer.headers)


def test_the_login_cookie_is_never_the_session_s(ana: Browser) -> None:
    session = ana.client.get_cookie("cti_session")
    assert session
    assert session.value not in str(ana.get("/login").headers)
    assert ana.log_in("bruno").status_code == 303


def test_of_two_sessions_none_counts_and_a_login_ends_both(browse: Browse) -> None:
    victim, attacker = browse(), browse()
    victim.log_in("ana")
    attacker.log_in("bruno")
    own, planted = (each.client.get_cookie("cti_session") for each in (victim, attacker))
    assert own
    assert planted
    both = sending(victim, cti_session=[planted.value, own.value])
    assert both.get("/").location == "/login"
    answer = both.post("/login", data=login_form(both, ""), headers={"Origin": "http://localhost"})
    assert answer.status_code == 303
    fresh = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert sending(victim, cti_session=own.value).get("/").location == "/login"
    assert sending(victim, cti_session=[planted.value, fresh]).get("/").status_code == 200


@pytest.mark.parametrize(("root", "name"), [("", "__Host-cti_session"), ("/t/acme", "__Host-cti_session-acme")])
def test_over_https_a_cookie_is_of_this_very_host(browse: Browse, root: str, name: str) -> None:
    browser = browse(root=root)
    https = {"wsgi.url_scheme": "https"}
    page = browser.get("/login", environ=https)
    assert page.headers["Set-Cookie"].startswith(name.replace("session", "login") + "=")
    form = login_form(browser, re.search(r'name="csrf" value="(\w+)"', page.text)[1])  # type: ignore[index]
    written, _, value = page.headers["Set-Cookie"].partition(";")[0].partition("=")
    answer = sending(browser, **{written: value}).post("/login", data=form, environ=https)
    assert answer.status_code == 303
    session, forgotten = answer.headers.getlist("Set-Cookie")
    for each in (session, forgotten):
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(each.split("; "))
        assert "Domain" not in each
    assert session.startswith(f"{name}=")
    value = session.partition(";")[0].partition("=")[2]
    for sent, status in ((name, 200), ("cti_session", 303)):
        again = sending(browser, **{sent: value}).get("/", environ=https)
        assert again.status_code == status


def test_another_login_in_the_same_browser_ends_the_one_before(ana: Browser) -> None:
    cookie = ana.client.get_cookie("cti_session")
    assert cookie
    ana.log_in("bruno")
    ana.client.set_cookie("cti_session", cookie.value)
    assert ana.get("/").location == "/login"
