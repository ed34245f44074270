"""Rows for whoever asks later why, taken from any thread without ever waiting, and written by one thread of its own.

What does not fit into the queue, or cannot be written, is counted and left out.
"""

import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine, Row, Select, Table
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import DatabaseAway

log = structlog.get_logger()

WRITE_EVERY_S = 0.25
TIDY_EVERY_S = 10.0
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""About how much may wait for the next writing, with a kilobyte for each row itself."""
AT_ONCE = 2_000
PIECE = 16
"""Rows that are made at once, in half a millisecond: while a thread works, each statement of another waits so long."""
REST_S = 0.0005
LOST = Counter("cti_traffic_rows_lost_total", "Requests and delivery receipts that the traffic log had no room for")

Draft = Callable[[], tuple[Table, dict[str, Any]]]
"""Makes a row when its turn to be written comes, so that nobody waits for it."""


class WriteBehind(ABC):
    """Takes rows of the tables in ``engine``; ``name`` is its thread's."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self._waiting: deque[Draft] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def insert(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows of one table. Raises what the database does."""

    def again(self, rows: Sequence[tuple[Table, dict[str, Any]]], error: Exception) -> bool:
        """Return whether rows that could not be written are kept for the next time."""
        return False

    @abstractmethod
    def tidy(self) -> None:
        """Let go of what is too old or too much."""

    def start(self) -> None:
        self._thread.start()

    def add(self, draft: Draft, size: int) -> None:
        """Have ``draft()``, of about ``size`` bytes, written soon. Never waits and never raises."""
        if self._waiting_bytes < MOST_WAITING_BYTES:
            self._waiting_bytes += size + 1024
            self._waiting.append(draft)
        else:
            self._lost += 1
            LOST.inc()

    @property
    def lost(self) -> int:
        """How many found no room since the start."""
        return self._lost

    def stop(self) -> None:
        """Write what is waiting and end. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)
        else:
            self.flush()

    def read(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Return what ``query`` finds; nothing where the file cannot be read, which is logged: no page
        may fail for it.
        """
        try:
            with self.engine.connect() as connection:
                return connection.execute(query).all()
        except (SQLAlchemyError, sqlite3.Error, DatabaseAway) as error:
            log.error("side_log_not_read", error=type(error).__name__)
            return ()

    def flush(self) -> None:
        """Write what is waiting now; a row that cannot be made or written is left out, and logged."""
        self._waiting_bytes = 0
        while self._waiting:
            drafts = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            rows = self._all_made(drafts)
            try:
                self._write(rows)
            except (SQLAlchemyError, sqlite3.Error, DatabaseAway) as error:
                if self.again(rows, error):
                    return
                self._lost += len(rows)
                LOST.inc(len(rows))
                log.warning("side_log_not_written", rows=len(rows), error=type(error).__name__)

    def _all_made(self, drafts: Sequence[Draft]) -> list[tuple[Table, dict[str, Any]]]:
        """Make the rows in pieces, between which others have the interpreter."""
        rows: list[tuple[Table, dict[str, Any]]] = []
        for start in range(0, len(drafts), PIECE):
            if rows and not self._stopping.is_set():
                time.sleep(REST_S)
            rows += [row for row in map(_made, drafts[start : start + PIECE]) if row]
        return rows

    def _write(self, rows: Sequence[tuple[Table, dict[str, Any]]]) -> None:
        by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        for table, row in rows:
            by_table[table].append(row)
        with self.engine.begin() as connection:
            for table, its_rows in by_table.items():
                self.insert(connection, table, its_rows)

    def _run(self) -> None:
        tidied = 0.0
        while not self._stopping.wait(WRITE_EVERY_S):
            try:
                self.flush()
                if time.monotonic() - tidied > TIDY_EVERY_S:
                    self.tidy()
                    tidied = time.monotonic()
            except Exception as error:  # such as no file left to open: that passes, and this thread must outlive it
                log.error("side_log_failed", error=type(error).__name__, exc_info=error)
        self.flush()


def _made(draft: Draft) -> tuple[Table, dict[str, Any]] | None:
    try:
        return draft()
    except Exception as error:
        log.error("side_log_row_not_made", exc_info=error)
        return None
