"""How tables are parted on PostgreSQL, and how one that is whole becomes the first part of one that is.

Each has a DEFAULT partition, so that nothing is ever refused because a partition is missing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text


class Parted(NamedTuple):
    """A table that is parted by ranges of ``key``, which belongs to its primary key ``unique``."""

    table: str
    key: str
    unique: str
    settings: str = ""
    """Of each partition: PostgreSQL lets the table itself have none."""


class Partition(NamedTuple):
    """A partition, with the keys ``first`` to ``end``, without the latter; None: without a bound."""

    name: str
    first: int | None
    end: int | None


EVENTS = Parted("events", "at", "tenant, seq, at")
"""By month: what is kept for a time only then goes as a whole. That (tenant, seq) is unique over all months is
guaranteed by the lock on the tenant's head (``counting.py`` looks after it).
"""
CALLS = Parted("calls", "id", "id", "WITH (fillfactor = 90)")
"""By id and not by time: everything that refers to a call does so by its id, which stays unique by itself, and ids tell
the time in one direction: what was first heard of after a moment has none that was given out before it.
"""
WITH_CALLS = (
    CALLS,
    Parted("legs", "call_id", "call_id, place"),
    Parted("notes", "call_id", "call_id, digest"),
)
"""Parted alike, so that they go together."""

PARTS = text(
    "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) ~ '^DEFAULT',"
    " (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''(-?\\d+)''\\)'))[1]::bigint,"
    " (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''(-?\\d+)''\\)'))[1]::bigint"
    " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = CAST(:parent AS regclass)"
    " ORDER BY 3 NULLS FIRST"
)
INDEXES = text(
    "SELECT i.relname, pg_get_indexdef(x.indexrelid), x.indisprimary FROM pg_index x"
    " JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = CAST(:parent AS regclass)"
)
IS_PARTED = text("SELECT relkind = 'p' FROM pg_class WHERE oid = CAST(:parent AS regclass)")
REMARK = text("SELECT obj_description(CAST(:parent AS regclass), 'pg_class')")


def parts_of(connection: Connection, table: str) -> Sequence[Partition]:
    """Return the partitions of ``table`` in their order, but for the one of all other keys."""
    rows = connection.execute(PARTS, {"parent": table})
    return [Partition(name, first, end) for name, is_default, first, end in rows if not is_default]


def is_parted(connection: Connection, table: str) -> bool:
    """Return whether ``table`` has partitions."""
    return bool(connection.execute(IS_PARTED, {"parent": table}).scalar())


def part(connection: Connection, parted: Parted, end: int) -> None:
    """Make ``parted`` of the table of that name, which becomes the partition of all keys below ``end``.

    No row is written anew, but for those from ``end`` on. Whoever uses the table waits until the transaction ends.
    """
    table, first = parted.table, f"{parted.table}_first"
    connection.execute(text("SET LOCAL client_min_messages = warning"))
    indexes = connection.execute(INDEXES, {"parent": table}).all()
    remark = connection.execute(REMARK, {"parent": table}).scalar()
    _run(connection, f"ALTER TABLE {table} RENAME TO {first}")
    for name, _, _ in indexes:
        _run(connection, f"ALTER INDEX {name} RENAME TO {name}_first")
    _run(connection, f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS INCLUDING COMMENTS) {_by(parted)}")
    _run(connection, f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({parted.unique})")
    for _, definition, is_primary in indexes:
        if not is_primary:
            _run(connection, definition)
    if remark:
        _run(connection, f"COMMENT ON TABLE {table} IS '{remark.replace(chr(39), chr(39) * 2)}'")
    _run(connection, f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT {parted.settings}")
    _move(connection, first, f"{table}_default", f"{parted.key} >= {end}")
    attach(connection, parted, Partition(first, None, end))


def make(connection: Connection, parted: Parted, wanted: Partition) -> int:
    """Make the partition ``wanted``, and move there what lies in the DEFAULT one; return how many rows that were.

    For a moment nobody else may look at the DEFAULT partition, so that nothing is missed.
    """
    default = f"{parted.table}_default"
    _run(connection, f"CREATE TABLE {wanted.name} (LIKE {parted.table} INCLUDING DEFAULTS) {parted.settings}")
    _run(connection, f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")
    within = f"{parted.key} >= {wanted.first} AND {parted.key} < {wanted.end}"
    moved = _move(connection, default, wanted.name, within)
    attach(connection, parted, wanted)
    return moved


def attach(connection: Connection, parted: Parted, wanted: Partition) -> None:
    """Let the table ``wanted.name`` be a partition."""
    first = "MINVALUE" if wanted.first is None else wanted.first
    bounds = f"FROM ({first}) TO ({wanted.end})"
    _run(connection, f"ALTER TABLE {parted.table} ATTACH PARTITION {wanted.name} FOR VALUES {bounds}")


def _by(parted: Parted) -> str:
    return f"PARTITION BY RANGE ({parted.key})"


def _move(connection: Connection, source: str, target: str, where: str) -> int:
    moved = f"WITH moved AS (DELETE FROM {source} WHERE {where} RETURNING *)"  # noqa: S608 - of names of ours
    return connection.exec_driver_sql(f"{moved} INSERT INTO {target} SELECT * FROM moved").rowcount  # noqa: S608


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))
