"""Every page of the desk in Chromium: at the widths of phones, desktops and 200 % zoom, light and dark, by keyboard."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import LiveGateway
from tests.live.desk import chromium, count, listen, log_in, text_of, until, wait_live
from tests.live.desk_pages import LONG, PAGES, SIZES, look, open_office
from tests.peers import absent

TOO_WIDE = """
const page = document.scrollingElement;
if (page.scrollWidth <= innerWidth) return "";
const beyond = (e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1;
const wide = [...document.body.querySelectorAll("*")].filter(beyond);
return page.scrollWidth + ": " + wide.slice(0, 4).map((e) => e.tagName + "." + e.className).join(" ");
"""
CUT = """
return [...document.querySelectorAll("main button, main input, main select, main summary, header button, header a")]
  .filter((e) => e.checkVisibility() && !e.closest(".skip, .unseen, .table, pre, .switch"))
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([e]) => e.outerHTML.slice(0, 90));
"""
MENU = """
return [...document.querySelectorAll(".tools div a")].map((link) => {
  link.scrollIntoView({ block: "nearest" });
  const box = link.getBoundingClientRect();
  const inside = box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight;
  return inside && link.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
});
"""
VISIBLE_FOCUS = """
const style = getComputedStyle(document.activeElement);
const track = document.activeElement.nextElementSibling;
const shown = (one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) > 1;
return shown(style) || (track && track.matches(".track") && shown(getComputedStyle(track)));
"""

FOCUS_IN_SIGHT = (
    f"const ring = (() => {{ {VISIBLE_FOCUS} }})();"
    """
