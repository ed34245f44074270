"""Requests of which thousands come at once, as screens after a restart: served some together, on one thread.

On a thread for each they would wait for the interpreter's lock at each step, for the database each alone, and the loop
would be woken for each.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from gateway.server.calls import Answered, Wsgi, call, failure
from gateway.server.threads import CallThreads

AT_ONCE = 32
SLOW_S = 0.25
"""A batch that takes longer is not waited for any more: others begin, and what it has not begun it gives back."""
MOST_BATCHES = 8
"""Which do so when a database hangs."""

Environ = dict[str, Any]
Waiting = tuple[Environ, "asyncio.Future[Answered]"]


class Together(Protocol):
    """Says which requests are served together, and what is looked up for all of them by one query."""

    def is_meant(self, environ: Environ) -> bool: ...

    def ahead(self, environs: Sequence[Environ]) -> AbstractContextManager[None]:
        """Return a block within which what was looked up holds, for the thread that enters it. Raises nothing."""


class CallBatches:
    """Calls ``application`` for requests of ``together``; all of it happens on the loop's thread, but for ``_call``."""

    def __init__(
        self,
        application: Wsgi,
        together: Together,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._together = together
        self._loop = loop
        self._clock = clock
        self._threads = CallThreads(MOST_BATCHES, "batch")
        self._waiting: deque[Waiting] = deque()
        self._begun_at: dict[int, float] = {}
        self._last = 0
        self._will_look = False

    def bring(self, environ: Environ, over: "asyncio.Future[Answered]") -> None:
        """Serve a request soon; ``over`` gets its answer."""
        self._waiting.append((environ, over))
        self._go_on()

    def _go_on(self) -> None:
        """Begin a batch, unless one is under way that is not slow."""
        slow_before = self._clock() - SLOW_S
        if not self._waiting or len(self._begun_at) >= MOST_BATCHES:
            return
        if all(began <= slow_before for began in self._begun_at.values()):
            self._begin([self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))])
        if self._waiting and not self._will_look:
            self._will_look = True
            self._loop.call_later(SLOW_S, self._look)

    def _look(self) -> None:
        self._will_look = False
        self._go_on()

    def _begin(self, batch: Sequence[Waiting]) -> None:
        self._last += 1
        number, self._begun_at[self._last] = self._last, self._clock()
        self._threads.run(lambda: self._call(number, batch))

    def _call(self, number: int, batch: Sequence[Waiting]) -> None:
        """Call the application for a batch; on a thread."""
        answers: list[Answered] = []
        try:
            with self._together.ahead([environ for environ, _ in batch]):
                self._call_each(batch, answers)
        except BaseException as error:
            answers += [failure(error, environ) for environ, _ in batch[len(answers) :]]
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._end, number, batch, answers)

    def _call_each(self, batch: Sequence[Waiting], answers: list[Answered]) -> None:
        """Add to ``answers`` until all are there or it took long."""
        ends = self._clock() + SLOW_S
        for environ, _ in batch:
            answers.append(call(self._application, environ))
            if self._clock() > ends:
                return

    def _end(self, number: int, batch: Sequence[Waiting], answers: Sequence[Answered]) -> None:
        """Hand out what a batch brought; the rest of it is served first."""
        del self._begun_at[number]
        self._waiting.extendleft(reversed(batch[len(answers) :]))
        self._go_on()
        for (_, over), answered in zip(batch, answers, strict=False):
            over.set_result(answered)
