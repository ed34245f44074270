"""Writing down what a source tells, in its order, without waiting for the disk after each event.

Events are handed to the journal one behind the other, and a bounded number of them is under way. While the database
takes none, nothing is lost of what was read: the source is made to wait, so it reads no more.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from gateway.errors import BusyError, GatewayError, SourceSuperseded
from gateway.event_source import SourceStopped, Stop
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, OrderDraft, Recorded

log = structlog.get_logger()

MOST_UNDER_WAY = 64
"""Events of a source that wait for the disk at once: few beside those of others, who share its batches."""
LOOK_S = 0.25
"""How often a wait looks whether the source is to stop."""
PAUSES_S = (0.1, 0.5, 1.0, 2.0)
"""Before what the database did not take is handed in again, the last one again and again."""
Draft = EventDraft | AgentStateDraft
Outcome = Recorded | GatewayError
HandIn = Callable[[Draft, Callable[[Outcome], None]], object]
"""Has a draft written in its turn and calls back, on any thread, with what came of it. Raises ``BusyError``."""


class EventProgress(Enum):
    """How far an event is."""

    HANDED_IN = auto()
    DONE = auto()
    FAILED = auto()
    """The database did not take it; it is handed in again."""


@dataclass(slots=True, eq=False)
class UnderWay:
    """An event that was told ``at`` (milliseconds); ``then`` is done when it is durable."""

    draft: Draft
    at: int
    then: Callable[[Recorded], None]
    progress: EventProgress = EventProgress.HANDED_IN


def _nothing(_recorded: Recorded) -> None:
    pass


class InOrderWriter:
    """Stands in the place of a journal for one source. ``write`` is for the thread that runs it, the rest for any."""

    def __init__(
        self,
        hand_in: HandIn,
        stop: Stop,
        clock: Callable[[], int],
        *,
        refused: Callable[[Draft, GatewayError], None],
        most: int = MOST_UNDER_WAY,
    ) -> None:
        """Take ``refused``, which is told of an event that can never be written down."""
        self._hand_in, self._stop, self._clock = hand_in, stop, clock
        self._refused = refused
        self._most = most
        self._events: deque[UnderWay] = deque()
        self._changed = threading.Condition()
        self._tried = 0
        self._again_at = 0.0
        self._is_superseded = False
        """Whether another process has the source, so that nothing more is written."""
        self.told = 0
        """Events that were told."""
        self.written = 0
        """Events that became durable."""
        self.then: Callable[[Recorded], None] = _nothing
        """What is done when the next event that is written has become durable."""

    def write(self, draft: EventDraft | AgentStateDraft | OrderDraft, *, within_s: float | None = None) -> Recorded:
        """Hand ``draft`` in and return, with nothing known of it yet; wait first while too many are under way.

        Raises ``SourceStopped``.
        """
        if isinstance(draft, OrderDraft):
            raise TypeError("sources place no calls")
        then, self.then = self.then, _nothing
        with self._changed:
            while len(self._events) >= self._most or self._have_failed():
                self._wait()
            if self._is_superseded:
                raise SourceStopped
            event = UnderWay(draft, self._clock(), then)
            self._events.append(event)
            self.told += 1
            self._hand(event)
        return Recorded(0, 0)

    def complete_until(self) -> int:
        """Return the moment up to which everything that was told is durable, in milliseconds."""
        with self._changed:
            return self._events[0].at if self._events else self._clock()

    def settled(self) -> int:
        """Return how many events, from the first one on, are durable or refused for good."""
        with self._changed:
            return self.told - len(self._events)

    def try_again(self) -> None:
        """Hand in again, in their order, the events that the database did not take, if it is time."""
        with self._changed:
            if self._have_failed() and time.monotonic() >= self._again_at and not self._wait_for_outcomes():
                for event in self._events:
                    if event.progress is EventProgress.FAILED and not self._hand(event):
                        return

    def finish(self, within_s: float) -> int:
        """Wait until all is durable, at most ``within_s``; return how many events are not."""
        deadline = time.monotonic() + within_s
        with self._changed:
            while self._events and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(min(left, LOOK_S))
                self.try_again()
            return len(self._events)

    def _wait(self) -> None:
        """Wait for a change, a moment at most. Raises ``SourceStopped``."""
        if self._stop.is_set():
            raise SourceStopped
        self._changed.wait(LOOK_S)
        self.try_again()

    def _have_failed(self) -> bool:
        return any(event.progress is EventProgress.FAILED for event in self._events)

    def _wait_for_outcomes(self) -> bool:
        """Return whether some are still under way: those behind one that failed must not be overtaken by it."""
        return any(event.progress is EventProgress.HANDED_IN for event in self._events)

    def _hand(self, event: UnderWay) -> bool:
        event.progress = EventProgress.HANDED_IN
        try:
            self._hand_in(event.draft, lambda outcome: self._came(event, outcome))
        except BusyError as error:
            self._failed(event, error)
            return False
        return True

    def _failed(self, event: UnderWay, error: BusyError) -> None:
        event.progress = EventProgress.FAILED
        if time.monotonic() >= self._again_at:
            self._again_at = time.monotonic() + PAUSES_S[min(self._tried, len(PAUSES_S) - 1)]
            self._tried += 1
            log.warning("source_waits_for_database", code=error.code, under_way=len(self._events))

    def _came(self, event: UnderWay, outcome: Outcome) -> None:
        """Take what came of an event, on the thread that wrote it: quickly."""
        with self._changed:
            if isinstance(outcome, BusyError):
                self._failed(event, outcome)
            else:
                self._settle(event, outcome)
            while self._events and self._events[0].progress is EventProgress.DONE:
                self._events.popleft()
            self._changed.notify_all()

    def _settle(self, event: UnderWay, outcome: Outcome) -> None:
        event.progress = EventProgress.DONE
        if isinstance(outcome, GatewayError):
            self._is_superseded = self._is_superseded or isinstance(outcome, SourceSuperseded)
            self._refused(event.draft, outcome)
            return
        self._tried = 0
        self.written += 1
        event.then(outcome)
