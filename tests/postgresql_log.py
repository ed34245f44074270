"""A PostgreSQL database with an event log that tests write, as the journal numbers it, without calls or companies."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.store.postgresql.database import PostgresqlDatabase
from gateway.store.postgresql.log import PostgresqlEventLog
from tests.postgresql import FreshDatabase

HEAD = """
    INSERT INTO heads (tenant, seq) VALUES (%s, 1)
    ON CONFLICT (tenant) DO UPDATE SET seq = heads.seq + 1 RETURNING seq
"""
EVENT = (
    "INSERT INTO events (seq, tenant, kind, at, extension, call_id, payload) VALUES (%s, %s, %s, %s, '3501', %s, '{}')"
)


class WrittenLog:
    """The database ``fresh``, opened."""

    def __init__(self, fresh: FreshDatabase, data: Path) -> None:
        self.fresh = fresh
        self.database: PostgresqlDatabase = fresh.open(data)
        self.events = PostgresqlEventLog(self.database.engine)
        self._writer = self.connect()

    def connect(self) -> Any:
        """Return a connection of one's own in autocommit mode."""
        return self.database.direct_connection()

    def commit(self, tenant: str = "acme", kind: str = "call_started", connection: Any = None) -> int:
        """An event becomes durable; its ``seq``."""
        connection = connection or self._writer
        with connection.transaction():
            (seq,) = connection.execute(HEAD, (tenant,)).fetchone()
            connection.execute(EVENT, (seq, tenant, kind, time.time_ns() // 1000, seq))
        return int(seq)

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement; its rows."""
        cursor = self._writer.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []

    def take_over(self) -> None:
        """Let the database look as if it had come from another timeline than it was last seen on."""
        self.run("UPDATE counters SET value = value + 1 WHERE name = 'timeline'")

    def people_changed(self, tenant: str = "acme") -> None:
        self.run("UPDATE heads SET people = people + 1 WHERE tenant = %s", tenant)

    def backends(self, words: str) -> list[int]:
        """Return the processes of the server whose last statement holds ``words``, but for this one."""
        query = "SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid() AND datname = %s"
        return [pid for (pid,) in self.run(query, f"%{words}%", self.fresh.name)]

    def close(self) -> None:
        self._writer.close()
        self.database.close()


@contextmanager
def written_log(data: Path) -> Iterator[WrittenLog]:
    """A fresh database for one test."""
    fresh = FreshDatabase()
    log = WrittenLog(fresh, data)
    try:
        yield log
    finally:
        log.close()
        fresh.give_back()


def until(done: Callable[[], bool], *, timeout_s: float = 60) -> None:
    """Wait until ``done``."""
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
