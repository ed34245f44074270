"""Many open screens, in a process of their own, and an exchange: who heard of which call, and when."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """Screens in a process of their own (``bench.screen_process``), the first ``deaf`` of which read nothing."""

    def __init__(self, port: int, sessions: Sequence[Session], *, deaf: int = 0) -> None:
        self.open = [Screen(each.extension) for each in sessions]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.screen_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say(json.dumps({"port": port, "cookies": [each.cookie for each in sessions], "deaf": deaf}))

    def count(self) -> int:
        """How many are open now. Raises ``ConnectionError`` when the process has ended."""
        return int(self._ask("opened")["open"])

    def wait(self, count: int, *, within_s: float) -> None:
        """Wait until so many are open. Raises ``TimeoutError``."""
        ends = time.perf_counter() + within_s
        while (found := self.count()) < count:
            if time.perf_counter() > ends:
                raise TimeoutError(f"{found} of {count} screens are open")
            time.sleep(0.05)

    def hear(self) -> None:
        """Have ``open`` know what was heard."""
        for screen, heard in zip(self.open, self._ask("heard"), strict=True):
            screen.heard = {int(call_id): times for call_id, times in heard.items()}

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, word: str) -> Any:
        self._say(word)
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            raise ConnectionError("the process with the screens has ended")
        return json.loads(answer)

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class Exchange:
    """Sends call starts at a steady rate over a few kept-alive connections."""

    def __init__(self, port: int, *, connections: int = 8) -> None:
        self._port = port
        self._connections = connections
        self._number = random.randrange(5_000_000)
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
            self._number += 1  # a number that rings again soon would be the same call
            calls.append(asyncio.create_task(self._ring(random.choice(extensions), self._number)))
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
