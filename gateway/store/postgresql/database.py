"""PostgreSQL as the store's database: shared by several nodes, told apart by rows and locks of its own.

Reading goes through a pool, each transaction with one view of all rows, as SQLite's readers have it. The journal and
imports write on connections of their own, which must never be cancelled: a cancelled COMMIT with a synchronous standby
has happened, and nobody may believe that it did not.
"""

import os
import secrets
import threading
import time
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from socket import gethostname
from typing import Any

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from gateway.errors import DataUnusable
from gateway.store.database import WriterLock, explained, lane_of
from gateway.store.partitions.beginning import preparing
from gateway.store.postgresql import errors as postgresql_errors
from gateway.store.postgresql import schema as postgresql_schema
from gateway.store.postgresql.connecting import (
    CONNECT_WITHIN_S,
    CONNECTING,
    DRIVER,
    READ_WITHIN_MS,
    parsed_address,
    prepare_to_read,
    prepare_to_write,
)
from gateway.store.postgresql.doorbell import PostgresqlDoorbell
from gateway.store.postgresql.following import PostgresqlFollower
from gateway.store.postgresql.log import PostgresqlEventLog
from gateway.store.postgresql.poolers import shares_sessions
from gateway.store.postgresql.reachability import Reachability
from gateway.store.postgresql.reading_pool import ReadingPool, bound_reading
from gateway.store.postgresql.timelines import timelines
from gateway.store.postgresql.transactions import LaneTransactions
from gateway.store.private_files import prepare
from gateway.store.reading.doorbell import Doorbell
from gateway.store.reading.epochs import settle
from gateway.store.reading.following import Follower
from gateway.store.reading.log import EventLog
from gateway.store.shared.contract import Shared
from gateway.store.shared.postgresql import SharedPostgresql
from gateway.store.shared.presence import Presence
from gateway.store.sqlite import opening

log = structlog.get_logger()

ASK_WITHIN_S = 2
"""For a connection that finds out whether the server answers; libpq takes no less."""
READERS, MORE_READERS = 8, 24
HELD_AT_MOST_MS = 1500
"""A process that hangs inside a writing transaction loses it then, so that it holds up no other node for longer."""
IN_THE_WAY = ("55P03", "40P01")
"""SQLSTATE of a table that was not to be had in time, and of two that wait for each other."""
UPGRADE_TRIES, UPGRADE_PAUSE_S = 60, 1.0


class HeldByRows:
    """A lock that keeps nobody out: what several nodes may not do at once is told apart by rows."""

    def take(self, *, wait: bool = True) -> bool:
        return True

    def give_back(self) -> None: ...

    def close(self) -> None: ...


