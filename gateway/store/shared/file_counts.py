"""What is counted for a time, and what is remembered for a time, once for all processes on one data folder.

A small database file of its own: nothing in it is needed for good, so no commit waits for the disk. It holds hashes and
times only. Times are those since the machine was started (a clock that is set changes nothing); what an earlier start
of the machine wrote is dropped. Where the file cannot be used, each process counts by itself.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.store.private_files import make_private
from gateway.store.sqlite.pragmas import set_pragmas

log = structlog.get_logger()

T = TypeVar("T")

DATABASE = "logins.db"
BUSY_S = 1.0
PATIENCE_S = 3.0
"""Altogether, for a file that is locked."""
LATE_S = 10.0
"""How long ago a process may have looked at the clock when its turn to count comes."""
TRY_AGAIN_S = 30.0
MOST_ROWS = 50_000
TIDY_EVERY = 200
"""Failures between two looks for rows to drop."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SCHEMA = """
CREATE TABLE IF NOT EXISTS boot (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS failures (
    who BLOB PRIMARY KEY, since REAL NOT NULL, ends REAL NOT NULL, count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (mark BLOB PRIMARY KEY, ends REAL NOT NULL) WITHOUT ROWID;
"""
COUNT = """
INSERT INTO failures VALUES (:who, :now, :now + :window, 1) ON CONFLICT (who) DO UPDATE SET
    count = CASE WHEN ends > :now AND since <= :now + :late THEN count + 1 ELSE 1 END,
    ends = CASE WHEN ends > :now AND since <= :now + :late THEN ends ELSE :now + :window END,
    since = CASE WHEN ends > :now AND since <= :now + :late THEN since ELSE :now END
"""
REMEMBER = "INSERT INTO marks VALUES (?, ?) ON CONFLICT (mark) DO UPDATE SET ends = excluded.ends"


def since_boot() -> float:
    """Return the seconds since the machine was started, the same in every process; on Linux also those it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class FileCounts:
    """See ``SharedCounts``. ``path`` None: for this process only."""

    def __init__(self, path: Path | None, *, clock: Callable[[], float] = since_boot) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._shared: sqlite3.Connection | None = None
        self._own: sqlite3.Connection | None = None
        self._try_again_at = 0.0
        self._counted = 0

    def counted(self, who: bytes) -> tuple[int, float]:
        """Return how often ``who`` was counted in the window that is under way, and the seconds until that is over."""
        query = "SELECT count, ends FROM failures WHERE who = ? AND since <= ? AND ends > ?"
        now = self._clock()
        row = self._do(lambda database: database.execute(query, (who, now, now)).fetchone())
        return (row[0], row[1] - now) if row else (0, 0.0)

    def count(self, who: bytes, window_s: float) -> None:
        """Count ``who`` once more, in a window that begins with the first time."""
        values = {"who": who, "now": self._clock(), "window": window_s, "late": LATE_S}
        self._do(lambda database: database.execute(COUNT, values))
        self._counted += 1
        if self._counted % TIDY_EVERY == 0:
            self.tidy()

    def remember(self, mark: bytes, seconds: float) -> None:
        """Know ``mark`` for so long."""
        self._do(lambda database: database.execute(REMEMBER, (mark, self._clock() + seconds)))

    def knows(self, mark: bytes) -> bool:
        """Return whether ``mark`` is remembered."""
        query = "SELECT 1 FROM marks WHERE mark = ? AND ends > ?"
        return bool(self._do(lambda database: database.execute(query, (mark, self._clock())).fetchone()))

    def tidy(self) -> None:
        """Drop what is over, and the oldest of what is more than ``MOST_ROWS`` of a table."""
        now = self._clock()
        for table, key in (("failures", "who"), ("marks", "mark")):
            ordered = f"SELECT {key} FROM {table} ORDER BY ends DESC LIMIT -1 OFFSET {MOST_ROWS}"  # noqa: S608
            statement = f"DELETE FROM {table} WHERE ends <= ? OR {key} IN ({ordered})"  # noqa: S608
            self._do(lambda database, statement=statement: database.execute(statement, (now,)))  # type: ignore[misc]

    def close(self) -> None:
        with self._lock:
            for database in (self._shared, self._own):
                if database:
                    database.close()
            self._shared = self._own = None

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            if self._path is not None and self._clock() >= self._try_again_at:
                try:
                    path = self._path
                    return _patiently(lambda: work(self._opened(path)))
                except (sqlite3.Error, OSError) as error:
                    self._go_on_alone(error)
            self._own = self._own or _laid_out(":memory:")
            return work(self._own)

    def _opened(self, path: Path) -> sqlite3.Connection:
        if self._shared is None:
            self._shared = _open(path)
            if self._own:
                log.info("logins_shared_again", file=path.name)
        return self._shared

    def _go_on_alone(self, error: Exception) -> None:
        log.error("logins_not_shared", file=DATABASE, error=str(error), until_s=TRY_AGAIN_S)
        self._try_again_at = self._clock() + TRY_AGAIN_S
        if self._shared:
            self._shared.close()
            self._shared = None


def _patiently(work: Callable[[], T]) -> T:
    """Do ``work``, again while it is locked: SQLite does not wait for a process that opens or leaves the file."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= ends:
                raise
        time.sleep(0.01)


def _open(path: Path) -> sqlite3.Connection:
    """Open the file's database; a file that is not ours, or damaged, is replaced."""
    try:
        make_private(path)
        return _laid_out(str(path))
    except sqlite3.OperationalError:  # locked, no room, no rights: not the file's fault
        raise
    except sqlite3.DatabaseError:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        make_private(path)
        return _laid_out(str(path))


def _laid_out(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        set_pragmas(database, "journal_mode=WAL", "synchronous=NORMAL")
        database.executescript(SCHEMA)
        _forget_other_boots(database)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _forget_other_boots(database: sqlite3.Connection) -> None:
    """Delete what an earlier start of the machine left: its times mean nothing now."""
    boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
    database.execute("BEGIN IMMEDIATE")
    if database.execute("SELECT id FROM boot").fetchall() != [(boot,)]:
        for table in ("boot", "failures", "marks"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        database.execute("INSERT INTO boot VALUES (?)", (boot,))
    database.execute("COMMIT")
