"""Keep the sums of those who see a part of the calls: of the hours that are summed for their company, newest first.

An hour whose calls change is counted anew with its company's (``summing.py``). Sums of somebody who has not looked at
them for long are let go of.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sqlalchemy import Engine

from gateway.clock import Clock
from gateway.store.figures.covered import DAY_MS, hour_of
from gateway.store.figures.scopes import KEPT_MS, MOST_SCOPES, SummedScope, forget_some, read_scope, read_scopes
from gateway.store.figures.sums import (
    SummedHours,
    SumsOfScope,
    count_hours,
    newest_sum,
    read_summed,
    write_sums_of_scope,
)
from gateway.store.figures.triggers import HOUR_MS
from gateway.store.writing.journal import Journal


class ScopeSumming:
    """Keeps the sums of scopes (``scopes.py``), for one thread."""

    def __init__(self, engine: Engine, journal: Journal, clock: Clock) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock

    def slices(self, tenant: str) -> Iterator[None]:
        """Do a slice of what is to be done for ``tenant`` before each yield, until nothing is left. Raises
        ``BusyError``.
        """
        with self._engine.connect() as connection:
            found = read_scopes(connection, tenant)
        kept = [scope for scope in found[:MOST_SCOPES] if scope.asked_at >= self._clock.ago(KEPT_MS)]
        for scope in kept:
            yield from self._sum(tenant, scope.name)
        for scope in found:
            if scope not in kept:
                yield from self._forget(tenant, scope.name)

    def _sum(self, tenant: str, name: str) -> Iterator[None]:
        while found := self._next(tenant, name):
            written: bool = self._journal.run(partial(write_sums_of_scope, found=found), tenant=tenant)
            if not written:
                return
            yield

    def _next(self, tenant: str, name: str) -> SumsOfScope | None:
        """Return the next hours of a scope, counted; None where all are summed that are summed for the tenant."""
        with self._engine.connect() as connection:
            known, scope = read_summed(connection, tenant), read_scope(connection, tenant, name)
            if known is None or scope is None:
                return None
            if scope.version != known.version:
                scope = replace(scope, since=known.until, until=known.until)
            before = newest_sum(connection, tenant, scope.since)
            hours = _next_hours(known, scope, before)
            if hours is None:
                return None
            since, until = hours
            rows = count_hours(connection, tenant, since, until, scope.scope)
        moved = replace(scope, since=min(scope.since, since), until=max(scope.until, until))
        return SumsOfScope(tenant, known, since, until, rows, moved)

    def _forget(self, tenant: str, name: str) -> Iterator[None]:
        while not self._journal.run(partial(forget_some, tenant=tenant, name=name), tenant=tenant):
            yield


def _next_hours(known: SummedHours, scope: SummedScope, newest_before: int | None) -> tuple[int, int] | None:
    """Return from when to when hours are to be summed next: those that have come, then older ones, the newest first.
    ``newest_before`` is when the newest quarter with calls began of those before the scope's hours.
    """
    if scope.until < known.until:
        return scope.until, min(known.until, scope.until + DAY_MS)
    if scope.since <= known.since:
        return None
    if newest_before is None or newest_before < known.since:
        return known.since, scope.since
    return max(hour_of(newest_before) + HOUR_MS - DAY_MS, known.since), scope.since
