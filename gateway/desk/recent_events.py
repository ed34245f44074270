"""The last events of the companies whose screens are open, so that a screen that comes back asks no database."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position

MOST = 5_000
"""Events that are kept, of all companies together: some megabytes."""


@dataclass(slots=True)
class _LastEvents:
    """All events of one company behind ``start``, which may be older than the newest one known, ``newest``."""

    start: Position
    newest: Position
    events: deque[LoggedEvent] = field(default_factory=deque)


class RecentEvents:
    """Whoever calls it holds one lock, the same for all calls."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tails: dict[str, _LastEvents] = {}
        self._order: deque[_LastEvents] = deque()
        """By the age of the events: of whom each one is."""

    def begin(self, tenant: str, position: Position) -> None:
        """Keep the events of ``tenant`` from now on: what is behind ``position`` will all be added."""
        self._tails.setdefault(tenant, _LastEvents(position, position))

    def add(self, event: LoggedEvent) -> None:
        """Keep ``event``, the newest one of its company."""
        tail = self._tails.get(event.tenant)
        if tail is not None and event.epoch != tail.start.epoch:
            self.forget(event.tenant)  # some of what is remembered may be lost
        elif tail is not None and event.position > tail.newest:
            tail.newest = event.position
            tail.events.append(event)
            self._order.append(tail)
            self._trim()

    def extend(self, tenant: str, last: Position, events: Sequence[LoggedEvent], *, read_to: Position) -> None:
        """Keep older events, too: ``events`` are all behind ``last``, up to ``read_to`` at least.

        Nothing is kept where what is known begins later by now: what is between them is not.
        """
        tail = self._tails.get(tenant)
        if tail is None or last.epoch != tail.start.epoch or not last < tail.start <= read_to:
            return
        older = [event for event in events if event.position <= tail.start]
        tail.events.extendleft(reversed(older))
        self._order.extendleft([tail] * len(older))
        tail.start = last
        self._trim()

    def newest(self, tenant: str) -> Position | None:
        """Return up to where all events of ``tenant`` were added; None where it is not known."""
        tail = self._tails.get(tenant)
        return tail.newest if tail else None

    def behind(self, tenant: str, last: Position) -> list[LoggedEvent] | None:
        """Return the events of ``tenant`` behind ``last``, oldest first; None where not all of them are known."""
        tail = self._tails.get(tenant)
        if tail is None or last.epoch != tail.start.epoch or last < tail.start:
            return None
        return list(takewhile(lambda event: event.position > last, reversed(tail.events)))[::-1]

    def forget(self, tenant: str) -> None:
        """Keep no events of ``tenant`` any more."""
        if tail := self._tails.pop(tenant, None):
            tail.events.clear()

    def clear(self) -> None:
        """Forget all."""
        self._tails.clear()
        self._order.clear()

    def _trim(self) -> None:
        while len(self._order) > self._most:
            tail = self._order.popleft()
            if tail.events:
                tail.start = tail.events.popleft().position
