"""What becomes of calls, in a real browser: how they ended, those that nobody ended, numbers that two people claim."""

import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.live.conftest import LiveGateway
from tests.live.desk import KNOWN, PASSWORD, UNKNOWN, appears, listen, text_of, until
from tests.live.test_desk_page import browser, hang_up, office, ring, ringing, screen, shown_call

__all__ = ["browser", "office", "screen"]


def test_a_call_that_nobody_answered_says_so(browser: webdriver.Chrome, office: LiveGateway) -> None:
    ring(office, KNOWN)
    appears(browser, ".card.ringing")
    ringing.remove((KNOWN, "3501"))
    listen(office, "FinalizaLigacao", ramal="3501", telefone=KNOWN, duracao="0", resultado="NOANSWER")
    until(lambda: "Não atendida" in text_of(browser, ".card.ended"))
    assert "0:00" not in text_of(browser, ".card.ended .state")


def test_a_card_says_that_its_call_is_answered_and_another_s_who_took_it(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    ring(office, KNOWN)
    appears(browser, ".card.ringing")
    listen(office, "AtendeLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: "Atendida" in text_of(browser, ".card.talking .words"))
    hang_up(office, KNOWN)
    until(lambda: "Encerrada" in text_of(browser, ".card.ended .words"))
    ring(office, UNKNOWN)
    appears(browser, ".card.ringing")
    listen(office, "AtendeLigacao", ramal="3509", telefone=UNKNOWN)
    until(lambda: "Atendida no ramal 3509" in text_of(browser, ".card.elsewhere .words"))
    listen(office, "FinalizaLigacao", ramal="3509", telefone=UNKNOWN)
    ringing.remove((UNKNOWN, "3501"))


def test_a_call_that_goes_on_for_ever_is_marked_as_over(browser: webdriver.Chrome, office: LiveGateway) -> None:
    ring(office, UNKNOWN)
    appears(browser, ".card.ringing")
    button = browser.find_element(By.CSS_SELECTOR, ".card .over button")
    assert not button.is_displayed(), "what rings is not over yet"
    age = "const card = document.querySelector('.card.ringing'); card.dataset.since = Date.now() - 50000"
    browser.execute_script(age)
    until(lambda: bool(browser.find_elements(By.CSS_SELECTOR, ".card.ongoing")))
    browser.find_element(By.CSS_SELECTOR, ".card.ongoing .over button").click()
    until(lambda: "Marcada como encerrada por ana" in text_of(browser, ".card"))
    hang_up(office, UNKNOWN)
    until(lambda: "Encerrada" in text_of(browser, ".card.ended .words"))


def test_who_is_second_is_asked_and_may_change_it(browser: webdriver.Chrome, office: LiveGateway) -> None:
    number = "4733336666"
    ring(office, number)
    appears(browser, ".card .attach summary")
    ring(office, number, ramal="3502")
    his = str(int(shown_call(browser)) + 1)
    colleague_attaches(office, his, "Padaria do Bruno")
    browser.find_element(By.CSS_SELECTOR, ".card .attach summary").click()
    browser.find_element(By.CSS_SELECTOR, ".card [name=busca]").send_keys("metal")
    until(lambda: "Metalúrgica Silva" in text_of(browser, ".card .attach ul"))
    browser.find_element(By.CSS_SELECTOR, ".card .attach ul button").click()
    until(lambda: "bruno deu este número à conta Padaria do Bruno" in text_of(browser, ".card .problem"))
    browser.find_element(By.XPATH, "//button[starts-with(., 'Trocar para')]").click()
    until(lambda: "Metalúrgica Silva & Filhos" in text_of(browser, ".card h2"))
    browser.get_log("browser")  # the 409 is a line in the console


def test_a_lone_wrong_account_is_put_right(browser: webdriver.Chrome, office: LiveGateway) -> None:
    number = "4733337777"
    ring(office, number)
    appears(browser, ".card .attach summary")
    colleague_attaches(office, shown_call(browser), "Engano")
    until(lambda: "Engano" in text_of(browser, ".card h2"))
    until(lambda: "Não é esta conta" in text_of(browser, ".card .attach summary"))
    browser.find_element(By.CSS_SELECTOR, ".card .attach summary").click()
    browser.find_element(By.XPATH, "//button[.='Não é de nenhuma conta']").click()
    until(lambda: "Número desconhecido" in text_of(browser, ".card h2"))


def colleague_attaches(office: LiveGateway, call_id: str, name: str) -> None:
    """Bruno opens an account for the call's number, at his own screen."""
    bruno = ("bruno", "--extension", "3502", "--name", "Bruno Lima", "--password-stdin")
    office.cli("agent", "add", *bruno, stdin=f"{PASSWORD}\n")
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def post(path: str, page: str, **fields: str) -> None:
        with opener.open(f"{office.url}{page}", timeout=10) as shown:
            token = re.search(r'name="csrf" value="(\w+)"', shown.read().decode())
        assert token
        data = urllib.parse.urlencode(fields | {"csrf": token[1]}).encode()
        with opener.open(f"{office.url}{path}", data, timeout=10) as answer:
            assert answer.status == 200

    post("/login", "/login", usuario="bruno", senha=PASSWORD)
    post(f"/telas/ligacao/{call_id}/vincular", "/", nome=name)


@pytest.fixture(scope="module", autouse=True)
def _nothing_rings() -> None:
    ringing.clear()
