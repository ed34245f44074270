"""Figures of a period: how many calls came in, were answered, were missed, how long their callers waited.

They are counted for each half hour, as a whole, by person and by queue. Half hours that are over are kept in the search
index's file (``HalfHours``), which its indexer writes; what is not kept is counted from the calls themselves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, case, func, literal, or_, select

from gateway.domain.calls.results import Result
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.call_scope import visible

calls, orders = tables.calls, tables.orders

SLOT_MS = 30 * 60 * 1000
"""Half an hour: every zone that a company has begins its hours with one."""


class Kind(StrEnum):
    """Of what figures are: of all calls, of a person's (by login, else by extension), of a queue's."""

    ALL = "all"
    PERSON = "person"
    QUEUE = "queue"


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


class CountedSlot(NamedTuple):
    """The figures of one half hour (``slot``, since 1970) of all calls, a person or a queue."""

    slot: int
    kind: str
    name: str
    figures: Figures


_INCOMING = calls.c.direction == Direction.INCOMING.value
_OUTGOING = calls.c.direction == Direction.OUTGOING.value
# A caller who rings several extensions at once is one caller: the first call of the group counts.
_FIRST = or_(calls.c.group_id.is_(None), calls.c.group_id == calls.c.id)
_TAKEN = or_(calls.c.answered_at.is_not(None), calls.c.result == Result.ANSWERED.value)
_WAITED = func.coalesce(calls.c.waited_s, calls.c.ring_s)
_KNOWN_WAIT = and_(_INCOMING, or_(_TAKEN, calls.c.missed.is_(True)), _WAITED.is_not(None))
_TALKED = func.coalesce(calls.c.talk_s, calls.c.duration_s)
_SLOT = calls.c.logged_at // SLOT_MS


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _total(condition: ColumnElement[bool], value: ColumnElement[Any], of: Any = func.sum) -> ColumnElement[int]:
    return func.coalesce(of(case((condition, value), else_=0)), 0)


_SUMS = (
    _count(and_(_INCOMING, _FIRST)),
    _count(and_(_INCOMING, _TAKEN)),
    _count(and_(_INCOMING, calls.c.missed.is_(True))),
    _count(_OUTGOING),
    _count(and_(_OUTGOING, _TAKEN)),
    _count(_KNOWN_WAIT),
    _total(_KNOWN_WAIT, _WAITED),
    _total(_KNOWN_WAIT, _WAITED, func.max),
    _total(and_(_TAKEN, calls.c.direction != Direction.INTERNAL.value), _TALKED),
)
_GROUPED: Mapping[Kind, ColumnElement[Any]] = {
    Kind.ALL: literal(""),
    Kind.PERSON: func.coalesce(calls.c.answered_agent, calls.c.extension),
    Kind.QUEUE: calls.c.queue,
}


def count_calls(
    connection: Connection, tenant: str, first: int, last: int, scope: CallScope = EVERYTHING
) -> Iterator[CountedSlot]:
    """Yield the figures of the half hours from ``first`` up to, without, ``last``, counted from their calls."""
    for kind in Kind:
        for row in connection.execute(_counting(kind, tenant, first, last, scope)):
            yield CountedSlot(row[0], kind.value, row[1] or "", Figures(*(int(each) for each in row[2:])))


def _counting(kind: Kind, tenant: str, first: int, last: int, scope: CallScope) -> Select[Any]:
    name = _GROUPED[kind]
    between = (calls.c.tenant == tenant, calls.c.logged_at >= first * SLOT_MS, calls.c.logged_at < last * SLOT_MS)
    query = select(_SLOT, name, *_SUMS).where(*between).group_by(_SLOT, name)
    if kind is Kind.QUEUE:
        query = query.where(calls.c.queue.is_not(None))
    if scope.everything:
        return query
    return query.outerjoin(orders, orders.c.id == calls.c.order_id).where(visible(scope))


def runs(slots: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield where ``slots``, in order, are without a gap: the first, and the one behind the last.

    >>> list(runs([1, 2, 3, 7]))
    [(1, 4), (7, 8)]
    """
    begin = end = None
    for slot in slots:
        if end is not None and begin is not None and slot != end:
            yield begin, end
            begin = None
        begin, end = (slot if begin is None else begin), slot + 1
    if begin is not None and end is not None:
        yield begin, end


class FiguresLog:
    """Reads figures of any period; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, tenant: str, since: int, until: int, scope: CallScope = EVERYTHING) -> Sequence[CountedSlot]:
        """Return the figures of each half hour from ``since`` to ``until`` (milliseconds) that ``scope`` admits."""
        first, last = since // SLOT_MS, -(-until // SLOT_MS)
        with self._engine.connect() as connection:
            return list(count_calls(connection, tenant, first, last, scope))
