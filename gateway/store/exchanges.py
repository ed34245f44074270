"""The wire log: what came in and what was answered, what was sent and what came back, as raw bytes.

It has a database file of its own, which is not synced: a crash may cost its last second, never an event, and an event
never waits for it. What does not fit into the queue is counted and left out.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger()

DATABASE = "exchanges.db"
LAYOUT = 1
"""Written into the file; a file of another layout is emptied, for nothing in it is needed for good."""
WRITE_EVERY_S = 0.25
TIDY_EVERY_S = 10.0
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""About how much may wait for the next writing, with a kilobyte for each exchange itself."""
AT_ONCE = 2_000
TIDY_ROWS = 2_000
IN, OUT = "in", "out"

exchanges = Table(
    "exchanges",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("took_us", Integer, nullable=False),
    Column("way", String(3), nullable=False),
    Column("tenant", String(63), nullable=False),
    Column("peer", String(255), nullable=False),
    Column("wire", String(16), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("call_id", Integer),
    Column("status", String(80), nullable=False),
    Column("note", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Index("ix_exchanges_at", "at"),
    Index("ix_exchanges_peer", "tenant", "peer"),
    Index("ix_exchanges_call", "call_id", sqlite_where=text("call_id IS NOT NULL")),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer.

    ``way`` is ``in`` or ``out``; ``at`` is milliseconds since 1970 UTC; ``peer`` the client's address, or the name of
    the appliance or forward; ``status`` the answer's first line without the version, or why there is none; ``note``
    what was repaired, cut or replayed. ``request`` and ``answer`` hold head and body, secrets masked.
    """

    at: int
    took_us: int
    way: str
    tenant: str
    peer: str
    wire: str
    operation: str
    call_id: int | None
    status: str
    note: str
    request: bytes
    answer: bytes
    id: int = 0


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """What to look for; None means any. Times are milliseconds, ``text`` is looked for in request and answer."""

    way: str | None = None
    peer: str | None = None
    call_id: int | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
    failed: bool = False
    before_id: int | None = None


ANY = ExchangeFilter()
Draft = Callable[[], Exchange]
"""Makes the exchange when its turn to be written comes, so that no client waits for it."""


class ExchangeLog:
    """Takes exchanges from any thread without ever waiting; one thread writes them.

    Kept are at most ``keep_days`` days and about ``keep_mb`` megabytes, whichever is less.
    """

    def __init__(self, data: Path, *, keep_days: float, keep_mb: float) -> None:
        self._engine = open_engine(data / DATABASE)
        self._keep_ms = round(keep_days * 24 * 3600 * 1000)
        self._keep_bytes = round(keep_mb * 1024 * 1024)
        self._waiting: deque[Draft] = deque()
        self._waiting_bytes = 0
        self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchanges", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, draft: Draft, size: int) -> None:
        """Have ``draft()``, of about ``size`` bytes, written soon. Never waits and never raises."""
        if self._waiting_bytes < MOST_WAITING_BYTES:
            self._waiting_bytes += size + 1024
            self._waiting.append(draft)
        else:
            self._lost += 1

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
        self._engine.dispose()

    def flush(self) -> None:
        """Write what is waiting now; an exchange that cannot be made or written is left out, and logged."""
        self._waiting_bytes = 0
        while self._waiting:
            drafts = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            rows = [row for row in map(_row, drafts) if row]
            if not rows:
                continue
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(exchanges), rows)
            except SQLAlchemyError as error:
                self._lost += len(rows)
                log.warning("exchanges_not_written", rows=len(rows), error=type(error).__name__)

    def _run(self) -> None:
        tidied = 0.0
        while not self._stopping.wait(WRITE_EVERY_S):
            self.flush()
            if time.monotonic() - tidied > TIDY_EVERY_S:
                self.tidy(time.time_ns() // 1_000_000)
                tidied = time.monotonic()
        self.flush()

    def tidy(self, now: int) -> None:
        """Let go of what is too old or too much, oldest first, a portion at a time."""
        try:
            while self._drop(exchanges.c.at < now - self._keep_ms):
                pass
            while self._used_bytes() > self._keep_bytes and self._drop(None):
                pass
        except SQLAlchemyError as error:
            log.warning("exchanges_not_tidied", error=type(error).__name__)

    def _drop(self, condition: Any) -> bool:
        """Delete the oldest that meet ``condition``; False when there were none."""
        oldest = select(exchanges.c.id).order_by(exchanges.c.id).limit(TIDY_ROWS)
        oldest = oldest.where(condition) if condition is not None else oldest
        with self._engine.begin() as connection:
            return bool(connection.execute(delete(exchanges).where(exchanges.c.id.in_(oldest))).rowcount)

    def _used_bytes(self) -> int:
        """Bytes of pages in use: deleted rows leave pages that new ones fill."""
        with self._engine.connect() as connection:
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def search(self, tenant: str | None, wanted: ExchangeFilter = ANY, *, limit: int = 50) -> Sequence[Exchange]:
        """The newest first; ``tenant`` None means any, also requests whose company was not known."""
        query = _narrowed(select(exchanges), tenant, wanted).order_by(exchanges.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_exchange(row) for row in connection.execute(query)]

    def get(self, tenant: str | None, exchange_id: int) -> Exchange | None:
        """One exchange of the tenant."""
        query = select(exchanges).where(exchanges.c.id == exchange_id)
        query = query.where(exchanges.c.tenant == tenant) if tenant is not None else query
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _exchange(row) if row else None


def open_engine(path: Path) -> Engine:
    """The engine of the wire log's own file, made if missing, emptied when its layout is another's."""
    engine = create_engine(f"sqlite+pysqlite:///{path}", connect_args={"timeout": 5, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    with engine.begin() as connection:
        _lay_out(connection)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Not synced: this log must cost events nothing, and may lose its end in a crash."""
    for pragma in ("synchronous=OFF", "busy_timeout=5000", "cache_size=-4000"):
        connection.execute(f"PRAGMA {pragma}")


def _lay_out(connection: Connection) -> None:
    # Several workers start at once: the write lock comes first, then the look.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    found = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if found != LAYOUT:
        exchanges.drop(connection, checkfirst=True)
        exchanges.create(connection, checkfirst=True)
        connection.exec_driver_sql(f"PRAGMA user_version={LAYOUT}")


def _row(draft: Draft) -> dict[str, Any] | None:
    try:
        made = draft()
    except Exception as error:
        log.error("exchange_not_made", exc_info=error)
        return None
    return {
        "at": made.at,
        "took_us": made.took_us,
        "way": made.way,
        "tenant": made.tenant,
        "peer": made.peer,
        "wire": made.wire,
        "operation": made.operation,
        "call_id": made.call_id,
        "status": made.status,
        "note": made.note,
        "request": made.request,
        "answer": made.answer,
    }


def _narrowed(query: Select[Any], tenant: str | None, wanted: ExchangeFilter) -> Select[Any]:
    columns = exchanges.c
    equal = {
        columns.tenant: tenant,
        columns.way: wanted.way,
        columns.peer: wanted.peer,
        columns.call_id: wanted.call_id,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.text:
        needle = wanted.text.encode()
        query = query.where((func.instr(columns.request, needle) > 0) | (func.instr(columns.answer, needle) > 0))
    if wanted.failed:
        query = query.where(~columns.status.startswith("2"))
    return query.where(columns.id < wanted.before_id) if wanted.before_id else query


def _exchange(row: Row[Any]) -> Exchange:
    return Exchange(**row._mapping)


def cut(raw: bytes, most: int) -> tuple[bytes, str]:
    """``raw``, or its first ``most`` bytes and a note that says so."""
    if len(raw) <= most:
        return raw, ""
    return raw[:most], f"cortado: {len(raw)} bytes, guardados {most}"


def noted(exchange: Exchange, *notes: str) -> Exchange:
    """``exchange`` with more notes."""
    return replace(exchange, note="; ".join(note for note in (exchange.note, *notes) if note))
