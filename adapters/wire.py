"""Connections that keep to one attempt: its deadline, its size limit, whether anything was sent, a recording.

They are ``http.client``'s. Its timeout is for each read, so a peer that sends one byte a second would never be too
late: here every read is given only what is left of the attempt. Nor does an exception's class tell whether the peer can
have seen the request (a TLS handshake that hangs looks like an answer that does not come), so the connection remembers.
"""

import io
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from adapters.connecting import open_socket
from adapters.tls import NoAuthorities, Trust

MAX_BODY = 1024 * 1024
"""Bytes of an answer's body that are read, after decompression, if nothing else is said."""
MAX_HEAD = 64 * 1024
"""Bytes that an answer may have beside its body."""
MAX_IDLE = 16
"""Connections to one peer that are kept open while nobody uses them."""
CHUNK = 16 * 1024
AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class TooLarge(OSError):
    """The answer is larger than anything an appliance has to say."""


class NotConnected(OSError):
    """No network leads to the peer."""


class ConnectTimeout(TimeoutError):
    """The peer did not take the connection in time, TLS included."""


class Attempt:
    """One attempt at one peer. ``sent`` becomes true just before the first byte is written.

    ``written`` holds what went out where it is wanted, ``hides`` tells what in it and in the answer (or None) is secret
    besides the configured secrets.
    """

    def __init__(self, timeout_s: float, max_body: int = MAX_BODY) -> None:
        self.max_body = max_body
        self.sent = False
        self.written: bytearray | None = None
        self.hides: Callable[[Any], Iterable[str]] | None = None
        self.received = 0
        self.recorded = bytearray()
        self._ends = monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds left, always more than nothing. Raises ``TimeoutError`` when the time is used up."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's time is used up")
        return left

    def count(self, size: int) -> None:
        """Note ``size`` received bytes. Raises ``TooLarge``."""
        self.received += size
        if self.received > self.max_body + MAX_HEAD:
            raise TooLarge("the answer is too large")


class _Reader(io.RawIOBase):
    """A socket's bytes, each read bounded by what is left of the attempt."""

    def __init__(self, sock: Any, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        # Its own file keeps the descriptor open when the connection is closed before the body is read.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._attempt.left_s())
        size: int = self._raw.readinto(buffer) or 0
        self._attempt.count(size)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Readable:
    """As much of a socket as ``HTTPResponse`` asks for."""

    def __init__(self, sock: Any, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._attempt))


class _Connection(HTTPConnection):
    """A connection to ``origin`` for one attempt after the other."""

    def __init__(self, origin: str, trust: Trust) -> None:
        """Raises ``ValueError`` and ``http.client.InvalidURL`` for what is no origin."""
        parts = urlsplit(origin)
        self.origin = origin
        self._trust = trust if parts.scheme == "https" else None
        self.default_port = 443 if self._trust else 80
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self._data = bytearray()

    def begin(self, attempt: Attempt, connect_s: float) -> None:
        """Be ``attempt``'s from now on; a new connection may take ``connect_s`` seconds of it."""
        self.attempt, self._connect_s = attempt, connect_s
        # What http.client makes its responses by.
        self.response_class = partial(_response, attempt)  # type: ignore[assignment]

    def connect(self) -> None:
        """Raises ``OSError``: ``socket.gaierror``, ``ConnectTimeout``, ``NotConnected``, ``ConnectionError``, and what
        ``Trust`` raises.
        """
        timeout_s = min(self._connect_s, self.attempt.left_s())
        ends = monotonic() + timeout_s
        try:
            self.sock = open_socket(self.host, self.port, timeout_s=timeout_s, options=[AT_ONCE])
            if self._trust:
                # What is left of it is for the handshake, all of it: a timeout of 0 would mean not to wait at all.
                self.sock.settimeout(max(ends - monotonic(), 0.001))
                self.sock = self._trust.wrap(self.sock, self.host)
        except TimeoutError as error:
            raise ConnectTimeout from error
        except (socket.gaierror, ssl.SSLError, NoAuthorities, ConnectionError):
            raise
        except OSError as error:
            raise NotConnected from error

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Head and body leave by one write: each one more costs both sides about as much as the whole head."""
        self._data.clear()
        super().request(*args, **kwargs)
        self._write(bytes(self._data))

    def send(self, data: Any) -> None:
        self._data += data

    def _write(self, data: bytes) -> None:
        if self.sock is None:
            self.connect()
        self.attempt.sent = True
        if self.attempt.written is not None:
            self.attempt.written += data
        self.sock.settimeout(self.attempt.left_s())
        self.sock.sendall(data)

    def is_alive(self) -> bool:
        """Whether it is open and silent, as it should be while nobody has asked for anything."""
        if self.sock is None:
            return False
        silence = select.poll()
        silence.register(self.sock, select.POLLIN)
        return not silence.poll(0)


def _response(attempt: Attempt, sock: Any, *args: Any, **kwargs: Any) -> HTTPResponse:
    readable: Any = _Readable(sock, attempt)
    return HTTPResponse(readable, *args, **kwargs)


class _Tape:
    """A socket that writes into the attempt's recording and answers with an empty 200."""

    def __init__(self, recorded: bytearray) -> None:
        self._recorded = recorded

    def sendall(self, data: Any) -> None:
        self._recorded += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def settimeout(self, _: float) -> None: ...

    def close(self) -> None: ...


