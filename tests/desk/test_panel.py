"""The panel: framed by pages that the company names only, with a login that no other site's page can use."""

from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import Client, TestResponse

from gateway.config.tables import Config, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.store import tables
from tests.desk.conftest import ANA, PASSWORD, Browser, Office, services_of

CRM, STRANGER = "https://crm.example", "https://evil.example"
IN_FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def browser(office: Office, hub: Hub, desk: Desk) -> Browser:
    """A browser by https at a company that names its CRM's pages."""
    acme = TenantSettings.model_validate({"crm": {"origins": [CRM, "https://other.example"]}})
    rival = TenantSettings()
    services = services_of(office, Config(tenants={"acme": acme, "rival": rival}), hub)
    return Browser(Client(Desk(services)), "acme", scheme="https")


@pytest.fixture
def framed(browser: Browser) -> Browser:
    """Ana is logged in at the panel, in a frame."""
    assert log_in(browser).status_code == 303
    return browser


def log_in(browser: Browser, password: str = PASSWORD, login: str = "ana") -> TestResponse:
    form = {"usuario": login, "senha": password, "csrf": browser.token("/painel/entrar")}
    return browser.post("/painel/entrar", data=form, headers=OWN)


def test_only_named_pages_may_frame_the_panel(browser: Browser) -> None:
    got = browser.get("/painel/entrar")
    assert got.headers["Content-Security-Policy"].endswith(f"frame-ancestors {CRM} https://other.example")
    assert "X-Frame-Options" not in got.headers


@pytest.mark.parametrize("path", ["/login", "/", "/ligacoes", "/painelx", "/static/desk.css", "/api/openapi.json"])
def test_nothing_else_is_framed_by_anybody(framed: Browser, path: str) -> None:
    got = framed.get(path)
    assert got.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert got.headers["X-Frame-Options"] == "DENY"


def test_where_nobody_is_named_nobody_frames(browser: Browser) -> None:
    browser.tenant = "rival"
    got = browser.get("/painel/entrar")
    assert got.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert got.headers["X-Frame-Options"] == "DENY"


def test_whoever_is_not_logged_in_gets_the_panel_s_own_login(browser: Browser) -> None:
    assert browser.get("/painel").location == "/painel/entrar"
    got = browser.get("/telas/agora", headers={"HX-Request": "true", "X-CTI-Panel": "1"})
    assert (got.status_code, got.headers["HX-Redirect"]) == (401, "/painel/entrar")


def test_the_login_in_a_frame_gets_a_cookie_that_goes_there_and_nowhere_else(browser: Browser) -> None:
    got = log_in(browser)
    assert got.location == "/painel?entrou=1"
    cookie = next(cookie for cookie in got.headers.getlist("Set-Cookie") if "cti_panel" in cookie)
    assert cookie.startswith("__Host-cti_panel=")
    for word in ("HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"):
        assert word in cookie
    assert "__Host-cti_session=" not in str(got.headers)


def test_a_company_that_names_nobody_gives_no_such_cookie(browser: Browser) -> None:
    browser.tenant = "rival"
    got = log_in(browser)
    assert "cti_panel" not in str(got.headers)
    assert "SameSite=None" not in str(got.headers)


def test_without_https_the_panel_has_the_usual_cookie(browser: Browser) -> None:
    browser.scheme = "http"
    assert "SameSite=None" not in str(log_in(browser).headers)
    assert browser.get("/painel").status_code == 200


def test_the_panel_shows_cards_dialling_and_last_calls(framed: Browser, office: Office) -> None:
    office.ring()
    shown = framed.get("/painel", headers=IN_FRAME).text
    assert 'id="ligacao-1"' in shown
    assert 'id="discagem"' in shown
    assert 'id="recentes"' in shown
    assert '<base target="_blank">' in shown
    assert CRM in shown


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("http", "Dentro da página de outro site, ele só o guarda por https"), ("https", "Permita cookies")],
)
def test_a_browser_that_kept_no_cookie_is_told_why(browser: Browser, scheme: str, said: str) -> None:
    browser.scheme = scheme
    answer = browser.get("/painel?entrou=1")
    assert answer.location == "/painel/entrar?sem_cookie=1"
    assert said in browser.get(answer.location).text


def test_a_log_out_takes_the_panel_s_cookie_back(framed: Browser) -> None:
    got = framed.post("/painel/sair", data={"csrf": framed.token("/painel")}, headers=OWN)
    assert got.location == "/painel/entrar"
    assert framed.get("/painel").location == "/painel/entrar"


