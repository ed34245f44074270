"""What the simulated appliances share: a web server, the list of what was received, recordings and events."""

import logging
import re
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from gateway.simulators import page, recording
from gateway.simulators.events import Events

log = logging.getLogger(__name__)

KEPT = 200
"""Commands that the list keeps."""
MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""
IDLE_S = 15
"""Seconds until an idle connection is closed, as Asterisk does it."""


@dataclass(frozen=True, slots=True)
class Received:
    """One command as it came in; ``raw`` is the request's text with its secrets masked."""

    at: datetime
    protocol: str
    extension: str
    number: str
    call_id: str
    raw: str


@dataclass(frozen=True)
class Request:
    """A request to a simulator."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    version: str = "HTTP/1.1"

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer of a simulator."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def text(cls, status: int, text: str) -> "Reply":
        return cls(status, "text/plain; charset=utf-8", text.encode())


class Appliance:
    """A simulated appliance on 127.0.0.1. ``port`` 0 is a free one; ``on_received`` is told of every command.

    With ``events_to`` (the gateway's address) it reports each call as an exchange does: its start after
    ``start_after_s``, its end with the address of its recording after ``end_after_s``.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        *,
        port: int = 0,
        on_received: Callable[[Received], None] | None = None,
        events_to: str = "",
        start_after_s: float = 1.0,
        end_after_s: float = 4.0,
    ) -> None:
        self._port = port
        self._on_received = on_received
        self._received: deque[Received] = deque(maxlen=KEPT)
        self._lock = Lock()
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self._delays_s = (start_after_s, end_after_s)
        self._events = Events(events_to) if events_to else None

    @classmethod
    def settings(cls, address: str) -> dict[str, Any]:
        """The gateway's settings to dial on this appliance."""
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        """The protocol's own answer to ``request``."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT``, once started."""
        assert self._server is not None, "start it first"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def received(self) -> list[Received]:
        """The last commands, oldest first."""
        with self._lock:
            return list(self._received)

    def start(self) -> Self:
        """Listen. Raises ``OSError`` when the port is taken."""
        self._server = _Server(("127.0.0.1", self._port), self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the server, its connections and the events that are still to come."""
        if self._events:
            self._events.close()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.close_all()

    def dialled(self, request: Request, extension: str, number: str) -> str:
        """Note a command and let its call take its course; the call's id."""
        call_id = uuid4().hex[:12]
        raw = self.masked(page.as_text(request))
        received = Received(datetime.now(UTC), self.name, extension, number, call_id, raw)
        with self._lock:
            self._received.append(received)
        if self._on_received:
            self._on_received(received)
        if self._events:
            audio = f"{self.address}/gravacoes/{call_id}.wav"
            self._events.call(extension, number, audio, delays_s=self._delays_s)
        return call_id

    def masked(self, raw: str) -> str:
        """``raw`` without what must not be shown."""
        return re.sub(r"(?im)^((?:proxy-)?authorization|cookie): .*$", r"\1: ****", raw)

    def respond(self, request: Request) -> Reply:
        """The answer to any request: the page, a recording, or what the protocol says."""
        if request.method in ("GET", "HEAD") and request.path == "/":
            shown = page.html(self.title, self.address, reversed(self.received))
            return Reply(200, "text/html; charset=utf-8", shown, page.HEADERS)
        if request.method in ("GET", "HEAD") and (found := recording.PATH.fullmatch(request.path)):
            return Reply(*recording.served(found[1], request.headers.get("Range", "")))
        return self.answer(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, where: tuple[str, int], appliance: Appliance) -> None:
        self.appliance = appliance
        self._open: set[socket.socket] = set()
        self._opening = Lock()
        super().__init__(where, _Handler)

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
        self.server_close()
        with self._opening:
            still = list(self._open)
        for connection in still:
            self.shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SimulatedAppliance"
    sys_version = ""
    timeout = IDLE_S
    # Head and body in one packet: two small ones wait 40 ms for a delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._reply()

    do_HEAD = do_POST = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _reply(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not size.isdigit() or int(size) > MAX_BODY:
            self.close_connection = True
            return self._write(Reply.text(413, "ERROR too large"))
        body = self.rfile.read(int(size))
        request = Request(self.command, self.path, dict(self.headers.items()), body, self.request_version)
        return self._write(self.server.appliance.respond(request))

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
