"""Attackers at one address, an exchange at another, and how the exchange fares meanwhile."""

import http.client
import itertools
import socket
import sqlite3
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from tests.live.conftest import LiveGateway

ATTACKER, EXCHANGE = "127.0.0.2", "127.0.0.3"
LISTENER = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing tells the other side at once that nothing more is taken."""
NUMBERS = itertools.count(32_000_000)


def fresh_number() -> str:
    """Return the number of a fixed line in São Paulo that no other event of this process has."""
    return f"11{next(NUMBERS)}"


def event_path(number: str) -> str:
    """Return the address by which an exchange says that ``number`` rings."""
    return f"{LISTENER}?ramal=3501&telefone={number}"


def event_of(number: str) -> bytes:
    """Return the request by which an exchange says that ``number`` rings."""
    return head_of(event_path(number))


def calls_logged(gateway: LiveGateway) -> Counter[str]:
    """Return how many calls the log has of each number; read from the file, which spares each test some seconds."""
    with closing(sqlite3.connect(gateway.data / "gateway.db")) as database:
        return Counter(dict(database.execute("SELECT number, count(*) FROM calls GROUP BY number")))


def head_of(path: str, *lines: str, method: str = "GET") -> bytes:
    """Return a request without a body, or the head of one."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *lines, "", ""]).encode()


def post_of(path: str, body: bytes, *lines: str) -> bytes:
    """Return a whole request with ``body``, which is XML."""
    kind = "Content-Type: text/xml; charset=utf-8"
    return head_of(path, kind, f"Content-Length: {len(body)}", *lines, method="POST") + body


def connect(gateway: LiveGateway, stack: ExitStack, sent: bytes = b"", *, address: str = ATTACKER) -> socket.socket:
    """Open a connection from ``address``, closed with ``stack``, and send ``sent``."""
    connection = stack.enter_context(
        socket.create_connection((gateway.host, gateway.port), timeout=30, source_address=(address, 0))
    )
    if sent:
        connection.sendall(sent)
    return connection


def answers(connection: socket.socket, count: int, *, method: str = "GET") -> list[tuple[int, bytes]]:
    """Return status and body of the next ``count`` answers on ``connection``, to be called once for a connection."""
    reader = connection.makefile("rb")
    return [_answer(reader, method) for _ in range(count)]


class _Read:
    """What ``http.client`` takes for a socket, so that one reader serves several answers."""

    def __init__(self, reader: object) -> None:
        self._reader = reader

    def makefile(self, _mode: str) -> object:
        return self._reader


def _answer(reader: object, method: str) -> tuple[int, bytes]:
    response = http.client.HTTPResponse(_Read(reader), method=method)  # type: ignore[arg-type]
    response._close_conn = lambda: None  # type: ignore[attr-defined]  # the reader is the next answer's, too
    response.begin()
    return response.status, response.read()


@dataclass
class Exchange:
    """Sends an event each ``every_s`` from an address of its own; each tenth on a new connection."""

    gateway: LiveGateway
    address: str = EXCHANGE
    every_s: float = 0.01
    told: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    slowest_s: float = 0.0

    @contextmanager
    def sending(self) -> Iterator["Exchange"]:
        """Send events while the block runs, and at least one after it began and one when it ended."""
        ended, began = threading.Event(), threading.Event()
        thread = threading.Thread(target=self._send, args=(began, ended))
        thread.start()
        try:
            assert began.wait(60)
            yield self
        finally:
            ended.set()
            thread.join()

    def _send(self, began: threading.Event, ended: threading.Event) -> None:
        connection = self._connection()
        for number in itertools.count():
            is_last = ended.is_set()
            self._one(connection, fresh_number())
            began.set()
            if number % 10 == 9:
                connection.close()
            if is_last:
                break
            ended.wait(self.every_s)
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            self.gateway.host, self.gateway.port, timeout=30, source_address=(self.address, 0)
        )

    def _one(self, connection: http.client.HTTPConnection, number: str) -> None:
        started = time.monotonic()
        try:
            connection.request("GET", event_path(number))
            response = connection.getresponse()
            body = response.read()
            self._note(number, response.status, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.told[type(error).__name__] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)

    def _note(self, number: str, status: int, body: bytes) -> None:
        if status == 200 and body.startswith(b"OK "):
            self.acknowledged.add(number)
        self.told["OK" if number in self.acknowledged else f"{status} {body[:60]!r}"] += 1
