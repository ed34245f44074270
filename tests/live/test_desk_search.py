"""Searching, who is on the phone, and the figures, in Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import KNOWN, UNKNOWN, chromium, furnish, listen, log_in, text_of, until, wait_live


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("search")
    gateway = start_gateway(folder / "data")
    try:
        furnish(gateway, folder)
        listen(gateway, "ConsultaRamal", ramal="3502", telefone=KNOWN, fila="Vendas")
        listen(gateway, "FinalizaLigacao", ramal="3502", telefone=KNOWN, resultado="NOANSWER")
        listen(gateway, "ConsultaRamal", ramal="3502", telefone=UNKNOWN)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def browser(gateway: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        log_in(browser, gateway)
        yield browser


def shown_calls(browser: webdriver.Chrome) -> int:
    return len(browser.find_elements(By.CSS_SELECTOR, "#lista tr[data-call]"))


def test_a_search_is_typed_understood_saved_and_taken_away(browser: webdriver.Chrome, gateway: LiveGateway) -> None:
    browser.get(f"{gateway.url}/ligacoes")
    until(lambda: shown_calls(browser) == 2)
    browser.find_element(By.NAME, "busca").send_keys("metal fila:vendas", Keys.ENTER)
    until(lambda: shown_calls(browser) == 1)
    until(lambda: text_of(browser, ".chips") == "Texto: metal\nFila: vendas")
    browser.find_element(By.CSS_SELECTOR, ".save summary").click()
    browser.find_element(By.NAME, "nome").send_keys("Metal")
    browser.find_element(By.CSS_SELECTOR, ".save button").click()
    until(lambda: bool(browser.find_elements(By.LINK_TEXT, "Metal")))
    browser.find_element(By.CSS_SELECTOR, ".chips .chip:last-child a").click()
    until(lambda: text_of(browser, ".chips") == "Texto: metal")
    browser.get(f"{gateway.url}/ligacoes")
    browser.find_element(By.LINK_TEXT, "Metal").click()
    until(lambda: text_of(browser, ".chips") == "Texto: metal\nFila: vendas")
    assert browser.find_element(By.NAME, "busca").get_attribute("value") == "metal fila:vendas"


def test_the_board_follows_the_calls(browser: webdriver.Chrome, gateway: LiveGateway) -> None:
    browser.get(f"{gateway.url}/agora")
    wait_live(browser)
    assert text_of(browser, "#ramal-3501 .doing").startswith("livre")
    until(lambda: "(47) 3333-4444" in text_of(browser, "#ramal-3502 .with"))
    listen(gateway, "ConsultaRamal", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#ramal-3501 .doing").startswith("tocando"))
    listen(gateway, "AtendeLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#ramal-3501 .doing").startswith("em conversa"))
    before = text_of(browser, "#ramal-3501 .clock")
    until(lambda: text_of(browser, "#ramal-3501 .clock") != before)
    listen(gateway, "FinalizaLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: text_of(browser, "#ramal-3501 .doing").startswith("livre"))


def test_the_figures_are_drawn_without_a_complaint(
    browser: webdriver.Chrome, gateway: LiveGateway, tmp_path: Path
) -> None:
    browser.get_log("browser")
    browser.get(f"{gateway.url}/indicadores")
    until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, "#grafico canvas")))
    drawn = browser.execute_script(
        "const c = document.querySelector('#grafico canvas');"
        "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((each) => each > 0);"
    )
    assert drawn
    assert "Recebidas" in text_of(browser, ".counts")
    assert "Bruno Lima" in text_of(browser, "main")
    assert [each for each in browser.get_log("browser") if each["level"] == "SEVERE"] == []
