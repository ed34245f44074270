"""Keep the sums of figures: of each hour soon after its end, anew where its calls changed, of older calls by the day.

Calls are counted without the write lock. What changes while they are counted is noted by triggers (``triggers.py``), so
that it is counted again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, func, select

from gateway.clock import Clock
from gateway.domain.calls.scope import Team
from gateway.store import filling, tables
from gateway.store.bulk import INSERTS
from gateway.store.figures.covered import DAY_MS, hour_of
from gateway.store.figures.day_summing import DaySumming
from gateway.store.figures.scope_summing import NO_TEAMS, ScopeSumming
from gateway.store.figures.scopes import read_scopes
from gateway.store.figures.sums import (
    SummedHours,
    SumsOfHours,
    count_hours,
    move,
    newest_sum,
    read_changed,
    read_summed,
    write_sums,
)
from gateway.store.figures.triggers import HOUR_MS
from gateway.store.writing.journal import Journal

calls = tables.calls
summed, changed = tables.figures_summed, tables.figures_changed
log = structlog.get_logger()

LAG_MS = 30 * 60 * 1000
"""How long after its end an hour is summed: most of its calls have ended by then, and change no more."""
MOST_CHANGED = 500
"""Changed hours that are looked up at once."""
AT_ONCE_S = 5.0
"""How long one turn of ``work`` may take, so that maintenance comes to its other chores."""
REST = 1.0
"""Behind each slice it rests for so many times what the slice took: events get their turn."""


class Summing:
    """Keeps the sums of ``tenants``, for one thread; ``teams`` are those of each tenant.

    ``work`` raises ``BusyError``; what was not done is done the next time. Of several processes that do it, those that
    are behind write nothing.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        tenants: Collection[str],
        *,
        clock: Clock | None = None,
        rest: Callable[[float], object] = time.sleep,
        teams: Mapping[str, Sequence[Team]] = NO_TEAMS,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._tenants = tenants
        self._clock = clock or Clock()
        self._rest = rest
        self._days = DaySumming(engine, journal)
        self._scopes = ScopeSumming(engine, journal, self._clock, teams)

    def work(self, _now: int) -> None:
        """Sum what there is time for. Nothing is summed as long as older calls are filled in (``filling.py``)."""
        if not self._is_filled():
            return
        until = began = time.monotonic()
        until += AT_ONCE_S
        for _ in self._slices():
            now = time.monotonic()
            if now >= until:
                return
            self._rest((now - began) * REST)
            began = time.monotonic()

    def _is_filled(self) -> bool:
        with self._engine.connect() as connection:
            return filling.is_filled(connection)

    def _slices(self) -> Iterator[None]:
        """Do a slice of what is to be done before each yield, until nothing is left: what people look at most first."""
        for tenant in self._tenants:
            yield from self._new_hours(tenant)
        yield from self._changed_hours()
        for tenant in self._tenants:
            yield from self._days.slices(tenant)
        for tenant in self._tenants:
            yield from self._older_hours(tenant)
        for tenant in self._tenants:
            yield from self._scopes.slices(tenant)

    def _new_hours(self, tenant: str) -> Iterator[None]:
        """Sum the hours that have ended since; none is begun for a tenant without calls in them."""
        target = hour_of(self._clock.ago(LAG_MS))
        while (known := self._known(tenant, target)) and (first := self._first_call(tenant, known.until, target)):
            until = min(target, hour_of(first) + DAY_MS)
            watched = known if until <= known.watched_until else self._watch(tenant, known, until)
            if not watched or not self._sum(tenant, watched, known.until, until, watched._replace(until=until)):
                return
            yield

    def _known(self, tenant: str, target: int) -> SummedHours | None:
        """Return how far the tenant's hours are summed; the first time that is begun, where it has calls."""
        if known := self._read(tenant):
            return known
        with self._engine.connect() as connection:
            if connection.execute(select(calls.c.id).where(calls.c.tenant == tenant).limit(1)).first() is None:
                return None
        begun = SummedHours(target, target, target, 0, days_since=0, days_version=0)
        self._journal.run(partial(_begin, tenant=tenant, begun=begun), tenant=tenant)
        return begun

    def _read(self, tenant: str) -> SummedHours | None:
        with self._engine.connect() as connection:
            return read_summed(connection, tenant)

    def _first_call(self, tenant: str, since: int, until: int) -> int | None:
        """Return when the first call from ``since`` to ``until`` was logged."""
        return self._logged(func.min, tenant, calls.c.logged_at >= since, calls.c.logged_at < until)

    def _logged(self, of: Callable[..., Any], tenant: str, *between: ColumnElement[bool]) -> int | None:
        with self._engine.connect() as connection:
            query = select(of(calls.c.logged_at)).where(calls.c.tenant == tenant, *between)
            found: int | None = connection.execute(query).scalar()
        return found

    def _changed_hours(self) -> Iterator[None]:
        """Sum hours anew whose calls have changed, those that lie behind each other at once."""
        is_summed = (changed.c.hour_at >= summed.c.since, changed.c.hour_at < summed.c.until)
        query = select(changed.c.tenant, changed.c.hour_at).join_from(
            changed, summed, summed.c.tenant == changed.c.tenant
        )
        query = query.where(*is_summed).order_by(changed.c.tenant, changed.c.hour_at).limit(MOST_CHANGED)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        for tenant, since, until in _runs(rows):
            if known := self._read(tenant):
                self._sum(tenant, known, since, until, known)
                yield

    def _older_hours(self, tenant: str) -> Iterator[None]:
        """Sum the hours before those that are summed, a day at a time, the newest first."""
        while (known := self._read(tenant)) and known.since:
            newest = self._newest_before(tenant, known.since)
            if newest is None:
                self._move(tenant, known, known._replace(since=0))
                log.info("figures_summed", tenant=tenant)
                return
            since = max(hour_of(newest) + HOUR_MS - DAY_MS, 0)
            if not self._sum(tenant, known, since, known.since, known._replace(since=since)):
                return
            yield

    def _newest_before(self, tenant: str, before: int) -> int | None:
        """Return when the newest call before ``before`` was logged, or the newest quarter began that has sums: those of
        calls that went with a partition go too.
        """
        with self._engine.connect() as connection:
            summed_at = newest_sum(connection, tenant, before)
        called_at = self._logged(func.max, tenant, calls.c.logged_at < before)
        return max((at for at in (summed_at, called_at) if at is not None), default=None)

    def _sum(self, tenant: str, known: SummedHours, since: int, until: int, moved: SummedHours) -> bool:
        """Write the sums of some hours; return False where another process has written some of the tenant."""
        with self._engine.connect() as connection:
            changes = read_changed(connection, tenant, since, until)
            rows = count_hours(connection, tenant, since, until)
            of_scopes = {
                each.name: count_hours(connection, tenant, since, until, each.scope)
                for each in read_scopes(connection, tenant)
                if each.version == known.version and each.touches(since, until)
            }
        found = SumsOfHours(tenant, known, since, until, rows, changes, moved, of_scopes)
        written: bool = self._journal.run(partial(write_sums, found=found), tenant=tenant)
        return written

    def _watch(self, tenant: str, known: SummedHours, until: int) -> SummedHours | None:
        """Have changes noted of what was logged before ``until``. Nobody else writes of the tenant meanwhile: whoever
        began before has ended, and whoever begins later notes them.
        """
        moved = known._replace(watched_until=until)
        return moved._replace(version=known.version + 1) if self._move(tenant, known, moved) else None

    def _move(self, tenant: str, known: SummedHours, moved: SummedHours) -> bool:
        done: bool = self._journal.run(partial(move, tenant=tenant, known=known, moved=moved), tenant=tenant)
        return done


def _begin(connection: Connection, tenant: str, begun: SummedHours) -> None:
    statement = INSERTS[connection.dialect.name](summed).values(tenant=tenant, **begun._asdict())
    connection.execute(statement.on_conflict_do_nothing())


def _runs(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, int, int]]:
    """Yield the hours of ``rows`` by tenant, from when to when, those together that lie behind each other."""
    run: tuple[str, int, int] | None = None
    for tenant, hour in rows:
        if run and run[0] == tenant and run[2] == hour and hour - run[1] < DAY_MS:
            run = (tenant, run[1], hour + HOUR_MS)
            continue
        if run:
            yield run
        run = (tenant, hour, hour + HOUR_MS)
    if run:
        yield run
