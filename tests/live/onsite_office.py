"""A main gateway and a gateway on site, with an exchange and an appliance that only the site reaches."""

import json
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateway.store.database import open_database
from tests.events.ami_server import AmiServer, manager, ringing
from tests.events.compliance import SECRET
from tests.live.conftest import DATABASES, LiveGateway, command, start_gateway
from tests.live.groups import kill_group
from tests.live.processes import spawn, until

WAIT_S = 60
MAIN = """
[server]
workers = {workers}
{server}

[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]

[tenants.acme.appliances.pabx]
onsite = "escritorio"
timeout_s = {timeout_s}
breaker_failures = 0
"""
SITE = """
data = "{data}"
spool_mb = 50
timezone = "America/Sao_Paulo"
area_code = "47"
extensions = ["3500-3599"]

[main]
url = "{url}"
key = "{key}"
timeout_s = 3
{more}
[sources.ami]
kind = "ami"
host = "127.0.0.1"
port = {ami_port}
username = "cti"
secret = "{secret}"

[appliances.pabx]
adapter = "url"
url = "http://127.0.0.1:{appliance_port}/dial?from={{{{ extension }}}}&to={{{{ number }}}}&order={{{{ order_id }}}}"
success = "OK"
refused = "NO"
breaker_failures = 0
"""


@dataclass
class DiallingServer:
    """An appliance that dials by URL; it answers ``answer``, when ``gate`` is open."""

    answer: str = "OK"
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, str]] = field(default_factory=list)

    def numbers(self) -> list[str]:
        return [each["to"] for each in self.asked]


@contextmanager
def dialling_server(made: DiallingServer) -> Iterator[int]:
    """Serve ``made`` and yield its port."""
    made.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            made.asked.append({name: values[0] for name, values in query.items()})
            made.gate.wait(WAIT_S)
            body = made.answer.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            made.gate.set()
            server.shutdown()
            thread.join()


