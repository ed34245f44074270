"""Notes and missed calls in a browser: nothing that was typed is lost, and no two agents call one customer back."""

import json
import signal
import urllib.request
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import (
    KNOWN,
    PASSWORD,
    UNKNOWN,
    appears,
    chromium,
    count,
    furnish,
    is_seen,
    listen,
    log_in,
    text_of,
    wait_live,
)
from tests.live.desk import until as until_within
from tests.live.screen import basic

CONFIG = """
[tenants.default]
title = "Acme Ltda"
[tenants.default.appliances.pabx]
adapter = "url"
url = "http://127.0.0.1:9/{{ extension }}/{{ number }}"
success = "^OK"
[[tenants.default.outcomes]]
code = "venda"
label = "Venda"
[[tenants.default.outcomes]]
code = "retorno"
label = "Retornar"
follow_up = true
"""
NOTE = "form.note-box textarea"
until = partial(until_within, timeout_s=60)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A gateway with Ana and Bruno, who may be stopped and started again in its place."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "gateway.toml").write_text(CONFIG, encoding="utf-8")
    gateway = start_gateway(folder / "data", config=folder / "gateway.toml")
    furnish(gateway, folder)
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def browser(office: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Ana's browser."""
    with chromium(tmp_path_factory.mktemp("ana")) as ana:
        log_in(ana, office)
        wait_live(ana)
        yield ana


def answered(office: LiveGateway, number: str = KNOWN) -> int:
    """A call that Ana takes; its id."""
    for name in ("ConsultaRamal", "AtendeLigacao"):
        listen(office, name, ramal="3501", telefone=number)
    return int(calls(office)[0]["id"])


def calls(office: LiveGateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(office, "/api/calls")["calls"]
    return found


def ask(office: LiveGateway, path: str, *, login: str = "ana", method: str = "GET", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = basic(login, PASSWORD) | {"Content-Type": "application/json"}
    request = urllib.request.Request(office.url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def note(office: LiveGateway, call_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ask(office, f"/api/calls/{call_id}/note")
    return found


def type_in(browser: webdriver.Chrome, words: str) -> None:
    browser.find_element(By.CSS_SELECTOR, NOTE).send_keys(words)


def test_a_note_is_saved_while_it_is_typed_and_outlives_a_killed_gateway(
    office: LiveGateway, browser: webdriver.Chrome
) -> None:
    call_id = answered(office)
    appears(browser, f"#ligacao-{call_id} .words", timeout_s=60)
    browser.get(f"{office.url}/ligacoes/{call_id}")
    wait_live(browser)
    type_in(browser, "Pediu orçamento")
    until(lambda: note(office, call_id)["text"] == "Pediu orçamento")
    office.process.send_signal(signal.SIGKILL)
    office.process.wait(20)
    type_in(browser, " até sexta")
    until(lambda: "guardado neste navegador" in text_of(browser, ".note-box .saved"))
    again = start_gateway(office.data, config=office.config, port=office.port)
    office.process = again.process
    until(lambda: note(office, call_id)["text"] == "Pediu orçamento até sexta")


def test_what_was_typed_is_there_again_after_the_session_has_ended(
    office: LiveGateway, browser: webdriver.Chrome
) -> None:
    call_id = int(calls(office)[0]["id"])
    browser.get(f"{office.url}/ligacoes/{call_id}")
    wait_live(browser)
    before = note(office, call_id)["text"]
    browser.delete_all_cookies()
    type_in(browser, ", sem falta")
    until(lambda: "/login" in browser.current_url)
    assert note(office, call_id)["text"] == before
    log_in(browser, office)
    until(lambda: note(office, call_id)["text"] == f"{before}, sem falta")


def test_who_writes_second_is_shown_the_other_text_and_keeps_both(
    office: LiveGateway, browser: webdriver.Chrome
) -> None:
    call_id = answered(office, UNKNOWN)
    browser.get(f"{office.url}/ligacoes/{call_id}")
    wait_live(browser)
    type_in(browser, "da Ana")
    until(lambda: note(office, call_id)["revision"] == 1)
    body = {"text": "do Bruno", "revision": 1}
    ask(office, f"/api/calls/{call_id}/note", login="bruno", method="PUT", body=body)
    type_in(browser, " mais")
    until(lambda: is_seen(browser, ".note-box .conflict"))
    assert "Bruno Lima" in text_of(browser, ".conflict .who")
    assert text_of(browser, ".conflict .said") == "do Bruno"
    assert note(office, call_id)["text"] == "do Bruno"
    browser.find_element(By.CSS_SELECTOR, "[data-note-both]").click()
    until(lambda: note(office, call_id)["text"] == "do Bruno\n\nda Ana mais")


def test_a_note_of_the_page_and_of_the_card_beside_it_are_one(office: LiveGateway, browser: webdriver.Chrome) -> None:
    call_id = answered(office, "4733337777")
    browser.get(f"{office.url}/ligacoes/{call_id}")
    wait_live(browser)
    appears(browser, f"#ligacao-{call_id} .words", timeout_s=60)
    browser.find_element(By.ID, f"pagina-texto-{call_id}").send_keys("da página")
    shown = f"return document.getElementById('texto-{call_id}').value"
    until(lambda: browser.execute_script(shown) == "da página")
    browser.find_element(By.ID, f"texto-{call_id}").send_keys(" e do cartão")
    until(lambda: note(office, call_id)["text"] == "da página e do cartão")


def test_what_others_wrote_is_shown_to_who_begins_to_write(office: LiveGateway, browser: webdriver.Chrome) -> None:
    call_id = int(calls(office)[0]["id"])
    browser.refresh()
    wait_live(browser)
    body = {"text": "da página e do cartão, e do Bruno", "revision": note(office, call_id)["revision"]}
    ask(office, f"/api/calls/{call_id}/note", login="bruno", method="PUT", body=body)
    browser.find_element(By.CSS_SELECTOR, NOTE).click()
    until(lambda: "e do Bruno" in str(browser.execute_script(f"return document.querySelector('{NOTE}').value")))


def test_an_outcome_that_asks_for_a_date_wants_one_before_it_is_told(
    office: LiveGateway, browser: webdriver.Chrome
) -> None:
    call_id = answered(office, "4733335555")
    browser.get(f"{office.url}/ligacoes/{call_id}")
    wait_live(browser)
    select = "const box = document.querySelector('[name=desfecho]'); box.value = 'retorno';"
    browser.execute_script(f"{select} box.dispatchEvent(new Event('input', {{bubbles: true}}))")
    until(lambda: note(office, call_id)["outcome"] == "retorno")
    browser.find_element(By.CSS_SELECTOR, ".note-box .choices button").click()
    focused = "return document.activeElement.name + document.activeElement.validity.valueMissing"
    assert browser.execute_script(focused) == "retornotrue"


def test_two_agents_at_one_missed_call(office: LiveGateway, browser: webdriver.Chrome) -> None:
    number = "4733336666"
    listen(office, "ConsultaRamal", ramal="3501", telefone=number)
    listen(office, "FinalizaLigacao", ramal="3501", telefone=number, resultado="NO ANSWER")
    appears(browser, "#perdidas-aguardando .badge", timeout_s=60)
    browser.get(f"{office.url}/perdidas")
    wait_live(browser)
    call_id = ask(office, "/api/missed")["missed"][0]["call_id"]
    call_back = f"#perdida-{call_id} .does form .number"
    assert count(browser, call_back) == 1
    ask(office, f"/api/missed/{call_id}/claim", login="bruno", method="POST")
    until(lambda: "Bruno Lima está retornando" in text_of(browser, "#perdidas"))
    assert count(browser, call_back) == 0
    ask(office, f"/api/missed/{call_id}/release", login="bruno", method="POST")
    until(lambda: count(browser, call_back) == 1)
    browser.find_element(By.CSS_SELECTOR, f"#perdida-{call_id} [name=uma]").click()
    until(lambda: count(browser, f"#perdida-{call_id}") == 0)
    until(lambda: text_of(browser, "#perdidas-aguardando") == "")
