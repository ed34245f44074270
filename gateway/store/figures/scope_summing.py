"""Keep the sums of those who see a part of the calls: of the hours that are summed for their company, newest first.

An hour whose calls change is counted anew with its company's (``summing.py``). Sums of somebody who has not looked at
them for long are let go of; for whoever leads a team those of the last weeks are made before the first look.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from sqlalchemy import Engine

from gateway.clock import Clock
from gateway.domain.calls.scope import CallScope, Team
from gateway.store.figures.covered import DAY_MS, hour_of
from gateway.store.figures.expected import expected_scopes
from gateway.store.figures.scopes import (
    AHEAD_MS,
    KEPT_MS,
    MOST_SCOPES,
    SummedScope,
    forget_some,
    note_expected,
    read_scope,
    read_scopes,
)
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

NO_TEAMS: Mapping[str, Sequence[Team]] = MappingProxyType({})


class ScopeSumming:
    """Keeps the sums of scopes (``scopes.py``), for one thread."""

    def __init__(
        self, engine: Engine, journal: Journal, clock: Clock, teams: Mapping[str, Sequence[Team]] = NO_TEAMS
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock
        self._teams = teams

    def slices(self, tenant: str) -> Iterator[None]:
        """Do a slice of what is to be done for ``tenant`` before each yield, until nothing is left. Raises
        ``BusyError``.
        """
        expected = self._expected(tenant)
        with self._engine.connect() as connection:
            found = read_scopes(connection, tenant)
        kept = [scope for scope in found[:MOST_SCOPES] if self._is_asked_for(scope) or scope.name in expected]
        for scope in kept:
            yield from self._sum(tenant, scope.name)
        for scope in found:
            if scope not in kept:
                yield from self._forget(tenant, scope.name)

    def _expected(self, tenant: str) -> Mapping[str, CallScope]:
        """Return whose figures are summed before anybody asks for them, written down."""
        with self._engine.connect() as connection:
            expected = expected_scopes(connection, tenant, self._teams.get(tenant, ()))
            known = {scope.name for scope in read_scopes(connection, tenant)} if expected else set()
        if new := [expected[name] for name in expected.keys() - known]:
            self._journal.run(partial(note_expected, tenant=tenant, expected=new), tenant=tenant)
        return expected

    def _is_asked_for(self, scope: SummedScope) -> bool:
        return scope.asked_at >= self._clock.ago(KEPT_MS)

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
            oldest = known.since if self._is_asked_for(scope) else hour_of(self._clock.ago(AHEAD_MS))
            hours = _next_hours(known, max(known.since, oldest), scope, before)
            if hours is None:
                return None
            since, until = hours
            rows = count_hours(connection, tenant, since, until, scope.scope)
        moved = replace(scope, since=min(scope.since, since), until=max(scope.until, until))
        return SumsOfScope(tenant, known, since, until, rows, moved)

    def _forget(self, tenant: str, name: str) -> Iterator[None]:
        while not self._journal.run(partial(forget_some, tenant=tenant, name=name), tenant=tenant):
            yield


def _next_hours(
    known: SummedHours, oldest: int, scope: SummedScope, newest_before: int | None
) -> tuple[int, int] | None:
    """Return from when to when hours are to be summed next: those that have come, then older ones down to ``oldest``,
    the newest first. ``newest_before`` is when the newest quarter with calls began of those before the scope's hours.
    """
    if scope.until < known.until:
        return scope.until, min(known.until, scope.until + DAY_MS)
    if scope.since <= oldest:
        return None
    if newest_before is None or newest_before < oldest:
        return oldest, scope.since
    return max(hour_of(newest_before) + HOUR_MS - DAY_MS, oldest), scope.since
