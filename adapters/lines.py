"""A conversation by lines of text over TCP, kept to one attempt: for adapters whose protocol is not HTTP."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from adapters.http.connection import CHUNK, Attempt, connected
from adapters.http.tls import Trust
from gateway.adapter import WireExchange, WireRequest, overhearing
from gateway.texts.text import Text


@dataclass
class HeardBytes:
    """What went out and what came back in one dialogue, for the traffic log."""

    sent: bytearray = field(default_factory=bytearray)
    came: bytearray = field(default_factory=bytearray)


@contextmanager
def told(peer: str, reason: Callable[[Exception], Text | str], *, secrets: Sequence[str] = ()) -> Iterator[HeardBytes]:
    """Tell who listens (``gateway.adapter.overheard``) of the exchange in this block with ``peer`` (``host:port``).

    ``reason`` words an error for people; it must not quote a secret. ``secrets`` are masked in what is kept.
    """
    heard, began = HeardBytes(), time.perf_counter_ns()
    problem: Text | str = ""
    try:
        yield heard
    except Exception as error:
        problem = reason(error)
        raise
    finally:
        if listener := overhearing():
            took_us = (time.perf_counter_ns() - began) // 1000
            request = WireRequest(peer, bytes(heard.sent), secrets)
            listener(WireExchange(request, bytes(heard.came), problem, took_us))


class Lines:
    """An open connection to ``host:port``, for one thread; leaving its ``with`` block closes it.

    Every read and write is given only what is left of ``attempt``, and all that comes counts against its limit.
    ``heard`` notes every byte.
    """

    def __init__(
        self,
        host: str,
        port: int,
        attempt: Attempt,
        heard: HeardBytes,
        *,
        connect_s: float,
        trust: Trust | None = None,
        public_only: bool = False,
    ) -> None:
        """Connect, over TLS where ``trust`` is given. Raises ``OSError`` as ``connected`` does."""
        self.attempt = attempt
        self.heard = heard
        self._sock: Any = connected(host, port, attempt, connect_s=connect_s, trust=trust, public_only=public_only)
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        """Write ``data``; from the first byte on ``attempt.sent`` is true. Raises ``OSError``."""
        self._sock.settimeout(self.attempt.left_s())
        self.attempt.sent = True
        self.heard.sent += data
        self._sock.sendall(data)

    def line(self) -> bytes:
        """Return the next line without its end (CRLF or LF).

        Raises ``OSError``: ``TimeoutError`` when the attempt's time is used up, ``TooLarge`` when more came than its
        limit, and ``ConnectionError`` when the peer closed before the line's end.
        """
        while (end := self._buffer.find(b"\n")) < 0:
            self._buffer += self._received()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self.heard.came += line
        return line.removesuffix(b"\n").removesuffix(b"\r")

    def detach(self) -> tuple[socket.socket, bytes]:
        """Return the connection and what was read of it beyond the last line."""
        return self._sock, bytes(self._buffer)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _received(self) -> bytes:
        self._sock.settimeout(self.attempt.left_s())
        data: bytes = self._sock.recv(CHUNK)
        if not data:
            self.heard.came += self._buffer
            raise ConnectionResetError("the peer closed before the end of the line")
        self.attempt.count(len(data))
        return data
