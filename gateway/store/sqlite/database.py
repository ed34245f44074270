"""SQLite as the store's database: one file in the data folder, one writer at a time, told apart by kernel locks."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from gateway.errors import DataUnusable
from gateway.store import revisions
from gateway.store.reading.doorbell import NoDoorbell
from gateway.store.reading.following import SqliteFollower
from gateway.store.reading.log import EventLog
from gateway.store.shared.contract import Shared
from gateway.store.shared.files import SharedFiles
from gateway.store.shared.presence import FilePresence, Presence
from gateway.store.sqlite import engine as sqlite
from gateway.store.sqlite import opening
from gateway.store.sqlite.engine import DATABASE, LOCK, FileLock
from gateway.store.sqlite.file import DatabaseFile
from gateway.store.writing.transactions import LocalTransactions


class SqliteDatabase:
    """The database ``gateway.db`` in ``data``."""

    kind = "sqlite"
    lanes = 1
    patience_s = 30.0
    loading_hold_s = 0.03
    """Events wait that long at most, and their own write besides."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def __repr__(self) -> str:
        return f"SqliteDatabase({str(self._data)!r})"

    @property
    def data(self) -> Path:
        return self._data

    @property
    def shown(self) -> str:
        return str(self._data)

    @property
    def engine(self) -> Engine:
        return self._opened[0]

    @cached_property
    def _opened(self) -> tuple[Engine, DatabaseFile]:
        return sqlite.open_engine(self._data), DatabaseFile(self._data / DATABASE)

    def lane_of(self, tenant: str) -> int:
        return 0

    def transactions(self, lane: int) -> LocalTransactions:
        return LocalTransactions(self.engine)

    def writer_lock(self, lane: int) -> FileLock:
        return FileLock(self._data / LOCK)

    def loading_lock(self) -> FileLock:
        return FileLock(self._data / LOCK, patient=True)

    def loading_connection(self) -> Connection:
        connection = self.engine.execution_options(begin="IMMEDIATE").connect()
        connection.detach()
        # A power cut may undo its last transactions, whole ones, and the next import brings them again. Nothing of
        # others is at risk: their own commits sync all that was written before them.
        _pragmas(connection, "synchronous=NORMAL", "wal_autocheckpoint=0", "cache_size=-64000")
        return connection

    def after_loading(self, connection: Connection) -> None:
        _pragmas(connection, "wal_checkpoint(PASSIVE)")

    def shared(self) -> Shared:
        return SharedFiles(self.data)

    def event_log(self) -> EventLog:
        return EventLog(self.engine)

    def doorbell(self) -> NoDoorbell:
        return NoDoorbell()

    def follower(self, *, look_every_s: float) -> SqliteFollower:
        return SqliteFollower(self.event_log(), look_every_s=look_every_s)

    def presence(self) -> Presence:
        return FilePresence(self._data)

    def shares_sessions(self) -> bool:
        return False

    def timelines(self) -> Mapping[str, int]:
        return {}

    def check(self) -> None:
        self._opened[1].check()

    def exists(self) -> bool:
        return (self._data / DATABASE).exists()

    def revision(self) -> str | None:
        return revisions.of_database(self._data)

    def upgrade(self) -> None:
        sqlite.upgrade(self.engine, self._data)

    def upgrade_later(self) -> None:
        """Do nothing: a file is there, or cannot be used."""

    def explain(self, error: BaseException) -> DataUnusable | None:
        return opening.explain(error, self._data)

    def close(self) -> None:
        if "_opened" in vars(self):
            self.engine.dispose()


def _pragmas(connection: Connection, *pragmas: str) -> None:
    raw: Any = connection.connection.dbapi_connection
    for pragma in pragmas:
        raw.execute(f"PRAGMA {pragma}").fetchall()
