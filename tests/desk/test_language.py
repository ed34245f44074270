"""Pages are in the reader's language: the agent's own, else the browser's, else the company's."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway.config.tables import Config, TenantSettings
from gateway.desk import formats
from gateway.desk.hub import Hub
from gateway.desk.pages import Desk
from gateway.desk.rendering import environment
from gateway.texts.languages import LANGUAGES
from gateway.texts.text import Text
from tests.desk.conftest import PASSWORD, Browser, Office, services_of
from tests.desk.test_pages import words
from tests.texts.portuguese import WORDS

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


PAGES = (
    "/", "/ligacoes", "/ligacoes/1", "/porque", "/porque?ramal=3501&quando=2026-01-01T10:00", "/numero?valor=190",
    "/numero?valor=47999998888", "/centrais", "/cadastro", "/qualidade", "/qualidade?ver=repetidos", "/nada",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_in_english_has_no_portuguese(office: Office, ana: Browser, path: str) -> None:
    office.ring()
    page = ana.get(path, headers={"Accept-Language": "en"}).text
    shown = re.sub(r"<(script|pre|option)\b.*?</\1>", "", page, flags=re.DOTALL)
    labels = re.findall(r'(?:title|aria-label|placeholder|data-label|data-said)="([^"]*)"', shown)
    assert [text for text in (words(shown), *labels) if WORDS.search(text)] == []


def test_dates_and_amounts_are_written_by_the_language() -> None:
    at, zone = 1_772_730_000_000, ZoneInfo("America/Sao_Paulo")
    dates = [formats.date_text(at, zone, language) for language in LANGUAGES]
    assert dates == ["05/03/2026", "Mar 5, 2026", "05/03/2026"]
    amounts = [formats.amount_text(12345.67, 1, language) for language in LANGUAGES]
    assert amounts == ["12.345,7", "12,345.7", "12.345,7"]
    assert formats.amount_text(12345, language="es") == "12.345"
    assert environment("en").from_string("{{ 1234|amount }}").render() == "1,234"


def test_the_page_hands_its_script_the_sentences_of_the_language(ana: Browser) -> None:
    found = {}
    for language in LANGUAGES:
        page = ana.get("/", headers={"Accept-Language": language}).text
        (text,) = re.findall(r'<template id="sentences">(.*?)</template>', page)
        found[language] = json.loads(text)
    assert (found["pt-BR"]["live"], found["es"]["live"], found["en"]) == ("ao vivo", "en vivo", {})
    assert found["es"]["{count} more call"] == ["{count} llamada más", "{count} llamadas más"]
    assert found["es"].keys() == found["pt-BR"].keys()


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
