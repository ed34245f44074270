"""Partitions are made before they are needed: the next months of events, and the next range of ids of calls.

A range is as wide as ids are given out in about a month. Making it blocks nobody for longer than ``LOCKED_AT_MOST_MS``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, insert, select, text, update
from sqlalchemy.exc import OperationalError

from gateway.store.partitions.beginning import FIRST_WIDTH, LAST_CALL, missing_months
from gateway.store.partitions.layout import EVENTS, WITH_CALLS, Partition, make, parts_of
from gateway.store.tables import call_ranges, calls

log = structlog.get_logger()
T = TypeVar("T")

LOCKED_AT_MOST_MS = 200
"""How long others may have to wait behind a lock that we wait for; then it is tried again later."""
LOCK_TAKES_LONG = "55P03"
LAST_PART = 8
"""The next range is made when less than one of so many parts of the last is left."""
AT_LEAST_LEFT = 50_000
"""... or fewer ids than this."""
MONTH_MS = 30 * 86_400_000
SOON_MS = 600_000
"""What is given out in less time says little of a month."""
WIDEST = 50_000_000
GROWS_BY = 8
"""How much wider than the one before it a range may be: a rush is not a month."""


class PartitionsAhead:
    """Makes what is missing; for one process at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def work(self, now: int) -> None:
        """Make what is missing; what others hold up is made the next time."""
        if self._engine.dialect.name != "postgresql":
            return
        for month in in_short(self._engine, lambda connection: _missing_months(connection, now)) or ():
            self._make(month.name, lambda connection, month=month: make(connection, EVENTS, month))  # type: ignore[misc]
        for first in in_short(self._engine, lambda connection: _next_ranges(connection, now)) or ():
            self._make(f"calls_from_{first[0]}", lambda connection, first=first: _make_range(connection, *first))  # type: ignore[misc]

    def _make(self, name: str, work: Callable[[Connection], int]) -> None:
        moved = in_short(self._engine, work)
        if moved is None:
            log.info("partition_put_off", partition=name)
        else:
            log.info("partition_made", partition=name, moved=moved)


def in_short(engine: Engine, work: Callable[[Connection], T]) -> T | None:
    """Return what ``work`` returns within a transaction in which no lock is waited for long; None where one was."""
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        try:
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCKED_AT_MOST_MS}"))
            found = work(connection)
            connection.commit()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_TAKES_LONG:
                raise
            return None
        return found


def _missing_months(connection: Connection, now: int) -> Sequence[Partition]:
    return missing_months(now, parts_of(connection, EVENTS.table))


def _next_ranges(connection: Connection, now: int) -> Sequence[tuple[int, int]]:
    """Note which ranges were reached; return the first and the end of the one that is to be made, if it is."""
    last = int(connection.execute(LAST_CALL).scalar_one())
    reached = (call_ranges.c.first_id <= last, call_ranges.c.reached_at.is_(None))
    connection.execute(update(call_ranges).where(*reached).values(reached_at=now))
    return [*_wanted(connection, last, now)]


def _wanted(connection: Connection, last: int, now: int) -> Iterator[tuple[int, int]]:
    newest = connection.execute(select(call_ranges).order_by(call_ranges.c.first_id.desc()).limit(1)).first()
    if newest is None:
        return
    first, width = newest.end_id, newest.end_id - newest.first_id
    if first - last <= max(width // LAST_PART, AT_LEAST_LEFT):
        end = first + next_width(width, *_pace(connection, last, max(FIRST_WIDTH, width // 2), now))
        yield first, max(end, last // FIRST_WIDTH * FIRST_WIDTH + 2 * FIRST_WIDTH)


def _pace(connection: Connection, last: int, ids: int, now: int) -> tuple[int, int]:
    """Return how many of the last ``ids`` were given out, and in which time (milliseconds)."""
    query = select(calls.c.id, calls.c.logged_at).where(calls.c.id > last - ids, calls.c.id <= last)
    found = connection.execute(query.order_by(calls.c.id).limit(1)).first()
    return (last - found.id, max(now - found.logged_at, SOON_MS)) if found else (0, MONTH_MS)


def next_width(before: int, given_out: int, in_ms: int) -> int:
    """Return how wide the range behind one as wide as ``before`` is to be: a month, as ids are given out now."""
    wanted = min(max(given_out * MONTH_MS // in_ms, FIRST_WIDTH), before * GROWS_BY, WIDEST)
    return -(-wanted // FIRST_WIDTH) * FIRST_WIDTH


def _make_range(connection: Connection, first: int, end: int) -> int:
    connection.execute(insert(call_ranges).values(first_id=first, end_id=end))
    return sum(make(connection, parted, Partition(f"{parted.table}_from_{first}", first, end)) for parted in WITH_CALLS)
