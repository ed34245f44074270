"""The seam between the store and what it is kept in: SQLite in the data folder, or PostgreSQL for several nodes.

Everything above asks a ``Database`` for what differs between the two; statements are the same for both. Reading is done
through ``engine``; writing in a lane's turn, by the journal.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol
from zlib import crc32

from sqlalchemy import Connection, Engine

from gateway.errors import ConfigError, DataUnusable
from gateway.store.reading.doorbell import Doorbell
from gateway.store.reading.following import Follower
from gateway.store.reading.log import EventLog
from gateway.store.shared.contract import Shared
from gateway.store.shared.presence import Presence
from gateway.store.writing.transactions import Transactions
from gateway.texts.text import Text


class WriterLock(Protocol):
    """Held around each writing transaction of a lane, against other processes.

    ``take`` says whether it is ours, which it always is with ``wait``.
    """

    def take(self, *, wait: bool = True) -> bool: ...

    def give_back(self) -> None: ...

    def close(self) -> None:
        """Let go of it for good. Safe to call again."""
        ...


class Database(Protocol):
    """One store, opened lazily: nothing is made or connected to before ``engine`` or ``upgrade`` is asked for."""

    @property
    def kind(self) -> str:
        """Return ``sqlite`` or ``postgresql``."""
        ...

    @property
    def data(self) -> Path:
        """Return this node's own folder: search index, traffic log, sockets. It is there with every kind."""
        ...

    @property
    def shown(self) -> str:
        """Return where it is, for people: the folder, or the address without its password."""
        ...

    @property
    def engine(self) -> Engine:
        """Return the pool of connections, for reading and for what the journal does not write."""
        ...

    @property
    def lanes(self) -> int:
        """Return how many transactions may write at once, each of tenants of its own. All nodes agree on it."""
        ...

    def lane_of(self, tenant: str) -> int:
        """Return the lane in which ``tenant`` is written, 0 to ``lanes - 1``: the same in all processes, always."""
        ...

    @property
    def patience_s(self) -> float:
        """Return how long a producer waits until what it wrote is durable (seconds)."""
        ...

    @property
    def loading_hold_s(self) -> float:
        """Return how long one transaction of an import should last (seconds): who waits for its lock waits as long."""
        ...

    def transactions(self, lane: int) -> Transactions:
        """Return the transactions of ``lane``, on a connection of their own; of ``lanes`` for what is of no tenant."""
        ...

    def writer_lock(self, lane: int) -> WriterLock:
        """Return a lock of the caller's own for writing in ``lane``."""
        ...

    def loading_lock(self) -> WriterLock:
        """Return a lock of the caller's own for writing accounts; it lets events pass first."""
        ...

    def loading_connection(self) -> Connection:
        """Return a connection outside of the pool for writing accounts; close it."""
        ...

    def after_loading(self, connection: Connection) -> None:
        """Tidy up after some transactions of the ``loading_connection``, while nobody waits."""
        ...

    def shared(self) -> Shared:
        """Return what all processes of the gateway share; close it."""
        ...

    def event_log(self) -> EventLog:
        """Return what reads the event log."""
        ...

    def doorbell(self) -> Doorbell:
        """Return the doorbell of this process, always the same one; start it to hear others, close it."""
        ...

    def follower(self, *, look_every_s: float) -> Follower:
        """Return what follows the event log for one thread, and looks ``look_every_s`` where no ring can be heard of
        other processes. Close it.
        """
        ...

    def presence(self) -> Presence:
        """Return a name for this process, by which others know that it lives; close it."""
        ...

    def shares_sessions(self) -> bool:
        """Return whether a pooler gives the connections on which is written to others between transactions."""
        ...

    def timelines(self) -> Mapping[str, int]:
        """Return the timelines of the servers that take writes, by their addresses, where several servers are named;
        there should be one.
        """
        ...

    def check(self) -> None:
        """Raise a ``GatewayError`` when nothing may be acknowledged: the database is not the one that was opened."""
        ...

    def exists(self) -> bool:
        """Return whether there is a gateway's database already."""
        ...

    def revision(self) -> str | None:
        """Return the revision of its schema, None where there is none."""
        ...

    def upgrade(self) -> None:
        """Bring the schema to this version; made if it is missing. One process works, others wait.

        Raises ``NewerSchema`` and leaves everything as it is where a newer version has been at work.
        """
        ...

    def upgrade_later(self) -> None:
        """Go on without a database that is not reached: ``upgrade`` comes before the first use of it."""
        ...

    def explain(self, error: BaseException) -> DataUnusable | None:
        """Return what ``error`` says of the database or the data folder; None for one that is about something else."""
        ...

    def close(self) -> None:
        """Close the connections that nobody uses. Safe to call again."""
        ...


@contextmanager
def explained(database: Database) -> Iterator[None]:
    """Raise ``DataUnusable`` inside the block for what goes wrong with ``database``, with what to do."""
    try:
        yield
    except Exception as error:
        told = database.explain(error)
        if told is None:
            raise
        raise told from None


def lane_of(tenant: str, lanes: int) -> int:
    """Return the lane of ``tenant`` among ``lanes``, by a hash that no process and no version changes."""
    return crc32(tenant.encode()) % lanes


def open_database(
    data: Path, url: str | None = None, password: str | None = None, *, direct: str | None = None
) -> Database:
    """Return the PostgreSQL database at ``url``, without one the SQLite database in the folder ``data``.

    Nothing is made or connected to yet. ``password``: where it does not stand in ``url``. ``direct``: the server's own
    address where ``url`` is a pooler's. Raises ``ConfigError``.
    """
    # Only what is used is imported: the driver of PostgreSQL is an extra.
    if url is not None:
        if find_spec("psycopg") is None:
            raise ConfigError(
                Text("server.database: the driver of PostgreSQL is not installed."),
                hint=Text("Install it: pip install 'cti-gateway[postgresql]'."),
            )
        from gateway.store.postgresql.database import open_postgresql

        return open_postgresql(url, data, password, direct=direct)
    from gateway.store.sqlite.database import SqliteDatabase

    return SqliteDatabase(data)
