"""Sends answers that are made piece by piece: exports by a thread each, screens' events by whoever has news.

Granian takes what is sent at once, on any thread, and keeps it until the client takes it. So a thread waits while much
is kept (``backlog.py``). The client of a screen that does not take what comes is noticed by its connection: soon where
it is sent much (``untaken.py``), else after half a minute (``surplus.py``).
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import CancelledError
from functools import partial
from typing import Any, Protocol

import structlog

from gateway.server.backlog import Backlog
from gateway.server.calls import Answered, Pushed, close
from gateway.server.untaken import Handed
from gateway.wire.transport import Headers

log = structlog.get_logger()

SEND_WITHIN_S = 30.0
"""So long Granian may be in taking a part; it takes it at once."""


class Stream(Protocol):
    """Granian's end of an answer that is sent piece by piece."""

    def send_bytes(self, data: bytes) -> Awaitable[None]: ...


class Streaming(Protocol):
    """What of Granian's protocol object of one request a streamed answer takes."""

    async def client_disconnect(self) -> None: ...

    def response_stream(self, status: int, headers: Headers) -> Stream: ...


async def send(answered: Answered, protocol: Streaming, backlog: Backlog) -> None:
    """Stream an answer on a thread of its own, no faster than the client takes it, until it ends or the client is
    gone.
    """
    parts = answered.body
    assert not isinstance(parts, bytes)
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    try:
        stream = protocol.response_stream(answered.status, answered.headers)
        pump = partial(_pump, parts, stream, finished, loop, backlog)
        threading.Thread(target=pump, name="stream", daemon=True).start()
    except BaseException:
        close(parts)
        raise
    gone = asyncio.ensure_future(_disconnected(protocol))
    await asyncio.wait({gone, finished}, return_when=asyncio.FIRST_COMPLETED)
    if not finished.done():
        close(parts)
        await finished
    gone.cancel()


def push(answered: Answered, protocol: Streaming, on_end: Callable[[], None], handed: Handed) -> None:
    """Stream an answer that needs no thread; ``on_end`` is called on the loop's thread, on which this is called, too,
    when it has ended or the client is gone.
    """
    screen = answered.body
    assert isinstance(screen, Pushed)
    try:
        stream = protocol.response_stream(answered.status, answered.headers)
        pushing = Pushing(screen, stream, on_end, handed)
        pushing.watch(protocol)
        screen.attach(pushing)
    except BaseException:
        close(screen)
        on_end()
        raise


class Pushing:
    """Granian's end of a stream that is pushed; ``send`` and ``end`` may be called on any thread."""

    __slots__ = ("_gone", "_handed", "_loop", "_on_end", "_screen", "_stream")

    def __init__(self, screen: Pushed, stream: Stream, on_end: Callable[[], None], handed: Handed) -> None:
        self._loop = asyncio.get_running_loop()
        self._screen: Pushed | None = screen
        self._stream: Stream | None = stream
        self._on_end = on_end
        self._handed = handed
        self._gone: asyncio.Future[None] | None = None

    def watch(self, protocol: Streaming) -> None:
        """End when the client is gone."""
        self._gone = asyncio.ensure_future(protocol.client_disconnect())
        self._gone.add_done_callback(self._finish)

    def is_behind(self) -> bool:
        return self._handed.is_too_much()

    def send(self, data: bytes) -> None:
        stream = self._stream
        if stream is not None:
            self._handed.add(len(data))
            stream.send_bytes(data)  # it is there when this returns: what it returns need not be waited for

    def end(self) -> None:
        # Granian ends the answer when nobody holds its stream any more.
        stream, self._stream = self._stream, None
        if stream is not None and self._handed.is_too_much():
            self._handed.cut()
        self._loop.call_soon_threadsafe(self._finish)

    def _finish(self, _gone: Any = None) -> None:
        """Let go of everything: what Granian holds of it is never collected."""
        gone, self._gone = self._gone, None
        screen, self._screen = self._screen, None
        self._stream = None
        self._handed.close()
        if gone is not None:
            gone.cancel()
        if screen is not None:
            close(screen)
            self._on_end()


def _pump(
    parts: Iterable[bytes],
    stream: Stream,
    finished: "asyncio.Future[None]",
    loop: asyncio.AbstractEventLoop,
    backlog: Backlog,
) -> None:
    try:
        for part in parts:
            if part:
                asyncio.run_coroutine_threadsafe(_sent(stream, part), loop).result(SEND_WITHIN_S)
                backlog.add(len(part))
    except (Exception, CancelledError) as error:
        log.debug("stream_cut", error=type(error).__name__)
    finally:
        close(parts)
        loop.call_soon_threadsafe(_finish, finished)


def _finish(finished: "asyncio.Future[None]") -> None:
    if not finished.done():
        finished.set_result(None)


async def _sent(stream: Stream, part: bytes) -> None:
    await stream.send_bytes(part)


async def _disconnected(protocol: Streaming) -> None:
    await protocol.client_disconnect()
