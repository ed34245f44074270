"""Scripts of the CRM's pages at /api: those that the company names act with the agent's login, no others."""

from collections.abc import Callable

import pytest
from werkzeug.test import Client

from gateway.config.tables import ApplianceSettings, Config, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from tests.desk.conftest import Browser, Office, services_of

CRM, STRANGER = "https://crm.example", "https://evil.example"
BY_SCRIPT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
FOREIGN = (STRANGER, "null", "http://crm.example", "https://crm.example.evil.example")


@pytest.fixture
def in_crm(office: Office, hub: Hub, desk: Desk) -> Browser:
    """Ana's browser by https, logged in at a company that names its CRM's pages."""
    appliances = {"matriz": ApplianceSettings(adapter="url")}
    acme = TenantSettings.model_validate({"crm": {"origins": [CRM]}}).model_copy(update={"appliances": appliances})
    browser = Browser(Client(Desk(services_of(office, Config(tenants={"acme": acme}), hub))), "acme", scheme="https")
    assert browser.log_in().status_code == 303
    return browser


def from_page(origin: str) -> dict[str, str]:
    return {"Origin": origin, **BY_SCRIPT}


def test_a_named_page_reads_what_the_agent_may_read(in_crm: Browser) -> None:
    got = in_crm.get("/api/me", headers=from_page(CRM))
    assert got.json
    assert got.json["login"] == "ana"
    assert got.headers["Access-Control-Allow-Origin"] == CRM
    assert got.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in got.headers["Vary"]


def test_a_named_page_dials_without_a_form_of_ours(in_crm: Browser, office: Office) -> None:
    got = in_crm.post("/api/dial", json={"number": "4732100123"}, headers=from_page(CRM))
    assert got.status_code == 200, got.text
    assert [order.digits for order in office.exchange.orders] == ["04732100123"]


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_other_page_dials_or_reads(in_crm: Browser, office: Office, origin: str) -> None:
    got = in_crm.post("/api/dial", json={"number": "4732100123"}, headers=from_page(origin))
    assert got.status_code == 403
    assert not office.exchange.orders
    assert "Access-Control-Allow-Origin" not in got.headers
    assert "Access-Control-Allow-Origin" not in in_crm.get("/api/me", headers=from_page(origin)).headers


@pytest.mark.parametrize("path", ["/discar", "/idioma", "/logout", "/cadastro/importar"])
def test_a_named_page_posts_to_no_page_of_the_desk(in_crm: Browser, path: str) -> None:
    assert in_crm.post(path, data={"numero": "4732100123"}, headers=from_page(CRM)).status_code == 403


@pytest.mark.parametrize("path", ["/", "/ligacoes", "/events"])
def test_pages_and_streams_are_not_shared(in_crm: Browser, path: str) -> None:
    got = in_crm.get(path, headers=from_page(CRM))
    assert "Access-Control-Allow-Origin" not in got.headers
    got.close()


def test_an_error_is_read_by_a_named_page_too(in_crm: Browser) -> None:
    got = in_crm.post("/api/dial", json={"number": ""}, headers=from_page(CRM))
    assert (got.status_code, got.headers["Access-Control-Allow-Origin"]) == (400, CRM)


def test_a_preflight_is_answered_without_a_login(in_crm: Browser) -> None:
    asked = {"Origin": CRM, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    got = in_crm.client.options("/api/dial", headers=asked, environ_overrides={"cti.tenant": "acme"})
    assert got.status_code == 204
    assert got.headers["Access-Control-Allow-Origin"] == CRM
    assert got.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_preflight_of_another_page_is_refused(in_crm: Browser, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    got = in_crm.client.options("/api/dial", headers=asked, environ_overrides={"cti.tenant": "acme"})
    assert got.status_code == 403
    assert "Access-Control-Allow-Origin" not in got.headers


def test_a_company_that_names_nobody_shares_nothing(browse: Callable[..., Browser]) -> None:
    browser = browse()
    browser.log_in()
    got = browser.get("/api/me", headers={"Origin": CRM})
    assert "Access-Control-Allow-Origin" not in got.headers
