"""The face that Granian calls for each request (RSGI 1.6), and the WSGI application behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gateway.errors import GatewayError
from gateway.server import streams
from gateway.server.admission import Admission
from gateway.server.bodies import BodyLimits, read_body
from gateway.server.calls import Answered, Endless, Pushed, Wsgi, call, close, failure
from gateway.server.environ import Scope, environ_of, with_body
from gateway.server.loop_runs import LoopRuns
from gateway.server.settling import Settling
from gateway.server.streams import Streaming
from gateway.server.threads import CallThreads
from gateway.server.turns import CallTurns
from gateway.texts.languages import DEFAULT, Language
from gateway.wire.transport import Headers, refuse_as_text

RESERVED_THREADS = 2
RESERVED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""They have threads of their own: who watches the gateway must see it most when it is busy."""
CLOSE: Headers = [("Connection", "close")]
MOST_READ_HERE = 64 * 1024
"""Bytes of a body that are read within a few milliseconds, whatever is in them."""


class Protocoled(Streaming, Protocol):
    """Granian's protocol object of one request. Answers may be given from any thread."""

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


@dataclass(slots=True)
class CallUnderWay:
    """A call of the application: the address it counts for, and the far end (address:port) of its connection.

    ``streamed`` is what is still to be sent when it is ``over``.
    """

    client: str
    far_end: str
    is_watch: bool
    over: "asyncio.Future[Answered | None]"
    streamed: Answered | None = None


def hears_nothing(method: str, path: str) -> bool:
    """Have everything called on threads."""
    return False


class Face:
    """Serves ``application`` to Granian. ``is_crowded`` says whether connections should be closed when answered.

    ``only_hears(method, path)`` says of which requests the application waits for nothing but in the ways of
    ``loop_runs.py``: for these it is called on the loop's thread, for all others on threads.
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
    ) -> None:
        self._application = application
        self._admission = admission
        self._limits = limits
        self._only_hears = only_hears
        self._is_crowded = is_crowded
        self._on_loop = on_loop
        self._threads = CallThreads(limits.threads, "call")
        self._reserved = CallThreads(RESERVED_THREADS, "watch")
        self._turns = CallTurns(limits.threads_per_address, self._threads.run)
        self._loop: asyncio.AbstractEventLoop
        self._settling: Settling[CallUnderWay]
        self._runs: LoopRuns
        self.answering = 0
        """Requests that came whole and are not answered yet."""
        self.busy: set[str] = set()
        """The clients (address:port) of requests under way and of open streams."""

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._settling = Settling(loop, self._over, self._resume, self._is_awaited)
        self._runs = LoopRuns(loop, self._turns.bring, self._turns.done)
        self._on_loop()

    async def __rsgi__(self, scope: Scope, protocol: Protocoled) -> None:
        """Serve one request."""
        self._settling.look()
        environ = environ_of(scope)
        try:
            client = self._admission.enter(environ)
        except GatewayError as error:
            refuse(protocol, error, self._limits.language)
            return
        self.busy.add(scope.client)
        try:
            body = await read_body(environ, protocol, self._limits.body)
        except BaseException as error:
            self._leave(client, scope.client)
            if not isinstance(error, GatewayError):
                raise
            refuse(protocol, error, self._limits.language, status=408)
            return
        if self._is_heard_here(environ, body):
            await self._heard(with_body(environ, body), protocol, client, scope.client)
            return
        streamed = await self._called(with_body(environ, body), protocol, client, scope.client)
        if streamed is not None:
            await self._stream(streamed, protocol, client, scope.client)

    def _leave(self, client: str, far_end: str) -> None:
        """Count a request as answered."""
        self._admission.leave(client)
        self.busy.discard(far_end)

    def _is_heard_here(self, environ: dict[str, Any], body: bytes) -> bool:
        """Return whether the application is called on the loop's thread: not with much to read, which takes long."""
        if len(body) > MOST_READ_HERE or "HTTP_CONTENT_ENCODING" in environ:
            return False
        return self._only_hears(environ["REQUEST_METHOD"], environ["PATH_INFO"])

    async def _heard(self, environ: dict[str, Any], protocol: Protocoled, client: str, far_end: str) -> None:
        """Call the application here, and return when it has answered."""
        self.answering += 1
        try:
            over = self._runs.begin(partial(self._answer, environ, protocol), client)
            if over is not None:
                await over
        finally:
            self.answering -= 1
            self._leave(client, far_end)

    def _answer(self, environ: dict[str, Any], protocol: Protocoled) -> None:
        answered = call(self._application, environ)
        if not isinstance(answered.body, bytes):
            close(answered.body)
            answered = failure(TypeError("a stream cannot be answered here"), environ)
        self._respond(answered, environ, protocol)

    def _respond(self, answered: Answered, environ: dict[str, Any], protocol: Protocoled) -> None:
        headers = answered.headers + CLOSE if self._is_crowded() else answered.headers
        respond(protocol, Answered(answered.status, headers, answered.body), environ)

    async def _called(
        self, environ: dict[str, Any], protocol: Protocoled, client: str, far_end: str
    ) -> Answered | None:
        """Have the application called, which answers; what is to be streamed is handed back."""
        is_watch = environ["PATH_INFO"] in RESERVED_PATHS
        made = CallUnderWay(client, far_end, is_watch, self._loop.create_future())
        job = partial(self._call, environ, protocol, made)
        self.answering += 1
        self._settling.finish_soon()
        if is_watch:
            self._reserved.run(job)
        else:
            self._turns.bring(client, job)
            if self._turns.are_waited_for:
                self._settling.look()  # what was over before anybody waited did not hurry
        return await made.over

    def _call(self, environ: dict[str, Any], protocol: Protocoled, made: "CallUnderWay") -> None:
        """Call the application on a pool thread and answer there, which spares the answer the way over the loop."""
        try:
            answered = call(self._application, environ)
            if isinstance(answered.body, bytes):
                self._respond(answered, environ, protocol)
            else:
                made.streamed = answered
        finally:
            self._settling.put(made)

    def _is_awaited(self, made: "CallUnderWay") -> bool:
        """Return whether the loop has more to do for a call than to count: who was answered waits for nothing."""
        return made.streamed is not None or self._turns.are_waited_for

    def _over(self, made: "CallUnderWay") -> None:
        """Take note of a call that is over; one whose answer is streamed remains a request under way."""
        self.answering -= 1
        if not made.is_watch:
            self._turns.done(made.client)
        if made.streamed is None:
            self._leave(made.client, made.far_end)

    @staticmethod
    def _resume(made: "CallUnderWay") -> None:
        """Let the request go on: to its end, or to its stream."""
        if not made.over.done():
            made.over.set_result(made.streamed)

    async def _stream(self, answered: Answered, protocol: Protocoled, client: str, far_end: str) -> None:
        """Stream an answer; an endless one is no request under way, but keeps its connection in use."""
        is_endless = isinstance(answered.body, Endless)
        if is_endless:
            self._admission.leave(client)
        if isinstance(answered.body, Pushed):
            streams.push(answered, protocol, partial(self.busy.discard, far_end))
            return
        try:
            await streams.send(answered, protocol)
        finally:
            if not is_endless:
                self._admission.leave(client)
            self.busy.discard(far_end)


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
