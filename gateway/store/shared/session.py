"""One connection of a process to PostgreSQL, for what nodes share: short statements, never in an event's way.

Each statement is a transaction of its own that waits for no disk and no standby (``synchronous_commit`` off), so that
none can hold up another node. Who cannot be answered within moments gets ``SharedUnavailable``, at once for a while.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import psycopg

log = structlog.get_logger()

AGAIN_AFTER_S = 1.0
"""How long nobody tries again after a failure: an order must not wait for each of its statements."""
NO_WAITING = "SET synchronous_commit = off; SET statement_timeout = 2000; SET lock_timeout = 1000"
PATIENCE_S = 3.0
"""For the turn at the connection, which others of this process have: longer than the server lets a statement take. A
server that does not even end it hangs, and the connection is broken off.
"""


class SharedUnavailable(OSError):
    """What is shared cannot be read or changed now."""


class SharedSession:
    """Runs statements, for any thread. ``connect`` opens a connection in autocommit mode, within seconds."""

    def __init__(self, connect: "Callable[[], psycopg.Connection[Any]]") -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()
        self._try_again_at = 0.0
        self._closed = False
        self._connecting = False
        """While one thread tries to connect again, which may take seconds, no other waits for it."""
        self._ahead_s = 0.0
        """How far the database's clock is ahead of ours."""

    def run(self, statement: str, **values: Any) -> Sequence[tuple[Any, ...]]:
        """Run one statement and return its rows. Raises ``SharedUnavailable``."""
        if self._connecting or time.monotonic() < self._try_again_at:
            raise SharedUnavailable(None, "the database could not be used a moment ago")
        if not self._lock.acquire(timeout=PATIENCE_S):
            self._break_off()
            raise SharedUnavailable(None, "the database does not answer")
        try:
            return self._run(statement, values)
        finally:
            self._lock.release()

    def now(self) -> float:
        """Return seconds since 1970 by the database's clock, as far as it is known."""
        return time.time() + self._ahead_s

    def compare_clocks(self) -> None:
        """Learn how far the database's clock is ahead. Raises ``SharedUnavailable``."""
        asked = time.time()
        ((told,),) = self.run("SELECT extract(epoch FROM clock_timestamp())::float8")
        self._ahead_s = told - (asked + time.time()) / 2

    def close(self) -> None:
        """End the connection for good. Safe to call again."""
        with self._lock:
            self._closed = True
            self._drop()

    def _run(self, statement: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
        if self._closed or time.monotonic() < self._try_again_at:
            raise SharedUnavailable(None, "the database could not be used a moment ago")
        try:
            cursor = self._opened().execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else ()
        except Exception as error:  # of psycopg, which is not there without PostgreSQL
            self._drop()
            self._try_again_at = time.monotonic() + AGAIN_AFTER_S
            # Only the kind: its text may hold the address with what is secret in it.
            raise SharedUnavailable(None, type(error).__name__) from None

    def _opened(self) -> "psycopg.Connection[Any]":
        if self._connection is None:
            self._connecting = self._try_again_at > 0  # not the first time, which is at the start
            try:
                self._connection = self._connect()
            finally:
                self._connecting = False
            self._connection.execute(NO_WAITING.encode())
        return self._connection

    def _break_off(self) -> None:
        """End the wait of the thread that has the connection: it gets an error, and closes it."""
        self._try_again_at = time.monotonic() + AGAIN_AFTER_S
        connection = self._connection
        with suppress(Exception):  # it may be closed, or just be made
            if connection is not None:
                with socket.socket(fileno=os.dup(connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
