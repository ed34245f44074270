"""Many open screens, and an exchange, in one asyncio loop: who heard of which call, and when."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.agents import Session

HOST = "127.0.0.1"
TIMEOUT_S = 30


@dataclass(slots=True)
class Screen:
    """An open screen of one extension; ``heard`` maps the ids of calls to the moments of their arrival."""

    extension: str
    heard: dict[int, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call start: when it was about to be sent, and when the gateway's answer was there (``perf_counter``)."""

    call_id: int
    extension: str
    at: float
    answered_at: float


class Screens:
    """Opens screens and listens to them until ``close``."""

    def __init__(self, port: int) -> None:
        self.open: list[Screen] = []
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []

    async def add(self, session: Session) -> None:
        """Open one more screen; returns when the gateway has begun its stream. Raises ``ConnectionError``."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        # HTTP/1.0 keeps the stream free of chunk sizes.
        writer.write(f"GET /events HTTP/1.0\r\nHost: bench\r\nCookie: {session.cookie}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT_S)
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(f"no stream of events: {head.decode(errors='replace')}")
        await asyncio.wait_for(reader.readuntil(b"\n\n"), TIMEOUT_S)
        screen = Screen(session.extension)
        self.open.append(screen)
        self._tasks.append(asyncio.create_task(_listen(screen, reader, writer)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _listen(screen: Screen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    kind = b""
    try:
        while line := await reader.readline():
            now = time.perf_counter()
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind == b"call_started":
                screen.heard.setdefault(json.loads(line[6:])["call_id"], []).append(now)
    finally:
        writer.close()


class Exchange:
    """Sends call starts at a steady rate over a few kept-alive connections."""

    def __init__(self, port: int, *, connections: int = 8) -> None:
        self._port = port
        self._connections = connections
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def __aenter__(self) -> "Exchange":
        for _ in range(self._connections):
            self._idle.put_nowait(await asyncio.open_connection(HOST, self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()

    async def send(self, extensions: Sequence[str], *, count: int, per_second: float) -> list[Sent]:
        """``count`` calls, each to one of ``extensions`` by chance. Raises ``ConnectionError`` for a bad answer."""
        began = time.perf_counter()
        calls = []
        for number in range(count):
            await asyncio.sleep(began + number / per_second - time.perf_counter())
            calls.append(asyncio.create_task(self._ring(random.choice(extensions), number)))
        return await asyncio.gather(*calls)

    async def _ring(self, extension: str, number: int) -> Sent:
        path = f"/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal={extension}&telefone=4799{number:07}"
        reader, writer = await self._idle.get()
        at = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        text = await asyncio.wait_for(_read_answer(reader), TIMEOUT_S)
        answered_at = time.perf_counter()
        self._idle.put_nowait((reader, writer))
        return Sent(call_id_of(text), extension, at, answered_at)


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


def call_id_of(answer: bytes) -> int:
    """The call's id in a listener's answer, ``OK 17``. Raises ``ConnectionError`` for any other answer."""
    status, _, call_id = answer.decode(errors="replace").strip().partition(" ")
    if status != "OK":
        raise ConnectionError(f"the gateway did not take an event: {answer!r}")
    return int(call_id)
