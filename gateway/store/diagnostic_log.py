"""What is written down for whoever asks later why: never needed for good, never in an event's way.

The log of requests (``traffic.py``) and that of screens (``delivery_receipts.py``) lie in a database file of their
own, which is synced only when it is checkpointed: a power cut may cost its end, and an event never waits for it. What
does not fit into the queue is counted and left out.
"""

import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine, MetaData, Row, Select, Table, create_engine, delete, event, select
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from gateway.clock import Clock
from gateway.store.bulk import Write, written
from gateway.store.pragmas import set_pragmas
from gateway.store.private_files import make_private

log = structlog.get_logger()

DATABASE = "traffic.db"
FORMER_DATABASE = "exchanges.db"
"""What the file was called up to version 0.1.0."""
LAYOUT = 2
"""Written into the file; a file of another layout is emptied, for nothing in it is needed for good."""
WRITE_EVERY_S = 0.25
TIDY_EVERY_S = 10.0
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""About how much may wait for the next writing, with a kilobyte for each row itself."""
AT_ONCE = 2_000
TIDY_ROWS = 2_000
LOST = Counter("cti_traffic_rows_lost_total", "Requests and delivery receipts that the traffic log had no room for")

metadata = MetaData()
"""Every table has ``id``, which grows, and ``at``, milliseconds since 1970 UTC."""

Draft = Callable[[], tuple[Table, dict[str, Any]]]
"""Makes a row when its turn to be written comes, so that nobody waits for it."""


class DiagnosticLog:
    """Takes rows from any thread without ever waiting; one thread writes them.

    Kept are at most ``keep_days`` days and about ``keep_mb`` megabytes, whichever is less.
    """

    def __init__(self, data: Path, *, keep_days: float, keep_mb: float, clock: Clock | None = None) -> None:
        carry_over(data)
        self.engine = open_engine(data / DATABASE)
        self._clock = clock or Clock()
        self._keep_ms = round(keep_days * 24 * 3600 * 1000)
        self._keep_bytes = round(keep_mb * 1024 * 1024)
        self._writes = {table: Write(table, written(table)) for table in metadata.tables.values()}
        self._waiting: deque[Draft] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diagnostic-log", daemon=True)

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
        self.engine.dispose()

    def read(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Return what ``query`` finds; nothing where the file cannot be read, which is logged: no page
        may fail for it.
        """
        try:
            with self.engine.connect() as connection:
                return connection.execute(query).all()
        except (SQLAlchemyError, sqlite3.Error) as error:
            log.error("side_log_not_read", error=type(error).__name__)
            return ()

    def flush(self) -> None:
        """Write what is waiting now; a row that cannot be made or written is left out, and logged."""
        self._waiting_bytes = 0
        while self._waiting:
            drafts = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            rows = [row for row in map(_made, drafts) if row]
            try:
                self._write(rows)
            except (SQLAlchemyError, sqlite3.Error) as error:
                self._lost += len(rows)
                LOST.inc(len(rows))
                log.warning("side_log_not_written", rows=len(rows), error=type(error).__name__)

    def _write(self, rows: Sequence[tuple[Table, dict[str, Any]]]) -> None:
        by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        for table, row in rows:
            by_table[table].append(row)
        with self.engine.begin() as connection:
            for table, its_rows in by_table.items():
                self._writes[table].run(connection, its_rows)

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

    def tidy(self) -> None:
        """Let go of what is too old or too much, oldest first, a portion at a time."""
        tables, before = list(metadata.tables.values()), self._clock.ago(self._keep_ms)
        try:
            for table in tables:
                while self._drop(table, table.c.at < before):
                    pass
            while self._used_bytes() > self._keep_bytes and sum(self._drop(table, None) for table in tables):
                pass
        except SQLAlchemyError as error:
            log.warning("side_log_not_tidied", error=type(error).__name__)

    def _drop(self, table: Table, condition: Any) -> bool:
        """Delete the oldest that meet ``condition``; False when there were none."""
        oldest = select(table.c.id).order_by(table.c.id).limit(TIDY_ROWS)
        oldest = oldest.where(condition) if condition is not None else oldest
        with self.engine.begin() as connection:
            return bool(connection.execute(delete(table).where(table.c.id.in_(oldest))).rowcount)

    def _used_bytes(self) -> int:
        """Return the bytes of pages in use: deleted rows leave pages that new ones fill."""
        with self.engine.connect() as connection:
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size


def _made(draft: Draft) -> tuple[Table, dict[str, Any]] | None:
    try:
        return draft()
    except Exception as error:
        log.error("side_log_row_not_made", exc_info=error)
        return None


def carry_over(data: Path) -> None:
    """Give the file of an earlier version today's name.

    The write-ahead log goes first: a file without it would have lost its end. A gateway of that version that still runs
    goes on writing into the same files. Several processes may start at once, and one may have died half-way.
    """
    if (data / DATABASE).exists():
        return
    for suffix in ("-shm", "-wal", ""):
        with suppress(FileNotFoundError):
            (data / (FORMER_DATABASE + suffix)).rename(data / (DATABASE + suffix))


def open_engine(path: Path) -> Engine:
    """Open the engine of the file, made if missing, emptied when its layout is another's.

    A file that is damaged is put aside as ``….broken``: the gateway serves without what it held.
    """
    try:
        return _open(path)
    except DatabaseError as error:
        if isinstance(error, OperationalError):  # locked, no room, no rights: not the file's fault
            raise
        log.error("side_log_put_aside", file=str(path), error=str(error.orig))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.name}.broken"))
    return _open(path)


def _open(path: Path) -> Engine:
    make_private(path)
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": 5, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    with engine.begin() as connection:
        _lay_out(connection)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Set the pragmas. With ``synchronous=NORMAL`` no commit waits for the disk, and a power cut costs the file no more
    than its end (OFF damages it).
    """
    set_pragmas(connection, "busy_timeout=5000", "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-4000")


def _lay_out(connection: Connection) -> None:
    # Several workers start at once: the write lock comes first, then the look.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    found = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if found != LAYOUT:
        for table in metadata.tables.values():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table.name}")
        metadata.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version={LAYOUT}")
    for table in metadata.tables.values():
        _add_columns(connection, table)


def _add_columns(connection: Connection, table: Table) -> None:
    """Add the columns that an earlier version's file lacks; they may be empty, so that version can go on with it."""
    present = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    for column in table.c:
        if column.name not in present:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
