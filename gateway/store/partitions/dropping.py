"""Partitions that go whole, when everything in them is older than its company keeps it: nothing has to be read, and no
room is left behind that has to be tidied up.

Whoever drops one waits for others, who then wait behind: so only for moments, and again and again.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection, Engine, delete, func, select, text

from gateway.store.figures.sums import distrust
from gateway.store.partitions.ahead import in_short
from gateway.store.partitions.beginning import LAST_CALL
from gateway.store.partitions.beside import slices_beside
from gateway.store.partitions.layout import CALLS, EVENTS, WITH_CALLS, Partition, parts_of
from gateway.store.partitions.months import month_of
from gateway.store.removing import Ages, Removed
from gateway.store.tables import call_ranges

log = structlog.get_logger()

LONGEST_PARTITION_MS = 45 * 86_400_000
"""Where calls are few, a range lasts for years: they go by their age then."""
TRIES = 10
PAUSE_S = 0.5
"""Between two tries others have their turn."""
TENANTS = (
    "WITH RECURSIVE found AS ((SELECT tenant FROM {part} ORDER BY tenant LIMIT 1) UNION ALL"
    " SELECT (SELECT p.tenant FROM {part} p WHERE p.tenant > found.tenant ORDER BY p.tenant LIMIT 1) FROM found"
    " WHERE found.tenant IS NOT NULL) SELECT tenant FROM found WHERE tenant IS NOT NULL"
)
"""Companies with rows in a partition, by its index."""
NEWEST_CALL = "SELECT max(logged_at) FROM {part} WHERE tenant = :tenant"
IS_FOLLOWED_UP = (
    "SELECT EXISTS (SELECT FROM agent_notes WHERE tenant = :tenant AND follow_up_at >= :before"
    " AND follow_up_done_at IS NULL AND EXISTS (SELECT FROM {part} p WHERE p.{column} = agent_notes.call_id))"
)
"""Whether a call stays because somebody is to call again later."""
HAS_OTHERS = "SELECT EXISTS (SELECT FROM {part} WHERE call_id = 0 AND tenant = :tenant)"
"""Whether there are events that belong to no call: these stay where only calls are kept for a time."""
EVENTS_IN = "SELECT tenant, count(*), max(seq), max(at) FROM {part} GROUP BY tenant"
CALLS_IN = "SELECT tenant, count(*), max(id), max(logged_at) FROM {part} GROUP BY tenant"
NOTE = text(
    "INSERT INTO removals (tenant, {column}) SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:upto AS bigint[]))"
    " ON CONFLICT (tenant) DO UPDATE SET {column} = greatest(removals.{column}, excluded.{column})"
)
Gone = Mapping[str, Removed]
"""What went, by company."""
MayGo = Callable[[Connection, Partition, str], bool]
"""Says whether all that a company has in a partition may go."""


class PartitionDrops:
    """Drops what is old. ``run`` runs what removes some rows, in a transaction of its own, and rests behind it."""

    def __init__(
        self,
        engine: Engine,
        ages: Mapping[str, Ages],
        ago: Callable[[int], int],
        run: Callable[[Callable[[Connection], Removed]], Removed],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._engine = engine
        self._ages = ages
        self._ago = ago
        self._run = run
        self._pause = pause
        self.is_held_up = False
        """Whether something is left to drop that others use just now."""

    def work(self) -> Iterator[Gone]:
        """Drop what can go; yield now and then, and what went with each partition. SQLite has none."""
        self.is_held_up = False
        if self._engine.dialect.name != "postgresql":
            return
        for month in self._old(EVENTS.table, self._may_go_with_events):
            yield from self._drop_month(month)
        for span in self._old(CALLS.table, self._may_go_with_calls):
            yield from self._drop_range(span)

    def begin_of_partition(self, table: str, at: int) -> int:
        """Return when the partition of ``at`` began, not longer before it than one should last; ``at`` on SQLite."""
        if self._engine.dialect.name != "postgresql":
            return at
        if table == EVENTS.table:
            return month_of(at)
        query = select(func.max(call_ranges.c.reached_at)).where(call_ranges.c.reached_at <= at)
        with self._engine.connect() as connection:
            return max(connection.execute(query).scalar() or 0, at - LONGEST_PARTITION_MS)

    def _old(self, table: str, may_go: MayGo) -> Sequence[Partition]:
        """Return the partitions of ``table``, but for the last, of which all that is in them may go."""
        with self._engine.connect() as connection:
            known = parts_of(connection, table)[:-1]
            return [part for part in known if self._is_old(connection, part, may_go)]

    def _is_old(self, connection: Connection, part: Partition, may_go: MayGo) -> bool:
        """Return whether ``part`` may go: no more rows will come, and those of every company are old."""
        reached = self._ago(0) if part.name.startswith(EVENTS.table) else connection.execute(LAST_CALL).scalar_one()
        if part.end is None or part.end > reached:
            return False
        tenants = connection.execute(text(TENANTS.format(part=part.name))).scalars().all()
        return all(may_go(connection, part, tenant) for tenant in tenants)

    def _may_go_with_events(self, connection: Connection, part: Partition, tenant: str) -> bool:
        ages = self._ages.get(tenant, Ages())
        end = part.end or 0
        if ages.events_ms is not None:
            return end <= self._ago(ages.events_ms)
        if ages.calls_ms is None or end > (before := self._ago(ages.calls_ms)):
            return False
        others = connection.execute(text(HAS_OTHERS.format(part=part.name)), {"tenant": tenant}).scalar()
        return not others and not self._is_followed_up(connection, part, "call_id", tenant, before)

    def _may_go_with_calls(self, connection: Connection, part: Partition, tenant: str) -> bool:
        ages = self._ages.get(tenant, Ages())
        if ages.calls_ms is None:
            return False
        before = self._ago(ages.calls_ms)
        newest = connection.execute(text(NEWEST_CALL.format(part=part.name)), {"tenant": tenant}).scalar_one()
        return newest < before and not self._is_followed_up(connection, part, "id", tenant, before)

    def _is_followed_up(self, connection: Connection, part: Partition, column: str, tenant: str, before: int) -> bool:
        query = text(IS_FOLLOWED_UP.format(part=part.name, column=column))
        return bool(connection.execute(query, {"tenant": tenant, "before": before}).scalar())

    def _drop_month(self, part: Partition) -> Iterator[Gone]:
        counts = self._counts(EVENTS_IN, part)
        upto = {tenant: newest for tenant, _, newest, _ in counts}
        if self._drop(part.name, partial(_note, column="seq", upto=upto)):
            yield {tenant: Removed(events=count) for tenant, count, *_ in counts}

    def _drop_range(self, part: Partition) -> Iterator[Gone]:
        """Drop calls with their legs and notes, when what else hangs on them is removed."""
        counts = self._counts(CALLS_IN, part)
        beside = Removed()
        for remove in slices_beside(self._engine, part):
            beside = beside.plus(self._run(remove))
            yield {}
        names = [part.name.replace(CALLS.table, parted.table, 1) for parted in reversed(WITH_CALLS)]
        upto = {tenant: newest for tenant, _, newest, _ in counts}
        logged = {tenant: newest + 1 for tenant, *_, newest in counts}
        notes = {part.name: partial(_note_calls, upto=upto, logged=logged, span=part.first or 0)}
        if all(self._drop(name, notes.get(name, _nothing)) for name in names):
            log.info("calls_removed_whole", partition=part.name, **beside._asdict())
            yield {tenant: Removed(calls=count) for tenant, count, *_ in counts}

    def _counts(self, query: str, part: Partition) -> Sequence[tuple[str, int, int, int]]:
        """Return of each company with rows in ``part``: how many, the highest number and the latest time."""
        with self._engine.connect() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(text(query.format(part=part.name)))]

    def _drop(self, name: str, note: Callable[[Connection], None]) -> bool:
        """Drop the table ``name`` and ``note`` it; return whether that was possible."""
        for _ in range(TRIES):
            if in_short(self._engine, partial(_drop, name=name, note=note)):
                log.info("partition_dropped", partition=name)
                return True
            self._pause(PAUSE_S)
        log.warning(
            "partition_not_dropped", partition=name, hint="something reads the table for long: a backup, a report"
        )
        self.is_held_up = True
        return False


def _drop(connection: Connection, name: str, note: Callable[[Connection], None]) -> bool:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    note(connection)
    return True


def _nothing(_connection: Connection) -> None: ...


def _note(connection: Connection, column: str, upto: Mapping[str, int]) -> None:
    """Write down how far rows of companies are gone."""
    query = text(NOTE.text.format(column=column))
    connection.execute(query, {"tenants": list(upto), "upto": list(upto.values())})


def _note_calls(connection: Connection, upto: Mapping[str, int], logged: Mapping[str, int], span: int) -> None:
    """Write down that a range of ids is gone; the figures of hours up to ``logged`` are summed anew."""
    _note(connection, "call_id", upto)
    distrust(connection, logged)
    connection.execute(delete(call_ranges).where(call_ranges.c.first_id == span))
