"""From which id on calls are looked for, and up to which: so that a look-up touches two partitions at most.

Ids tell the time in one direction: a call that was first heard of after a range was reached has no smaller id.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from gateway.store.bulk import Driver

NO_END = 2**62
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


EVERY_ID = IdSpan(0, NO_END)


class CallSpans:
    """What one process knows of the ranges, read again every few seconds by whoever looks calls up."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._reached: Sequence[tuple[int, int]] = ()
        """When, and by which first id."""
        self._end = NO_END

    def since(self, cursor: Any, at: int) -> IdSpan:
        """Return the ids of all calls that were first heard of ``at`` or later (milliseconds)."""
        if time.monotonic() - self._read_at >= KNOWN_FOR_S:
            cursor.execute(READ)
            self._learn(cursor.fetchall())
        first = max((first for reached_at, first in self._reached if reached_at <= at - CLOCKS_MS), default=0)
        return IdSpan(first, self._end)

    def _learn(self, rows: Sequence[tuple[int, int, int | None, int]]) -> None:
        self._reached = [(reached_at, first) for first, _, reached_at, _ in rows if reached_at is not None]
        ends = [end for _, end, _, last in rows if end - last >= GIVEN_OUT_MEANWHILE]
        self._end = min(ends, default=NO_END)
        self._read_at = time.monotonic()


_spans: WeakKeyDictionary[Engine, CallSpans] = WeakKeyDictionary()


def ids_since(connection: Connection | Driver, at: int) -> IdSpan:
    """Return the ids of all calls that were first heard of ``at`` or later; every id on SQLite."""
    if connection.dialect.name != "postgresql":
        return EVERY_ID
    known = _spans.get(connection.engine) or _spans.setdefault(connection.engine, CallSpans())
    return known.since(connection.connection.cursor(), at)
