"""The browser extension in a real browser: connected at the desk, it dials a page's numbers and shows calls over it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from gateway.simulators.url import UrlAppliance
from tests.live import desk
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.crm_pages import Site, serving
from tests.live.desk import KNOWN, chromium, furnish, listen, log_in, text_of

until = partial(desk.until, timeout_s=20)
EXTENSION = Path(__file__).parents[2] / "extension"
TABLE = Path(__file__).with_name("numbers_on_pages.txt")
FLAGS = ("--headless=new", "--disable-features=DisableLoadExtensionCommandLineSwitch")
CONFIG = """
[tenants.default]
area_code = "47"
extensions = ["3500-3599"]
crm = {{ link = "https://crm.example/contas/{{{{ code }}}}" }}
[tenants.default.appliances.pbx]
adapter = "url"
url = "{pbx}/originate?from={{{{ extension }}}}&to={{{{ number }}}}&key=demo"
success = "^OK"
"""
PAGE = """<!doctype html><meta charset="utf-8"><title>CRM</title><ul id="list">
<li id="one">Ana: (47) 3210-0123</li>
<li>R$ 4.732.100,00, CPF 123.456.789-09, 30/11/2026</li>
<li id="link"><a href="tel:+554732100177">call</a></li>
<li><textarea>(47) 3210-0124</textarea><input value="(47) 3210-0125"><code>(47) 3210-0126</code></li>
</ul>"""


@dataclass
class Desktop:
    """A gateway with its exchange, a CRM's pages, and a browser with the extension at ``home``.

    ``words`` are the extension's sentences in the browser's own language.
    """

    gateway: LiveGateway
    pbx: UrlAppliance
    site: Site
    browser: webdriver.Chrome
    home: str
    words: dict[str, str]

    @property
    def crm(self) -> str:
        return self.site.origin("crm")

    def dialled(self) -> list[str]:
        return [order.number for order in self.pbx.seen if not order.step]

    def marks(self) -> list[str]:
        """The numbers that have a telephone behind them."""
        script = "return [...document.querySelectorAll('cti-call')].map((each) => each.dataset.number)"
        found: list[str] = self.browser.execute_script(script)
        return found


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    folder = tmp_path_factory.mktemp("extension")
    pbx = UrlAppliance()
    pbx.start()
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(pbx=pbx.address))
    gateway = start_gateway(folder / "data", config=config)
    furnish(gateway, folder)
    unpacked = with_permissions(folder, f"{gateway.url}/*", "http://crm.test/*")
    flags = (*FLAGS, f"--load-extension={unpacked}", "--host-resolver-rules=MAP *.test 127.0.0.1")
    with serving() as site, chromium(folder / "profile", *flags) as browser:
        browser.set_page_load_timeout(30)
        site.pages = {"crm": PAGE, "other": PAGE}
        home = home_of(browser)
        yield Desktop(gateway, pbx, site, browser, home, words_of(browser, home))
    gateway.stop()
    pbx.stop()


def with_permissions(folder: Path, *origins: str) -> Path:
    """The extension with what a user grants in a dialogue of the browser, which no driver can click."""
    unpacked = folder / "unpacked"
    shutil.copytree(EXTENSION, unpacked)
    manifest = unpacked / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"host_permissions": origins}))
    return unpacked


def home_of(browser: webdriver.Chrome) -> str:
    """The extension's address, such as ``chrome-extension://abc``."""
    found: list[str] = []

    def is_there() -> bool:
        targets = browser.execute_cdp_cmd("Target.getTargets", {})["targetInfos"]
        found[:] = [each["url"] for each in targets if each["url"].startswith("chrome-extension://")]
        return bool(found)

    until(is_there)
    return "/".join(found[0].split("/")[:3])


def words_of(browser: webdriver.Chrome, home: str) -> dict[str, str]:
    names = list(json.loads((EXTENSION / "_locales" / "en" / "messages.json").read_text()))
    browser.get(f"{home}/options.html")
    script = "return Object.fromEntries(arguments[0].map((name) => [name, chrome.i18n.getMessage(name)]))"
    words: dict[str, str] = browser.execute_script(script, names)
    assert all(words.values())
    return words


@pytest.fixture(scope="module")
def connected(desktop: Desktop) -> Desktop:
    """Ana has made a session at the desk and pasted it into the extension, and named the CRM's page."""
    connect(desktop)
    browser = desktop.browser
    browser.find_element(By.ID, "site").send_keys(f"{desktop.crm}/contas/17")
    browser.find_element(By.CSS_SELECTOR, "#add button").click()
    until(lambda: desktop.crm in text_of(browser, "#sites"))
    return desktop


def connect(desktop: Desktop) -> None:
    browser = desktop.browser
    log_in(browser, desktop.gateway)
    browser.get(f"{desktop.gateway.url}/extensao")
    browser.find_element(By.NAME, "nome").send_keys("notebook")
    browser.find_element(By.CSS_SELECTOR, "form.filters button").click()
    until(lambda: "#ctix_" in text_of(browser, "#conexao-nova"))
    address = text_of(browser, "#conexao-nova").strip()
    browser.get(f"{desktop.home}/options.html")
    browser.find_element(By.ID, "address").send_keys(address)
    browser.find_element(By.CSS_SELECTOR, "#connect button").click()
    until(lambda: "Ana Martins" in text_of(browser, "#who"))


def test_only_telephone_numbers_are_found(desktop: Desktop) -> None:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("# ")]
    cases = dict((part.strip() for part in line.rsplit("=>", 1)) for line in lines)
    script = "return arguments[0].map((text) => ctiNumbers.find(text).map((found) => found.number).join(' '))"
    finder = (EXTENSION / "numbers.js").read_text(encoding="utf-8")
    desktop.browser.get("about:blank")
    found = desktop.browser.execute_script(f"{finder};{script}", list(cases))
    assert dict(zip(cases, found, strict=True)) == cases


