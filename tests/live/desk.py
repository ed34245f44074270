"""The desk in a real browser: how tests drive it."""

import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.conftest import LiveGateway
from tests.peers import need

PASSWORD = "segredo-da-ana"
KNOWN, UNKNOWN = "47999998888", "4733334444"
ACCOUNTS = f"codigo;conta;contato;telefone\n17;Metalúrgica Silva & Filhos;Carlos Eduardo;{KNOWN}\n"
OPTIONS = (
    "--accept-lang=pt-BR",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,768",
)


@contextmanager
def chromium(profile: Path, *more: str, blocks_pop_ups: bool = False) -> Iterator[webdriver.Chrome]:
    """A browser of its own, with ``more`` options. Pages may open tabs, unless it ``blocks_pop_ups``."""
    options = webdriver.ChromeOptions()
    options.binary_location = need("chromium", package="chromium")
    for option in (*OPTIONS, *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    if blocks_pop_ups:
        options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(need("chromedriver", package="chromium-driver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        yield browser


def furnish(gateway: LiveGateway, folder: Path) -> None:
    """Let the gateway know one account, Ana at extension 3501 and Bruno at 3502."""
    accounts = folder / "contas.csv"
    accounts.write_text(ACCOUNTS, encoding="utf-8")
    gateway.cli("import", "accounts", str(accounts))
    for login, extension, name in (("ana", "3501", "Ana Martins"), ("bruno", "3502", "Bruno Lima")):
        told = (login, "--extension", extension, "--name", name, "--role", "administrator", "--password-stdin")
        gateway.cli("agent", "add", *told, stdin=f"{PASSWORD}\n")


def log_in(browser: webdriver.Chrome, gateway: LiveGateway, login: str = "ana") -> None:
    browser.get(f"{gateway.url}/login")
    browser.find_element(By.ID, "usuario").send_keys(login)
    browser.find_element(By.ID, "senha").send_keys(PASSWORD, Keys.ENTER)
    until(lambda: bool(browser.find_elements(By.ID, "conexao")))


def connection(browser: webdriver.Chrome) -> str | None:
    return browser.find_element(By.ID, "conexao").get_attribute("data-state")


def wait_live(browser: webdriver.Chrome, *, timeout_s: float = 15) -> None:
    until(lambda: connection(browser) == "live", timeout_s=timeout_s)


def listen(gateway: LiveGateway, name: str, **parameters: str) -> None:
    """The exchange tells the gateway's listener ``name`` of a call."""
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{gateway.url}/wconnect/WConnect_WSDL_{name}.php?{query}", timeout=10) as answer:
        assert answer.status == 200


def appears(browser: webdriver.Chrome, selector: str, *, timeout_s: float = 5) -> str:
    """The text of the first element that matches, once there is one."""
    until(lambda: bool(text_of(browser, selector)), timeout_s=timeout_s)
    return text_of(browser, selector)


def text_of(browser: webdriver.Chrome, selector: str) -> str:
    """Read in one go: the page may replace the element at any moment."""
    text = browser.execute_script("return document.querySelector(arguments[0])?.innerText || ''", selector)
    return str(text)


def is_seen(browser: webdriver.Chrome, selector: str) -> bool:
    """Whether the element is shown at all: a hidden one has a text too."""
    return browser.find_element(By.CSS_SELECTOR, selector).is_displayed()


def count(browser: webdriver.Chrome, selector: str) -> int:
    return int(browser.execute_script("return document.querySelectorAll(arguments[0]).length", selector))


def until(done: Callable[[], bool], *, timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
