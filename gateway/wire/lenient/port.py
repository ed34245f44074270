"""The lenient port: a small HTTP server for exchanges whose requests other servers refuse.

One request for each connection, a bounded number of them at once, of which no client has more than its share, and a
clock that no slow sender can stop. What it takes is mended by ``wire/lenient/repair.py`` and handed to the same WSGI
application that the main port has.
"""

import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import structlog
from prometheus_client import Counter

from gateway.errors import GatewayError, MalformedRequest, TooLarge, TooManyConnections
from gateway.texts.languages import DEFAULT, Language, of_browser
from gateway.texts.rendering import render
from gateway.texts.text import Text
from gateway.wire.intake import explain
from gateway.wire.lenient.repair import END_OF_HEAD, Unrepairable, environ_of, repair
from gateway.wire.lenient.shares import Shares, Turn
from gateway.wire.traffic import RAW_HEAD
from gateway.wire.traffic import REPAIRS as REPAIRED
from gateway.wire.transport import TEXT, Environ, Headers, answer, language_of, refuse_as_text

log = structlog.get_logger()

Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

CHUNK = 65_536
NOTICE_STOP_S = 0.25
REPAIRS = Counter("cti_lenient_repairs_total", "Requests mended by the lenient port, by kind of repair", ["kind"])
REFUSALS = Counter("cti_lenient_over_share_total", "Connections refused because their client had too many open")


@dataclass(frozen=True, slots=True)
class PortLimits:
    """What one connection may cost, how many there may be at once, and how many of them from one address.

    ``waiting_per_client`` more of that address wait for their turn: exchanges tell of many calls in one burst.
    """

    max_body_bytes: int
    max_head_bytes: int = 65_536
    connections: int = 32
    connections_per_client: int = 8
    waiting_per_client: int = 32
    read_timeout_s: float = 10
    request_timeout_s: float = 30
    stop_timeout_s: float = 5
    language: Language = DEFAULT


class Cut(Exception):
    """The request will not be served. ``error`` says why; None where nobody listens any more."""

    def __init__(self, error: GatewayError | None = None, status: int | None = None) -> None:
        super().__init__()
        self.error, self.status = error, status