class PostgresqlDatabase:
    """The database at ``url``; ``data`` is this node's own folder.

    Where ``url`` is a pooler, ``direct`` is the server's own address: all but reading goes there.
    """

    kind = "postgresql"
    patience_s = 8.0
    loading_hold_s = 0.1
    """No event waits for an import here; more in a transaction makes it twice as fast."""

    def __init__(self, url: URL, data: Path, direct: URL | None = None) -> None:
        self._url = url
        self._direct = direct or url
        self._data = data
        self._upgrade_due = False
        self._upgrading = threading.Lock()

    def __repr__(self) -> str:
        return f"PostgresqlDatabase({self.shown!r})"

    @property
    def shown(self) -> str:
        """The address without its password, for people; where there are two, both."""
        told = (url.render_as_string(hide_password=True) for url in dict.fromkeys((self._url, self._direct)))
        return " / ".join(address.replace(DRIVER, self.kind, 1) for address in told)

    @property
    def data(self) -> Path:
        return self._data

    @cached_property
    def engine(self) -> Engine:
        prepare(self._data)
        # Behind a pooler each transaction may meet another connection, on which other statements were prepared.
        through_pooler = {"prepare_threshold": None} if self._direct != self._url else {}
        engine = self._engine(
            self._url,
            through_pooler,
            isolation_level="REPEATABLE READ",
            poolclass=ReadingPool,
            pool_size=READERS,
            max_overflow=MORE_READERS,
            pool_timeout=CONNECT_WITHIN_S,
            pool_use_lifo=True,
            pool_pre_ping=True,
        )
        event.listen(engine, "connect", prepare_to_read)
        bound_reading(engine, self._reachability, before_connecting=self._catch_up)
        return engine

    @cached_property
    def _reachability(self) -> Reachability:
        return Reachability(partial(self._driver_connection, self._url, connect_timeout=ASK_WITHIN_S))

    @cached_property
    def _writing_engine(self) -> Engine:
        return self._unpooled(HELD_AT_MOST_MS)

    @cached_property
    def _patient_engine(self) -> Engine:
        """For imports and migrations: who hangs in these holds up no events."""
        return self._unpooled(READ_WITHIN_MS)

    def _unpooled(self, held_at_most_ms: int) -> Engine:
        engine = self._engine(self._direct, {}, isolation_level="READ COMMITTED", poolclass=NullPool)
        event.listen(engine, "connect", partial(prepare_to_write, held_at_most_ms))
        return engine

    def _engine(self, url: URL, settings: Mapping[str, Any], **options: Any) -> Engine:
        # What the address says itself counts more.
        usual = {name: value for name, value in CONNECTING.items() if name not in url.query}
        arguments = {**usual, **settings}
        return create_engine(url, paramstyle="format", connect_args=arguments, hide_parameters=True, **options)

    @cached_property
    def lanes(self) -> int:
        if self._upgrade_due:  # as in a new database; another number would cost no more than time
            return postgresql_schema.LANES
        with self.engine.connect() as connection:
            return postgresql_schema.lanes(connection)

    def lane_of(self, tenant: str) -> int:
        return lane_of(tenant, self.lanes)

    def transactions(self, lane: int) -> LaneTransactions:
        node = gethostname()
        writer = f"{node}/{os.getpid()}-{secrets.token_hex(4)}/{lane}"
        return LaneTransactions(self._settled_connection, writer, node)

    def _settled_connection(self) -> Connection:
        """Return a connection for writing, to a database whose epoch has begun: nothing is written before."""
        self._catch_up()
        connection = self._writing_engine.connect()
        try:
            settle(connection.connection.dbapi_connection)  # type: ignore[arg-type]
        except BaseException:
            connection.close()
            raise
        return connection

    def direct_connection(self) -> Any:
        """Return a psycopg connection of the caller's own, in autocommit mode; close it. Raises ``psycopg.Error``."""
        return self._driver_connection(self._direct)

    def _driver_connection(self, url: URL, **wanted: Any) -> Any:
        import psycopg

        arguments, options = self.engine.dialect.create_connect_args(url)
        settings: dict[str, Any] = {**CONNECTING, **options, **wanted}
        return psycopg.connect(*arguments, **settings, autocommit=True)

    def writer_lock(self, lane: int) -> WriterLock:
        return HeldByRows()

    def loading_lock(self) -> WriterLock:
        return HeldByRows()

    def loading_connection(self) -> Connection:
        return self._patient_engine.connect()

    def after_loading(self, connection: Connection) -> None:
        """Do nothing: the server looks after itself."""

    def shared(self) -> Shared:
        return self._shared

    @cached_property
    def _shared(self) -> SharedPostgresql:
        return SharedPostgresql(self.direct_connection)

    def event_log(self) -> EventLog:
        return PostgresqlEventLog(self.engine)

    def doorbell(self) -> Doorbell:
        return self._doorbell

    @cached_property
    def _doorbell(self) -> PostgresqlDoorbell:
        return PostgresqlDoorbell(self.direct_connection)

    def follower(self, *, look_every_s: float) -> Follower:
        return PostgresqlFollower(self._following_connection, PostgresqlEventLog(self.engine), self.doorbell())

    def _following_connection(self) -> Any:
        """Return a connection that follows events once readers are answered: they look up who may still see them."""
        connection = self.direct_connection()
        try:
            self._reachability.require_anew()
        except BaseException:
            connection.close()
            raise
        return connection

    def presence(self) -> Presence:
        return self._shared.presence()

    def shares_sessions(self) -> bool:
        return self._shares_sessions

    @cached_property
    def _shares_sessions(self) -> bool:
        return shares_sessions(self.direct_connection)

    def timelines(self) -> Mapping[str, int]:
        _, options = self.engine.dialect.create_connect_args(self._direct)
        hosts, ports = str(options.get("host", "")), str(options.get("port", ""))
        return timelines(partial(self._driver_connection, self._direct), hosts, ports) if "," in hosts else {}

    def check(self) -> None:
        """Do nothing: a connection stays with the database that it was made to."""

    def exists(self) -> bool:
        return self.revision() is not None

    def revision(self) -> str | None:
        with explained(self), self.engine.connect() as connection:
            return postgresql_schema.revision(connection)

    def upgrade(self) -> None:
        """Bring the schema to this version; again and again while somebody uses a table that changes."""
        with explained(self):
            for _ in range(UPGRADE_TRIES - 1):
                if self._could_upgrade():
                    return
                time.sleep(UPGRADE_PAUSE_S)
            self._upgrade()

    def _could_upgrade(self) -> bool:
        """Upgrade, and return whether that was done: not where others use a table that is to change."""
        try:
            self._upgrade()
        except Exception as error:  # SQLAlchemy's, and the driver's own while tables are prepared
            if getattr(getattr(error, "orig", error), "sqlstate", None) not in IN_THE_WAY:
                raise
            log.warning("schema_waits", hint="Other nodes use a table that changes; it is tried again each second.")
            return False
        return True

    def _upgrade(self) -> None:
        with (
            self.direct_connection() as driver,
            preparing(driver),
            self._patient_engine.begin() as connection,
        ):
            postgresql_schema.upgrade(connection, self.shown)

    def upgrade_later(self) -> None:
        self._upgrade_due = True

    def _catch_up(self) -> None:
        """Bring the schema to this version where that was put off. Raises as ``upgrade`` does."""
        if not self._upgrade_due:
            return
        with self._upgrading:
            if self._upgrade_due:
                self.upgrade()
                self._upgrade_due = False

    def explain(self, error: BaseException) -> DataUnusable | None:
        return postgresql_errors.explain(error, self.shown) or opening.explain(error, self._data)

    def close(self) -> None:
        if "_shared" in vars(self):
            self._shared.close()
        if "_doorbell" in vars(self):
            self._doorbell.close()
        if "engine" in vars(self):
            self._reachability.close()
            self.engine.dispose()


def open_postgresql(
    url: str, data: Path, password: str | None = None, *, direct: str | None = None
) -> PostgresqlDatabase:
    """Return the database at ``url``, with ``password`` where it stands apart; ``direct``: see ``PostgresqlDatabase``.

    Raises ``ConfigError``.
    """
    server = parsed_address(direct, password, "server.database_direct") if direct is not None else None
    return PostgresqlDatabase(parsed_address(url, password, "server.database"), data, server)
