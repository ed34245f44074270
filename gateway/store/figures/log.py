"""Reads figures: whole hours of the past from their sums, the others from the calls."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine

from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.store.figures.counting import NONE, CountedCalls, Figures, counting
from gateway.store.figures.sums import PERSONS, QUARTER, Covered, covered_hours, read_sums

NOTHING = Covered(0, 0, ())


class FiguresLog:
    """Reads figures of any period; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, tenant: str, bounds: Sequence[int], scope: CallScope = EVERYTHING) -> CountedCalls:
        """Return the figures of the intervals between ``bounds`` (milliseconds, in order) by when calls were logged, as
        far as ``scope`` admits those.

        Sums are of all calls: what ``scope`` admits of them is counted.
        """
        tally = _Tally(bounds)
        with self._engine.connect() as connection:
            covered = covered_hours(connection, tenant, bounds) if scope.everything else None
            if covered:
                tally.add_sums(connection, tenant, covered)
            for since, until in (covered or NOTHING).gaps(bounds[0], bounds[-1]):
                tally.add_calls(connection, tenant, since, until, scope)
        return tally.counted


class _Tally:
    """Adds figures up as they are read."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self._bounds = bounds
        self._intervals = [NONE] * (len(bounds) - 1)
        self._people: dict[str, Figures] = {}
        self._queues: dict[str, Figures] = {}

    @property
    def counted(self) -> CountedCalls:
        return CountedCalls(self._intervals, self._people, self._queues)

    def add_sums(self, connection: Connection, tenant: str, covered: Covered) -> None:
        for kind, place, name, *values in read_sums(connection, tenant, covered, self._bounds):
            found = _figures(values)
            if kind == QUARTER:
                self._intervals[place] += found
            else:
                _add(self._people if kind == PERSONS else self._queues, name, found)

    def add_calls(self, connection: Connection, tenant: str, since: int, until: int, scope: CallScope) -> None:
        """Add what was logged from ``since`` to ``until``."""
        inner = [bound for bound in self._bounds if since < bound < until]
        before = bisect_right(self._bounds, since) - 1
        for place, person, queue, *values in connection.execute(counting(tenant, [since, *inner, until], scope)):
            found = _figures(values)
            self._intervals[before + place] += found
            _add(self._people, person, found)
            if queue:
                _add(self._queues, queue, found)


def _figures(values: Iterable[int]) -> Figures:
    return Figures(*map(int, values))


def _add(known: dict[str, Figures], name: str, found: Figures) -> None:
    known[name] = known.get(name, NONE) + found
