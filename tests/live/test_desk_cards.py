"""The cards in Chromium: small and large, several at once, sent away and brought back, kept as the agent left them."""

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import LiveGateway
from tests.live.desk import count, text_of, until, wait_live
from tests.live.desk_pages import look
from tests.live.test_desk_page import KNOWN, UNKNOWN, appears, browser, hang_up, listen, office, ring, ringing, screen

__all__ = ["browser", "office", "screen"]
LARGE, SMALL = ".card:not(.small)", ".card.small"
COVERED = """
const cards = document.querySelector(".cards.floating").getBoundingClientRect();
const controls = [...document.querySelectorAll("main a, main button, main input, main select")];
return controls.filter((e) => e.checkVisibility()).filter((e) => {
  e.scrollIntoView({ block: "nearest", inline: "nearest" });
  const box = e.getBoundingClientRect();
  return box.right > cards.left && box.bottom > cards.top && box.left < cards.right && box.top < cards.bottom;
}).map((e) => e.outerHTML.slice(0, 90));
"""


@pytest.fixture(autouse=True)
def _all_cards_go(browser: webdriver.Chrome, office: LiveGateway, screen: None) -> Iterator[None]:
    """Each test begins without cards and at a desktop's size."""
    look(browser, "desktop")
    for button in browser.find_elements(By.CSS_SELECTOR, ".card [data-dismiss]"):
        browser.execute_script("arguments[0].click()", button)
    browser.execute_script("document.querySelector('#aviso').replaceChildren()")
    yield
    browser.switch_to.window(browser.window_handles[0])


def log_page(browser: webdriver.Chrome, office: LiveGateway) -> None:
    browser.get(f"{office.url}/ligacoes")
    wait_live(browser)


def ring_all(browser: webdriver.Chrome, office: LiveGateway, *numbers: str) -> None:
    for number in numbers:
        ring(office, number)
    until(lambda: count(browser, ".card") == len(numbers), timeout_s=10)


def press(browser: webdriver.Chrome, key: str) -> None:
    browser.switch_to.active_element.send_keys(key)


