"""Connections that keep to one attempt: its deadline, its size limit, whether anything was sent, and what.

A library's timeout is for each read, so a peer that sends one byte a second would never be too late: here every read is
given only what is left of the attempt. Nor does an exception's class tell whether the peer can have seen the request (a
TLS handshake that hangs looks like an answer that does not come), so the attempt remembers.
"""

import io
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.client import IncompleteRead
from threading import Lock
from time import monotonic
from typing import Any

from adapters.http.connecting import open_socket
from adapters.http.head import Response, address_of
from adapters.http.reach import PrivateAddress
from adapters.http.tls import NoAuthorities, Trust

MAX_BODY = 1024 * 1024
"""Bytes of an answer's body that are read, after decompression, if nothing else is said."""
MAX_HEAD = 64 * 1024
"""Bytes that an answer may have beside its body."""
MAX_IDLE = 16
"""Connections to one peer that are kept open while nobody uses them."""
CHUNK = 16 * 1024
AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class AnswerTooLarge(OSError):
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
        self._ends = monotonic() + timeout_s

    def left_s(self) -> float:
        """Return the seconds left, always more than nothing. Raises ``TimeoutError`` when the time is used up."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's time is used up")
        return left

    def count(self, size: int) -> None:
        """Note ``size`` received bytes. Raises ``AnswerTooLarge``."""
        self.received += size
        if self.received > self.max_body + MAX_HEAD:
            raise AnswerTooLarge("the answer is too large")


class _Reader(io.RawIOBase):
    """A socket's bytes, each read bounded by what is left of the attempt."""

    def __init__(self, sock: Any, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._attempt.left_s())
        size: int = self._sock.recv_into(buffer)
        self._attempt.count(size)
        return size

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return the file that ``HTTPResponse`` asks a socket for."""
        return io.BufferedReader(self)


def connected(
    host: str,
    port: int,
    attempt: Attempt,
    *,
    connect_s: float,
    trust: Trust | None = None,
    public_only: bool = False,
) -> Any:
    """Return a connected socket, within ``connect_s`` seconds of the attempt; over TLS where ``trust`` is given.

    Raises ``OSError``: ``socket.gaierror``, ``PrivateAddress``, ``ConnectTimeout``, ``NotConnected``,
    ``ConnectionError``, and what ``Trust`` raises.
    """
    timeout_s = min(connect_s, attempt.left_s())
    ends = monotonic() + timeout_s
    try:
        sock = open_socket(host, port, timeout_s=timeout_s, options=[AT_ONCE], public_only=public_only)
        if trust is None:
            return sock
        # What is left of it is for the handshake, all of it: a timeout of 0 would mean not to wait at all.
        sock.settimeout(max(ends - monotonic(), 0.001))
        return trust.wrap(sock, host)
    except TimeoutError as error:
        raise ConnectTimeout from error
    except (socket.gaierror, ssl.SSLError, NoAuthorities, ConnectionError, PrivateAddress):
        raise
    except OSError as error:
        raise NotConnected from error


class _Connection:
    """A connection to ``origin`` for one attempt after the other; ``sock`` is None while it is closed."""

    def __init__(self, origin: str, trust: Trust, public_only: bool = False) -> None:
        """Take the address of ``origin``, without connecting. Raises ``ValueError`` and ``http.client.InvalidURL`` for
        what is no origin.
        """
        self.origin = origin
        self.sock: Any = None
        self._address = address_of(origin)
        self._trust = trust
        self._public_only = public_only

    def connect(self, attempt: Attempt, connect_s: float) -> None:
        """Open the connection. Raises ``OSError``: ``socket.gaierror``, ``ConnectTimeout``, ``NotConnected``,
        ``ConnectionError``, and what ``Trust`` raises.
        """
        host, port, is_tls, _ = self._address
        trust = self._trust if is_tls else None
        self.sock = connected(host, port, attempt, connect_s=connect_s, trust=trust, public_only=self._public_only)

    def send(self, data: bytes, attempt: Attempt, connect_s: float) -> None:
        """Send a request by one write: each one more costs both sides about as much as a whole head."""
        if self.sock is None:
            self.connect(attempt, connect_s)
        attempt.sent = True
        if attempt.written is not None:
            attempt.written += data
        self.sock.settimeout(attempt.left_s())
        # Who refuses a request may answer, and close, before having read all of it.
        with suppress(BrokenPipeError):
            self.sock.sendall(data)

    def receive(self, attempt: Attempt) -> tuple[Response, bytes]:
        """Read the answer to a request and its body; the connection is closed unless it can be used again."""
        reader: Any = _Reader(self.sock, attempt)
        response = Response(reader)
        response.begin()
        body = body_of(response)
        if response.will_close:
            self.close()
        return response, body

    def is_alive(self) -> bool:
        """Return whether it is open and silent, as it should be while nobody has asked for anything."""
        if self.sock is None:
            return False
        silence = select.poll()
        silence.register(self.sock, select.POLLIN)
        return not silence.poll(0)

    def close(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None


class ConnectionPool:
    """Connections to one peer, kept open between requests, ``MAX_IDLE`` at most; nothing is tried twice, nothing
    followed. For many threads.
    """

    def __init__(self, trust: Trust, *, public_only: bool = False) -> None:
        """Take whom to trust; with ``public_only`` no name leads to a private address (``reach.py``)."""
        self._trust = trust
        self._public_only = public_only
        self._idle: list[_Connection] = []
        self._most_idle = MAX_IDLE
        self._lock = Lock()

    def exchange(self, origin: str, data: bytes, attempt: Attempt, *, connect_s: float) -> tuple[Response, bytes]:
        """Send the request ``data``; the answer's head, and its body as it came. A new connection may take
        ``connect_s`` seconds of the attempt. Raises ``OSError``, ``HTTPException`` and ``ValueError``.
        """
        connection = self._take(origin)
        try:
            connection.send(data, attempt, connect_s)
            answer = connection.receive(attempt)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        return answer

    def touch(self, origin: str, attempt: Attempt, *, connect_s: float) -> None:
        """Connect (and shake hands over TLS), send nothing, close. Raises what ``exchange`` raises."""
        connection = _Connection(origin, self._trust, self._public_only)
        try:
            connection.connect(attempt, connect_s)
        finally:
            connection.close()

    def close(self) -> None:
        """Close those that nobody uses now, and the others when they have been used."""
        with self._lock:
            idle, self._idle, self._most_idle = self._idle, [], 0
        for connection in idle:
            connection.close()

    def _take(self, origin: str) -> _Connection:
        """Take the connection to ``origin`` that was used last and is still good, or a new one."""
        while (found := self._popped(origin)) is not None:
            if found.is_alive():
                return found
            found.close()
        return _Connection(origin, self._trust, self._public_only)

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


def body_of(response: Response) -> bytes:
    """Read the whole body, in parts: a peer's Content-Length is not believed before the bytes are there. Raises
    ``IncompleteRead``.
    """
    body = bytearray()
    try:
        while part := response.read(CHUNK):
            body += part
    except (ValueError, OverflowError) as error:  # http.client believes a chunk of less than no bytes, or of too many
        raise IncompleteRead(bytes(body)) from error
    if response.length:
        raise IncompleteRead(bytes(body), response.length)
    return bytes(body)