def test_a_login_at_the_desk_ends_the_panel_s(framed: Browser) -> None:
    before = framed.client.get_cookie("__Host-cti_panel")
    assert before
    framed.log_in("bruno")
    framed.client.set_cookie("__Host-cti_session", "", max_age=0)
    assert framed.get("/painel").location == "/painel/entrar"


# A browser without partitions sends the panel's cookie with whatever another site's page asks.

BY_STRANGER = {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
BY_IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
BY_FORM = {
    "Origin": STRANGER,
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
WITHOUT_WORDS = {"Origin": STRANGER}
"""An old browser, which sends no Sec-Fetch-…"""


@pytest.mark.parametrize("sent", [BY_STRANGER, BY_IMAGE, IN_FRAME], ids=["fetch", "image", "frame"])
@pytest.mark.parametrize("path", ["/api/me", "/api/calls", "/events"])
def test_the_panel_s_cookie_does_not_count_for_a_stranger_s_script(
    framed: Browser, path: str, sent: dict[str, str]
) -> None:
    got = framed.get(path, headers=sent)
    assert got.status_code == 401
    assert "Access-Control-Allow-Origin" not in got.headers


@pytest.mark.parametrize("sent", [BY_STRANGER, BY_IMAGE, BY_FORM, WITHOUT_WORDS], ids=["fetch", "image", "form", "old"])
@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/discar", {"numero": ANA}),
        ("/api/dial", {"number": ANA}),
        ("/painel/sair", {}),
        ("/idioma", {"idioma": "en"}),
        ("/painel/entrar", {"usuario": "bruno", "senha": PASSWORD}),
    ],
)
def test_a_stranger_s_page_does_nothing_by_the_panel_s_cookie(
    framed: Browser, office: Office, path: str, data: dict[str, str], sent: dict[str, str]
) -> None:
    assert framed.post(path, data=data, headers=sent).status_code in (303, 401, 403)
    assert not office.exchange.orders
    assert framed.get("/api/me", headers=OWN).json == {
        "login": "ana",
        "name": "Ana Martins",
        "extension": "3501",
        "tenant": "acme",
        "title": "acme",
    }


def test_a_named_page_s_script_has_the_panel_s_login(framed: Browser) -> None:
    sent = BY_STRANGER | {"Origin": CRM}
    assert framed.get("/api/me", headers=sent).status_code == 200
    assert framed.get("/events", headers=sent).status_code == 401


def test_the_panel_s_own_script_dials_with_its_form_s_token_only(framed: Browser, office: Office) -> None:
    token = framed.token("/painel")
    assert framed.post("/discar", data={"numero": ANA}, headers=OWN).status_code == 403
    assert framed.post("/api/dial", json={"number": ANA}, headers=OWN).status_code == 403
    assert framed.post("/api/dial", json={"number": ANA}, headers=OWN | {"X-CSRF-Token": token}).status_code == 200
    assert len(office.exchange.orders) == 1


def test_the_script_for_the_crm_is_for_every_page(browser: Browser) -> None:
    got = browser.get("/cti/v1.js", headers=BY_STRANGER | {"Sec-Fetch-Mode": "no-cors"})
    assert got.status_code == 200
    assert got.mimetype == "text/javascript"
    assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=3600" in got.headers["Cache-Control"]
    assert got.text.count('"*"') == 0  # a message to any page that happens to stand there


def test_the_panel_shows_who_waits_to_be_called_back_and_takes_notes(framed: Browser, office: Office) -> None:
    office.ring("4732105566")
    office.hang_up("4732105566", result="missed")
    office.ring()
    shown = framed.get("/painel", headers=IN_FRAME).text
    assert 'id="perdidas"' in shown
    assert "(47) 3210-5566" in shown[shown.index('id="perdidas"') :]
    assert 'id="anotacao-2"' in shown


def test_who_chooses_the_extension_is_led_to_the_desk_for_it(framed: Browser, office: Office) -> None:
    mark(office, chooses_extension=True, extension="")
    shown = framed.get("/painel", headers=IN_FRAME).text
    assert "Você ainda não tem ramal" in shown
    assert 'id="discagem"' not in shown


def test_who_has_a_first_password_is_told_so_in_the_frame(framed: Browser, office: Office) -> None:
    mark(office, first_password=True)
    got = framed.get("/painel", headers=IN_FRAME)
    assert got.status_code == 403
    assert "X-Frame-Options" not in got.headers


def mark(office: Office, **values: Any) -> None:
    """Change how Ana's row stands in the table of agents."""
    agents = tables.agents
    with office.engine.begin() as connection:
        connection.execute(update(agents).where(agents.c.tenant == "acme", agents.c.login == "ana").values(**values))
