"""Connections that keep to one attempt: its deadline, its size limit, whether anything was sent, a recording.

urllib3 has a timeout for each read, so a peer that sends one byte a second is never too late. Here every
read is given only what is left of the attempt. Nor does an exception's class tell whether the peer can have
seen the request (a TLS handshake that hangs looks like a read timeout), so the connection remembers it.
"""

import io
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
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
    _gathered: bytearray | None = None

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

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Head and body leave by one write: each one more costs both sides about as much as the whole head."""
        self._gathered = bytearray()
        try:
            super().request(*args, **kwargs)
            data = self._gathered
        finally:
            self._gathered = None
        self.send(data)

    def send(self, data: Any) -> None:
        if self._gathered is not None:
            self._gathered += data
            return
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


class Connections:
    """A bounded pool of kept-alive connections; urllib3 tries nothing twice and follows nothing. For many threads.

    With ``recording`` nothing leaves the process: the bytes go to ``Attempt.recorded``. Certificates are checked by
    ``verify``: by the authorities that everybody trusts, a file or folder of them, or not at all. With ``fingerprint``
    (SHA-256 in hex) the peer must show that very certificate. Without ``tls`` urllib3's strict settings hold.
    """

    def __init__(
        self,
        *,
        recording: bool = False,
        verify: bool | Path = True,
        tls: ssl.SSLContext | None = None,
        fingerprint: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"ssl_context": tls} if tls else {}
        if fingerprint:
            options["assert_fingerprint"] = fingerprint
        self._manager = PoolManager(num_pools=4, maxsize=16, retries=False, **_trust(verify), **options)
        self._manager.pool_classes_by_scheme = (
            {"http": _RecordingPool, "https": _RecordingTlsPool}
            if recording
            else {"http": _LivePool, "https": _LiveTlsPool}
        )
        self._last: tuple[str, HTTPConnectionPool | None] = "", None

    def send(
        self, method: str, origin: str, headers: Mapping[str, str], body: bytes | None, timeout: Timeout
    ) -> BaseHTTPResponse:
        """Send a request for the running attempt's target; the answer's body is still to be read."""
        return self._pool(origin).urlopen(
            method,
            "/",
            body=body,
            headers=headers,
            timeout=timeout,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def touch(self, origin: str, *, timeout_s: float) -> None:
        """Connect (and shake hands over TLS), send nothing, close."""
        connection: Any = self._pool(origin)._new_conn()
        connection.timeout = timeout_s
        try:
            connection.connect()
        finally:
            connection.close()

    def close(self) -> None:
        self._last = "", None
        self._manager.clear()

    def _pool(self, origin: str) -> HTTPConnectionPool:
        """The pool of ``origin``. Most peers have one origin: looking it up costs more than remembering it."""
        last, pool = self._last
        if pool is None or last != origin:
            pool = self._manager.connection_from_url(origin)
            self._last = origin, pool
        return pool


def _trust(verify: bool | Path) -> dict[str, Any]:
    if verify is False:
        return {"cert_reqs": ssl.CERT_NONE}
    found = Path(certifi.where()) if verify is True else verify
    return {"cert_reqs": ssl.CERT_REQUIRED, "ca_cert_dir" if found.is_dir() else "ca_certs": str(found)}
