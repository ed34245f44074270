"""Tables become parted: those of a new database at once, those of an older one as the first partition.

What takes long with many rows is done ahead of the migration, while others read and write: an index that the new
primary key needs, and a condition by which the rows need not be looked through once nobody else may.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Connection, delete, insert, select, text

from gateway.errors import DataUnusable
from gateway.store.partitions.layout import EVENTS, WITH_CALLS, Parted, Partition, attach, make, part, parts_of
from gateway.store.partitions.months import month_after, month_name, month_of, months_from
from gateway.store.tables import call_ranges, events

log = structlog.get_logger()

DAY_MS = 86_400_000
FIRST_WIDTH = 100_000
"""Ids of the first range, and how many are still to come where a table with rows becomes one."""
MONTHS_AHEAD = 2
LAST_CALL = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM call_ids")
BELOW_IN_DRIVER = (
    "SELECT (regexp_match(pg_get_constraintdef(oid), '< ''?(\\d+)'))[1]::bigint FROM pg_constraint"
    " WHERE conrelid = CAST(%s AS regclass) AND conname = %s AND convalidated"
)
BELOW = text(BELOW_IN_DRIVER.replace("%s", ":parent", 1).replace("%s", ":name", 1))
HAS_VALID_KEY = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('events_key') AND indisvalid)"
IS_OURS = "SELECT to_regclass('alembic_version') IS NOT NULL AND to_regclass('call_ids') IS NOT NULL"
HAS_KEY = text("SELECT to_regclass('events_key') IS NOT NULL")
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('cti-gateway partitions', 0))"
AGAIN_S = 0.2
SAY_AFTER_S, SAY_EVERY_S = 1.0, 10.0
AT_MOST_S = 3600.0
"""An index of the events of years takes that long on a slow server; whoever holds the turn longer has hung."""
WAITING = "Another node prepares the tables of this database; this one starts as soon as that is done."
TAKES_TOO_LONG = "Another node has prepared the tables of the database for {minutes} minutes, and is not done."
END_IT = (
    "Does that node still run? If it hangs, end its connection, which is the one of this query, and start again: "
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
)
LOCKED_AT_MOST = "SET lock_timeout = '500ms'"
"""Others wait behind a lock that is waited for; the start tries again."""


def part_events(connection: Connection) -> None:
    """Partition the event log by month, inside the transaction of ``connection``."""
    now = _now()
    is_used = connection.execute(select(events.c.seq).limit(1)).first() is not None
    end = _below(connection, EVENTS) or (month_after(now + DAY_MS) if is_used else month_of(now))
    connection.exec_driver_sql("ALTER TABLE events DROP CONSTRAINT pk_events")
    if connection.execute(HAS_KEY).scalar():
        connection.exec_driver_sql("ALTER TABLE events ADD CONSTRAINT pk_events PRIMARY KEY USING INDEX events_key")
    else:
        connection.exec_driver_sql(f"ALTER TABLE events ADD CONSTRAINT pk_events PRIMARY KEY ({EVENTS.unique})")
    part(connection, EVENTS, end)
    _forget_bound(connection, EVENTS)
    for month in missing_months(now, [Partition("events_first", None, end)]):
        make(connection, EVENTS, month)


def part_calls(connection: Connection) -> None:
    """Partition calls, their legs and their notes by id, inside the transaction of ``connection``."""
    found = [_below(connection, parted) for parted in WITH_CALLS]
    end = max((each for each in found if each), default=0) or _first_range(connection)
    for parted in WITH_CALLS:
        part(connection, parted, end)
        _forget_bound(connection, parted)
    connection.execute(insert(call_ranges).values(first_id=0, end_id=end, reached_at=0))


def reach_to(connection: Connection, last: int) -> None:
    """Let the first range of a database without calls have room for the ids up to ``last`` that are brought there."""
    end = _behind(last)
    for parted in WITH_CALLS:
        for each in parts_of(connection, parted.table):
            connection.exec_driver_sql(f"ALTER TABLE {parted.table} DETACH PARTITION {each.name}")
            if each.first is not None:
                connection.exec_driver_sql(f"DROP TABLE {each.name}")
        attach(connection, parted, Partition(f"{parted.table}_first", None, end))
    connection.execute(delete(call_ranges))
    connection.execute(insert(call_ranges).values(first_id=0, end_id=end, reached_at=0))


def missing_months(now: int, known: Sequence[Partition]) -> Sequence[Partition]:
    """Return the months, from the present one on, that are in no partition and should be soon."""
    reached = max((each.end or 0 for each in known), default=0)
    months = [month for month in months_from(now, MONTHS_AHEAD) if month >= reached]
    return [Partition(f"events_{month_name(month)}", month, month_after(month)) for month in months]


@contextmanager
def preparing(driver: Any) -> Iterator[None]:
    """Do ahead what takes long, on a psycopg connection in autocommit mode; the block is for the migration. Of several
    nodes one works. Raises ``DataUnusable`` where another one does for more than an hour.
    """
    wait_for_turn(driver)
    _prepare(driver)
    yield


def wait_for_turn(
    driver: Any, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until no other node prepares, and log that it waits. Raises ``DataUnusable`` as ``preparing`` does."""
    began = clock()
    say_at = began + SAY_AFTER_S
    # Not waited for inside of a statement: an index that is built beside others' work would wait for that.
    while not driver.execute(TRY_LOCK).fetchone()[0]:
        now = clock()
        if now - began > AT_MOST_S:
            raise DataUnusable(TAKES_TOO_LONG.format(minutes=round(AT_MOST_S / 60)), hint=END_IT)
        if now >= say_at:
            say_at += SAY_EVERY_S
            log.warning("schema_waits_for_node", waited_s=round(now - began), hint=WAITING)
        sleep(AGAIN_S)


