"""The database under everything: SQLite in WAL mode, in the data folder."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from gateway.errors import NewerSchema
from gateway.store.private_files import make_private, open_private, prepare
from gateway.store.sqlite.pragmas import set_pragmas

DATABASE = "gateway.db"
LOCK = "gateway.lock"
LONGEST_PATIENCE_S = 0.25
CACHED_STATEMENTS = 256
"""Statements that SQLite keeps prepared for each connection: the journal has one for each size of a batch."""
PAGES_IN_LOG = 4000
"""After so many pages (16 MB) the write-ahead log is brought home. Batches change the same pages again and again, so
the later, the less work. About as many are found by one look into the log's index, which has room for 4,062 at first.
"""


def open_engine(data: Path) -> Engine:
    """Open the engine of the database in ``data``, made for its owner only if missing; the schema is not touched."""
    prepare(data)
    return open_file(data / DATABASE)


def open_file(path: Path) -> Engine:
    """Open the engine of the database file ``path``, made for its owner only if missing: what it commits is synced."""
    make_private(path)
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        connect_args={"timeout": 30, "check_same_thread": False, "cached_statements": CACHED_STATEMENTS},
        pool_size=16,
        max_overflow=64,
    )
    engine.dialect.statement_compiler = HintingCompiler
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


class HintingCompiler(SQLiteCompiler):
    """Writes the hints of a query (``Select.with_hint``) behind the names of its tables: ``INDEXED BY ...``."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """Return ``text`` as it is."""
        return text


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Set the pragmas. With ``synchronous=FULL`` an acknowledged event survives a power cut. The driver's own BEGIN is
    replaced by ours (``_begin``).
    """
    connection.isolation_level = None
    set_pragmas(
        connection,
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "cache_size=-16000",
    )


def _begin(connection: Any) -> None:
    """Begin a transaction. Writers ask for the write lock at once: a lock that is upgraded half-way can only fail."""
    if not connection.connection.dbapi_connection.in_transaction:
        wanted = connection.get_execution_options().get("begin", "DEFERRED")
        connection.connection.cursor().execute(f"BEGIN {wanted}")


def writing_connection(engine: Engine) -> Connection:
    """Open a connection for the journal's transactions, which is nobody else's.

    For each statement that may fail half-way, as one for many rows may, SQLite copies the pages that it changes. Here
    into memory: above 64 KB it would make a file, which took a quarter of all that a batch costs. Connections that
    read sort what they have found, and keep such files for it.
    """
    connection = engine.connect()
    connection.detach()
    raw: Any = connection.connection.dbapi_connection
    set_pragmas(raw, "temp_store=MEMORY", f"wal_autocheckpoint={PAGES_IN_LOG}")
    return connection


def begin(connection: Connection) -> None:
    """Begin to write by the driver alone; statements of SQLAlchemy join in. What it does for a transaction besides
    (objects, events) took as long as all statements of an order together.
    """
    raw: Any = connection.connection.dbapi_connection
    raw.execute("BEGIN IMMEDIATE")


def commit(connection: Connection) -> None:
    """Make durable what was written since ``begin``."""
    if connection.in_transaction():
        connection.commit()
    else:
        raw: Any = connection.connection.dbapi_connection
        raw.commit()


def upgrade(engine: Engine, data: Path) -> None:
    """Bring the schema to this version. Several processes may start at once: one works, the others wait.

    Raises ``NewerSchema`` and leaves the database as it is where a newer version has been at work.
    """
    # Only here: commands that change no schema start sooner.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    with write_lock(data), engine.begin() as connection:
        config.attributes["connection"] = connection
        _refuse_newer(connection, config, data / DATABASE)
        command.upgrade(config, "head")


def _refuse_newer(connection: Connection, config: Any, path: Path) -> None:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    for found in MigrationContext.configure(connection).get_current_heads():
        if found not in known:
            raise NewerSchema(str(path), found, known=script.get_current_head() or "")


CLOSED = -1


class FileLock:
    """A kernel file lock between processes; threads of one process need their own order on top.

    SQLite's own busy wait is unfair: two processes under load see p99 over 500 ms with it, and about 10 ms with this.
    Nor is the kernel's lock fair to who was there first: whoever takes it again and again is likely to get it again and
    again. So who has to wait says so by a shared lock on a second file, and a ``patient`` lock first lets all those
    pass, for a quarter of a second at most.
    """

    def __init__(self, path: Path, *, patient: bool = False) -> None:
        self._file = open_private(path)
        self._waiting = open_private(path.with_suffix(".waiting"))
        self._patient = patient

    def take(self, *, wait: bool = True) -> bool:
        """Take the lock; without ``wait`` only if that is possible at once. Whether it is ours now."""
        if self._patient and wait:
            self._let_others_pass()
        if _taken_at_once(self._file):
            return True
        if wait:
            self._wait_for_it()
        return wait

    def give_back(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.take()

    def _wait_for_it(self) -> None:
        if self._patient:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            return
        fcntl.flock(self._waiting, fcntl.LOCK_SH)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._waiting, fcntl.LOCK_UN)

    def _let_others_pass(self) -> None:
        ends = time.monotonic() + LONGEST_PATIENCE_S
        while not _taken_at_once(self._waiting) and time.monotonic() < ends:
            time.sleep(0.001)
        fcntl.flock(self._waiting, fcntl.LOCK_UN)

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def close(self) -> None:
        """Give the files back; ``take`` raises ``OSError`` from now on. Safe to call again."""
        files, self._file, self._waiting = {self._file, self._waiting} - {CLOSED}, CLOSED, CLOSED
        for file in files:
            os.close(file)


def _taken_at_once(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def write_lock(data: Path) -> Iterator[None]:
    """Hold the lock of the database in ``data`` for one block."""
    lock = FileLock(data / LOCK)
    try:
        with lock:
            yield
    finally:
        lock.close()
