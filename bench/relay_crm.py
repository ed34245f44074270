"""A CRM for ``bench.relay``, in a process of its own: answers each event after a while, and knows when each came."""

import asyncio
import multiprocessing
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

ID = re.compile(rb"[?&]id=(\d+)")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nOK\n"


class RelayCrm:
    """The CRM as the benchmark sees it."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def arrivals(self) -> list[tuple[int, int]]:
        """The events that came so far, in order: id, and when, in nanoseconds since 1970."""
        self._pipe.send("arrivals")
        found: list[tuple[int, int]] = self._pipe.recv()
        return found

    def count(self) -> int:
        """How many came so far."""
        self._pipe.send("count")
        found: int = self._pipe.recv()
        return found


@contextmanager
def relay_crm(latency_s: float) -> Iterator[RelayCrm]:
    """Run a CRM that takes ``latency_s`` for each answer, for the length of a block."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there, latency_s), daemon=True)
    process.start()
    try:
        yield RelayCrm(here.recv(), here)
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Connection, latency_s: float) -> None:
    asyncio.run(_work(pipe, latency_s))


async def _work(pipe: Connection, latency_s: float) -> None:
    arrivals: list[tuple[int, int]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                found = ID.search(head.split(b"\r\n", 1)[0])
                arrivals.append((int(found[1]) if found else 0, time.time_ns()))
                await asyncio.sleep(latency_s)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    asyncio.get_running_loop().add_reader(
        pipe.fileno(), lambda: pipe.send(arrivals if pipe.recv() == "arrivals" else len(arrivals))
    )
    await asyncio.Event().wait()
