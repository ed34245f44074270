"""The face that Granian calls for each request (RSGI 1.6), and the WSGI application behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.server import streams
from gateway.server.admission import Admission
from gateway.server.backlog import Backlog
from gateway.server.batches import CallBatches, Together
from gateway.server.bodies import BodyLimits, is_expected, read_body
from gateway.server.calls import Answered, Endless, Pushed, Wsgi, call, close, failure
from gateway.server.environ import Scope, environ_of, with_body
from gateway.server.loop_runs import LoopRuns
from gateway.server.streams import Streaming
from gateway.server.threads import CallThreads
from gateway.server.turns import CallTurns
from gateway.server.untaken import Handed, Untaken
from gateway.texts.languages import DEFAULT, Language
from gateway.wire.transport import Headers, refuse_as_text

RESERVED_THREADS = 2
RESERVED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""They have threads of their own: who watches the gateway must see it most when it is busy."""
CLOSE: Headers = [("Connection", "close")]
MOST_READ_HERE = 16 * 1024
"""Bytes of a body that are read within 4 ms, whatever is in them; 64 KiB made up for it took 13."""


class Protocoled(Streaming, Protocol):
    """Granian's protocol object of one request."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """``threads`` call the application, ``threads_per_address`` of them for one address; the rest waits.

    ``language`` is that of refusals before the application is called.
    """

    threads: int
    threads_per_address: int
    body: BodyLimits
    language: Language = DEFAULT


def hears_nothing(method: str, path: str) -> bool:
    """Have everything called on threads."""
    return False


class Face:
    """Serves ``application`` to Granian. ``is_crowded`` says whether connections should be closed when answered.

    ``only_hears(method, path)`` says of which requests the application waits for nothing but in the ways of
    ``loop_runs.py``: for these it is called on the loop's thread, for all others on threads. Those of ``together`` have
    one that they share.
    """

    def __init__(
        self,
        application: Wsgi,
        admission: Admission,
        limits: RequestLimits,
        *,
        only_hears: Callable[[str, str], bool] = hears_nothing,
        is_crowded: Callable[[], bool] = lambda: False,
        on_loop: Callable[[], None] = lambda: None,
        together: Together | None = None,
        untaken: Untaken | None = None,
    ) -> None:
        self._application = application
        self._admission = admission
        self._limits = limits
        self._only_hears = only_hears
        self._is_crowded = is_crowded
        self._on_loop = on_loop
        self._together = together
        self._untaken = untaken or Untaken()
        self._threads = CallThreads(limits.threads, "call")
        self._reserved = CallThreads(RESERVED_THREADS, "watch")
        self._turns = CallTurns(limits.threads_per_address, self._threads.run)
        self._loop: asyncio.AbstractEventLoop
        self._runs: LoopRuns
        self._batches: CallBatches | None = None
        self.answering = 0
        """Requests that came whole and are not answered yet."""
        self.busy: set[str] = set()
        """The clients (address:port) of requests under way and of open streams."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._runs = LoopRuns(loop, self._turns.bring, self._turns.done)
        if self._together is not None:
            self._batches = CallBatches(self._application, self._together, loop)
        # When it runs: only then uvloop has set how it hears of signals, in the place of what was set before.
        loop.call_soon(self._on_loop)

    async def __rsgi__(self, scope: Scope, protocol: Protocoled) -> None:
        """Serve one request."""
        environ = environ_of(scope)
        try:
            client = self._admission.enter(environ)
        except GatewayError as error:
            refuse(protocol, error, self._limits.language)
            return
        far_end = scope.client
        self.busy.add(far_end)
        is_pushed = False
        try:
            if not is_expected(environ) and self._is_heard_here(environ, 0):  # as an exchange's GET
                over = self._begin(with_body(environ, b""), protocol, client)
                if over is not None:
                    await over
                return
            streamed = await self._served(environ, protocol, client)
            if streamed is not None:
                is_pushed = isinstance(streamed.body, Pushed)
                await self._stream(streamed, protocol, client, far_end)
        finally:
            if not is_pushed:  # else its connection is in use until the stream ends
                self.busy.discard(far_end)

    async def _served(self, environ: dict[str, Any], protocol: Protocoled, client: str) -> Answered | None:
        """Read the body, have the application called and answer; what is to be streamed is handed back."""
        try:
            body = await read_body(environ, protocol, self._limits.body) if is_expected(environ) else b""
        except BaseException as error:
            self._admission.leave(client)
            if not isinstance(error, GatewayError):
                raise
            refuse(protocol, error, self._limits.language, status=408)
            return None
        environ = with_body(environ, body)
        if not self._is_heard_here(environ, len(body)):
            self.answering += 1
            return await self._called(environ, protocol, client)
        over = self._begin(environ, protocol, client)
        if over is not None:
            await over
        return None

    def _begin(self, environ: dict[str, Any], protocol: Protocoled, client: str) -> "asyncio.Future[None] | None":
        """Have the application called here; return None when it has answered, else what is to be waited for."""
        self.answering += 1
        return self._runs.begin(partial(self._hear, environ, protocol, client), client)

    def _is_heard_here(self, environ: dict[str, Any], size: int) -> bool:
        """Return whether the application is called on the loop's thread: not with much to read, which takes long."""
        if size > MOST_READ_HERE or "HTTP_CONTENT_ENCODING" in environ:
            return False
        return self._only_hears(environ["REQUEST_METHOD"], environ["PATH_INFO"])

    def _hear(self, environ: dict[str, Any], protocol: Protocoled, client: str) -> None:
        """Call the application here and answer."""
        answered = call(self._application, environ)
        if not isinstance(answered.body, bytes):
            close(answered.body)
            answered = failure(TypeError("a stream cannot be answered here"), environ)
        self._answer(answered, environ, protocol, client)

    async def _called(self, environ: dict[str, Any], protocol: Protocoled, client: str) -> Answered | None:
        """Have the application called on a thread and answer; what is to be streamed is handed back."""
        over: asyncio.Future[Answered] = self._loop.create_future()
        self._bring(environ, over, client)
        try:
            answered = await asyncio.shield(over)  # a turn ends with its job, whoever has left meanwhile
        except BaseException:
            self._leave(client)
            raise
        if not isinstance(answered.body, bytes):
            return answered
        self._answer(answered, environ, protocol, client)
        return None

    def _bring(self, environ: dict[str, Any], over: "asyncio.Future[Answered]", client: str) -> None:
        """Have a thread call the application, which gives ``over`` its answer."""
        if self._batches is not None and self._together is not None and self._together.is_meant(environ):
            self._batches.bring(environ, over)
        elif environ["PATH_INFO"] in RESERVED_PATHS:
            self._reserved.run(partial(self._call, environ, over))
        else:
            over.add_done_callback(lambda _: self._turns.done(client))
            self._turns.bring(client, partial(self._call, environ, over))

    def _call(self, environ: dict[str, Any], over: "asyncio.Future[Answered]") -> None:
        """Call the application on a thread of the pool."""
        answered = call(self._application, environ)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(over.set_result, answered)

    def _answer(self, answered: Answered, environ: dict[str, Any], protocol: Protocoled, client: str) -> None:
        """Hand a whole answer over; before, for its client may send the next request at once, this one is over."""
        self._leave(client)
        if self._is_crowded():
            answered = answered._replace(headers=answered.headers + CLOSE)
        respond(protocol, answered, environ)

    def _leave(self, client: str) -> None:
        """Count a request that came whole as answered."""
        self.answering -= 1
        self._admission.leave(client)

    async def _stream(self, answered: Answered, protocol: Protocoled, client: str, far_end: str) -> None:
        """Stream an answer; an endless one is no request under way, but keeps its connection in use."""
        self.answering -= 1
        is_endless = isinstance(answered.body, Endless)
        if is_endless:
            self._admission.leave(client)
        if isinstance(answered.body, Pushed):
            on_end = partial(self.busy.discard, far_end)
            streams.push(answered, protocol, on_end, Handed(self._untaken, far_end))
            return
        try:
            await streams.send(answered, protocol, Backlog(far_end))
        finally:
            if not is_endless:
                self._admission.leave(client)


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