class LenientPort:
    """Serves on ``listening``, which processes may share, or else on ``address`` and ``port``, until ``close``.

    ``port`` is the one in force, also where 0 asked for any. Raises ``OSError`` where it cannot be had.
    """

    def __init__(
        self, application: Wsgi, address: str, port: int, limits: PortLimits, *, listening: socket.socket | None = None
    ) -> None:
        self._application = application
        self._limits = limits
        self._listening = listening or socket.create_server((address, port), backlog=128)
        self._listening.settimeout(NOTICE_STOP_S)
        self.port: int = self._listening.getsockname()[1]
        self._free = threading.BoundedSemaphore(limits.connections)
        self._shares: Shares[socket.socket] = Shares(
            at_once=limits.connections_per_client, waiting=limits.waiting_per_client
        )
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="lenient-port", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop_accepting(self) -> None:
        """Take no more connections; those that were taken are served. Returns at once, safe to call again."""
        self._stopping.set()

    def open_connections(self) -> int:
        """Return how many connections are being read, served, or wait for their turn."""
        return len(self._open)

    def close(self) -> None:
        """Stop, let requests that are being served end, and cut those that still send after half of the time."""
        self.stop_accepting()
        if self._thread.is_alive():
            self._thread.join(self._limits.stop_timeout_s)
        self._wait(self._limits.stop_timeout_s / 2)
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        self._wait(self._limits.stop_timeout_s / 2)

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)

    def _accept(self) -> None:
        with self._listening:
            while not self._stopping.is_set():
                if self._free.acquire(timeout=NOTICE_STOP_S) and not self._accept_safely():
                    self._free.release()

    def _accept_safely(self) -> bool:
        """Accept a connection, or return False; a defect costs that connection, not the port."""
        try:
            return self._accept_one()
        except Exception as error:
            log.error("lenient_accept_failed", error=type(error).__name__, exc_info=error)
            self._stopping.wait(NOTICE_STOP_S)
            return False

    def _accept_one(self) -> bool:
        """Accept a connection and have it served in the place that is free; return whether one came."""
        try:
            connection, peer = self._listening.accept()
        except TimeoutError:
            return False
        except OSError as error:
            log.error("lenient_accept_failed", error=str(error))
            self._stopping.wait(NOTICE_STOP_S)  # out of files, most likely: asking again at once would only spin
            return False
        self._open.add(connection)
        turn = self._shares.bring(peer[0], connection)
        if turn is Turn.NEVER:
            self._refuse(connection, peer[0])
        return turn is Turn.NOW and self._begin(connection, peer[0])

    def _refuse(self, connection: socket.socket, client: str) -> None:
        log.warning("lenient_over_share", client=client, at_once=self._limits.connections_per_client)
        REFUSALS.inc()
        with connection, suppress(OSError):
            turn_away(connection, self._limits.connections_per_client, self._limits.language)
        self._open.discard(connection)

    def _begin(self, connection: socket.socket, client: str) -> bool:
        try:
            threading.Thread(target=self._serve, args=(connection, client), name="lenient", daemon=True).start()
        except RuntimeError:
            log.error("lenient_busy", client=client)
            self._open.discard(connection)
            connection.close()
            self._shares.done(client)
            return False
        return True

    def _serve(self, connection: socket.socket, client: str) -> None:
        """Serve ``connection``, then those of the same client that have waited for their turn meanwhile."""
        turn: socket.socket | None = connection
        try:
            while turn is not None:
                self._serve_turn(turn, client)
                turn = self._shares.done(client)
        finally:
            self._free.release()

    def _serve_turn(self, connection: socket.socket, client: str) -> None:
        try:
            with connection, suppress(OSError):
                serve_one(connection, client, self._application, self._limits)
        except Exception as error:
            # A defect of ours costs its own connection, not the place, nor those that wait for it.
            log.error("lenient_failed", client=client, exc_info=error)
        finally:
            self._open.discard(connection)


