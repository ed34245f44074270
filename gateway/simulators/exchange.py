"""What a simulator is asked and what it answers, and the small web server between them.

Appliances write HTTP in their own ways (``Content-type``, no length, a mangled Via): a ``SimulatedReply`` with a
``head`` goes out letter for letter as it was recorded.
"""

import logging
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""
IDLE_S = 15.0
"""Seconds until an idle connection is closed, as Asterisk does it."""
HANG_S = 600.0
"""Seconds that a connection without an answer is held open; its client gives up long before."""


def whole(text: str, *, most: int = 10**9) -> int | None:
    """Return a text of ASCII digits as a number, ``most`` at most; None when it is none. ``isdigit``
    takes a ² as well.
    """
    return min(int(text[:18]), most) if re.fullmatch(r"[0-9]{1,4000}", text) else None


@dataclass(frozen=True)
class Request:
    """A request to a simulator; ``nth`` counts the requests of its connection from 1."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    version: str = "HTTP/1.1"
    nth: int = 1

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @cached_property
    def _lowered(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def header(self, name: str) -> str:
        """Return a header whatever its letters' case; empty when absent."""
        return self._lowered.get(name.lower(), "")

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form; none when the body is something else."""
        if not self.header("Content-Type").startswith("application/x-www-form-urlencoded"):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def measured(self) -> bool:
        """Whether it says how long its body is; a chunked one does not, and its body is not read."""
        return bool(self.header("Content-Length")) and not self.header("Transfer-Encoding")


@dataclass(frozen=True)
class SimulatedReply:
    """An answer of a simulator. With ``head`` (lines without their ends) it goes out exactly so; ``closes`` ends the
    connection behind it."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    head: str = ""
    closes: bool = False

    @classmethod
    def text(cls, status: int, text: str) -> "SimulatedReply":
        return cls(status, "text/plain; charset=utf-8", text.encode())

    @classmethod
    def exactly(cls, status: str, lines: Mapping[str, str], body: bytes, *, closes: bool = False) -> "SimulatedReply":
        """Return ``status`` as ``200 OK`` or with a version of its own before it, then these headers and no others."""
        first = status if status.startswith("HTTP/") else f"HTTP/1.1 {status}"
        head = "\n".join([first, *(f"{name}: {value}" for name, value in lines.items())])
        return cls(int(first.split(" ")[1]), "", body, head=head, closes=closes)


class NoReply(Enum):
    """How an appliance stays silent."""

    CLOSES = "closes the connection"
    HANGS = "leaves the client waiting"


Answer = SimulatedReply | NoReply
Answers = Callable[[Request], Answer]


class Closable(ThreadingMixIn, TCPServer):
    """Gives each connection a thread, and closes all that are open when it is told to."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, where: tuple[str, int], handler: type[BaseRequestHandler]) -> None:
        """Listen. Raises ``OSError`` when the port is taken."""
        self.address_family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._opening = Lock()
        super().__init__(where, handler)

    def wrap(self, tls: ssl.SSLContext | None) -> None:
        """Speak TLS from now on, where ``tls`` is given."""
        if tls:
            # The handshake waits for the connection's own thread: a client that is slow at it keeps nobody waiting.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a connection broke", exc_info=True)

    def close_all(self) -> None:
        """Close the listener and every connection."""
        self.server_close()
        with self._opening:
            still = list(self._open)
        for connection in still:
            self.shutdown_request(connection)


class SimulatorServer(Closable, HTTPServer):
    """Serves what ``answers`` says; each connection has a thread. With ``tls`` it speaks https. Raises ``OSError`` when
    the port is taken."""

    def __init__(
        self, where: tuple[str, int], answers: Answers, idle_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answers = answers
        self.idle_s = idle_s
        super().__init__(where, _Handler)
        self.wrap(tls)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SimulatedAppliance"
    sys_version = ""
    # Head and body in one packet: two small ones wait 40 ms for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: SimulatorServer

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.idle_s)
        self._count = 0

    def do_GET(self) -> None:
        self._reply()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _reply(self) -> None:
        size = whole(self.headers.get("Content-Length", "0"))
        if size is None or size > MAX_BODY:
            self.close_connection = True
            return self._write(SimulatedReply.text(413, "ERROR too large"))
        if self.headers.get("Transfer-Encoding"):
            self.close_connection, size = True, 0
        self._count += 1
        body = self.rfile.read(size)
        request = Request(self.command, self.path, dict(self.headers.items()), body, self.request_version, self._count)
        answer = self.server.answers(request)
        return self._write(answer) if isinstance(answer, SimulatedReply) else self._say_nothing(answer)

    def _say_nothing(self, how: NoReply) -> None:
        self.close_connection = True
        if how is NoReply.HANGS:
            self.connection.settimeout(HANG_S)
            while self.rfile.read1(4096):
                pass

    def _write(self, reply: SimulatedReply) -> None:
        if reply.head:
            self.wfile.write((reply.head.replace("\n", "\r\n") + "\r\n\r\n").encode("latin-1", "replace"))
        else:
            self._write_head(reply)
        if reply.closes:
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _write_head(self, reply: SimulatedReply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
