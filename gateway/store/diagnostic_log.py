"""What is written down for whoever asks later why: never needed for good, never in an event's way.

The log of requests (``traffic.py``) and that of screens (``delivery_receipts.py``) lie in a database file of their
own, which is synced only when it is checkpointed: a power cut may cost its end, and an event never waits for it. What
does not fit into the queue is counted and left out.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, delete, event, select
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from gateway.clock import Clock
from gateway.store.bulk import Write, written
from gateway.store.private_files import make_private
from gateway.store.sqlite.pragmas import set_pragmas
from gateway.store.write_behind import WriteBehind

log = structlog.get_logger()

DATABASE = "traffic.db"
FORMER_DATABASE = "exchanges.db"
"""What the file was called up to version 0.1.0."""
LAYOUT = 2
"""Written into the file; a file of another layout is emptied, for nothing in it is needed for good."""
TIDY_ROWS = 2_000
OVERLAP_MS = 600_000
"""Rows are written behind what they tell of, those of several processes in no order."""

metadata = MetaData()
"""Every table has ``id``, which grows, and ``at``, milliseconds since 1970 UTC."""


class DiagnosticLog(WriteBehind):
    """The rows of one node, in a file of its own.

    Kept are at most ``keep_days`` days and about ``keep_mb`` megabytes, whichever is less; of some companies
    ``keep_ms_of`` milliseconds, if that is less still.
    """

    def __init__(
        self,
        data: Path,
        *,
        keep_days: float,
        keep_mb: float,
        keep_ms_of: Mapping[str, int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        carry_over(data)
        super().__init__(open_engine(data / DATABASE), "diagnostic-log")
        self._clock = clock or Clock()
        self._keep_ms = round(keep_days * 24 * 3600 * 1000)
        self._keep_bytes = round(keep_mb * 1024 * 1024)
        self._keep_ms_of = dict(keep_ms_of or {})
        self._tidied_until: dict[tuple[str, str], int] = {}
        self._writes = {table: Write(table, written(table)) for table in metadata.tables.values()}

    def stop(self) -> None:
        """Write what is waiting and end. Safe to call again."""
        super().stop()
        self.engine.dispose()

    def insert(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows of one table. Raises what the database does."""
        self._writes[table].run(connection, rows)

    def tidy(self) -> None:
        """Let go of what is too old or too much, oldest first, a portion at a time."""
        tables, before = list(metadata.tables.values()), self._clock.ago(self._keep_ms)
        try:
            for table in tables:
                while self._drop(table, table.c.at < before):
                    pass
                for tenant, kept_ms in self._keep_ms_of.items():
                    self._drop_of(table, tenant, self._clock.ago(kept_ms))
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

    def _drop_of(self, table: Table, tenant: str, before: int) -> None:
        """Delete what is older of one company; what was looked through is not looked through again."""
        since = self._tidied_until.get((table.name, tenant), 0)
        while self._drop(table, (table.c.tenant == tenant) & (table.c.at >= since) & (table.c.at < before)):
            pass
        self._tidied_until[table.name, tenant] = before - OVERLAP_MS

    def _used_bytes(self) -> int:
        """Return the bytes of pages in use: deleted rows leave pages that new ones fill."""
        with self.engine.connect() as connection:
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size


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
