"""The face that Granian calls for each request (RSGI 1.6), and the WSGI application behind it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from gateway.errors import GatewayError
from gateway.server.admission import Admission
from gateway.server.bodies import BodyLimits, read_body
from gateway.server.calls import Answered, Endless, Wsgi, call, close, failure
from gateway.server.environ import Scope, environ_of, with_body
from gateway.server.settling import Settling
from gateway.server.threads import CallThreads
from gateway.server.turns import CallTurns
from gateway.texts.languages import DEFAULT, Language
from gateway.wire.transport import Headers, refuse_as_text

log = structlog.get_logger()

RESERVED_THREADS = 2
RESERVED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""They have threads of their own: who watches the gateway must see it most when it is busy."""
SEND_WITHIN_S = 30.0
"""A client that takes nothing for so long has its stream cut."""
CLOSE: Headers = [("Connection", "close")]


class Stream(Protocol):
    """Granian's end of an answer that is sent piece by piece."""

    async def send_bytes(self, data: bytes) -> None: ...


class Protocoled(Protocol):
    """Granian's protocol object of one request. Answers may be given from any thread."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def client_disconnect(self) -> None: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...

    def response_stream(self, status: int, headers: Headers) -> Stream: ...


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """``threads`` call the application, ``threads_per_address`` of them for one address; the rest waits.

    ``language`` is that of refusals before the application is called.
    """

    threads: int
    threads_per_address: int
    body: BodyLimits
    language: Language = DEFAULT


class Face:
    """Serves ``application`` to Granian. ``is_crowded`` says whether connections should be closed when answered."""

    def __init__(
        self,
        application: Wsgi,
        admission: Admission,
        limits: RequestLimits,
        *,
        is_crowded: Callable[[], bool] = lambda: False,
        on_loop: Callable[[], None] = lambda: None,
    ) -> None:
        self._application = application
        self._admission = admission
        self._limits = limits
        self._is_crowded = is_crowded
        self._on_loop = on_loop
        self._threads = CallThreads(limits.threads, "call")
        self._reserved = CallThreads(RESERVED_THREADS, "watch")
        self._turns = CallTurns(limits.threads_per_address, self._threads.run)
        self._loop: asyncio.AbstractEventLoop
        self._settling: Settling
        self.answering = 0
        """Requests that came whole and are not answered yet."""
        self.busy: set[str] = set()
        """The clients (address:port) of requests under way and of open streams."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._settling = Settling(loop)
        self._on_loop()

    async def __rsgi__(self, scope: Scope, protocol: Protocoled) -> None:
        """Serve one request."""
        self.busy.add(scope.client)
        try:
            await self._serve_counted(scope, protocol)
        finally:
            self.busy.discard(scope.client)

    async def _serve_counted(self, scope: Scope, protocol: Protocoled) -> None:
        environ = environ_of(scope)
        try:
            client = self._admission.enter(environ)
        except GatewayError as error:
            refuse(protocol, error, self._limits.language)
            return
        endless: Answered | None = None
        try:
            streamed = await self._serve(environ, protocol, client)
            if streamed is not None and isinstance(streamed.body, Endless):
                endless = streamed
            elif streamed is not None:
                await self._send(streamed, protocol)
        finally:
            self._admission.leave(client)
        if endless is not None:
            await self._send(endless, protocol)

    async def _serve(self, environ: dict[str, Any], protocol: Protocoled, client: str) -> Answered | None:
        """Read, have the application called, and answer; what is to be streamed is handed back."""
        try:
            body = await read_body(environ, protocol, self._limits.body)
        except GatewayError as error:
            refuse(protocol, error, self._limits.language, status=408)
            return None
        waiting: asyncio.Future[Answered | None] = self._loop.create_future()
        job = partial(self._call, with_body(environ, body), protocol, waiting)
        is_watch = environ["PATH_INFO"] in RESERVED_PATHS
        self.answering += 1
        try:
            if is_watch:
                self._reserved.run(job)
            else:
                self._turns.bring(client, job)
            return await waiting
        finally:
            self.answering -= 1
            if not is_watch:
                self._turns.done(client)

    def _call(self, environ: dict[str, Any], protocol: Protocoled, waiting: "asyncio.Future[Answered | None]") -> None:
        """Call the application on a pool thread and answer there, which spares the answer the way over the loop."""
        streamed: Answered | None = None
        try:
            answered = call(self._application, environ)
            if isinstance(answered.body, bytes):
                headers = answered.headers + CLOSE if self._is_crowded() else answered.headers
                respond(protocol, Answered(answered.status, headers, answered.body), environ)
            else:
                streamed = answered
        finally:
            self._settling.put(waiting, streamed)

    async def _send(self, answered: Answered, protocol: Protocoled) -> None:
        """Stream an answer on a thread of its own until it ends or the client is gone."""
        parts = answered.body
        assert not isinstance(parts, bytes)
        finished: asyncio.Future[None] = self._loop.create_future()
        try:
            stream = protocol.response_stream(answered.status, answered.headers)
            pump = partial(self._pump, parts, stream, finished)
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

    def _pump(self, parts: Iterable[bytes], stream: Stream, finished: "asyncio.Future[None]") -> None:
        try:
            for part in parts:
                if part:
                    asyncio.run_coroutine_threadsafe(_sent(stream, part), self._loop).result(SEND_WITHIN_S)
        except (Exception, CancelledError) as error:
            log.debug("stream_cut", error=type(error).__name__)
        finally:
            close(parts)
            self._settling.put(finished, None)


def refuse(protocol: Protocoled, error: GatewayError, language: Language, *, status: int | None = None) -> None:
    """Answer with ``error`` as text, and end the connection: what else it brings would be waited for."""
    line, headers, body = refuse_as_text(error, language, status=status)
    protocol.response_bytes(int(line[:3]), headers + CLOSE, body)


def respond(protocol: Protocoled, answered: Answered, environ: dict[str, Any]) -> None:
    """Hand a whole answer over; one that Granian cannot write becomes an internal error."""
    assert isinstance(answered.body, bytes)
    try:
        protocol.response_bytes(answered.status, answered.headers, answered.body)
    except (TypeError, ValueError, RuntimeError) as error:
        other = failure(error, environ)
        assert isinstance(other.body, bytes)
        protocol.response_bytes(other.status, other.headers, other.body)


async def _sent(stream: Stream, part: bytes) -> None:
    await stream.send_bytes(part)


async def _disconnected(protocol: Protocoled) -> None:
    await protocol.client_disconnect()