class _Recorded(_Connection):
    def connect(self) -> None:
        tape: Any = _Tape(self.attempt.recorded)
        self.sock = tape


class Connections:
    """Connections to one peer, kept open between requests, ``MAX_IDLE`` at most; nothing is tried twice, nothing
    followed. For many threads.

    With ``recording`` nothing leaves the process: the bytes go to ``Attempt.recorded``.
    """

    def __init__(self, trust: Trust | None = None, *, recording: bool = False) -> None:
        self._trust = trust or Trust()
        self._made = _Recorded if recording else _Connection
        self._idle: list[_Connection] = []
        self._most_idle = MAX_IDLE
        self._lock = Lock()

    def exchange(
        self,
        method: str,
        origin: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        attempt: Attempt,
        *,
        connect_s: float,
    ) -> tuple[HTTPResponse, bytes]:
        """Send a request; the answer's head, and its body as it came.

        ``target`` stands in the request line letter for letter: an appliance may want wrong what others would put right
        (``/dial&number=1``, ``%2b``). Raises ``OSError``, ``HTTPException`` and ``ValueError``.
        """
        connection = self._take(origin)
        connection.begin(attempt, connect_s)
        try:
            # Who refuses a request may answer, and close, before having read all of it.
            with suppress(BrokenPipeError):
                connection.request(method, target, body, headers)
            response = connection.getresponse()
            data = _body_of(response)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return response, data

    def touch(self, origin: str, attempt: Attempt, *, connect_s: float) -> None:
        """Connect (and shake hands over TLS), send nothing, close. Raises what ``exchange`` raises."""
        connection = self._made(origin, self._trust)
        connection.begin(attempt, connect_s)
        try:
            connection.connect()
        finally:
            connection.close()

    def close(self) -> None:
        """Close those that nobody uses now, and the others when they have been used."""
        with self._lock:
            idle, self._idle, self._most_idle = self._idle, [], 0
        for connection in idle:
            connection.close()

    def _take(self, origin: str) -> _Connection:
        """The connection to ``origin`` that was used last and is still good, or a new one."""
        while (found := self._popped(origin)) is not None:
            if found.is_alive():
                return found
            found.close()
        return self._made(origin, self._trust)

    def _popped(self, origin: str) -> _Connection | None:
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place].origin == origin:
                    return self._idle.pop(place)
        return None

    def _give_back(self, connection: _Connection) -> None:
        if connection.sock is None:
            return
        with self._lock:
            self._idle.append(connection)
            surplus = self._idle.pop(0) if len(self._idle) > self._most_idle else None
        if surplus:
            surplus.close()


def _body_of(response: HTTPResponse) -> bytes:
    """All of it, in parts: a peer's Content-Length is not believed before the bytes are there."""
    body = bytearray()
    while part := response.read(CHUNK):
        body += part
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)
