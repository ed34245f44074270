"""Granian's side of a request, without Granian."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

HeaderList = list[tuple[str, str]]


class Headers:
    """As RSGI has them: a value that is not ASCII is in ``keys`` only."""

    def __init__(self, pairs: HeaderList) -> None:
        self._pairs = [(name.lower(), value) for name, value in pairs]

    def items(self) -> HeaderList:
        return [(name, value) for name, value in self._pairs if value.isascii()]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._pairs))

    def get(self, key: str, default: Any = None) -> Any:
        return dict(self.items()).get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self.keys()


@dataclass
class Scope:
    path: str = "/"
    method: str = "GET"
    query_string: str = ""
    client: str = "192.0.2.7:4711"
    server: str = "127.0.0.1:8080"
    scheme: str = "http"
    http_version: str = "1.1"
    authority: str | None = None
    pairs: HeaderList = field(default_factory=lambda: [("host", "a")])

    @property
    def headers(self) -> Headers:
        return Headers(self.pairs)


@dataclass
class Sent:
    """What ``send_bytes`` returns; need not be waited for."""

    is_lost: bool

    def __await__(self) -> Generator[None]:
        if self.is_lost:
            raise RuntimeError("closed")
        yield from ()


class Stream:
    def __init__(self, gone: asyncio.Event) -> None:
        self.sent: list[bytes] = []
        self._gone = gone

    def send_bytes(self, data: bytes) -> "Sent":
        """Take ``data`` at once, as Granian does; whether it went wrong is known to who waits."""
        if not self._gone.is_set():
            self.sent.append(data)
        return Sent(is_lost=self._gone.is_set())


class Protocol:
    """A client that sends ``body`` in its pieces, each after ``pause_s``, and then nothing or the end."""

    def __init__(self, body: Iterable[bytes] = (), *, pause_s: float = 0, ends: bool = True) -> None:
        self._body = list(body)
        self._pause_s = pause_s
        self._ends = ends
        self.gone = asyncio.Event()
        self.asked = 0
        self.status = 0
        self.headers: HeaderList = []
        self.body = b""
        self.stream: Stream | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._body:
            await asyncio.sleep(self._pause_s)
            self.asked += 1
            yield piece
        if not self._ends:
            await asyncio.sleep(60)

    async def client_disconnect(self) -> None:
        await self.gone.wait()

    def response_bytes(self, status: int, headers: HeaderList, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def response_stream(self, status: int, headers: HeaderList) -> Stream:
        self.status, self.headers, self.stream = status, headers, Stream(self.gone)
        return self.stream
