"""Sum the days of hours that were summed without them, by a version of before: newest first.

Whoever writes hours now writes their days, too (``sums.py``), so that this comes to an end.
"""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Connection, Engine, update

from gateway.store import tables
from gateway.store.figures.covered import DAY_MS, day_of
from gateway.store.figures.scopes import begin_anew
from gateway.store.figures.sums import newest_sum, read_summed, sum_days
from gateway.store.writing.journal import Journal

sums, summed = tables.figure_sums, tables.figures_summed

AT_ONCE_MS = 31 * DAY_MS


class DaySumming:
    """Keeps the sums of days, for one thread."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def slices(self, tenant: str) -> Iterator[None]:
        """Sum some days of ``tenant`` before each yield, until nothing is left. Raises ``BusyError``."""
        while self._is_behind(tenant):
            self._journal.run(partial(_sum_some, tenant=tenant), tenant=tenant)
            yield

    def _is_behind(self, tenant: str) -> bool:
        with self._engine.connect() as connection:
            known = read_summed(connection, tenant)
        return known is not None and known.good_days_since != 0


def _sum_some(connection: Connection, tenant: str) -> None:
    """Sum the newest days that are not summed, and write down how far they are. Where somebody has written hours alone,
    it begins at the newest day again, and so do all who see a part of the calls.
    """
    known = read_summed(connection, tenant)
    if known is None:
        return
    before = known.good_days_since
    newest = newest_sum(connection, tenant, day_of(known.until) + DAY_MS if before is None else before)
    until = 0 if newest is None else day_of(newest) + DAY_MS
    since = max(0, until - AT_ONCE_MS)
    # First, so that nobody else writes hours of the tenant meanwhile.
    as_known = (summed.c.tenant == tenant, summed.c.version == known.version)
    moved = update(summed).where(*as_known).values(days_since=since, days_version=known.version)
    if connection.execute(moved).rowcount == 1:
        sum_days(connection, sums, since, until, sums.c.tenant == tenant)
        if before is None:
            begin_anew(connection, tenant)