def _prepare(driver: Any) -> None:
    if not driver.execute(IS_OURS).fetchone()[0]:
        return
    waiting = [parted for parted in (EVENTS, *WITH_CALLS) if _is_whole(driver, parted.table)]
    if not waiting:
        return
    driver.execute(LOCKED_AT_MOST)
    last = driver.execute(str(LAST_CALL)).fetchone()[0]
    for parted in waiting:
        _bound(driver, parted, _now() if parted is EVENTS else last, _first_end(_now(), last, parted))
    driver.execute("SET lock_timeout = 0")  # who builds an index so blocks nobody while it waits
    if EVENTS in waiting and not driver.execute(HAS_VALID_KEY).fetchone()[0]:
        driver.execute("DROP INDEX CONCURRENTLY IF EXISTS events_key")
        driver.execute(f"CREATE UNIQUE INDEX CONCURRENTLY events_key ON events ({EVENTS.unique})")


def _bound(driver: Any, parted: Parted, reached: int, end: int) -> None:
    """Let the database know that all keys are below ``end``, which is some way ahead of what is ``reached``; rows that
    are not are moved later.
    """
    table, name = parted.table, f"{parted.table}_below"
    known = driver.execute(BELOW_IN_DRIVER, [table, name]).fetchone()
    if known and known[0] - reached > (end - reached) // 2:
        return
    driver.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    if driver.execute(f"SELECT 1 FROM {table} WHERE {parted.key} >= %s LIMIT 1", [end]).fetchone():  # noqa: S608
        return
    driver.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({parted.key} < {end}) NOT VALID")
    driver.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _is_whole(driver: Any, table: str) -> bool:
    """Return whether ``table`` is there, and not parted."""
    found = driver.execute("SELECT relkind::text = 'r' FROM pg_class WHERE oid = to_regclass(%s)", [table]).fetchone()
    return bool(found and found[0])


def _below(connection: Connection, parted: Parted) -> int | None:
    """Return below what all keys are known to be, None where that is not known."""
    found: int | None = connection.execute(BELOW, {"parent": parted.table, "name": f"{parted.table}_below"}).scalar()
    return found


def _forget_bound(connection: Connection, parted: Parted) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {parted.table}_first DROP CONSTRAINT IF EXISTS {parted.table}_below")


def _first_range(connection: Connection) -> int:
    return _behind(int(connection.execute(LAST_CALL).scalar_one()))


def _behind(last: int) -> int:
    return (last // FIRST_WIDTH + 1) * FIRST_WIDTH if last == 0 else (last // FIRST_WIDTH + 2) * FIRST_WIDTH


def _first_end(now: int, last: int, parted: Parted) -> int:
    """Return where the partition ends of what has been written so far: not in the next moments."""
    return month_after(now + DAY_MS) if parted is EVENTS else _behind(last)


def _now() -> int:
    return round(time.time() * 1000)