const focus = document.activeElement;
const box = focus.getBoundingClientRect();
const [x, y] = [Math.min(box.left + box.width / 2, innerWidth - 1), box.top + Math.min(box.height / 2, 20)];
const there = document.elementFromPoint(x, y);
const above = Boolean(there && (focus.contains(there) || there.contains(focus)));
return [ring && (above || focus.type === "checkbox"), `${focus.outerHTML.slice(0, 120)} at ${x}, ${y}`];
"""
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    running = open_office(tmp_path_factory.mktemp("layout"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(office: LiveGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium, logged in as Ana, with one call from a long name that rings."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        browser.get(f"{office.url}/login")
        for size in SIZES:
            look(browser, size)
            assert browser.execute_script(TOO_WIDE) == "", ("/login", size)
        log_in(browser, office)
        listen(office, "ConsultaRamal", ramal="3501", telefone="47999998888")
        yield browser


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways_nor_cuts_a_control(browser: webdriver.Chrome, office: LiveGateway, path: str) -> None:
    look(browser, "phone")
    browser.get(office.url + path)
    if path != "/nada":
        until(lambda: count(browser, ".card") > 0, timeout_s=15)
    wrong = {}
    for size in SIZES:
        for scheme in ("light", "dark"):
            look(browser, size, scheme)
            picture(browser, path, f"{size} {scheme}")
            if said := browser.execute_script(TOO_WIDE):
                wrong[size] = said
            if cut := browser.execute_script(CUT):
                wrong[f"{size}, cut"] = cut
    assert wrong == {}


@pytest.fixture
def spanish(browser: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """The browser with pages in the language whose words are the longest."""
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": "es"}})
    yield browser
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


@pytest.mark.parametrize("path", ["/", "/ligacoes", "/centrais", "/trafego", "/qualidade?ver=chamadores"])
def test_pages_have_room_for_the_words_of_another_language(
    spanish: webdriver.Chrome, office: LiveGateway, path: str
) -> None:
    look(spanish, "phone")
    spanish.get(office.url + path)
    until(lambda: count(spanish, ".card") > 0, timeout_s=15)
    assert spanish.find_element(By.TAG_NAME, "html").get_attribute("lang") == "es"
    wrong = {}
    for size in ("phone", "large phone", "desktop"):
        look(spanish, size)
        picture(spanish, path, f"{size} es")
        found = [spanish.execute_script(TOO_WIDE), *spanish.execute_script(CUT)]
        wrong[size] = list(filter(None, found))
    assert not any(wrong.values()), wrong


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_of_the_menu_is_reached_by_mouse_and_keyboard(
    browser: webdriver.Chrome, office: LiveGateway, size: str
) -> None:
    look(browser, size)
    browser.get(f"{office.url}/ligacoes")
    wait_live(browser)
    browser.find_element(By.CSS_SELECTOR, ".tools summary").click()
    entries = browser.execute_script("return [...document.querySelectorAll('.tools div a')].map((a) => a.pathname)")
    assert {"/agora", "/indicadores", "/pessoas", "/qualidade"} <= set(entries)
    assert browser.execute_script(MENU) == [True] * len(entries)
    browser.find_element(By.CSS_SELECTOR, ".tools summary").send_keys(Keys.TAB)
    reached = []
    for _ in entries:
        assert browser.execute_script(VISIBLE_FOCUS)
        reached.append(browser.switch_to.active_element.get_attribute("pathname"))
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert reached == entries
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert count(browser, ".tools[open]") == 0
    assert browser.switch_to.active_element.tag_name == "summary", "the menu's button has the focus again"


@pytest.mark.parametrize("path", ["/", "/ligacoes", "/centrais", "/qualidade?ver=chamadores"])
def test_the_focus_is_visible_everywhere_and_under_no_card(
    browser: webdriver.Chrome, office: LiveGateway, path: str
) -> None:
    look(browser, "phone")
    browser.get(office.url + path)
    until(lambda: count(browser, ".card") > 0, timeout_s=15)
    hidden = []
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        seen, where = browser.execute_script(FOCUS_IN_SIGHT)
        if where.startswith("<body"):
            break
        hidden += [where] if not seen else []
    assert hidden == []


def test_the_look_of_one_page_is_not_that_of_a_part(browser: webdriver.Chrome, office: LiveGateway) -> None:
    """The page "/porque" was laid out as a panel, for both had the class "why"."""
    look(browser, "desktop")
    for path in PAGES:
        browser.get(office.url + path)
        body = browser.find_element(By.TAG_NAME, "body")
        names = (body.get_attribute("class") or "").split()
        assert len(names) == 1, path
        assert names[0].startswith("page-"), path
        assert count(browser, "body [class^=page-], body [class*=' page-']") == 0
        assert body.value_of_css_property("display") == ("grid" if path == "/nada" else "block"), path


def test_a_long_name_leaves_room_for_the_number(browser: webdriver.Chrome, office: LiveGateway) -> None:
    look(browser, "desktop")
    browser.get(f"{office.url}/ligacoes")
    row = f"//tr[contains(., '{LONG[:20]}')]"
    table = browser.find_element(By.CSS_SELECTOR, ".table").rect
    number = browser.find_element(By.XPATH, f"{row}//button[contains(@class, 'number')]").rect
    assert number["x"] + number["width"] <= table["x"] + table["width"]
    assert number["height"] < 60


def test_names_turn_nothing_round(browser: webdriver.Chrome, office: LiveGateway) -> None:
    browser.get(f"{office.url}/ligacoes")
    assert "Ana 6743 0012" in text_of(browser, ".calls")
    assert "\u202e" not in browser.page_source


def picture(browser: webdriver.Chrome, path: str, look: str) -> None:
    """Keep a picture for whoever wants to see the pages: in the folder that PAGES_PICTURES names."""
    folder = os.environ.get("PAGES_PICTURES")
    if folder:
        name = f"{path.strip('/').replace('/', '_').partition('?')[0] or 'tela'}-{abs(hash(path)) % 1000}-{look}.png"
        browser.save_screenshot(str(Path(folder) / name.replace(" ", "_")))


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, from NODE_PATH."""
    for folder in os.environ.get("NODE_PATH", "").split(os.pathsep):
        script = Path(folder) / "axe-core" / "axe.min.js"
        if folder and script.exists():
            return script.read_text(encoding="utf-8")
    absent("axe-core is not in NODE_PATH (npm install axe-core)")
    raise AssertionError


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(browser: webdriver.Chrome, office: LiveGateway, axe: str, path: str) -> None:
    found: dict[str, Any] = {}
    for size, scheme in (("desktop", "light"), ("phone", "dark")):
        look(browser, size, scheme)
        browser.get(office.url + path)
        if path != "/nada":
            until(lambda: count(browser, ".card") > 0, timeout_s=15)
        browser.execute_script(axe)
        told = browser.execute_async_script(
            "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then((r) => done(r.violations.map((v) =>"
            " [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150) + ' ' + (n.any[0] || {}).message)])))"
        )
        found |= {f"{name} {size} {scheme}": nodes for name, nodes in told}
    assert found == {}
