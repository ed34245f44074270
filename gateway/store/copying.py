"""Copy a gateway's database between SQLite and PostgreSQL: every table, counted and compared, or nothing at all.

The source is locked for writing meanwhile, so that nothing acknowledged is left behind. What follows from other rows is
made anew at the target: the numbers that are given out next, and on SQLite the events' numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from gateway.errors import DataUnusable
from gateway.store.database import Database
from gateway.store.fitting import Fitted
from gateway.store.partitions.beginning import reach_to
from gateway.store.tables import counters, events, metadata, removals
from gateway.texts.text import Text

CHUNK = 2_000
"""Rows at a time; of the widest tables some megabytes."""
DIGEST_BYTES = 8
PATIENCE_MS = 10_000
"""How long to wait until nobody else writes."""
SUMS = ("figure_sums", "figures_changed", "figures_summed", "figure_scopes", "figure_scope_sums")
MADE_ANEW = frozenset({"call_ranges", "counters", "heads", "removals", "writers", "nodes", *SUMS})
"""Tables of numbers that go on at the target, of what lies where, of who runs, and of what is summed anew there."""
OF_THE_PLACE = frozenset({"lanes", "timeline", "cluster", "readiness", "oldest_schema"})
"""Counters that belong to where the database is, not to what is in it."""
LOCKED = "55P03"
LASTING = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
NUMBERED = {"event": events.c.seq, "call": metadata.tables["calls"].c.id, "order": metadata.tables["orders"].c.id}
SEQUENCES = {"call_ids": "call", "order_ids": "order"}


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """What was copied of one table. ``cut``: texts that had to be shortened to fit their column."""

    name: str
    rows: int
    cut: int = 0


@dataclass(slots=True)
class Sum:
    """Count and digest of rows, whatever their order."""

    rows: int = 0
    digest: int = 0

    def add(self, row: Sequence[Any]) -> None:
        found = blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
        self.digest = (self.digest + int.from_bytes(found)) % (1 << 8 * DIGEST_BYTES)
        self.rows += 1


def tables_to_copy() -> Sequence[Table]:
    """Return the tables whose rows are copied, in the order of their names."""
    return [table for name, table in sorted(metadata.tables.items()) if name not in MADE_ANEW]


def copy(
    source: Database,
    target: Database,
    *,
    tenants: Iterable[str] = (),
    on_table: Callable[[CopiedTable], None] = lambda _: None,
    patience_ms: int = PATIENCE_MS,
) -> None:
    """Copy all of ``source`` into ``target``, which has this version's schema and no rows.

    Nobody writes to an SQLite ``source`` meanwhile: the caller holds its lock. PostgreSQL keeps nothing of a copy that
    fails; an SQLite ``target`` is then to be thrown away. ``tenants``: companies that may have no row yet. Raises
    ``DataUnusable`` for a target that is not empty, a source that is written to, and rows that did not arrive.
    """
    with source.engine.connect() as reading, _writing(target) as writing:
        _hold(reading, source, "SHARE", patience_ms)
        _hold(writing, target, "ACCESS EXCLUSIVE", patience_ms)
        _refuse_rows(writing, target)
        if target.kind == "postgresql":
            reach_to(writing, reading.execute(select(func.max(NUMBERED["call"]))).scalar() or 0)
        road = _Road(reading, source, writing, target)
        for table in tables_to_copy():
            on_table(_copy_table(road, table))
        _number(road, tenants)
        writing.commit()
        reading.rollback()


def _writing(target: Database) -> Connection:
    if target.kind == "postgresql":
        return target.engine.connect()
    return target.engine.execution_options(begin="IMMEDIATE").connect()


def _hold(connection: Connection, database: Database, mode: str, patience_ms: int) -> None:
    """Keep others from writing for as long as the transaction lasts, and let it last."""
    if database.kind != "postgresql":
        return
    names = ", ".join(f'"{name}"' for name in sorted(metadata.tables))
    try:
        # Locks come before the transaction's one view of the rows, which begins with the first SELECT.
        for statement in (f"SET LOCAL lock_timeout = {patience_ms}", *LASTING, f"LOCK TABLE {names} IN {mode} MODE"):
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCKED:
            raise
        raise DataUnusable(
            Text("another program writes to the database just now."),
            hint=Text("Stop the gateway on all nodes, then copy."),
        ) from None


def _refuse_rows(connection: Connection, target: Database) -> None:
    for table in tables_to_copy():
        if connection.execute(select(table).limit(1)).first() is not None:
            raise DataUnusable(
                Text("the target is not empty: there are rows in the table {table}.", table=table.name),
                hint=Text("Copy into a database, or a folder, that no gateway has used."),
            )


@dataclass(frozen=True, slots=True)
class _Road:
    reading: Connection
    source: Database
    writing: Connection
    target: Database


def _copy_table(road: _Road, table: Table) -> CopiedTable:
    sent, cut = Sum(), _Cutter(table)
    rows = map(cut, _rows(road, table))
    for chunk in _chunks(_summed(rows, sent)):
        _write(road, table, chunk)
    arrived = Sum()
    for row in _stream(road.writing, select(table)):
        arrived.add(row)
    if arrived != sent:
        raise DataUnusable(
            Text(
                "the table {table} did not arrive as it was: {sent} rows were read, {arrived} are there.",
                table=table.name,
                sent=sent.rows,
                arrived=arrived.rows,
            ),
            hint=Text("Nothing was kept. Is another program at work on the target?"),
        )
    return CopiedTable(table.name, sent.rows, cut.cut)


def _rows(road: _Road, table: Table) -> Iterator[Sequence[Any]]:
    query = select(table).order_by(*table.primary_key)
    if table is events and road.source.kind != "sqlite":
        return _renumbered(road.reading)
    return _stream(road.reading, query)


def _renumbered(reading: Connection) -> Iterator[Sequence[Any]]:
    """Yield all events numbered in one order over all companies: each company's own order is kept, whatever its clock
    showed.
    """
    by = func.max(events.c.at).over(partition_by=events.c.tenant, order_by=events.c.seq)
    query = select(events).order_by(by, events.c.tenant, events.c.seq)
    place = list(events.c).index(events.c.seq)
    for number, row in zip(count(1), _stream(reading, query), strict=False):
        yield (*row[:place], number, *row[place + 1 :])


def _stream(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    return iter(connection.execute(query, execution_options={"yield_per": CHUNK}))


def _summed(rows: Iterable[Sequence[Any]], total: Sum) -> Iterator[Sequence[Any]]:
    for row in rows:
        total.add(row)
        yield row


def _chunks(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    chunk: list[Sequence[Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class _Cutter:
    """Makes each text of a row fit its column, as everything that is written does: older versions did not."""

    def __init__(self, table: Table) -> None:
        self._places = [(i, column.type) for i, column in enumerate(table.c) if isinstance(column.type, Fitted)]
        self.cut = 0

    def __call__(self, row: Sequence[Any]) -> Sequence[Any]:
        changed: dict[int, Any] = {}
        for i, kind in self._places:
            if row[i] is not None and (fitted := kind.fit(row[i])) != row[i]:
                changed[i] = fitted
        self.cut += len(changed)
        return tuple(changed.get(i, value) for i, value in enumerate(row)) if changed else tuple(row)


def _write(road: _Road, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    if road.target.kind != "postgresql":
        # By the driver alone: to make parameters of each row and fit its texts again took a third of all.
        marks = ", ".join("?" * len(table.c))
        road.writing.exec_driver_sql(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', list(rows))  # noqa: S608
        road.writing.commit()  # a write-ahead log as long as the whole database would take its room twice
        return
    driver: Any = road.writing.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as sink:
        for row in rows:
            sink.write_row(row)


def _number(road: _Road, tenants: Iterable[str]) -> None:
    """Have everything that is given a number go on behind what is there."""
    last = _last_numbers(road)
    kept = {name: value for name, value in last.items() if name not in OF_THE_PLACE}
    road.writing.execute(counters.delete().where(counters.c.name.in_(list(kept))))
    road.writing.execute(insert(counters), [{"name": name, "value": value} for name, value in kept.items()])
    if road.source.kind == "sqlite" and (gone := road.reading.execute(select(removals)).mappings().all()):
        road.writing.execute(insert(removals), [dict(row) for row in gone])
    if road.target.kind == "postgresql":
        _number_postgresql(road.writing, last, {*tenants, *_tenants(road.writing)})


def _last_numbers(road: _Road) -> dict[str, int]:
    """Return the counters for the target, those of calls and orders at least as high as what is there."""
    last: dict[str, int] = {row.name: row.value for row in road.reading.execute(select(counters))}
    highest = {name: road.writing.execute(select(func.max(column))).scalar() or 0 for name, column in NUMBERED.items()}
    last |= {name: max(last.get(name, 0), value) for name, value in highest.items()}
    if road.source.kind == "postgresql":
        for sequence, name in SEQUENCES.items():
            given = road.reading.execute(text(f"SELECT last_value FROM {sequence} WHERE is_called")).scalar()  # noqa: S608
            last[name] = max(last[name], given or 0)
        last["event"] = highest["event"]
        last["epoch"] = last.get("epoch", 0) + 1  # pages know positions of the old numbers
    return last


def _number_postgresql(writing: Connection, last: Mapping[str, int], tenants: Iterable[str]) -> None:
    heads = metadata.tables["heads"]
    writing.execute(heads.delete())
    if found := [{"tenant": tenant, "seq": last["event"]} for tenant in sorted(tenants)]:
        writing.execute(insert(heads), found)
    for sequence, name in SEQUENCES.items():
        _go_on_behind(writing, sequence, last[name])
    for table in tables_to_copy():
        if (column := table.autoincrement_column) is not None:
            query = text("SELECT pg_get_serial_sequence(:table, :column)")
            own = writing.execute(query, {"table": table.name, "column": column.name}).scalar_one()
            _go_on_behind(writing, own, writing.execute(select(func.max(column))).scalar() or 0)


def _go_on_behind(writing: Connection, sequence: str, last: int) -> None:
    query = text("SELECT setval(CAST(:sequence AS regclass), :last, :given)")
    writing.execute(query, {"sequence": sequence, "last": max(last, 1), "given": last > 0})


def _tenants(writing: Connection) -> set[str]:
    found: set[str] = set()
    for table in tables_to_copy():
        if "tenant" in table.c:
            found |= set(writing.execute(select(table.c.tenant).distinct()).scalars())
    return found
