"""Counts of wrong passwords that all nodes share, in PostgreSQL; each process keeps its own for when that is away.

A node that cannot ask counts by itself, so that a guesser has at most so many tries as there are processes, and times.
"""

import time

from gateway.store.shared.file_counts import FileCounts
from gateway.store.shared.files import DegradedNotice
from gateway.store.shared.session import SharedSession, SharedUnavailable

MOST_ROWS = 200_000
FRESH_S = 0.25
"""For so long a process need not ask again about whom it knew nothing: programs send many requests a second."""
MOST_KEPT = 10_000
TIDY_EVERY = 200
"""Failures of a process between two looks for rows to drop."""

_NOW = "extract(epoch FROM clock_timestamp())::float8"
COUNTED = f"SELECT count, ends - {_NOW} FROM attempt_counts WHERE who = %(who)s AND ends > {_NOW}"  # noqa: S608
COUNT = f"""
INSERT INTO attempt_counts AS c (who, ends, count) VALUES (%(who)s, {_NOW} + %(window_s)s, 1)
ON CONFLICT (who) DO UPDATE SET
    count = CASE WHEN c.ends > {_NOW} AND c.ends <= excluded.ends THEN c.count + 1 ELSE 1 END,
    ends = CASE WHEN c.ends > {_NOW} AND c.ends <= excluded.ends THEN c.ends ELSE excluded.ends END
"""  # noqa: S608
"""A window that ends later than one that begins now is from before the clock was set back."""
REMEMBER = f"""
INSERT INTO attempt_marks (who, ends) VALUES (%(who)s, {_NOW} + %(seconds)s)
ON CONFLICT (who) DO UPDATE SET ends = excluded.ends
"""  # noqa: S608
KNOWS = f"SELECT 1 FROM attempt_marks WHERE who = %(who)s AND ends > {_NOW}"  # noqa: S608
DROP_OVER = "DELETE FROM {table} WHERE ends <= extract(epoch FROM clock_timestamp())"
DROP_MORE = "DELETE FROM {table} WHERE who IN (SELECT who FROM {table} ORDER BY ends DESC OFFSET %(most)s)"


class RowCounts:
    """See ``SharedCounts``."""

    def __init__(self, session: SharedSession) -> None:
        self._session = session
        self._own = FileCounts(None)
        self._notice = DegradedNotice("logins", None)
        self._counted = 0
        self._unknown: dict[bytes, float] = {}
        """When it was last asked about whom nothing is counted (``time.monotonic``)."""

    def counted(self, who: bytes) -> tuple[int, float]:
        """Return how often ``who`` was counted in the window that is under way, and the seconds until that is over."""
        now = time.monotonic()
        if now - self._unknown.get(who, float("-inf")) < FRESH_S:
            return 0, 0.0
        try:
            rows = self._session.run(COUNTED, who=who)
        except SharedUnavailable as error:
            self._notice.failed(error)
            return self._own.counted(who)
        self._notice.worked()
        if rows:
            return rows[0][0], rows[0][1]
        self._remember_unknown(who, now)
        return 0, 0.0

    def count(self, who: bytes, window_s: float) -> None:
        """Count ``who`` once more, in a window that begins with the first time."""
        self._own.count(who, window_s)
        self._unknown.pop(who, None)
        self._try(COUNT, who=who, window_s=window_s)
        self._counted += 1
        if self._counted % TIDY_EVERY == 0:
            self.tidy()

    def remember(self, mark: bytes, seconds: float) -> None:
        """Know ``mark`` for so long."""
        self._own.remember(mark, seconds)
        self._try(REMEMBER, who=mark, seconds=seconds)

    def knows(self, mark: bytes) -> bool:
        """Return whether ``mark`` is remembered; what this process knows costs no question."""
        if self._own.knows(mark):
            return True
        try:
            return bool(self._session.run(KNOWS, who=mark))
        except SharedUnavailable as error:
            self._notice.failed(error)
            return False

    def tidy(self) -> None:
        """Drop what is over, and the oldest of what is more than ``MOST_ROWS`` of a table."""
        for table in ("attempt_counts", "attempt_marks"):
            self._try(DROP_OVER.format(table=table))
            self._try(DROP_MORE.format(table=table), most=MOST_ROWS)

    def _remember_unknown(self, who: bytes, now: float) -> None:
        if len(self._unknown) >= MOST_KEPT:
            self._unknown.clear()
        self._unknown[who] = now

    def close(self) -> None:
        self._own.close()

    def _try(self, statement: str, **values: object) -> None:
        try:
            self._session.run(statement, **values)
        except SharedUnavailable as error:
            self._notice.failed(error)
