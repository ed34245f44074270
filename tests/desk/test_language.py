"""Pages are in the reader's language: the agent's own, else the browser's, else the company's."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.config.tables import Config, TenantSettings
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.desk.rendering import environment
from gateway.texts.text import Text
from tests.desk.conftest import PASSWORD, Browser, Office, services_of

Browse = Callable[..., Browser]


def language_of(page: str) -> str:
    return page.partition('<html lang="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("chosen", "header", "shown"),
    [
        ("", None, "pt-BR"),
        ("", "es-AR,es;q=0.9,en;q=0.8", "es"),
        ("", "de", "pt-BR"),
        ("en", "es", "en"),
        ("pt-BR", "es", "pt-BR"),
    ],
)
def test_the_most_personal_wish_counts(
    ana: Browser, office: Office, chosen: str, header: str | None, shown: str
) -> None:
    (agent,) = (each for each in office.directory.agents("acme") if each.login == "ana")
    office.directory.choose_language(agent.id, chosen)
    headers = {"Accept-Language": header} if header else {}
    answer = ana.get("/", headers=headers)
    assert language_of(answer.text) == shown
    assert "Accept-Language" in answer.vary


def test_before_the_login_the_browser_s_counts(browse: Browse) -> None:
    assert language_of(browse().get("/login", headers={"Accept-Language": "en-US,en;q=0.5"}).text) == "en"


def test_the_language_is_chosen_on_the_login_page_and_kept(office: Office, browse: Browse) -> None:
    browser = browse()
    page = browser.get("/login?idioma=es&next=/ligacoes").text
    assert language_of(page) == "es"
    assert '<a href="/login?idioma=en&amp;next=/ligacoes" lang="en" hreflang="en" >English</a>' in page
    wrong = browser.post("/login?idioma=es", data={"usuario": "ana", "senha": "x", "csrf": browser.token("/login")})
    assert "Usuario o contraseña incorrectos." in wrong.text
    form = {"usuario": "ana", "senha": PASSWORD, "csrf": browser.token("/login")}
    assert browser.post("/login?idioma=es", data=form).status_code == 303
    assert language_of(browser.get("/").text) == "es"
    assert {each.login: each.language for each in office.directory.agents("acme")}["ana"] == "es"


def test_a_language_on_the_login_page_that_is_none_of_ours_counts_for_nothing(browse: Browse) -> None:
    assert language_of(browse().get("/login?idioma=de").text) == "pt-BR"


@pytest.mark.parametrize(
    ("server", "tenant", "shown"), [("pt-BR", "es", "es"), ("en", None, "en"), ("en", "pt-BR", "pt-BR")]
)
def test_without_a_browser_s_wish_the_company_s_counts(
    office: Office, hub: Hub, browse: Browse, server: str, tenant: str | None, shown: str
) -> None:
    config = Config.model_validate({"server": {"language": server}, "tenants": {"acme": {"language": tenant}}})
    browser = browse()
    browser.client.application = Desk(services_of(office, config, hub))
    assert language_of(browser.get("/login").text) == shown


def test_an_agent_chooses_in_the_menu_and_keeps_it(ana: Browser) -> None:
    answer = ana.post("/idioma", data={"idioma": "es", "csrf": ana.token()}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")
    page = ana.get("/").text
    assert language_of(page) == "es"
    assert '<option value="es" lang="es" selected>Español</option>' in page
    assert ana.post("/idioma", data={"idioma": "", "csrf": ana.token()}).status_code == 303
    assert language_of(ana.get("/").text) == "pt-BR"


def test_a_language_that_is_none_of_ours_is_refused(ana: Browser) -> None:
    answer = ana.post("/idioma", data={"idioma": "de", "csrf": ana.token()})
    assert answer.status_code == 400
    assert "pt-BR, en, es" in answer.text


def test_another_site_cannot_choose(ana: Browser) -> None:
    assert ana.post("/idioma", data={"idioma": "es"}).status_code == 403


def test_a_new_password_keeps_the_language(office: Office, ana: Browser) -> None:
    (agent,) = (each for each in office.directory.agents("acme") if each.login == "ana")
    office.directory.save_agent(replace(agent, language="es"), "hash", 1)
    office.directory.save_agent(replace(agent, language=""), "hash", 2)
    assert [each.language for each in office.directory.agents("acme")] == ["es", ""]


def test_a_page_renders_texts_in_its_language_and_turns_nothing_round() -> None:
    template = environment("es").from_string("{{ text }} {{ text|said }}")
    assert template.render(text=Text("{a}\u202e", a=1)) == "1 1"


def test_languages_are_those_of_the_settings() -> None:
    with pytest.raises(ValueError, match="language"):
        TenantSettings.model_validate({"language": "de"})
