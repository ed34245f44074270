"""What web pages can make a real browser do to the gateway, from the gateway's own machine and from the office's.

The pages stand on another host name and port. Chromium says of a request to 127.0.0.1 or ``localhost`` that it is
cross-site; to any other address without https it sends at most ``Referer``, which a page may leave out.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.live.conftest import LiveGateway, start_gateway
from tests.peers import need

CONFIG = """
[log]
format = "json"
[tenants.acme]
extensions = ["3500-3599"]
hosts = ["cti.acme.test"]
[tenants.acme.appliances.pbx]
adapter = "url"
url = "http://127.0.0.1:{evil}/dialled?number={{{{ number }}}}"
success = "ok"
"""
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
EVENT = "/t/acme/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone="
ENVELOPE = (
    '"1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ConsultaRamal><ramal>3501</ramal>'
    "<telefone>4732100123</telefone></ConsultaRamal></s:Body></s:Envelope>"
)
IMAGE = """<!doctype html><meta name="referrer" content="{referrer}"><title>asking</title>
<img src="{target}" onload="document.title = 'asked'" onerror="document.title = 'asked'">"""
FORM = """<!doctype html><meta name="referrer" content="{referrer}"><title>asking</title>
<iframe name="answer" onload="if (sent) document.title = 'asked'"></iframe>
<form method="post" enctype="text/plain" action="{target}" target="answer"><input type="hidden"></form>
<script>var sent = false; var input = document.querySelector("input");
input.name = "<?xml version"; input.value = {body};
setTimeout(() => {{ sent = true; document.forms[0].submit(); }}, 50);</script>"""
numbers = count(4_732_100_000)


class Evil(ThreadingHTTPServer):
    """A stranger's web server, whose next page is ``page``; beside, the appliance that remembers what was dialled."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.page = ""
        self.dialled: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Evil

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/dialled":
            self.server.dialled += parse_qs(asked.query)["number"]
        body = b"ok" if asked.path == "/dialled" else self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def evil() -> Iterator[Evil]:
    server = Evil()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, evil: Evil) -> Iterator[LiveGateway]:
    """A gateway whose ``open_loopback`` is on, as in configurations that do not say."""
    folder = tmp_path_factory.mktemp("attacked")
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(evil=evil.server_port))
    running = start_gateway(folder / "data", config=config)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium, to which every name under ``test`` is this machine."""
    options = webdriver.ChromeOptions()
    options.binary_location = need("chromium", package="chromium")
    folder = tmp_path_factory.mktemp("chromium")
    for option in (*OPTIONS, f"--user-data-dir={folder}", "--host-resolver-rules=MAP *.test 127.0.0.1"):
        options.add_argument(option)
    service = Service(need("chromedriver", package="chromium-driver"))
    with webdriver.Chrome(options=options, service=service) as chromium:
        chromium.set_page_load_timeout(30)
        yield chromium


def visit(browser: webdriver.Chrome, evil: Evil, page: str) -> None:
    """Open a stranger's ``page`` and wait until it has asked the gateway."""
    evil.page = page
    browser.get(f"http://evil.test:{evil.server_port}/")
    until(lambda: browser.title == "asked")


def until(true: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refusals(log: Path) -> list[int]:
    """The codes of the requests that the gateway refused, in order."""
    entries = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [entry["code"] for entry in entries if entry["event"] == "request_refused"]


def calls(gateway: LiveGateway) -> int:
    with closing(sqlite3.connect(gateway.data / "gateway.db")) as database:
        found: int = database.execute("SELECT count(*) FROM calls").fetchone()[0]
    return found


def test_a_person_at_this_machine_dials_by_the_address_bar(
    browser: webdriver.Chrome, gateway: LiveGateway, evil: Evil
) -> None:
    """So the attacks below fail for what they are, not because nothing could dial."""
    number = str(next(numbers))
    browser.get(f"{gateway.url}/t/acme/click-to-call?origem=3501&destino={number}")
    assert evil.dialled == [number]


@pytest.mark.parametrize("referrer", ["no-referrer", "unsafe-url"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "acme.stranger.test",
        "cti.acme.test",  # configured, and a name of this machine
    ],
)
def test_a_page_dials_by_no_name_of_this_machine(
    browser: webdriver.Chrome, gateway: LiveGateway, evil: Evil, host: str, referrer: str
) -> None:
    evil.dialled.clear()
    before = len(refusals(gateway.log))
    target = f"http://{host}:{gateway.port}/t/acme/click-to-call?origem=3501&destino={next(numbers)}"
    visit(browser, evil, IMAGE.format(target=target, referrer=referrer))
    assert (refusals(gateway.log)[before:], evil.dialled) == ([320], [])


@pytest.mark.parametrize(
    ("host", "referrer"),
    [("127.0.0.1", "no-referrer"), ("127.0.0.1", "unsafe-url"), ("cti.acme.test", "unsafe-url")],
)
def test_a_page_s_image_is_no_event(
    browser: webdriver.Chrome, gateway: LiveGateway, evil: Evil, host: str, referrer: str
) -> None:
    before, seen = len(refusals(gateway.log)), calls(gateway)
    target = f"http://{host}:{gateway.port}{EVENT}{next(numbers)}"
    visit(browser, evil, IMAGE.format(target=target, referrer=referrer))
    assert (refusals(gateway.log)[before:], calls(gateway)) == ([350], seen)


@pytest.mark.parametrize("referrer", ["no-referrer", "unsafe-url"])
@pytest.mark.parametrize("host", ["127.0.0.1", "cti.acme.test"])
@pytest.mark.parametrize("path", ["/t/acme/soap", "/t/acme/wconnect/wsdl/WConnect_WSDL.php"])
def test_a_page_s_form_with_a_soap_body_is_no_event(
    browser: webdriver.Chrome, gateway: LiveGateway, evil: Evil, host: str, path: str, referrer: str
) -> None:
    before, seen = len(refusals(gateway.log)), calls(gateway)
    target = f"http://{host}:{gateway.port}{path}"
    visit(browser, evil, FORM.format(target=target, body=json.dumps(ENVELOPE), referrer=referrer))
    assert (refusals(gateway.log)[before:], calls(gateway)) == ([350], seen)


def test_a_person_who_tries_a_listener_in_the_address_bar_is_answered(
    browser: webdriver.Chrome, gateway: LiveGateway
) -> None:
    for host in ("127.0.0.1", "cti.acme.test"):
        browser.get(f"http://{host}:{gateway.port}{EVENT}{next(numbers)}")
        assert "OK " in browser.page_source
