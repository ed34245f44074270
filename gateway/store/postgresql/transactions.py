"""A lane's transactions on PostgreSQL: never cancelled, and never guessed about.

A cancelled COMMIT has happened all the same, but for the standby; and one whose connection is lost may have happened.
So nothing here ends a COMMIT, and each transaction moves on the writer's own row: what that row says afterwards, on a
new connection and as durable as everything else, says whether the transaction has happened.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection

from gateway.errors import StoreUnavailable, StoreUnclear
from gateway.store.postgresql.head_numbers import HeadsMissing, add_heads
from gateway.store.sqlite.engine import commit
from gateway.store.writing.transactions import NotStored

T = TypeVar("T")

log = structlog.get_logger()

PAUSE_S = 0.2
UNCLEAR = Counter("cti_commits_unclear_total", "Transactions of which it had to be cleared up whether they happened")
MOVE_ON = """
UPDATE writers SET n = n + 1, seen_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE id = %s
"""
# Waits for a transaction of ours that is still being committed; and its own COMMIT, for the standby that has both.
OWN_COUNT = """
INSERT INTO writers (id, n, node, seen_at) VALUES (%s, %s, %s, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at RETURNING n
"""
FORGET = """
DELETE FROM writers WHERE spooled = 0 AND id <> %s
AND seen_at < (extract(epoch FROM clock_timestamp() - interval '7 days') * 1000)::bigint
"""
AGAIN = {"25006", "40001", "40P01"}
"""States in which the same work can be done by another transaction: a standby, or a conflict with others."""
LOST, FULL = ("08", "57"), "53"
"""Classes of states: the server goes away; it has no room, memory or connection left."""


class LaneTransactions:
    """Transactions on a connection of ``connect``, by a writer whose row is ``writer``; on a machine named ``node``."""

    leads = False

    def __init__(self, connect: Callable[[], Connection], writer: str, node: str = "") -> None:
        self._connect = connect
        self._writer = writer
        self._node = node
        self._connection: Connection | None = None
        self._driver: Any = None
        self._n = 0
        """Its transactions that have happened, as far as it knows."""
        self._is_new = True
        self._was_warned = False
        self._is_away = False
        self._stopping = threading.Event()

    def ready(self) -> bool:
        if self._connection is not None:
            return True
        found = self._open()
        if found is None:
            self._stopping.wait(PAUSE_S)
            return False
        self._n = found
        return True

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work``; again where a tenant is new. A lost connection is dropped. Raises ``NotStored``."""
        if not self.ready():
            raise NotStored("no connection")
        done = self._work(work)
        self._commit()
        return done

    def stop(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        connection, self._connection, self._driver = self._connection, None, None
        if connection is not None:
            with suppress(Exception):  # what has become of it does not matter: the server ends its transaction
                connection.invalidate()
            connection.close()

    def _work(self, work: Callable[[Connection], T]) -> T:
        connection = self._connection
        assert connection is not None
        try:
            self._move_on()
            return work(connection)
        except HeadsMissing as missing:
            self._add_heads(connection, missing)
            return self._work(work)
        except BaseException as error:
            raise self._told(error) from error

    def _move_on(self) -> None:
        if self._driver.execute(MOVE_ON, [self._writer]).rowcount != 1:
            self.close()
            raise NotStored("its row is gone")

    def _add_heads(self, connection: Connection, missing: HeadsMissing) -> None:
        try:
            _roll_back(connection)
            add_heads(connection, missing.tenants)
            commit(connection)
        except Exception as error:
            raise self._told(error) from error

    def _told(self, error: BaseException) -> BaseException:
        """Roll back; return what ``error``, before the COMMIT, means for the work."""
        is_lost = self._is_lost(error)
        self._abort(is_lost or not isinstance(error, Exception))
        if is_lost:
            return NotStored(f"{type(error).__name__}: {error}".splitlines()[0])
        return StoreUnavailable() if _state(error).startswith(FULL) else error

    def _abort(self, is_lost: bool) -> None:
        """Undo what was written; the connection is kept if it still serves."""
        try:
            if not is_lost and self._connection is not None:
                _roll_back(self._connection)
                return
        except Exception as error:
            log.debug("rollback_failed", error=type(error).__name__)
        self.close()

    def _is_lost(self, error: BaseException) -> bool:
        state = _state(error)
        gone = self._driver is not None and bool(self._driver.closed)
        return isinstance(error, Exception) and (gone or state in AGAIN or state.startswith(LOST))

    def _commit(self) -> None:
        """Commit, and return once that has surely happened. Raises ``NotStored``, ``StoreUnclear``; the server's no."""
        assert self._connection is not None
        self._was_warned = False
        try:
            commit(self._connection)
        except Exception as error:
            if not self._is_lost(error):
                self._abort(is_lost=False)
                raise
            self._clear_up(error)
        else:
            # The server gave up waiting for its standby: a failover would undo what it says has happened.
            if self._was_warned:
                self._clear_up(None)
            else:
                self._n += 1

    def _clear_up(self, error: Exception | None) -> None:
        """Find out whether the last transaction has happened. Raises ``NotStored``; ``StoreUnclear`` at a stop."""
        self.close()
        UNCLEAR.inc()
        log.warning("commit_unclear", writer=self._writer, error=type(error).__name__ if error else "not replicated")
        expected = self._n + 1
        while (found := self._open()) is None:
            if self._stopping.wait(PAUSE_S):
                raise StoreUnclear
        log.warning("commit_cleared_up", writer=self._writer, stored=found >= expected)
        if found < self._n:
            log.error("commits_lost", writer=self._writer, commits=self._n - found)
        self._n = found
        if found < expected:
            raise NotStored("the COMMIT did not happen")

    def _open(self) -> int | None:
        """Connect; return how many transactions of this writer have happened, durably. None: it cannot be told now."""
        try:
            self._connection = self._connect()
            self._driver = self._connection.connection.dbapi_connection
            self._driver.add_notice_handler(self._hear)
            found = self._own_count()
        except Exception as error:
            self._note_away(error)
            self.close()
            return None
        self._is_away = False
        return found

    def _own_count(self) -> int:
        """Return the count of the writer's row, once what it says is as durable as it gets. Raises ``NotStored``."""
        self._was_warned = False
        found: int = self._driver.execute(OWN_COUNT, [self._writer, self._n, self._node]).fetchone()[0]
        if self._is_new:
            self._driver.execute(FORGET, [self._writer])
        self._driver.commit()
        if self._was_warned:
            raise NotStored("not replicated")
        self._is_new = False
        return found

    def _hear(self, notice: Any) -> None:
        """Note a warning of the server: while it commits there is only one, that it waits for its standby no more."""
        if notice.severity_nonlocalized == "WARNING":
            self._was_warned = True

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("lane_waits_for_database", writer=self._writer, error=type(error).__name__)
        self._is_away = True


def _state(error: BaseException) -> str:
    """Return the SQLSTATE of a driver's error, bare or in SQLAlchemy's; "" where it has none."""
    cause = getattr(error, "orig", None) or error
    return getattr(cause, "sqlstate", None) or ""


def _roll_back(connection: Connection) -> None:
    if connection.in_transaction():
        connection.rollback()
    else:
        connection.connection.rollback()
