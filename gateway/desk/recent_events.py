"""The last events of the companies whose screens are open, so that a screen that comes back asks no database."""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import islice, takewhile

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position

MOST = 10_000
"""Events that are kept, of all companies together: some ten megabytes, and half a minute of 300 a second."""


class RecentEvent:
    """An event, what it concerns, and what screens are told of it, which is rendered once for all that missed it."""

    def __init__(self, event: LoggedEvent) -> None:
        self.event = event
        self.seq = event.seq
        self.ends = frames.ends_of(event)

    @cached_property
    def shown(self) -> ScreenEvent:
        """What screens are told."""
        return ScreenEvent.of(self.event)


@dataclass(slots=True)
class _LastEvents:
    """All events of one company behind ``start``, which may be older than the newest one known, ``newest``; those of
    each extension also for themselves.
    """

    start: Position
    newest: Position
    events: deque[RecentEvent] = field(default_factory=deque)
    by_end: dict[str, deque[RecentEvent]] = field(default_factory=dict)

    def append(self, found: RecentEvent) -> None:
        self.events.append(found)
        for end in found.ends:
            self.by_end.setdefault(end, deque()).append(found)

    def append_before(self, found: RecentEvent) -> None:
        self.events.appendleft(found)
        for end in found.ends:
            self.by_end.setdefault(end, deque()).appendleft(found)

    def drop_oldest(self) -> None:
        """Forget the oldest event, so that all behind it are known."""
        oldest = self.events.popleft()
        self.start = oldest.event.position
        for end in oldest.ends:
            self.by_end[end].popleft()
            if not self.by_end[end]:
                del self.by_end[end]

    def clear(self) -> None:
        self.events.clear()
        self.by_end.clear()


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
            tail.append(RecentEvent(event))
            self._order.append(tail)
            self._trim()

    def extend(self, tenant: str, last: Position, events: Sequence[RecentEvent], *, read_to: Position) -> None:
        """Keep older events, too: ``events`` are all behind ``last``, up to ``read_to`` at least.

        Nothing is kept where what is known begins later by now: what is between them is not.
        """
        tail = self._tails.get(tenant)
        if tail is None or last.epoch != tail.start.epoch or not last < tail.start <= read_to:
            return
        older = [found for found in events if found.seq <= tail.start.seq]
        for found in reversed(older):
            tail.append_before(found)
        self._order.extendleft([tail] * len(older))
        tail.start = last
        self._trim()

    def newest(self, tenant: str) -> Position | None:
        """Return up to where all events of ``tenant`` were added; None where it is not known."""
        tail = self._tails.get(tenant)
        return tail.newest if tail else None

    def behind(
        self, tenant: str, last: Position, ends: Collection[str] | None, *, most: int
    ) -> list[RecentEvent] | None:
        """Return the newest ``most`` or more of the events of ``tenant`` behind ``last`` that concern one of ``ends``
        (None: of all), oldest first; None where not all of them are known.
        """
        tail = self._tails.get(tenant)
        if tail is None or last.epoch != tail.start.epoch or last < tail.start:
            return None
        if ends is None:
            return _behind(tail.events, last.seq, most)
        each = (_behind(tail.by_end[end], last.seq, most) for end in ends if end in tail.by_end)
        return list(merge(*each, key=lambda found: found.seq))

    def forget(self, tenant: str) -> None:
        """Keep no events of ``tenant`` any more."""
        if tail := self._tails.pop(tenant, None):
            tail.clear()

    def clear(self) -> None:
        """Forget all."""
        self._tails.clear()
        self._order.clear()

    def _trim(self) -> None:
        while len(self._order) > self._most:
            tail = self._order.popleft()
            if tail.events:
                tail.drop_oldest()


def _behind(events: deque[RecentEvent], seq: int, most: int) -> list[RecentEvent]:
    """Return the newest of ``events`` behind ``seq``, oldest first."""
    newer: Iterable[RecentEvent] = takewhile(lambda found: found.seq > seq, reversed(events))
    return list(islice(newer, most))[::-1]
