"""Figures of a period: how many calls came in, were answered, were missed, how long their callers waited.

They are counted from the calls, by interval of time, by person and by queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, literal, or_, select

from gateway.domain.calls.results import Result
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.calls.states import State
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.call_scope import visible

calls, orders = tables.calls, tables.orders


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums of some calls. ``received`` and what follows are incoming ones, ``placed`` those that we made; ``waits`` is
    of how many the wait is known, ``waited_s`` all of it and ``longest_s`` the longest; ``talked_s`` is of both.
    """

    received: int = 0
    answered: int = 0
    missed: int = 0
    placed: int = 0
    reached: int = 0
    waits: int = 0
    waited_s: int = 0
    longest_s: int = 0
    talked_s: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        sums = {name: getattr(self, name) + getattr(other, name) for name in NAMES}
        return Figures(**{**sums, "longest_s": max(self.longest_s, other.longest_s)})

    @property
    def average_s(self) -> int | None:
        """The average wait in whole seconds, None where none is known."""
        return round(self.waited_s / self.waits) if self.waits else None


NAMES = tuple(each.name for each in fields(Figures))
NONE = Figures()


class CountedCalls(NamedTuple):
    """The figures of a period: of each interval, of each person (login, else extension), of each queue."""

    intervals: Sequence[Figures]
    people: Mapping[str, Figures]
    queues: Mapping[str, Figures]


_INCOMING = calls.c.direction == Direction.INCOMING.value
_OUTGOING = calls.c.direction == Direction.OUTGOING.value
_TAKEN = or_(calls.c.answered_at.is_not(None), calls.c.result == Result.ANSWERED.value)
# A caller who rings several extensions at once is one caller. Of such a group the call counts that was taken, else the
# one that was missed, which is the first; else the first, unless another extension took it.
_FIRST = or_(
    calls.c.group_id.is_(None),
    and_(
        calls.c.group_id == calls.c.id,
        calls.c.status != State.ELSEWHERE.value,
        func.coalesce(calls.c.result, "") != Result.FORWARDED.value,
    ),
)
_MISSED = calls.c.missed.is_(True)
_WAITED = func.coalesce(calls.c.waited_s, calls.c.ring_s)
_KNOWN_WAIT = and_(_INCOMING, or_(_TAKEN, _MISSED), _WAITED.is_not(None))
_TALKED = func.coalesce(calls.c.talk_s, calls.c.duration_s)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _total(condition: ColumnElement[bool], value: ColumnElement[Any], of: Any = func.sum) -> ColumnElement[int]:
    return func.coalesce(of(case((condition, value), else_=0)), 0)


_SUMS = (
    _count(and_(_INCOMING, or_(_TAKEN, _MISSED, _FIRST))),
    _count(and_(_INCOMING, _TAKEN)),
    _count(and_(_INCOMING, _MISSED)),
    _count(_OUTGOING),
    _count(and_(_OUTGOING, _TAKEN)),
    _count(_KNOWN_WAIT),
    _total(_KNOWN_WAIT, _WAITED),
    _total(_KNOWN_WAIT, _WAITED, func.max),
    _total(and_(_TAKEN, calls.c.direction != Direction.INTERNAL.value), _TALKED),
)
_PERSON = func.coalesce(calls.c.answered_agent, calls.c.extension)


class FiguresLog:
    """Reads figures of any period; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, tenant: str, bounds: Sequence[int], scope: CallScope = EVERYTHING) -> CountedCalls:
        """Return the figures of the intervals between ``bounds`` (milliseconds, in order) by when calls were logged, as
        far as ``scope`` admits those. They are counted in one go.
        """
        intervals = [NONE] * (len(bounds) - 1)
        people: dict[str, Figures] = {}
        queues: dict[str, Figures] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(_counting(tenant, bounds, scope)):
                place, person, queue, *sums = row
                found = Figures(*map(int, sums))
                intervals[place] += found
                people[person] = people.get(person, NONE) + found
                if queue:
                    queues[queue] = queues.get(queue, NONE) + found
        return CountedCalls(intervals, people, queues)


def _counting(tenant: str, bounds: Sequence[int], scope: CallScope) -> Select[Any]:
    first, *inner, last = bounds
    passed = [(calls.c.logged_at < bound, place) for place, bound in enumerate(inner)]
    place = case(*passed, else_=len(inner)) if inner else literal(0)
    # Grouped by the names of what is read: PostgreSQL takes the same expression with other parameters for another.
    by = (place.label("place"), _PERSON.label("person"), calls.c.queue)
    between = (calls.c.tenant == tenant, calls.c.logged_at >= first, calls.c.logged_at < last)
    query = select(*by, *_SUMS).where(*between).group_by("place", "person", calls.c.queue)
    if scope.everything:
        return query
    return query.outerjoin(orders, orders.c.id == calls.c.order_id).where(visible(scope))
