"""A call at several extensions on the screens of one agent, in a real browser."""

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import KNOWN, chromium, count, furnish, listen, log_in, text_of, until, wait_live

CALL = {"telefone": KNOWN, "id_ligacao": "c1"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("legs")
    running = start_gateway(folder / "data")
    furnish(running, folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(office: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium with two tabs of Ana's screen."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        log_in(browser, office)
        wait_live(browser)
        browser.switch_to.new_window("tab")
        browser.get(f"{office.url}/ligacoes")
        wait_live(browser)
        yield browser


def in_both_tabs(browser: webdriver.Chrome, selector: str, text: str) -> None:
    for tab in browser.window_handles:
        browser.switch_to.window(tab)
        until(lambda: text in text_of(browser, selector), timeout_s=10)


def test_who_takes_it_is_named_and_a_transfer_brings_it_back(browser: webdriver.Chrome, office: LiveGateway) -> None:
    for extension in ("3501", "3502"):
        listen(office, "ConsultaRamal", ramal=extension, fila="Suporte", **CALL)
    in_both_tabs(browser, ".card.ringing", "Suporte")
    listen(office, "AtendeLigacao", ramal="3502", **CALL)
    in_both_tabs(browser, ".card.elsewhere .words", "Atendida por Bruno Lima (ramal 3502)")
    browser.refresh()
    wait_live(browser)
    assert count(browser, ".card") == 0
    listen(office, "TransfereLigacao", ramal="3502", ramal_destino="3501", **CALL)
    in_both_tabs(browser, ".card.ringing", "Transferida por Bruno Lima (ramal 3502)")
    assert "Metalúrgica Silva" in text_of(browser, ".card h2")
    listen(office, "AtendeLigacao", ramal="3501", **CALL)
    in_both_tabs(browser, ".card.talking .words", "Atendida")
    listen(office, "EsperaLigacao", ramal="3501", **CALL)
    in_both_tabs(browser, ".card.held .words", "Em espera")
    browser.refresh()
    in_both_tabs(browser, ".card.held .words", "Em espera")
    listen(office, "RetomaLigacao", ramal="3501", **CALL)
    in_both_tabs(browser, ".card.talking .words", "Atendida")
    listen(office, "FinalizaLigacao", ramal="3501", **CALL)
    in_both_tabs(browser, ".card.ended .words", "Encerrada")
