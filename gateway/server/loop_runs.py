"""Plain functions run on the event loop's thread: where one has to wait, the loop goes on with others.

Each runs in a greenlet, a stack of its own, as SQLAlchemy's asyncio does it. So a wire, a handler or the store is
written once, for a thread, and knows nothing of the loop. A run may wait for two things: for a ticket of the journal,
and for work that may block, which ``off_loop`` has done on a thread of the pool. Nothing may wait while it holds a
lock: the next run on the same thread would stand still with it, and the loop too.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from time import perf_counter
from typing import Any, Generic, TypeVar, cast

import structlog
from greenlet import GreenletExit, getcurrent, greenlet

from gateway.server.loop_watch import LONG_S, LoopWatch
from gateway.store.writing.tickets import Bell, ThreadWait, Ticket, Wait

log = structlog.get_logger()

Job = Callable[[], None]
T = TypeVar("T")

LOOK_EVERY_S = 0.05
"""How late a run may notice that the time is over for which it wanted to wait."""
MOST_AT_ONCE = 32
"""Runs that go on in one turn of the loop: others of its callbacks have theirs in between."""
MOST_IDLE = 256


class LoopRun(greenlet):
    """Runs one function after the other; to the journal it is how its producer waits."""

    leads = False

    def __init__(self, runs: "LoopRuns") -> None:
        super().__init__()
        self._runs = runs
        self._home = getcurrent()
        """The loop itself."""
        self.work: Job | None = None
        self.client = ""
        self.waits_for: object = None
        self.ends_at = inf
        """Until when it waits, by the loop's clock."""
        self.over: asyncio.Future[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it has done what it was given."""
        return self.work is None

    def run(self) -> None:
        """Do what it is given, again and again: a new stack for each request would cost more."""
        while True:
            assert self.work is not None
            try:
                self.work()
            except GreenletExit:
                raise
            except BaseException as error:
                log.error("request_job_failed", exc_info=error)
            self.work = None
            self._home.switch()

    def until_settled(self, ticket: Ticket[Any, Any], timeout_s: float) -> bool:
        """Let the loop go on until ``ticket`` is settled, or the time is over; return whether it is."""
        if not ticket.is_settled and timeout_s > 0:
            self.wait(ticket, timeout_s)
        return ticket.is_settled

    def settled(self, ticket: Ticket[Any, Any]) -> Bell | None:
        """Go on at the next ring; from any thread."""
        return self._runs.arrive(self, ticket)

    def hand_over(self, work: Callable[[], T]) -> T:
        """Have ``work`` done on a thread of the pool, and wait for it. Raises what it raises."""
        handed: HandedOver[T] = HandedOver(work)
        self._runs.give(self, handed)
        self.wait(handed, inf)
        return handed.result()

    def wait(self, for_what: object, timeout_s: float) -> None:
        """Let the loop go on until ``for_what`` arrives, or the time is over."""
        self.waits_for = for_what
        self._runs.note_waiting(self, timeout_s)
        self._home.switch()


class HandedOver(Generic[T]):
    """Work that a thread of the pool does for a run, and what came of it."""

    __slots__ = ("_error", "_result", "_work")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._result: T | None = None

    def do(self) -> None:
        """Do it. Raises nothing."""
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error

    def result(self) -> T:
        """Return what came of it. Raises what the work raised."""
        if self._error is not None:
            raise self._error
        return cast(T, self._result)


class LoopRuns:
    """The runs of one event loop; all of it happens on the loop's thread, but for ``arrive`` and ``ring``.

    ``give_away(client, job)`` has a job done on a thread, in the turn of the client whose request it is for;
    ``take_back(client)`` is called when that is done.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        give_away: Callable[[str, Job], None],
        take_back: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._give_away = give_away
        self._take_back = take_back
        self._watch = LoopWatch()
        self._idle: list[LoopRun] = []
        self._waiting: dict[LoopRun, None] = {}
        self._arrived: deque[tuple[LoopRun, object]] = deque()
        self._is_rung = False
        self._will_look = False
        self.bell: Bell = self.ring
        """The same object each time, so that equal bells are rung once."""

    def begin(self, work: Job, client: str) -> "asyncio.Future[None] | None":
        """Run ``work`` of a request of ``client``; return None when it is done, else what is when it will be."""
        run = self._idle.pop() if self._idle else LoopRun(self)
        run.work, run.client = work, client
        self._switch_to(run)
        if run.is_idle:
            self._keep(run)
            return None
        run.over = self._loop.create_future()
        return run.over

    def note_waiting(self, run: LoopRun, timeout_s: float) -> None:
        """Take note of a run that waits, at most ``timeout_s`` seconds."""
        run.ends_at = self._loop.time() + timeout_s
        self._waiting[run] = None
        if not self._will_look:
            self._will_look = True
            self._loop.call_later(LOOK_EVERY_S, self._look)

    def give(self, run: LoopRun, handed: HandedOver[Any]) -> None:
        """Have a thread of the pool do what a run has handed over."""

        def job() -> None:
            handed.do()
            bell = self.arrive(run, handed)
            bell()

        self._give_away(run.client, job)

    def arrive(self, run: LoopRun, what: object) -> Bell:
        """Bring what a run waits for, from any thread; it goes on when the bell is rung."""
        self._arrived.append((run, what))
        return self.bell

    def ring(self) -> None:
        """Wake the loop for all that has arrived until it looks; from any thread."""
        if not self._is_rung:
            self._is_rung = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        """Let those go on whose time has come, some in one turn of the loop."""
        self._is_rung = False  # first: what arrives from now on rings again, at worst in vain
        for _ in range(MOST_AT_ONCE):
            if not self._arrived:
                return
            run, what = self._arrived.popleft()
            if isinstance(what, HandedOver):
                self._take_back(run.client)
            if run.waits_for is what:
                self._resume(run)
        if self._arrived and not self._is_rung:
            self._is_rung = True
            self._loop.call_soon(self._go_on)

    def _look(self) -> None:
        """Have those go on who have waited long enough; a disk that hung may make them thousands at once."""
        self._will_look = False
        now = self._loop.time()
        late = [run for run in self._waiting if run.ends_at <= now]
        for run in late:
            run.ends_at = inf
            self._arrived.append((run, run.waits_for))
        if late:
            self.ring()
        if self._waiting and not self._will_look:
            self._will_look = True
            self._loop.call_later(LOOK_EVERY_S, self._look)

    def _resume(self, run: LoopRun) -> None:
        run.waits_for = None
        del self._waiting[run]
        self._switch_to(run)
        if run.is_idle:
            self._end(run)

    def _switch_to(self, run: LoopRun) -> None:
        """Let ``run`` go on until it waits or is done."""
        began = perf_counter()
        run.switch()
        took = perf_counter() - began
        if took >= LONG_S:
            self._watch.kept(took, run.client)

    def _end(self, run: LoopRun) -> None:
        over, run.over = run.over, None
        if over is not None and not over.done():
            over.set_result(None)
        self._keep(run)

    def _keep(self, run: LoopRun) -> None:
        """Keep a run that has nothing to do for the next request."""
        if len(self._idle) < MOST_IDLE:
            self._idle.append(run)


def off_loop(work: Callable[[], T]) -> T:
    """Do ``work``, which may block: on a thread of the pool where the caller runs on the event loop, else at once.

    Raises what it raises.
    """
    current = getcurrent()
    return current.hand_over(work) if isinstance(current, LoopRun) else work()


def wait_of() -> Wait:
    """Return how the caller waits for what it hands to the journal."""
    current = getcurrent()
    return current if isinstance(current, LoopRun) else ThreadWait()
