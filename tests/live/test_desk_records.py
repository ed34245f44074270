"""The customer on the card in Chromium: fields and links, and the CRM, which opens by itself once for each call."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import (
    KNOWN,
    PASSWORD,
    UNKNOWN,
    appears,
    chromium,
    count,
    listen,
    log_in,
    text_of,
    until,
    wait_live,
)


class Crm(BaseHTTPRequestHandler):
    """A CRM that remembers which pages were opened, and from where."""

    opened: list[tuple[str, str | None]] = []  # noqa: RUF012 - one for all requests

    def do_GET(self) -> None:
        if self.path.startswith("/contas"):
            Crm.opened.append((self.path, self.headers.get("Referer")))
        page = b"<title>CRM</title><script>document.title = window.opener ? 'held' : 'free'</script>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def crm() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Crm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def office(crm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("crm")
    (folder / "contas.csv").write_text(f"codigo;conta;contato;telefone;Cidade\n1/7;Metalúrgica;Rita;{KNOWN};Lages\n")
    (folder / "gateway.toml").write_text(
        f"""
[tenants.default.directory.erp]
source = "csv"
path = "contas.csv"
fields = ["Cidade"]
[tenants.default.crm]
link = "{crm}/contas/{{{{ code }}}}"
new_link = "{crm}/contas/nova?fone={{{{ international }}}}"
"""
    )
    gateway = start_gateway(folder / "data", config=folder / "gateway.toml")
    gateway.cli("import", "run", "erp")
    told = ("ana", "--extension", "3501", "--name", "Ana Martins", "--role", "agent", "--password-stdin")
    gateway.cli("agent", "add", *told, stdin=f"{PASSWORD}\n")
    yield gateway
    gateway.stop()


@pytest.fixture(autouse=True)
def _nothing_opened() -> None:
    Crm.opened.clear()


def ring(office: LiveGateway, number: str = KNOWN) -> None:
    listen(office, "ConsultaRamal", ramal="3501", telefone=number)


def hang_up(office: LiveGateway, number: str = KNOWN) -> None:
    listen(office, "FinalizaLigacao", ramal="3501", telefone=number)


def want(browser: webdriver.Chrome, name: str, moment: str) -> None:
    """The agent chooses when the CRM opens, and the page says so to the gateway."""
    box = browser.find_element(By.NAME, name)
    browser.execute_script(
        "window.kept = false; document.body.addEventListener('htmx:afterRequest', () => { window.kept = true; });"
    )
    if box.get_attribute("type") == "checkbox":
        browser.execute_script("arguments[0].click()", box)
    else:
        Select(box).select_by_value(moment)
    until(lambda: bool(browser.execute_script("return window.kept")))


def test_the_crm_opens_once_for_each_call_with_several_tabs_and_after_a_reload(
    office: LiveGateway, tmp_path: Path
) -> None:
    with chromium(tmp_path / "profile") as browser:
        log_in(browser, office)
        wait_live(browser)
        want(browser, "entrada", "ring")
        want(browser, "novos", "1")
        desk = [browser.current_window_handle]
        for path in ("/ligacoes", "/"):
            browser.switch_to.new_window("tab")
            browser.get(office.url + path)
            wait_live(browser)
            desk.append(browser.current_window_handle)
        ring(office)
        card = appears(browser, ".card .customer", timeout_s=10)
        assert "1/7" in card
        assert "Lages" in card
        until(lambda: len(browser.window_handles) == 4, timeout_s=10)
        for tab in desk:
            browser.switch_to.window(tab)
            browser.refresh()
            wait_live(browser)
            appears(browser, ".card .customer", timeout_s=10)
        (opened,) = [tab for tab in browser.window_handles if tab not in desk]
        browser.switch_to.window(opened)
        until(lambda: browser.title in ("free", "held"))
        assert (browser.title, Crm.opened) == ("free", [("/contas/1%2F7", None)])
        hang_up(office)
        browser.switch_to.window(desk[-1])
        ring(office, UNKNOWN)
        until(lambda: len(browser.window_handles) == 5, timeout_s=10)
        until(lambda: len(Crm.opened) == 2)
        assert Crm.opened[1][0] == f"/contas/nova?fone=%2B55{UNKNOWN}"
        hang_up(office, UNKNOWN)


def test_a_browser_that_lets_no_page_open_says_so_and_has_the_link(office: LiveGateway, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile", blocks_pop_ups=True) as browser:
        log_in(browser, office)
        wait_live(browser)
        want(browser, "entrada", "answer")
        # Choosing was a touch, after which a page may open a tab for a while; a page loaded anew was not touched.
        browser.refresh()
        wait_live(browser)
        ring(office)
        appears(browser, ".card.ringing", timeout_s=10)
        assert count(browser, "#aviso a") == 0
        listen(office, "AtendeLigacao", ramal="3501", telefone=KNOWN)
        said = appears(browser, "#aviso", timeout_s=10)
        assert "permita pop-ups" in said
        link = browser.find_element(By.CSS_SELECTOR, "#aviso a")
        assert (link.get_attribute("href") or "").endswith("/contas/1%2F7")
        link.click()
        until(lambda: len(Crm.opened) == 1)
        assert "Metalúrgica" in text_of(browser, ".card")
        hang_up(office)


def test_a_call_s_page_follows_what_is_said_on_another_screen_and_puts_right_by_itself(
    office: LiveGateway, tmp_path: Path
) -> None:
    with chromium(tmp_path / "profile") as browser:
        log_in(browser, office)
        wait_live(browser)
        ring(office)
        appears(browser, ".card .customer", timeout_s=10)
        call_id = browser.find_element(By.CSS_SELECTOR, ".card").get_attribute("data-call")
        desk = browser.current_window_handle
        browser.switch_to.new_window("tab")
        browser.get(f"{office.url}/ligacoes/{call_id}")
        wait_live(browser)
        page = browser.current_window_handle
        assert text_of(browser, "article.facts h1") == "Metalúrgica"
        browser.switch_to.window(desk)
        give_to(browser, f"#ligacao-{call_id}", "Vizinha")
        until(lambda: text_of(browser, ".card h2") == "Vizinha", timeout_s=10)
        browser.switch_to.window(page)
        until(lambda: text_of(browser, "article.facts h1") == "Vizinha", timeout_s=10)
        give_to(browser, f"#dono-{call_id}", "Outra")
        until(lambda: text_of(browser, "article.facts h1") == "Outra", timeout_s=10)
        browser.switch_to.window(desk)
        until(lambda: text_of(browser, ".card h2") == "Outra", timeout_s=10)
        hang_up(office)


def give_to(browser: webdriver.Chrome, place: str, name: str) -> None:
    """Give the call alone to a new account, by the form in ``place``."""
    browser.execute_script("document.querySelector(arguments[0]).open = true", f"{place} details.attach")
    browser.find_element(By.CSS_SELECTOR, f"{place} .attach [type=checkbox]").click()
    browser.find_element(By.CSS_SELECTOR, f"{place} [name=busca]").send_keys(name)
    until(lambda: f"“{name}”" in text_of(browser, f"{place} [id^=contas-]"), timeout_s=10)
    browser.find_element(By.CSS_SELECTOR, f"{place} [id^=contas-] button").click()