def test_what_is_no_connection_is_refused_with_what_to_do(desktop: Desktop) -> None:
    browser = desktop.browser
    browser.get(f"{desktop.home}/options.html")
    browser.find_element(By.ID, "address").send_keys("https://cti.acme.com.br")
    browser.find_element(By.CSS_SELECTOR, "#connect button").click()
    until(lambda: text_of(browser, "#problem") == desktop.words["notAConnection"])


def test_scripts_run_in_the_named_pages_only(connected: Desktop) -> None:
    connected.browser.get(f"{connected.home}/options.html")
    script = "const done = arguments[0]; chrome.scripting.getRegisteredContentScripts().then(done);"
    (registered,) = connected.browser.execute_async_script(script)
    assert registered["matches"] == [f"{connected.crm}/*"]
    manifest = json.loads((EXTENSION / "manifest.json").read_text())
    assert "content_scripts" not in manifest
    assert "host_permissions" not in manifest


def test_a_click_on_a_number_of_the_page_dials_it(connected: Desktop) -> None:
    browser = connected.browser
    browser.get(connected.crm)
    until(lambda: connected.marks() == ["4732100123"])
    assert text_of(browser, "#one") == "Ana: (47) 3210-0123"
    browser.find_element(By.CSS_SELECTOR, "#one cti-call").click()
    until(lambda: connected.dialled()[-1:] == ["4732100123"])
    browser.find_element(By.CSS_SELECTOR, "#link a").click()
    until(lambda: connected.dialled()[-1:] == ["4732100177"])


def test_a_page_s_script_clicks_in_vain(connected: Desktop) -> None:
    browser = connected.browser
    browser.get(connected.crm)
    until(lambda: connected.marks() == ["4732100123"])
    before = connected.dialled()
    script = """document.addEventListener("click", (event) => event.preventDefault()); // no other program opens
    for (const each of document.querySelectorAll("cti-call, #link a")) {
      if (each.shadowRoot) throw new Error("open");
      each.click();
      each.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, cancelable: true }));
    }"""
    browser.execute_script(script)
    browser.execute_script("document.querySelector('#one').firstChild.data = '(47) 3210-0188'")
    until(lambda: connected.marks() == ["4732100188"])
    browser.find_element(By.CSS_SELECTOR, "#one cti-call").click()  # behind them one that is heard
    until(lambda: len(connected.dialled()) > len(before))
    assert connected.dialled()[len(before) :] == ["4732100188"]


def test_what_a_page_changes_is_looked_at_and_no_more_than_so_much(connected: Desktop) -> None:
    browser = connected.browser
    browser.get(connected.crm)
    until(lambda: connected.marks() == ["4732100123"])
    browser.execute_script("document.querySelector('#one').firstChild.data = 'Ana: (11) 98888-7777'")
    until(lambda: connected.marks() == ["11988887777"])
    browser.execute_script("document.querySelector('#one').firstChild.remove()")
    until(lambda: connected.marks() == [])
    script = """const list = document.querySelector("#list");
    for (let at = 0; at < 3000; at += 1) {
      const line = document.createElement("li");
      line.textContent = `(47) 3210-${String(at).padStart(4, "0")}`;
      list.append(line);
    }"""
    browser.execute_script(script)
    until(lambda: len(connected.marks()) == 2000, timeout_s=30)


def test_a_call_comes_up_over_the_page_where_its_script_cannot_reach_it(connected: Desktop) -> None:
    browser = connected.browser
    browser.get(connected.crm)
    until(lambda: connected.marks() == ["4732100123"])

    def rings() -> bool:
        listen(connected.gateway, "ConsultaRamal", ramal="3501", telefone=KNOWN)
        return "Metalúrgica Silva & Filhos" in shown(browser)

    until(rings)  # rung again until the stream is there
    until(lambda: connected.words["openRecord"] in shown(browser))
    told = shown(browser)
    assert connected.words["rings"] in told
    assert "Carlos Eduardo" in told
    assert "(47) 99999-8888" in told
    assert browser.execute_script("return document.querySelector('cti-cards').shadowRoot") is None
    listen(connected.gateway, "FinalizaLigacao", ramal="3501", telefone=KNOWN)
    until(lambda: connected.words["ended"] in shown(browser))


def shown(browser: webdriver.Chrome) -> str:
    """The text of the extension's cards, which only the browser itself can read."""
    root = browser.execute_cdp_cmd("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
    return " ".join(texts_in(root, inside=False))


def texts_in(node: dict[str, Any], *, inside: bool) -> Iterator[str]:
    inside = inside or node["nodeName"].lower() == "cti-cards"
    if inside and node["nodeName"] == "#text":
        yield node["nodeValue"]
    for below in (*node.get("children", ()), *node.get("shadowRoots", ())):
        yield from texts_in(below, inside=inside)


def test_a_revoked_session_dials_no_more_and_says_so(connected: Desktop) -> None:
    browser = connected.browser
    browser.get(f"{connected.gateway.url}/extensao")
    browser.find_element(By.CSS_SELECTOR, 'form[action$="/revogar"] button').click()
    until(lambda: "Nenhuma extensão está conectada." in text_of(browser, "main"))
    browser.get(connected.crm)
    until(lambda: connected.marks() == ["4732100123"])
    before = connected.dialled()
    browser.find_element(By.CSS_SELECTOR, "#one cti-call").click()
    until(lambda: connected.words["revoked"] in shown(browser))
    assert connected.dialled() == before
    connect(connected)
