"""Reads figures: whole hours of the past from their sums, the others from the calls.

Who sees a part of the calls only has sums of those, from a while after asking for the first time.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.errors import GatewayError
from gateway.store.figures.counting import CountedCalls, Sums, counting
from gateway.store.figures.covered import Covered
from gateway.store.figures.scopes import (
    SummedScope,
    is_noted,
    lasting_part,
    name_of,
    note_asked,
    read_scope,
    seat_part,
)
from gateway.store.figures.sums import OF_PERSONS, QUARTER, covered_hours, read_sums
from gateway.store.writing.journal import Journal

log = structlog.get_logger()

NOTHING = Covered(0, 0, ())
NOTING_S = 5.0
"""How long a look at figures waits at most until it is written down."""


class FiguresLog:
    """Reads figures of any period; safe for many threads.

    With a ``journal`` it writes down for whom it was asked for figures, so that those are summed (``scopes.py``).
    """

    def __init__(self, engine: Engine, journal: Journal | None = None, *, clock: Clock | None = None) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock or Clock()

    def of(self, tenant: str, bounds: Sequence[int], scope: CallScope = EVERYTHING) -> CountedCalls:
        """Return the figures of the intervals between ``bounds`` (milliseconds, in order) by when calls were logged, as
        far as ``scope`` admits those.
        """
        tally = _Tally(bounds)
        with self._engine.connect() as connection:
            if scope.everything:
                covered = covered_hours(connection, tenant, bounds)
                tally.add(connection, tenant, covered, scope)
                return tally.counted
            kept = self._add_lasting(connection, tally, tenant, bounds, lasting_part(scope))
            self._add_seat(connection, tally, tenant, bounds, scope)
        self._note(tenant, scope, kept)
        return tally.counted

    def _add_lasting(
        self, connection: Connection, tally: "_Tally", tenant: str, bounds: Sequence[int], scope: CallScope
    ) -> SummedScope | None:
        kept = read_scope(connection, tenant, name_of(scope))
        covered = covered_hours(connection, tenant, bounds, kept) if kept else None
        tally.add(connection, tenant, covered, scope, kept)
        return kept

    def _add_seat(
        self, connection: Connection, tally: "_Tally", tenant: str, bounds: Sequence[int], scope: CallScope
    ) -> None:
        """Add what is seen only because of where one sits today."""
        since, seat = max(bounds[0], scope.seated_at), seat_part(scope)
        if seat and since < bounds[-1]:
            tally.add_calls(connection, tenant, since, bounds[-1], seat, lasting_part(scope))

    def _note(self, tenant: str, scope: CallScope, kept: SummedScope | None) -> None:
        """Write down once a day that figures are looked at. Where that cannot be, the next look does it."""
        now = self._clock()
        if self._journal is None or is_noted(kept, now):
            return
        note = partial(note_asked, tenant=tenant, scope=lasting_part(scope), now=now)
        try:
            self._journal.run(note, tenant=tenant, timeout_s=NOTING_S)
        except (GatewayError, SQLAlchemyError) as error:
            log.warning("figures_not_noted", tenant=tenant, error=type(error).__name__)


class _Tally:
    """Adds figures up as they are read."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self._bounds = bounds
        self._intervals = [Sums() for _ in bounds[1:]]
        self._people: defaultdict[str, Sums] = defaultdict(Sums)
        self._queues: defaultdict[str, Sums] = defaultdict(Sums)

    @property
    def counted(self) -> CountedCalls:
        people = {name: each.figures for name, each in self._people.items()}
        queues = {name: each.figures for name, each in self._queues.items()}
        return CountedCalls([each.figures for each in self._intervals], people, queues)

    def add(
        self,
        connection: Connection,
        tenant: str,
        covered: Covered | None,
        scope: CallScope,
        kept: SummedScope | None = None,
    ) -> None:
        """Add what is ``covered`` from sums, those of ``kept`` for part of the calls, and count the rest."""
        if covered:
            self._add_sums(connection, tenant, covered, kept)
        for since, until in (covered or NOTHING).gaps(self._bounds[0], self._bounds[-1]):
            self.add_calls(connection, tenant, since, until, scope)

    def _add_sums(self, connection: Connection, tenant: str, covered: Covered, kept: SummedScope | None) -> None:
        for kind, place, name, *values in read_sums(connection, tenant, covered, self._bounds, kept):
            if kind == QUARTER:
                self._intervals[place].add(values)
            else:
                (self._people if kind in OF_PERSONS else self._queues)[name].add(values)

    def add_calls(
        self,
        connection: Connection,
        tenant: str,
        since: int,
        until: int,
        scope: CallScope,
        besides: CallScope | None = None,
    ) -> None:
        """Add what was logged from ``since`` to ``until`` that ``scope`` admits, and not ``besides``."""
        inner = [bound for bound in self._bounds if since < bound < until]
        before, spans = bisect_right(self._bounds, since) - 1, [since, *inner, until]
        for place, person, queue, *values in connection.execute(counting(tenant, spans, scope, besides)):
            self._intervals[before + place].add(values)
            self._people[person].add(values)
            if queue:
                self._queues[queue].add(values)