def test_a_card_made_small_stays_so_on_other_pages_and_in_other_tabs(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    log_page(browser, office)
    ring_all(browser, office, KNOWN)
    browser.switch_to.new_window("tab")
    log_page(browser, office)
    until(lambda: count(browser, LARGE) == 1)
    browser.switch_to.window(browser.window_handles[0])
    browser.find_element(By.CSS_SELECTOR, ".card [data-size]").click()
    assert "Metalúrgica Silva" in text_of(browser, SMALL)
    assert browser.find_element(By.CSS_SELECTOR, ".card").rect["height"] < 60
    browser.switch_to.window(browser.window_handles[1])
    until(lambda: count(browser, SMALL) == 1)
    browser.get(f"{office.url}/centrais")
    until(lambda: count(browser, SMALL) == 1)
    browser.close()
    browser.switch_to.window(browser.window_handles[0])
    button = browser.find_element(By.CSS_SELECTOR, ".card [data-size]")
    assert button.get_attribute("aria-expanded") == "false"
    button.send_keys(Keys.ENTER)
    assert (count(browser, LARGE), button.get_attribute("aria-expanded")) == (1, "true")


@pytest.mark.parametrize("size", ["phone", "desktop", "zoomed 200 %"])
def test_no_control_of_the_page_stays_under_a_card(browser: webdriver.Chrome, office: LiveGateway, size: str) -> None:
    log_page(browser, office)
    ring_all(browser, office, KNOWN, UNKNOWN)
    look(browser, size)
    until(lambda: browser.execute_script(COVERED) == [])


def test_of_many_calls_the_newest_are_large_and_the_others_a_line_each(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    log_page(browser, office)
    numbers = ["4733330001", "4733330002", "4733330003", "4733330004"]
    ring_all(browser, office, *numbers)
    until(lambda: text_of(browser, "#mais-ligacoes") == "mais 2 ligações")
    shown = {text for text in numbers if text[-4:] in all_text(browser, LARGE)}
    assert shown == {"4733330003", "4733330004"}
    for card in browser.find_elements(By.CSS_SELECTOR, SMALL):
        assert card.is_displayed()
    browser.find_element(By.ID, "mais-ligacoes").send_keys(Keys.ENTER)
    assert not any(card.is_displayed() for card in browser.find_elements(By.CSS_SELECTOR, SMALL))
    browser.find_element(By.ID, "mais-ligacoes").send_keys(Keys.ENTER)
    oldest = browser.find_elements(By.CSS_SELECTOR, SMALL)[-1]
    oldest.find_element(By.CSS_SELECTOR, "[data-size]").click()
    assert "small" not in (oldest.get_attribute("class") or ""), "an older call can be looked at"
    assert count(browser, LARGE) == 2
    look(browser, "phone")
    until(lambda: count(browser, LARGE) == 1 and text_of(browser, "#mais-ligacoes") == "mais 3 ligações")


def all_text(browser: webdriver.Chrome, selector: str) -> str:
    return " ".join(element.text for element in browser.find_elements(By.CSS_SELECTOR, selector))


def test_esc_in_a_field_a_menu_or_an_open_list_leaves_the_card(browser: webdriver.Chrome, office: LiveGateway) -> None:
    ring_all(browser, office, UNKNOWN)
    field = browser.find_element(By.ID, "numero")
    field.send_keys("4799", Keys.ESCAPE)
    assert (count(browser, ".card"), field.get_attribute("value")) == (1, "4799")
    browser.find_element(By.CSS_SELECTOR, ".tools summary").click()
    press(browser, Keys.ESCAPE)
    assert (count(browser, ".card"), count(browser, ".tools[open]")) == (1, 0)
    browser.find_element(By.CSS_SELECTOR, ".card .attach summary").click()
    browser.find_element(By.CSS_SELECTOR, ".card [name=busca]").send_keys(Keys.ESCAPE)
    assert (count(browser, ".card"), count(browser, ".attach[open]")) == (1, 0)
    assert browser.switch_to.active_element.tag_name == "summary"
    press(browser, Keys.ESCAPE)
    until(lambda: count(browser, ".card") == 0)


def test_a_dismissed_card_is_brought_back_in_all_tabs(browser: webdriver.Chrome, office: LiveGateway) -> None:
    ring_all(browser, office, KNOWN, UNKNOWN)
    browser.switch_to.new_window("tab")
    log_page(browser, office)
    until(lambda: count(browser, ".card") == 2)
    browser.switch_to.window(browser.window_handles[0])
    press(browser, Keys.ESCAPE)
    until(lambda: "Cartão dispensado." in text_of(browser, "#aviso"))
    press(browser, Keys.ESCAPE)
    until(lambda: "2 cartões dispensados." in text_of(browser, "#aviso"))
    browser.switch_to.window(browser.window_handles[1])
    until(lambda: count(browser, ".card") == 0)
    browser.switch_to.window(browser.window_handles[0])
    browser.find_element(By.CSS_SELECTOR, "[data-undo]").click()
    until(lambda: count(browser, ".card") == 2)
    browser.switch_to.window(browser.window_handles[1])
    until(lambda: count(browser, ".card") == 2)
    browser.close()


def test_what_is_open_and_typed_on_a_card_stays_when_the_call_ends(
    browser: webdriver.Chrome, office: LiveGateway
) -> None:
    ring_all(browser, office, UNKNOWN)
    browser.find_element(By.CSS_SELECTOR, ".card .attach summary").click()
    browser.find_element(By.CSS_SELECTOR, ".card [name=busca]").send_keys("metal")
    until(lambda: "Metalúrgica Silva" in text_of(browser, ".card .attach ul"))
    contact = browser.find_element(By.CSS_SELECTOR, ".card [name=contato]")
    contact.send_keys("Rita da portaria")
    browser.execute_script("arguments[0].setSelectionRange(2, 5)", contact)
    hang_up(office, UNKNOWN)
    until(lambda: "Encerrada" in text_of(browser, ".card.ended .state"))
    assert "Metalúrgica Silva" in text_of(browser, ".card .attach ul")
    state = "const [a] = [document.activeElement]; return [a.name, a.value, a.selectionStart, a.selectionEnd]"
    assert browser.execute_script(state) == ["contato", "Rita da portaria", 2, 5]
    browser.find_element(By.CSS_SELECTOR, ".card .attach ul button").click()
    until(lambda: "Metalúrgica Silva" in text_of(browser, ".card h2"))
    assert "Rita da portaria" in text_of(browser, ".card"), "what was found can still be used"


def test_the_list_of_accounts_stays_open_when_the_call_ends(browser: webdriver.Chrome, office: LiveGateway) -> None:
    path = office.data.parent / "mais.csv"
    path.write_text(f"codigo;conta;telefone\n91;Loja Um;{SHARED}\n92;Loja Dois;{SHARED}\n", encoding="utf-8")
    office.cli("import", "accounts", str(path))
    ring(office, SHARED)
    appears(browser, ".card .others summary")
    browser.find_element(By.CSS_SELECTOR, ".card .others summary").click()
    hang_up(office, SHARED)
    until(lambda: "Encerrada" in text_of(browser, ".card.ended .state"))
    assert count(browser, ".card .others[open]") == 1


SHARED = "4733338888"


def test_a_card_of_the_event_itself_turns_nothing_round(browser: webdriver.Chrome, office: LiveGateway) -> None:
    path = office.data.parent / "virado.csv"
    path.write_text("codigo;conta;telefone\n93;Loja \u202e3321 0074;4733339988\n", encoding="utf-8")
    office.cli("import", "accounts", str(path))
    ringing.append(("4733339988", "3501"))
    listen(office, "ConsultaRamal", ramal="3501", telefone="4733339988")
    assert "Loja 3321 0074" in appears(browser, ".card h2")
    until(lambda: "Loja 3321 0074" in browser.title)
