"""What an agent's screen does when something fails: what does not load, a browser that may not sound."""

import json
import time
import urllib.request
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.live.conftest import LiveGateway
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
    until,
    wait_live,
)
from tests.live.screen import basic

CARD, RECEIPT, LIST = "*/telas/ligacao/*", "*/mostrada", "*/telas/recentes"
ringing: list[str] = []
"""Numbers that the test at hand let ring at 3501."""


@pytest.fixture(scope="module")
def office(gateway: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> LiveGateway:
    furnish(gateway, tmp_path_factory.mktemp("crm"))
    return gateway


@pytest.fixture(scope="module")
def opened(office: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        log_in(browser, office)
        browser.execute_cdp_cmd("Network.enable", {})
        yield browser


@pytest.fixture
def browser(opened: webdriver.Chrome, office: LiveGateway) -> Iterator[webdriver.Chrome]:
    """Ana's screen, live; afterwards nothing rings and nothing is blocked."""
    opened.get(office.url)
    wait_live(opened)
    yield opened
    block(opened)
    while ringing:
        hang_up(office)


def test_a_card_that_does_not_load_is_shown_from_what_the_event_says(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    block(browser, CARD)
    ring(office, KNOWN)
    card = appears(browser, ".card.ringing")
    for text in ("Metalúrgica Silva & Filhos", "Carlos Eduardo", "(47) 99999-8888", "Recebida", "Tocando"):
        assert text in card
    assert browser.title.startswith("☎ Carlos Eduardo — Metalúrgica")
    assert count(browser, "[data-provisional]") == 1
    block(browser)
    until(lambda: count(browser, "[data-provisional]") == 0, timeout_s=20)
    assert "Metalúrgica Silva & Filhos" in text_of(browser, ".card.ringing")
    assert count(browser, ".card.ringing .number") == 1


def test_one_failure_is_made_good_within_moments(browser: webdriver.Chrome, office: LiveGateway) -> None:
    block(browser, CARD)
    ring(office, UNKNOWN)
    assert "Número desconhecido" in appears(browser, ".card.ringing")
    block(browser)
    until(lambda: count(browser, ".card.ringing .number") == 1)
    assert count(browser, ".card") == 1


def test_a_call_that_ends_meanwhile_does_not_ring_on(browser: webdriver.Chrome, office: LiveGateway) -> None:
    ring(office, UNKNOWN)
    until(lambda: count(browser, ".card.ringing .number") == 1)
    block(browser, CARD)
    hang_up(office)
    assert "Encerrada" in appears(browser, ".card.ended")
    assert count(browser, ".card [data-elapsed]") == 0
    assert not browser.title.startswith("☎")


def test_a_card_in_its_place_that_was_dismissed_stays_away(browser: webdriver.Chrome, office: LiveGateway) -> None:
    block(browser, CARD)
    ring(office, KNOWN)
    appears(browser, ".card.ringing")
    browser.find_element(By.CSS_SELECTOR, ".card [data-dismiss]").click()
    block(browser)
    time.sleep(2)  # the next attempts are due
    assert count(browser, ".card") == 0


def test_the_diagnosis_says_shown_only_of_a_card_in_sight(browser: webdriver.Chrome, office: LiveGateway) -> None:
    browser.execute_script("document.querySelector('#cartoes').style.visibility = 'hidden'")
    browser.execute_script("document.querySelector('#cartoes').style.translate = '0 -9999px'")
    call_id = ring(office, KNOWN)
    until(lambda: count(browser, ".card.ringing") == 1)
    time.sleep(1)
    assert not why(office, call_id)["popped"]
    browser.execute_script("document.querySelector('#cartoes').removeAttribute('style')")
    until(lambda: bool(why(office, call_id)["popped"]))


def test_a_receipt_that_does_not_get_through_is_sent_again(browser: webdriver.Chrome, office: LiveGateway) -> None:
    block(browser, RECEIPT)
    call_id = ring(office, KNOWN)
    appears(browser, ".card.ringing")
    assert not why(office, call_id)["popped"]
    block(browser)
    until(lambda: bool(why(office, call_id)["popped"]), timeout_s=20)


def test_the_lists_are_asked_for_again_too(browser: webdriver.Chrome, office: LiveGateway) -> None:
    block(browser, LIST)
    ring(office, "4732107777")
    appears(browser, ".card.ringing")
    time.sleep(1)
    assert "3210-7777" not in text_of(browser, "#recentes")
    block(browser)
    until(lambda: "3210-7777" in text_of(browser, "#recentes"), timeout_s=20)
    browser.get(f"{office.url}/ligacoes")
    wait_live(browser)
    block(browser, "*/ligacoes*")
    ring(office, "4732108888")
    appears(browser, ".card.ringing")
    time.sleep(1.5)
    block(browser)
    until(lambda: "3210-8888" in text_of(browser, "#lista"), timeout_s=20)
    assert text_of(browser, "#aviso") == ""


def test_a_page_that_may_not_sound_says_so_and_the_first_click_lets_it(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    browser.find_element(By.CSS_SELECTOR, ".switch:has(#som)").click()
    assert not is_seen(browser, "#ativar-som")
    other = new_tab(browser, f"{office.url}/ligacoes")
    try:
        assert not is_seen(browser, "#ativar-som")  # the first tab sounds for both
        first = next(handle for handle in browser.window_handles if handle != other)
        browser.switch_to.window(first)
        browser.close()
        browser.switch_to.window(other)
        until(lambda: is_seen(browser, "#ativar-som"))
        assert text_of(browser, "#ativar-som") == "clique para ativar o som"
        browser.find_element(By.TAG_NAME, "h1").click()
        until(lambda: not is_seen(browser, "#ativar-som"))
        chimes = "window.chimes = 0; const tone = AudioContext.prototype.createOscillator;"
        chimes += (
            "AudioContext.prototype.createOscillator = function () { window.chimes += 1; return tone.call(this); }"
        )
        browser.execute_script(chimes)
        ring(office, KNOWN)
        until(lambda: bool(browser.execute_script("return window.chimes")))
    finally:
        browser.execute_script("localStorage.removeItem('cti:default/ana:som')")


def new_tab(browser: webdriver.Chrome, address: str) -> str:
    browser.switch_to.new_window("tab")
    browser.execute_cdp_cmd("Network.enable", {})
    browser.get(address)
    wait_live(browser)
    return browser.current_window_handle


def block(browser: webdriver.Chrome, *addresses: str) -> None:
    """Let the page's requests for ``addresses`` fail, and no others."""
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": list(addresses)})


def ring(office: LiveGateway, number: str) -> int:
    """The exchange says that a call rings; its id."""
    ringing.append(number)
    listen(office, "ConsultaRamal", ramal="3501", telefone=number)
    return int(asked(office, "/api/calls?limit=1")["calls"][0]["id"])


def hang_up(office: LiveGateway) -> None:
    listen(office, "FinalizaLigacao", ramal="3501", telefone=ringing.pop())


def why(office: LiveGateway, call_id: int) -> dict[str, object]:
    return asked(office, f"/api/calls/{call_id}/why")


def asked(office: LiveGateway, path: str) -> dict[str, object]:
    request = urllib.request.Request(office.url + path, headers=basic("ana", PASSWORD))
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found
