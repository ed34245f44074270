"""Sends answers that are made piece by piece: screens' events, exports."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError
from functools import partial
from typing import Protocol

import structlog

from gateway.server.calls import Answered, close
from gateway.wire.transport import Headers

log = structlog.get_logger()

SEND_WITHIN_S = 30.0
"""A client that takes nothing for so long has its stream cut."""


class Stream(Protocol):
    """Granian's end of an answer that is sent piece by piece."""

    async def send_bytes(self, data: bytes) -> None: ...


class Streaming(Protocol):
    """What of Granian's protocol object of one request a streamed answer takes."""

    async def client_disconnect(self) -> None: ...

    def response_stream(self, status: int, headers: Headers) -> Stream: ...


async def send(answered: Answered, protocol: Streaming) -> None:
    """Stream an answer on a thread of its own until it ends or the client is gone."""
    parts = answered.body
    assert not isinstance(parts, bytes)
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    try:
        stream = protocol.response_stream(answered.status, answered.headers)
        pump = partial(_pump, parts, stream, finished, loop)
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


def _pump(
    parts: Iterable[bytes], stream: Stream, finished: "asyncio.Future[None]", loop: asyncio.AbstractEventLoop
) -> None:
    try:
        for part in parts:
            if part:
                asyncio.run_coroutine_threadsafe(_sent(stream, part), loop).result(SEND_WITHIN_S)
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
