"""From which id on calls are looked for, and up to which: so that a look-up touches two partitions at most.

Ids tell the time in one direction: a call that was first heard of after a range was reached has no smaller id.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

EVERY_ID = 2**62
KNOWN_FOR_S = 5.0
"""How long it counts what was read of the ranges."""
GIVEN_OUT_MEANWHILE = 50_000
"""More ids than are given out in that time."""
CLOCKS_MS = 3_600_000
"""How far the clocks of two nodes may be apart: more than nodes that are ready are."""
READ = (
    "SELECT first_id, end_id, reached_at, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM call_ids)"
    " FROM call_ranges ORDER BY first_id"
)


class IdSpan(NamedTuple):
    """Ids from ``first`` on and below ``end``."""

    first: int
    end: int


ALL = IdSpan(0, EVERY_ID)


class CallSpans:
    """What one process knows of the ranges, read again every few seconds by whoever looks calls up."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._reached: Sequence[tuple[int, int]] = ()
        """When, and by which first id."""
        self._end = EVERY_ID

    def since(self, cursor: Any, at: int) -> IdSpan:
        """Return the ids of all calls that were first heard of ``at`` or later (milliseconds)."""
        if time.monotonic() - self._read_at >= KNOWN_FOR_S:
            self._learn(cursor.execute(READ).fetchall())
        first = max((first for reached_at, first in self._reached if reached_at <= at - CLOCKS_MS), default=0)
        return IdSpan(first, self._end)

    def _learn(self, rows: Sequence[tuple[int, int, int | None, int]]) -> None:
        self._reached = [(reached_at, first) for first, _, reached_at, _ in rows if reached_at is not None]
        ends = [end for _, end, _, last in rows if end - last >= GIVEN_OUT_MEANWHILE]
        self._end = min(ends, default=EVERY_ID)
        self._read_at = time.monotonic()


_spans: WeakKeyDictionary[Engine, CallSpans] = WeakKeyDictionary()


def spans_of(engine: Engine) -> CallSpans:
    """Return what is known of the ranges in the database of ``engine``."""
    found = _spans.get(engine)
    return found if found is not None else _spans.setdefault(engine, CallSpans())
