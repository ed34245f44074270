"""What hangs on the calls of a partition without lying in one that goes with it: orders with their attempts, events,
notes of agents, who calls back. It is removed in slices ahead of the calls.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, select, text, tuple_

from gateway.store.partitions.layout import Partition
from gateway.store.removing import SLICE, Removed, note_removed, remove_orders
from gateway.store.tables import agent_notes, events, missed_claims

Remove = Callable[[Connection], Removed]
OF_PEOPLE = (agent_notes, missed_claims)


def slices_beside(engine: Engine, part: Partition) -> Iterator[Remove]:
    """Yield what removes a slice each; run one before the next is asked for."""
    yield from _orders(engine, part)
    yield from _of_people(engine, part)
    yield from _events(engine, part)


def _orders(engine: Engine, part: Partition) -> Iterator[Remove]:
    query = f"SELECT id, order_id FROM {part.name} WHERE id > :after AND order_id IS NOT NULL ORDER BY id LIMIT {SLICE}"  # noqa: S608
    after = 0
    while rows := _read(engine, text(query), {"after": after}):
        yield partial(_remove_orders, rows=rows)
        after = rows[-1].id


def _remove_orders(connection: Connection, rows: Sequence[Any]) -> Removed:
    return Removed(attempts=remove_orders(connection, rows))


def _of_people(engine: Engine, part: Partition) -> Iterator[Remove]:
    for table in OF_PEOPLE:
        query = select(table.c.call_id).where(*_within(table, part.first or 0, part)).limit(SLICE)
        while rows := _read(engine, query):
            yield partial(_remove_of_people, table=table, ids=[row.call_id for row in rows])


def _remove_of_people(connection: Connection, table: Table, ids: Sequence[int]) -> Removed:
    connection.execute(delete(table).where(table.c.call_id.in_(ids)))
    return Removed()


def _events(engine: Engine, part: Partition) -> Iterator[Remove]:
    """Yield what removes events of the calls that do not lie in a month that went."""
    after = max(part.first or 0, 1)  # 0: those of no call
    columns = (events.c.tenant, events.c.seq, events.c.at, events.c.call_id)
    while rows := _read(
        engine, select(*columns).where(*_within(events, after, part)).order_by(events.c.call_id).limit(SLICE)
    ):
        yield partial(_remove_events, rows=rows)
        after = rows[-1].call_id


def _remove_events(connection: Connection, rows: Sequence[Any]) -> Removed:
    key = tuple_(events.c.tenant, events.c.seq, events.c.at)
    gone = connection.execute(delete(events).where(key.in_([tuple(row[:3]) for row in rows]))).rowcount
    for tenant in sorted({row.tenant for row in rows}):
        note_removed(connection, tenant, seq=max(row.seq for row in rows if row.tenant == tenant))
    return Removed(events=gone)


def _within(table: Table, first: int, part: Partition) -> Sequence[Any]:
    return table.c.call_id >= first, table.c.call_id < (part.end or 0)


def _read(engine: Engine, query: Any, values: dict[str, Any] | None = None) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(query, values or {}).all()
