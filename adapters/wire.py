"""Connections that keep to one attempt: its deadline, its size limit, whether anything was sent, a recording.

``requests`` has a timeout for each read, so a peer that sends one byte a second is never too late. Here every
read is given only what is left of the attempt. Nor does an exception's class tell whether the peer can have
seen the request (a TLS handshake that hangs looks like a read timeout), so the connection remembers it.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from adapters.connecting import open_socket

MAX_BODY = 1024 * 1024
"""Bytes of an answer's body that are read, after decompression, if nothing else is said."""
MAX_CONNECT_S = 60.0
"""Seconds to connect, should urllib3 ever ask without a timeout."""
MAX_HEAD = 64 * 1024
"""Bytes that an answer may have beside its body."""


class TooLarge(OSError):
    """The answer is larger than anything an appliance has to say."""


class Attempt:
    """One attempt at one peer. ``sent`` becomes true just before the first byte is written.

    ``target`` is what stands in the request line, letter for letter: urllib3 would put right what an
    appliance may want wrong (``/dial&number=1``, ``%2b``). ``written`` holds what went out where it is wanted,
    ``hides`` tells what in it and in the answer (or None) is secret besides the configured secrets.
    """

    def __init__(self, timeout_s: float, max_body: int = MAX_BODY) -> None:
        self.max_body = max_body
        self.target = "/"
        self.sent = False
        self.written: bytearray | None = None
        self.hides: Callable[[Any], Iterable[str]] | None = None
        self.received = 0
        self.recorded = bytearray()
        self._ends = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Seconds left, always more than nothing. Raises ``TimeoutError`` when the time is used up."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's time is used up")
        return left

    def count(self, size: int) -> None:
        """Note ``size`` received bytes. Raises ``TooLarge``."""
        self.received += size
        if self.received > self.max_body + MAX_HEAD:
            raise TooLarge("the answer is too large")


_current: ContextVar[Attempt] = ContextVar("attempt")


@contextmanager
def running(attempt: Attempt) -> Iterator[None]:
    """Bind this thread's connections to ``attempt``."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


class _Reader(io.RawIOBase):
    """A socket's bytes, each read bounded by what is left of the attempt."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        # Its own file keeps the descriptor open when the connection is closed before the body is read.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        attempt = _current.get()
        self._sock.settimeout(attempt.left_s())
        size: int = self._raw.readinto(buffer) or 0
        attempt.count(size)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Readable:
    """As much of a socket as ``http.client.HTTPResponse`` asks for."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Readable(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Watched(HTTPConnection):
    response_class = _BoundedResponse

    def _new_conn(self) -> socket.socket:
        timeout_s = min(float(self.timeout or MAX_CONNECT_S), _current.get().left_s())
        try:
            return open_socket(self._dns_host, self.port, timeout_s=timeout_s, options=self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error

    def connect(self) -> None:
        super().connect()
        # Whether certificates are checked is the administrator's setting; urllib3 would warn at every order.
        self.is_verified = True

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        super().putrequest(method, _current.get().target, *args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        attempt = _current.get()
        attempt.sent = True
        if attempt.written is not None:
            attempt.written += data
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Tape:
    """A socket that writes into the attempt's recording and answers with an empty 200."""

    def __init__(self, recorded: bytearray) -> None:
        self._recorded = recorded

    def sendall(self, data: Any) -> None:
        self._recorded += data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def settimeout(self, _: float) -> None: ...

    def shutdown(self, _: int) -> None: ...

    def close(self) -> None: ...


class _Recorded(_Watched):
    def connect(self) -> None:
        self.sock = _Tape(_current.get().recorded)
        self.is_verified = True


class _RecordedTls(_Recorded, HTTPSConnection):
    pass


class _LivePool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _LiveTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _RecordingPool(HTTPConnectionPool):
    ConnectionCls = _Recorded


class _RecordingTlsPool(HTTPSConnectionPool):
    ConnectionCls = _RecordedTls


class Connections(HTTPAdapter):
    """A bounded pool of kept-alive connections; ``requests`` never retries by itself. Safe for many threads.

    With ``recording`` nothing leaves the process: the bytes go to ``Attempt.recorded``. Without ``tls`` the strict
    settings of the libraries hold. With ``fingerprint`` (SHA-256 in hex) the peer must show that very certificate.
    """

    def __init__(
        self, *, recording: bool = False, tls: ssl.SSLContext | None = None, fingerprint: str | None = None
    ) -> None:
        self._pools: dict[str, Any] = (
            {"http": _RecordingPool, "https": _RecordingTlsPool}
            if recording
            else {"http": _LivePool, "https": _LiveTlsPool}
        )
        self._tls: dict[str, Any] = {"ssl_context": tls} if tls else {}
        if fingerprint:
            self._tls["assert_fingerprint"] = fingerprint
        super().__init__(pool_connections=4, pool_maxsize=16, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs | self._tls)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def touch(self, request: requests.PreparedRequest, *, timeout_s: float, verify: bool | str) -> None:
        """Connect (and shake hands over TLS), send nothing, close."""
        pool: Any = self.get_connection_with_tls_context(request, verify)
        self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]
        connection = pool._new_conn()
        connection.timeout = timeout_s
        try:
            connection.connect()
        finally:
            connection.close()
