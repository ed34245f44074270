"""A database on PostgreSQL whose partitions begin where a test wants them to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, delete, insert, text

from gateway.store.partitions.layout import EVENTS, WITH_CALLS, Partition, make, parts_of
from gateway.store.partitions.months import month_after, month_name
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from gateway.store.tables import call_ranges
from tests.postgresql import EMPTY, TEMPLATE, server


@contextmanager
def parted_database(data: Path, months: Sequence[int], ids: Sequence[int]) -> Iterator[PostgresqlDatabase]:
    """A database of events of ``months`` (when each begins) and of calls with ids from each of ``ids`` to the next."""
    name = _made()
    database = open_postgresql(server().url(name), data)
    try:
        with database.engine.begin() as connection:
            _part(connection, months, ids)
        yield database
    finally:
        database.close()
        server().run(EMPTY, name)


@cache
def _made() -> str:
    server().run(f"CREATE DATABASE cti_parted TEMPLATE {TEMPLATE}")
    return "cti_parted"


def _part(connection: Connection, months: Sequence[int], ids: Sequence[int]) -> None:
    for parted in (EVENTS, *WITH_CALLS):
        for each in parts_of(connection, parted.table):
            connection.execute(text(f"DROP TABLE {each.name}"))
    for month in months:
        make(connection, EVENTS, Partition(f"events_{month_name(month)}", month, month_after(month)))
    connection.execute(delete(call_ranges))
    for first, end in pairwise(ids):
        connection.execute(insert(call_ranges).values(first_id=first, end_id=end, reached_at=None if first else 0))
        for parted in WITH_CALLS:
            make(connection, parted, Partition(f"{parted.table}_from_{first}", first, end))


def names_of(database: PostgresqlDatabase, table: str) -> list[str]:
    """The partitions of ``table``, but for the one of all other keys."""
    with database.engine.connect() as connection:
        return [each.name for each in parts_of(connection, table)]
