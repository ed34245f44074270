"""Count how many calls came in, were answered, were missed, how long their callers waited: by interval of time, by
person and by queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, false, func, literal, or_, select

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
        both = Sums()
        for each in (self, other):
            both.add([getattr(each, name) for name in NAMES])
        return both.figures

    @property
    def average_s(self) -> int | None:
        """The average wait in whole seconds, None where none is known."""
        return round(self.waited_s / self.waits) if self.waits else None


NAMES = tuple(each.name for each in fields(Figures))
LONGEST = NAMES.index("longest_s")


class Sums:
    """Figures that are being added up, in the order of ``NAMES``."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: Sequence[int] = [0] * len(NAMES)

    def add(self, values: Sequence[int]) -> None:
        """Add the figures of other calls; of the longest waits the longer one counts."""
        longest = max(self._values[LONGEST], values[LONGEST])
        self._values = added = [*map(add, self._values, values)]
        added[LONGEST] = longest

    @property
    def figures(self) -> Figures:
        # PostgreSQL's sums are of a type without an end.
        return Figures(*map(int, self._values))


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


SUMS = (
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
PERSON = func.coalesce(calls.c.answered_agent, calls.c.extension)


def place_of(column: ColumnElement[int], bounds: Sequence[int]) -> ColumnElement[int]:
    """Return between which of ``bounds`` the moment in ``column`` lies, which is between the first and the last."""
    _, *inner, _ = bounds
    passed = [(column < bound, place) for place, bound in enumerate(inner)]
    return case(*passed, else_=len(inner)) if inner else literal(0)


def admitted(query: Select[Any], scope: CallScope, besides: CallScope | None = None) -> Select[Any]:
    """Return ``query``, of calls, for those that ``scope`` admits, and not ``besides``."""
    if scope.everything:
        return query
    query = query.outerjoin(orders, orders.c.id == calls.c.order_id).where(visible(scope))
    # What is not known makes a condition neither true nor false.
    return query.where(func.coalesce(visible(besides), false()).is_(false())) if besides else query


def counting(
    tenant: str, bounds: Sequence[int], scope: CallScope = EVERYTHING, besides: CallScope | None = None
) -> Select[Any]:
    """Return a query of the calls logged between the first and the last of ``bounds`` that ``scope`` admits, and not
    ``besides``: a row for each interval (its place), person and queue, with their figures in the order of ``NAMES``.
    """
    first, last = bounds[0], bounds[-1]
    place = place_of(calls.c.logged_at, bounds)
    # Grouped by the names of what is read: PostgreSQL takes the same expression with other parameters for another.
    by = (place.label("place"), PERSON.label("person"), calls.c.queue)
    between = (calls.c.tenant == tenant, calls.c.logged_at >= first, calls.c.logged_at < last)
    query = select(*by, *SUMS).where(*between).group_by("place", "person", calls.c.queue)
    return admitted(query, scope, besides)
