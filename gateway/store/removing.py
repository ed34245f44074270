"""Rows removed by age, in slices that are short enough for events to get their turn between them.

A call goes with all that hangs on it: legs, notes, events, its order and that order's attempts. What has no call, or is
kept for less time than its call, goes by its own age.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, exists, func, insert, select, update

from gateway.store import tables

calls, events, attempts, orders = tables.calls, tables.events, tables.attempts, tables.orders
agent_notes, removals = tables.agent_notes, tables.removals

SLICE = 200
"""Calls, events or attempts that are removed in one transaction."""
HANGS_ON_CALLS = (tables.legs, tables.notes, tables.agent_notes, tables.missed_claims)
"""Tables whose rows belong to a call by ``call_id``, which is looked up there by an index."""


class Removed(NamedTuple):
    """How many rows went."""

    calls: int = 0
    events: int = 0
    attempts: int = 0

    def plus(self, more: "Removed") -> "Removed":
        return Removed(*(mine + theirs for mine, theirs in zip(self, more, strict=True)))


@dataclass(frozen=True, slots=True)
class Ages:
    """How long a company keeps what, in milliseconds; None: for good."""

    calls_ms: int | None = None
    events_ms: int | None = None
    attempts_ms: int | None = None


class Aged(NamedTuple):
    """A slice of a table's rows in the order of their ``key``, of which those of ``old`` are to go."""

    old: Sequence[int]
    until: int
    """All rows up to this key are old; from here the next slice is read."""


def remove_calls(connection: Connection, tenant: str, before: int) -> Removed:
    """Remove the oldest calls of ``tenant``, of those that were first heard of before ``before`` (milliseconds).

    A call stays where its agent's note asks for a follow-up that is due later, and not done.
    """
    due = (agent_notes.c.follow_up_at >= before, agent_notes.c.follow_up_done_at.is_(None))
    query = select(calls.c.id, calls.c.order_id).where(calls.c.tenant == tenant, calls.c.logged_at < before)
    query = query.where(~exists().where(agent_notes.c.call_id == calls.c.id, *due))
    rows = connection.execute(query.order_by(calls.c.logged_at).limit(SLICE)).all()
    if not rows:
        return Removed()
    ids = [row.id for row in rows]
    removed = Removed(len(ids), _remove_events_of(connection, tenant, ids), remove_orders(connection, rows))
    for table in HANGS_ON_CALLS:
        connection.execute(delete(table).where(table.c.call_id.in_(ids)))
    connection.execute(delete(calls).where(calls.c.id.in_(ids)))
    note_removed(connection, tenant, call_id=max(ids))
    return removed


def _remove_events_of(connection: Connection, tenant: str, ids: Sequence[int]) -> int:
    theirs = (events.c.call_id.in_(ids), events.c.tenant == tenant)
    newest = connection.execute(select(func.max(events.c.seq)).where(*theirs)).scalar()
    if newest is None:
        return 0
    note_removed(connection, tenant, seq=newest)
    return connection.execute(delete(events).where(*theirs)).rowcount


def remove_orders(connection: Connection, rows: Sequence[Any]) -> int:
    """Remove the orders of calls; return how many attempts went with them."""
    ids = [row.order_id for row in rows if row.order_id is not None]
    if not ids:
        return 0
    gone = connection.execute(delete(attempts).where(attempts.c.order_id.in_(ids))).rowcount
    connection.execute(delete(orders).where(orders.c.id.in_(ids)))
    return gone


def aged_events(connection: Connection, tenant: str, before: int) -> Aged:
    """Return the next events of ``tenant`` that are to go. Nobody changes an event, so this needs no lock."""
    found = select(removals.c.events_until).where(removals.c.tenant == tenant)
    after = connection.execute(found).scalar() or 0
    return _aged(connection, events_behind(tenant, after), after, before)


def events_behind(tenant: str, after: int) -> Select[Any]:
    """Return the query for the next events of ``tenant``."""
    query = select(events.c.seq, events.c.at).where(events.c.tenant == tenant, events.c.seq > after)
    return query.order_by(events.c.seq).limit(SLICE)


def remove_events(connection: Connection, tenant: str, aged: Aged) -> Removed:
    """Remove what ``aged_events`` has returned."""
    gone = connection.execute(delete(events).where(events.c.tenant == tenant, events.c.seq.in_(aged.old))).rowcount
    note_removed(connection, tenant, seq=max(aged.old), events_until=aged.until)
    return Removed(events=gone)


def aged_attempts(connection: Connection, tenant: str, after: int, before: int) -> Aged:
    """Return the next attempts of ``tenant`` behind the id ``after`` that are to go."""
    return _aged(connection, attempts_behind(tenant, after), after, before)


def attempts_behind(tenant: str, after: int) -> Select[Any]:
    """Return the query for the next attempts of ``tenant``, in the order of their ids: by the index that begins with
    the tenant, all of its attempts would be sorted for each slice.
    """
    theirs = attempts.c.tenant + "" == tenant
    query = select(attempts.c.id, attempts.c.ended_at).where(theirs, attempts.c.id > after)
    return query.order_by(attempts.c.id).limit(SLICE)


def remove_attempts(connection: Connection, aged: Aged) -> Removed:
    """Remove what ``aged_attempts`` has returned."""
    return Removed(attempts=connection.execute(delete(attempts).where(attempts.c.id.in_(aged.old))).rowcount)


def _aged(connection: Connection, query: Select[Any], after: int, before: int) -> Aged:
    """Return a slice behind ``after``. Times rise with keys, but for clocks that were put right: one young row among
    old ones does not keep these.
    """
    rows = connection.execute(query).all()
    first_kept = next((place for place, row in enumerate(rows) if row[1] >= before), len(rows))
    old = [row[0] for row in rows if row[1] < before]
    return Aged(old, rows[first_kept - 1][0] if first_kept else after)


def note_removed(connection: Connection, tenant: str, **reached: int) -> None:
    """Write down how far rows of ``tenant`` are gone; nothing goes back."""
    known = connection.execute(select(removals).where(removals.c.tenant == tenant)).one_or_none()
    if known is None:
        connection.execute(insert(removals).values(tenant=tenant, **reached))
        return
    values = {name: max(value, known._mapping[name]) for name, value in reached.items()}
    connection.execute(update(removals).where(removals.c.tenant == tenant).values(values))


def removed_calls(connection: Connection) -> Mapping[str, int]:
    """Return by company up to which id calls may be missing."""
    rows = connection.execute(select(removals.c.tenant, removals.c.call_id).where(removals.c.call_id > 0))
    return {row.tenant: row.call_id for row in rows}
