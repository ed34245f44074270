"""Events go into the journal, and when that does not answer, into the node's spool.

Only what no transaction has taken goes there: the ticket's claim decides. What one has taken and not confirmed waits
for the database, and its sender is told that it is unclear. While something waits in the spool everything goes behind
it, so that one node's events keep their order.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

from gateway.errors import QueueFull, StoreUnavailable, StoreUnclear
from gateway.store.spool.file import Kept, Spool
from gateway.store.spool.messages import packed
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, OrderDraft, Recorded
from gateway.store.writing.journal import Draft, Journal
from gateway.store.writing.tickets import Ticket

log = structlog.get_logger()

AFTER_S = 1.5
"""How long the database may keep its answer to itself before an event is kept here."""
LOOK_EVERY_S = 0.1
KEPT = Recorded(0, 0, kept=True)

Event = EventDraft | AgentStateDraft


class HandedIn(NamedTuple):
    """An event that was handed in, and what waits for it."""

    place: int
    draft: Event
    ticket: Ticket[Draft, Any]


class SpoolingWriter:
    """Remembers decisions: events durably here or in the database, orders in the database only."""

    def __init__(
        self,
        journal: Journal,
        spool: Spool,
        *,
        after_s: float = AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._spool = spool
        self._after_s = after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[int, HandedIn] = {}
        """What was handed in and is not decided, by its place; in the order of handing in."""

    def write(self, draft: EventDraft | AgentStateDraft | OrderDraft, *, within_s: float | None = None) -> Recorded:
        """Return once ``draft`` is durable; an event perhaps on this node only, with zeros for its numbers.

        Raises ``BusyError`` when that could not be: nothing was stored then, but for ``StoreUnclear``.
        """
        if isinstance(draft, OrderDraft):
            return self._journal.write(draft, within_s=within_s)
        if self._spool.is_occupied():
            return self._keep(draft, self._spool.place())
        return self._write_event(draft, self._clock() + min(self._journal.patience_s, within_s or float("inf")))

    def is_quiet(self) -> bool:
        """Return whether nothing that was handed in may still come into the spool."""
        return not self._under_way

    def _write_event(self, draft: Event, ends_at: float) -> Recorded:
        try:
            event = self._hand_in(draft)
        except QueueFull:
            return self._keep(draft, self._spool.place())
        try:
            return self._outcome(event, ends_at)
        except StoreUnclear:
            raise
        except StoreUnavailable:  # surely not stored
            return self._keep(draft, event.place)
        finally:
            with self._lock:
                del self._under_way[event.place]

    def _hand_in(self, draft: Event) -> HandedIn:
        with self._lock:
            place = self._spool.place()
            event = HandedIn(place, draft, self._journal.submit(draft))
            self._under_way[place] = event
            return event

    def _outcome(self, event: HandedIn, ends_at: float) -> Recorded:
        """Wait for what comes of ``event``; take it back when that takes too long. Raises it if it is an error."""
        wait_s = min(self._after_s, ends_at - self._clock())
        while True:
            try:
                recorded: Recorded = event.ticket.result(max(0.0, wait_s))
                return recorded
            except TimeoutError:
                self._take_back()
            if self._clock() >= ends_at:
                return self._last_answer(event)
            wait_s = min(LOOK_EVERY_S, ends_at - self._clock())

    def _last_answer(self, event: HandedIn) -> Recorded:
        try:
            recorded: Recorded = event.ticket.result(LOOK_EVERY_S)
            return recorded
        except TimeoutError:
            raise StoreUnclear from None

    def _take_back(self) -> None:
        """Keep here what waits and no transaction has taken, and let its producers go on.

        The newest is claimed first: whatever a transaction takes meanwhile came before all that is kept.
        """
        with self._lock:
            taken = [event for event in reversed([*self._under_way.values()]) if event.ticket.claim()]
        if not taken:
            return
        taken.reverse()
        outcome: Recorded | StoreUnavailable = KEPT
        try:
            self._spool.keep([_kept(event.draft, event.place) for event in taken])
        except StoreUnavailable as error:
            outcome = error
        for event in taken:
            event.ticket.settle(outcome)

    def _keep(self, draft: Event, place: int) -> Recorded:
        self._spool.keep([_kept(draft, place)])
        return KEPT


def _kept(draft: Event, place: int) -> Kept:
    return Kept(place, draft.message.received_at, packed(draft.message))
