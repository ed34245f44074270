"""Fills in which calls of before were missed and which of those were returned, and how those ended of which nobody said
it, a slice at a time.

It begins when the words that an older version dropped have been brought back (``filling.py``), and goes the same way:
slices are read without the write lock, newest first, and written by the journal. How far it came is the counter
``missed_to_fill``, the newest call that was not looked at yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, or_, select, update

from gateway.domain.calls.call import Call
from gateway.domain.calls.ghosts import is_of_nobody
from gateway.domain.calls.missed import judged
from gateway.domain.calls.results import Result
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.call_columns import BOOK_COLUMNS
from gateway.store.writing.candidates import call_of

calls, counters = tables.calls, tables.counters

COUNTER = "missed_to_fill"
SLICE = 1000
"""Calls that are looked at once."""
GROUP_SPAN = 200
"""Calls of one group are logged within seconds, so their ids are no further apart than this."""
COLUMNS = [calls.c[name] for name in BOOK_COLUMNS]

_LEFT = select(func.max(counters.c.value)).where(counters.c.name == COUNTER)
_RESULT = case((calls.c.status == "ended", func.coalesce(calls.c.result, bindparam("code"))), else_=calls.c.result)
_FILL = update(calls).where(calls.c.id == bindparam("of")).values(missed=bindparam("is_missed"), result=_RESULT)
_MOVE_ON = (
    update(counters)
    .where(counters.c.name == COUNTER, counters.c.value > bindparam("left"))
    .values(value=bindparam("left"))
)


_RETURN = (
    update(calls)
    .where(calls.c.id == bindparam("of"), calls.c.returned_at.is_(None))
    .values(returned_at=bindparam("at"), returned_by=bindparam("by"))
)
_SPOKEN_IN = or_(calls.c.answered_at.is_not(None), calls.c.result == Result.ANSWERED.value)
_OUTSIDE = calls.c.direction != Direction.INTERNAL
MOST_NUMBERS = 100_000
"""Of how many numbers is remembered with which call somebody spoke with them."""
Taken = dict[tuple[str, str], tuple[int, int]]
"""The earliest call so far in which somebody spoke, and when, by tenant and number."""


def left_to_fill(connection: Connection) -> int:
    """Return the newest call that was not looked at yet; 0 when all were."""
    return connection.execute(_LEFT).scalar() or 0


def read_slice(connection: Connection, upto: int) -> Sequence[Mapping[str, Any]]:
    """Return what is to be filled in of the calls from ``upto`` down, ``SLICE`` of them."""
    above = max(0, upto - SLICE)
    around = (calls.c.id > above - GROUP_SPAN, calls.c.id <= upto + GROUP_SPAN)
    found = [call_of(row) for row in connection.execute(select(*COLUMNS).where(*around))]
    return [_fill_of(call) for call in _to_fill(found) if above < call.id <= upto]


def write_slice(fills: Sequence[Mapping[str, Any]], upto: int, connection: Connection) -> None:
    """Write a slice down; where another process already did, it writes the same."""
    if fills:
        connection.execute(_FILL, list(fills))
    connection.execute(_MOVE_ON, {"left": max(0, upto - SLICE)})


def read_returned(connection: Connection, upto: int, taken: Taken) -> Sequence[Mapping[str, Any]]:
    """Return which missed calls from ``upto`` down were returned, ``SLICE`` of them, by what was ``taken`` later.

    What the slice itself tells of that is added to ``taken``: slices are read newest first.
    """
    of_slice = (calls.c.id > max(0, upto - SLICE), calls.c.id <= upto, _OUTSIDE)
    query = select(calls).where(*of_slice, or_(calls.c.missed.is_(True), _SPOKEN_IN)).order_by(calls.c.id.desc())
    return [found for row in connection.execute(query) if (found := _returned(row, taken))]


def _returned(row: Row[Any], taken: Taken) -> Mapping[str, Any] | None:
    """Return what marks the call of ``row`` as returned, where it is a missed one that was; else remember it."""
    key = (row.tenant, row.number)
    if is_of_nobody(row.number):
        return None
    if row.missed:
        by = taken.get(key)
        return None if by is None or row.returned_at is not None else {"of": row.id, "by": by[0], "at": by[1]}
    if len(taken) < MOST_NUMBERS or key in taken:
        moments = (row.answered_at, row.started_at, row.logged_at)
        taken[key] = (row.id, next(at for at in moments if at is not None))
    return None


def write_returned(found: Sequence[Mapping[str, Any]], connection: Connection) -> None:
    """Mark missed calls as returned."""
    connection.execute(_RETURN, list(found))


def _to_fill(found: Iterable[Call]) -> Iterable[Call]:
    """Yield those calls that have ended of which something is not known yet, each with whether it was missed."""
    groups: dict[int, list[Call]] = defaultdict(list)
    for call in found:
        groups[call.group_id or call.id].append(call)
    for group in groups.values():
        changed = {call.id: call for call in judged(group)}
        yield from changed.values()
        yield from (call for call in group if call.status == "ended" and call.result is None and call.id not in changed)


def _fill_of(call: Call) -> Mapping[str, Any]:
    spoken = call.recording_url is not None or call.answered_at is not None
    code = Result.ANSWERED if spoken else Result.UNKNOWN
    return {"of": call.id, "is_missed": call.missed, "code": code.value}
