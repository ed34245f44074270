"""A TCP proxy that slows, cuts or freezes what goes through it; in a process of its own by ``python -m``."""

import argparse
import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

Look = Callable[[bytes], bool]
"""Whether the connection is to be cut behind these bytes from the client: they arrive, their answer does not."""


class Proxy:
    """Passes connections on to ``target`` (a port of 127.0.0.1), each piece ``delay_s`` late in either direction.

    Runs on a thread of its own from ``start`` to ``stop``; all other methods may be called from any thread.
    """

    def __init__(self, port: int, target: int, *, delay_s: float = 0.0, cut_behind: Look | None = None) -> None:
        self.port, self.target, self.delay_s, self.cut_behind = port, target, delay_s, cut_behind
        self.cuts = 0
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._going: asyncio.Event
        self._refuses = False
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._began.wait(10), "the proxy did not begin to listen"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def freeze(self) -> None:
        """Pass nothing on, and keep connections open."""
        self._loop.call_soon_threadsafe(self._going.clear)

    def thaw(self) -> None:
        self._loop.call_soon_threadsafe(self._going.set)

    def cut(self) -> None:
        """Reset all connections, and refuse new ones until ``mend``."""
        self._refuses = True
        self._loop.call_soon_threadsafe(self._cut_all)

    def mend(self) -> None:
        self._refuses = False

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._listen())
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._cut_all()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        self._going = asyncio.Event()
        self._going.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self._began.set()
        return server

    def _cut_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._refuses:
                raise ConnectionRefusedError
            onward, onwards = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, onwards}
        self._open |= both
        await asyncio.gather(self._pump(reader, onwards, both, self.cut_behind), self._pump(onward, writer, both))
        self._open -= both

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: set[asyncio.StreamWriter],
        cut_behind: Look | None = None,
    ) -> None:
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.create_task(self._send(pieces, writer, both, cut_behind))
        with suppress(OSError):
            while data := await reader.read(65536):
                pieces.put_nowait((self._loop.time() + self.delay_s, data))
        pieces.put_nowait((0.0, b""))
        await sending

    async def _send(
        self,
        pieces: "asyncio.Queue[tuple[float, bytes]]",
        writer: asyncio.StreamWriter,
        both: set[asyncio.StreamWriter],
        cut_behind: Look | None,
    ) -> None:
        with suppress(OSError):
            while (piece := await pieces.get())[1]:
                await asyncio.sleep(max(0.0, piece[0] - self._loop.time()))
                await self._going.wait()
                if cut_behind and cut_behind(piece[1]):
                    await self._cut_behind(piece[1], writer, both)
                    return
                writer.write(piece[1])
                await writer.drain()
        writer.close()

    async def _cut_behind(self, data: bytes, writer: asyncio.StreamWriter, both: set[asyncio.StreamWriter]) -> None:
        """Let ``data`` arrive at the server, its answer nowhere."""
        self.cuts += 1
        next(iter(both - {writer})).transport.abort()
        writer.write(data)
        await writer.drain()
        writer.close()


def main() -> None:
    """Serve until SIGTERM: SIGUSR1 freezes, SIGUSR2 thaws."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.proxy", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("--delay-ms", type=float, default=0.0, help="one way")
    wanted = parser.parse_args()
    proxy = Proxy(wanted.port, wanted.target, delay_s=wanted.delay_ms / 1000)
    signal.signal(signal.SIGUSR1, lambda *_: proxy.freeze())
    signal.signal(signal.SIGUSR2, lambda *_: proxy.thaw())
    proxy.start()
    print("listening", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