class Wire:
    """A TCP relay between site and main gateway that can be cut: what is sent then goes nowhere."""

    def __init__(
        self,
        port: int,
        *others: int,
        to: str = "127.0.0.1",
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on ``host`` and lead to ``port`` of ``to``, and to ``others`` in turn, past those that are dead; with
        ``tls`` the near side is encrypted.
        """
        self._to, self._ports, self._tls = to, (port, *others), tls
        self.reached: Counter[int] = Counter()
        """How many connections went to each port."""
        self._listening = socket.create_server((host, 0))
        self.port: int = self._listening.getsockname()[1]
        self._asks_are_cut, self._answers_are_cut = threading.Event(), threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Lose all that is sent from now on, without a word to either side."""
        self.cut_answers()
        self._asks_are_cut.set()

    def cut_answers(self) -> None:
        """Lose what the main gateway answers from now on; it still gets what it is sent."""
        self._answers_are_cut.set()

    def mend(self) -> None:
        """End the connections, if they were cut, and take new ones."""
        if not (self._asks_are_cut.is_set() or self._answers_are_cut.is_set()):
            return
        self._asks_are_cut.clear()
        self._answers_are_cut.clear()
        self._close_all()

    def close(self) -> None:
        self._listening.close()
        self._close_all()

    def _close_all(self) -> None:
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                near = self._tls.wrap_socket(near, server_side=True) if self._tls else near
                far = self._reach()
            except OSError:  # an SSLError is one, too
                near.close()
                continue
            self._sockets += [near, far]
            for road in ((near, far, self._asks_are_cut), (far, near, self._answers_are_cut)):
                threading.Thread(target=self._carry, args=road, daemon=True).start()

    def _reach(self) -> socket.socket:
        """Connect to the port that comes next. Raises ``OSError`` where all are dead."""
        turn = self.reached.total()
        for place in range(turn, turn + len(self._ports) - 1):
            with suppress(OSError):
                return self._connected(self._ports[place % len(self._ports)])
        return self._connected(self._ports[(turn - 1) % len(self._ports)])

    def _connected(self, port: int) -> socket.socket:
        made = socket.create_connection((self._to, port))
        self.reached[port] += 1
        return made

    def _carry(self, here: socket.socket, there: socket.socket, is_cut: threading.Event) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                if not is_cut.is_set():
                    there.sendall(data)
            there.shutdown(socket.SHUT_RDWR)


@dataclass
class OnsiteOffice:
    """Both gateways and what the site reaches."""

    main: LiveGateway
    folder: Path
    ami: AmiServer
    appliance: DiallingServer
    ports: tuple[int, int]
    key: str = ""
    site: subprocess.Popen[bytes] | None = None
    url: str = ""
    more: str = ""
    """Further settings of the main gateway's table."""
    prefix: Sequence[str] = ()
    told: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "onsite.toml"

    @property
    def log(self) -> str:
        path = self.folder / "onsite.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def add_site(self, *more: str) -> None:
        """Have a key made and write the site's configuration with it."""
        printed = self.main.cli("onsite", "add", "escritorio", *more)
        (self.key,) = [line.split('"')[1] for line in printed.splitlines() if line.startswith("key = ")]
        self.write()

    def write(self, data: str = "site-data") -> None:
        ami, appliance = self.ports
        facts = {"more": self.more, "ami_port": ami, "appliance_port": appliance, "secret": SECRET, "data": data}
        self.config.write_text(SITE.format(url=self.url or self.main.url, key=self.key, **facts))

    def start_site(self) -> None:
        self.site = spawn([*self.prefix, *command(), "onsite", "--config", str(self.config)], self.folder, "onsite.log")

    def kill_site(self) -> None:
        assert self.site is not None
        kill_group(self.site)

    def check(self) -> str:
        """What ``check`` says of the site, with its exit code."""
        arguments = [*self.prefix, *command(), "check", "--config", str(self.config)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=WAIT_S, check=False)
        return f"{done.stdout}{done.stderr}\nexit {done.returncode}"

    def listed(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.main.cli("onsite", "list", "--json"))
        return found

    def wait_heard(self, logins: int = 1) -> None:
        until(lambda: self.ami.logins >= logins, "the exchange is heard", timeout_s=WAIT_S)
        until(lambda: self.ami.names().count("ParkedCalls") >= logins, "what goes on was asked for", timeout_s=WAIT_S)

    def ring(self, count: int) -> None:
        for _ in range(count):
            number = f"4799{len(self.told):07}"
            self.told.append(number)
            self.ami.say(ringing(f"1796{len(self.told):06}.7", number))

    def rows(self, query: str) -> list[Any]:
        """What the main gateway's database has."""
        fresh = DATABASES.get(self.main.data)
        opened = closing(open_database(self.main.data, fresh.url if fresh else None))
        with opened as database, database.engine.connect() as connection:
            return list(connection.exec_driver_sql(query).all())

    def logged(self) -> list[str]:
        """The numbers of the incoming calls in the main gateway's log, as they came."""
        found = self.rows("SELECT number_as_sent FROM calls WHERE direction = 'incoming' ORDER BY id")
        return [number for (number,) in found]

    def wait_logged(self) -> None:
        wanted = len(self.told)
        until(lambda: len(self.logged()) >= wanted, f"{wanted} calls are in the log", timeout_s=WAIT_S)

    def spooled(self) -> list[str]:
        """What waits in the site's spool."""
        with closing(sqlite3.connect(self.folder / "site-data" / "spool.db")) as database:
            return [message for (message,) in database.execute("SELECT message FROM spooled")]

    def is_brought(self) -> bool:
        """Whether nothing waits there."""
        return not self.spooled()

    def is_connected(self) -> bool:
        """Whether the main gateway takes the site for connected."""
        ((until_ms,),) = self.rows("SELECT polled_until FROM onsite_sites")
        return (until_ms or 0) > time.time() * 1000

    def seen_at(self) -> float:
        """When the site last asked for orders, in seconds since 1970."""
        ((seen_ms,),) = self.rows("SELECT seen_at FROM onsite_sites")
        return (seen_ms or 0) / 1000

    def wait_connected(self, wanted: bool = True) -> None:
        until(lambda: self.is_connected() is wanted, f"connected: {wanted}", timeout_s=WAIT_S)

    def dial(self, number: str) -> subprocess.Popen[str]:
        """Begin to place a call from the shell, beside the gateway that serves."""
        where = ["--data", str(self.main.data), "--config", str(self.main.config)]
        arguments = [*command(), "dial", "3501", number, *where]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def outcome(self, ordered: subprocess.Popen[str]) -> str:
        """What the shell was told of a call."""
        return ordered.communicate(timeout=WAIT_S)[0]

    def click(self, number: str, *, at: LiveGateway | None = None) -> tuple[int, dict[str, Any]]:
        """Status and answer of a click-to-call from extension 3501, at another node where one is given."""
        address = f"{(at or self.main).url}/click-to-call?origem=3501&destino={number}"
        request = urllib.request.Request(address, headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)


@contextmanager
def exchange_of() -> Iterator[tuple[AmiServer, int, DiallingServer]]:
    """Yield an exchange with its port, and an appliance that is not served yet."""
    ami = AmiServer()
    with manager(ami) as port:
        yield ami, port, DiallingServer()


@contextmanager
def ended_with_logs(office: OnsiteOffice) -> Iterator[None]:
    """End both gateways; what fails inside carries what they said."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"--- site\n{office.log[-6000:]}\n--- main\n{office.main.log.read_text()[-6000:]}")
        raise
    finally:
        if office.site is not None:
            kill_group(office.site)
        kill_group(office.main.process)


@contextmanager
def onsite_office(folder: Path, *, workers: int = 1, timeout_s: int = 12, server: str = "") -> Iterator[OnsiteOffice]:
    """Start a main gateway beside an exchange and an appliance; the site is yet to be started. ``server`` are further
    lines of its table of that name.
    """
    config = folder / "gateway.toml"
    config.write_text(MAIN.format(workers=workers, timeout_s=timeout_s, server=server))
    with exchange_of() as (ami, ami_port, appliance), dialling_server(appliance) as appliance_port:
        main = start_gateway(folder / "data", config=config)
        made = OnsiteOffice(main, folder, ami, appliance, (ami_port, appliance_port))
        with ended_with_logs(made):
            yield made
