"""Roles on a real gateway with two workers: a CRM dials for everybody, and what ends a login ends it everywhere."""

import base64
import json
import re
import socket
import threading
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Iterator
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.live.conftest import LiveGateway, start_gateway

PASSWORD = "senha-longa-1"
STREAMS = 6
CONFIG = """
[server]
workers = 2

[tenants.default]
extensions = ["3500-3599"]
click_to_call = {{ open_loopback = false, repeat_within_s = 0 }}

[tenants.default.appliances.pbx]
adapter = "url"
url = "http://127.0.0.1:{port}/dial?from={{{{ extension }}}}&to={{{{ number }}}}"
success = "OK"
"""


class Dialled(ThreadingHTTPServer):
    """An appliance that says yes; ``asked`` are the paths that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def pbx() -> Iterator[Dialled]:
    found = Dialled()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, pbx: Dialled) -> Iterator[LiveGateway]:
    folder: Path = tmp_path_factory.mktemp("roles")
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=pbx.server_address[1]), encoding="utf-8")
    running = start_gateway(folder / "data", config=config)
    for login, extension, role in (("ana", "3501", "agent"), ("chefe", "3599", "administrator")):
        told = (login, "--extension", extension, "--role", role, "--password-stdin")
        running.cli("agent", "add", *told, stdin=f"{PASSWORD}\n")
    yield running
    running.stop()


def ask(url: str, login: str = "ana", password: str = PASSWORD) -> tuple[int, str]:
    """Status and body of a GET by HTTP Basic."""
    basic = base64.b64encode(f"{login}:{password}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("extension", ["3501", "3502", "3577"])
def test_a_crm_dials_from_every_extension_with_one_agents_login(
    gateway: LiveGateway, pbx: Dialled, extension: str
) -> None:
    status, told = ask(f"{gateway.url}/click-to-call?origem={extension}&destino=4733334444")
    assert (status, told[:2]) == (200, "OK")
    assert pbx.asked[-1] == f"/dial?from={extension}&to=4733334444"
    server = xmlrpc.client.ServerProxy(f"http://ana:{PASSWORD}@127.0.0.1:{gateway.port}/xmlrpc")
    assert server.ClickToCall(extension, "4733335555")["status"] == "OK"
    assert pbx.asked[-1] == f"/dial?from={extension}&to=4733335555"


def test_an_agent_reads_own_calls_and_those_that_the_login_placed(gateway: LiveGateway) -> None:
    listen = f"{gateway.url}/wconnect/WConnect_WSDL_ConsultaRamal.php"
    for extension in ("3501", "3588"):
        urllib.request.urlopen(f"{listen}?ramal={extension}&telefone=4733336666", timeout=30).close()
    status, told = ask(f"{gateway.url}/api/calls?limit=200")
    seen = [call["extension"] for call in json.loads(told)["calls"] if call["number"] == "4733336666"]
    assert (status, seen) == (200, ["3501"])


class Person:
    """A browser at the desk, logged in."""

    def __init__(self, gateway: LiveGateway, login: str, password: str = PASSWORD) -> None:
        self.url = gateway.url
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.post("/login", "/login", usuario=login, senha=password)

    def get(self, path: str) -> str:
        with self.opener.open(f"{self.url}{path}", timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def post(self, path: str, page: str, **fields: str) -> str:
        token = re.search(r'name="csrf" value="(\w+)"', self.get(page))
        assert token
        form = urlencode(fields | {"csrf": token[1]}).encode()
        with self.opener.open(f"{self.url}{path}", form, timeout=30) as answer:
            text: str = answer.read().decode()
        return text

    def cookies(self) -> str:
        """The header line that shows who asks."""
        return "Cookie: " + "; ".join(f"{each.name}={each.value}" for each in self.jar)

    def stream(self, port: int) -> socket.socket:
        """Open a stream of events on a connection of its own; its head has been read."""
        found = socket.create_connection(("127.0.0.1", port), timeout=30)
        found.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{self.cookies()}\r\n\r\n".encode())
        assert found.recv(4096).startswith(b"HTTP/1.1 200")
        return found


def test_a_session_that_an_administrator_ends_closes_its_pages_in_every_worker(gateway: LiveGateway) -> None:
    ana, chief = Person(gateway, "ana"), Person(gateway, "chefe")
    streams = [ana.stream(gateway.port) for _ in range(STREAMS)]
    sessions = chief.get("/sessoes")
    name = re.search(r"<bdi>ana</bdi>.*?name=\"sessao\" value=\"(\w+)\"", sessions, re.DOTALL)
    assert name
    chief.post("/sessoes/encerrar", "/sessoes", sessao=name[1])
    for stream in streams:
        while stream.recv(65536):  # until the end, or the test's patience of 30 s
            pass
        stream.close()
    assert 'name="senha"' in ana.get("/")


def test_a_locked_agent_gets_in_nowhere(gateway: LiveGateway) -> None:
    dial = f"{gateway.url}/click-to-call?origem=3503&destino=4733337777"
    assert ask(dial)[0] == 200
    chief = Person(gateway, "chefe")
    agent = re.search(r'href="(/pessoas/agentes/\d+)"><strong><bdi>ana', chief.get("/pessoas/agentes"))
    assert agent
    chief.post(f"{agent[1]}/bloquear", agent[1])
    assert ask(dial)[0] == 401
    assert ask(f"{gateway.url}/api/me")[0] == 401
    assert "agent_locked;ana" in chief.get("/auditoria.csv")
    chief.post(f"{agent[1]}/desbloquear", agent[1])
