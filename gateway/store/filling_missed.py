"""Fills in which calls of before were missed and which of those were returned, and how those ended of which nobody said
it, a slice at a time.

It begins when the words that an older version dropped have been brought back (``filling.py``), and goes the same way:
slices are read without the write lock, newest first, and written by the journal. How far it came is the counter
``missed_to_fill``, the newest call that was not looked at yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select, update

from gateway.domain.calls.call import Call
from gateway.domain.calls.ghosts import is_of_nobody
from gateway.domain.calls.missed import judged
from gateway.domain.calls.results import Result
from gateway.store import tables
from gateway.store.candidates import BOOK_COLUMNS, call_of

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


later = calls.alias("later")
_TAKEN_LATER = and_(
    later.c.tenant == bindparam("of_tenant"),
    later.c.number == bindparam("of_number"),
    later.c.logged_at >= bindparam("since"),
    later.c.id > bindparam("of"),
    or_(later.c.answered_at.is_not(None), later.c.result == Result.ANSWERED.value),
)
_BY = select(func.min(later.c.id)).where(_TAKEN_LATER).scalar_subquery()
_RETURN = update(calls).where(calls.c.id == bindparam("of")).values(returned_by=_BY)
_WHEN = (
    select(func.coalesce(later.c.answered_at, later.c.started_at, later.c.logged_at))
    .where(later.c.id == calls.c.returned_by)
    .scalar_subquery()
)
_RETURN_AT = (
    update(calls)
    .where(calls.c.id > bindparam("above"), calls.c.id <= bindparam("upto"))
    .where(calls.c.returned_by.is_not(None), calls.c.returned_at.is_(None))
    .values(returned_at=_WHEN)
)


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
    _return_missed(connection, upto)
    connection.execute(_MOVE_ON, {"left": max(0, upto - SLICE)})


def _return_missed(connection: Connection, upto: int) -> None:
    """Mark those missed calls of a slice whose number somebody spoke with later; later calls are filled in by now."""
    between = {"above": max(0, upto - SLICE), "upto": upto}
    of_slice = (calls.c.id > between["above"], calls.c.id <= upto)
    query = select(calls).where(*of_slice, calls.c.missed.is_(True), calls.c.returned_at.is_(None))
    wanted = [
        {"of": row.id, "of_tenant": row.tenant, "of_number": row.number, "since": row.logged_at}
        for row in connection.execute(query)
        if not is_of_nobody(row.number)
    ]
    if wanted:
        connection.execute(_RETURN, wanted)
        connection.execute(_RETURN_AT, between)


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