class IncomingRequest:
    """A connection's bytes, read against the clock. Raises ``Cut``."""

    def __init__(self, connection: socket.socket, limits: PortLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._deadline = time.monotonic() + limits.request_timeout_s
        self._buffer = bytearray()
        self._began = False

    def head(self) -> bytes:
        """Read everything up to the first empty line, LF or CRLF. Raises ``Cut``."""
        searched = 0
        while not (found := END_OF_HEAD.search(self._buffer, max(0, searched - 3))):
            searched = len(self._buffer)
            if searched > self._limits.max_head_bytes:
                text = Text("the head is larger than {limit} bytes.", limit=self._limits.max_head_bytes)
                raise Cut(MalformedRequest(text), 431)
            self._receive()
            if not searched:
                self._buffer = self._buffer.lstrip(b"\r\n")
        head = bytes(self._buffer[: found.end()])
        del self._buffer[: found.end()]
        return head

    def body(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        return bytes(self._buffer[:size])

    def _receive(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Cut(MalformedRequest(Text("the request took too long.")), 408)
        self._connection.settimeout(min(left, self._limits.read_timeout_s))
        try:
            came = self._connection.recv(CHUNK)
        except TimeoutError:
            raise Cut(MalformedRequest(Text("the request took too long.")), 408) from None
        if not came:
            raise Cut(MalformedRequest(Text("the request came incomplete.")) if self._began else None)
        self._began = True
        self._buffer += came


def serve_one(connection: socket.socket, client: str, application: Wsgi, limits: PortLimits) -> None:
    """Read one request, have it served, answer. Raises ``OSError`` where the client is gone."""
    incoming = IncomingRequest(connection, limits)
    try:
        environ = read_request(incoming, connection, client, limits)
        status, headers, body = call(application, environ)
    except Cut as cut:
        if cut.error is None:
            return
        status, headers, body = refuse_as_text(cut.error, limits.language, status=cut.status)
        environ = {}
    connection.settimeout(limits.read_timeout_s)
    connection.sendall(rendered(status, headers, body, environ))
    drain(connection)


def read_request(incoming: IncomingRequest, connection: socket.socket, client: str, limits: PortLimits) -> Environ:
    """Read the request on ``connection`` and return its WSGI environ, mended. Raises ``Cut``."""
    head = incoming.head()
    found = repair(head)
    if isinstance(found, Unrepairable):
        log.info("request_not_repaired", client=client, status=found.status)
        raise Cut(MalformedRequest(found.reason), found.status)
    environ = environ_of(found.head) | {RAW_HEAD: head, REPAIRED: found.repairs}
    if found.repairs:
        # Some write the query behind "&" without "?", so the path ends there as well: no value reaches the log.
        path = re.split("[?&;=]", environ["PATH_INFO"])[0][:200]
        log.info("request_repaired", repairs=list(found.repairs), client=client, path=path)
        for kind in found.repairs:
            REPAIRS.labels(kind).inc()
    length = body_length(environ, limits.max_body_bytes)
    if length and environ.get("HTTP_EXPECT", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    address, port = connection.getsockname()[:2]
    return environ | surroundings(client, address, port, incoming.body(length))


def body_length(environ: Environ, limit: int) -> int:
    """Return the length of the body to come, by Content-Length only. Raises ``Cut``."""
    text = environ.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise Cut(MalformedRequest(Text("Content-Length is not a number.")))
    if int(text) > limit:
        raise Cut(TooLarge(limit))
    return int(text)


def surroundings(client: str, address: str, port: int, body: bytes) -> Environ:
    """Return the part of the environ that is not in the head (PEP 3333)."""
    return {
        "REMOTE_ADDR": client,
        "SERVER_NAME": address,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def call(application: Wsgi, environ: Environ) -> tuple[str, Headers, bytes]:
    """Return the application's whole answer; an incident's number where it fails."""
    told: list[tuple[str, Headers]] = []
    try:
        parts = application(environ, lambda status, headers, _info=None: told.append((status, headers)))
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return (*told[-1], body)
    except Exception as error:
        known = {"cti.client": environ["REMOTE_ADDR"]} | environ
        return refuse_as_text(explain(error, known, "get"), language_of(environ))


def rendered(status: str, headers: Headers, body: bytes, environ: Environ) -> bytes:
    """Return the answer's bytes, in the client's version of HTTP."""
    kept = [(name, value) for name, value in headers if name.lower() != "connection"]
    if not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(len(body))))
    lines = [f"{environ.get('SERVER_PROTOCOL', 'HTTP/1.1')} {status}"]
    lines += [f"{name}: {value}" for name, value in (*kept, ("Connection", "close"))]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def turn_away(connection: socket.socket, limit: int, language: Language) -> None:
    """Say that there is no place, without waiting for the request. Raises ``OSError`` where the client is gone."""
    status, headers, body = refuse_as_text(TooManyConnections(limit), language)
    connection.setblocking(False)
    connection.sendall(rendered(status, headers, body, {}))
    connection.shutdown(socket.SHUT_WR)
    # Closing on bytes that were not read would reset the connection before the answer is read.
    connection.recv(CHUNK)


def drain(connection: socket.socket) -> None:
    """Let the client read the answer: closing on bytes that were not read resets the connection (RFC 9112, 9.6)."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(0.5)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and connection.recv(CHUNK):
        pass


def no_desk(environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
    """Answer for the desk, whose pages and streams are only on the main port."""
    language = of_browser(environ.get("HTTP_ACCEPT_LANGUAGE")) or language_of(environ)
    text = render(Text("this port serves machines only; the desk is at the main port."), language)
    made = answer(404, TEXT, f"{text}\n".encode())
    start_response(made.status, made.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [made.body]
