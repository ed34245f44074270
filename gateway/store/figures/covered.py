"""Which hours of a period are read from sums: by whole days of UTC where those are summed, too, by the hour else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gateway.store.figures.triggers import HOUR_MS

DAY_MS = 24 * HOUR_MS
MOST_LEFT_OUT = 16
"""Hours that are left out of a period up to which days are read as such between them."""


class Stretch(NamedTuple):
    """Time from ``since`` to ``until`` that is covered: whole days of UTC, or hours."""

    since: int
    until: int
    whole_days: bool


@dataclass(frozen=True, slots=True)
class Covered:
    """The hours from ``since`` to ``until`` for which sums are good, without those of ``left_out``; sums of days are,
    too, from ``days_since`` on (None: none).
    """

    since: int
    until: int
    left_out: Sequence[int]
    days_since: int | None = None

    def gaps(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield what is not covered between ``first`` and ``last``, from when to when."""
        for since, until in self._runs():
            if first < since:
                yield first, since
            first = until
        if first < last:
            yield first, last

    def stretches(self) -> Iterator[Stretch]:
        """Yield what is covered, whole days and hours apart; where much is left out, all of it as hours."""
        if self.days_since is None or len(self.left_out) > MOST_LEFT_OUT:
            yield Stretch(self.since, self.until, whole_days=False)
            return
        for since, until in self._runs():
            first, last = day_of(max(since, self.days_since) + DAY_MS - 1), day_of(until)
            days = [first, last] if first < last else []
            for begins, ends in pairwise([since, *days, until]):
                if begins < ends:
                    yield Stretch(begins, ends, whole_days=[begins, ends] == days)

    def _runs(self) -> Iterator[tuple[int, int]]:
        since = self.since
        for hour in self.left_out:
            if since < hour:
                yield since, hour
            since = hour + HOUR_MS
        if since < self.until:
            yield since, self.until


def hour_of(at: int) -> int:
    """Return when the hour of ``at`` began."""
    return at - at % HOUR_MS


def day_of(at: int) -> int:
    """Return when the day of ``at`` began, in UTC."""
    return at - at % DAY_MS
