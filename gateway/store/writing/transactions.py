"""How a batch of the journal becomes durable: the transaction around it, on a connection of the writer's own."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine

from gateway.store.sqlite.engine import begin, commit, writing_connection

T = TypeVar("T")


class NotStored(Exception):
    """A transaction came to nothing, surely, through no fault of its jobs: they may be written by another one."""


class Transactions(Protocol):
    """One lane's transactions, one after the other. ``leads`` says whether a producer's thread may run one."""

    leads: bool

    def ready(self) -> bool:
        """Return whether a transaction can begin; wait for a moment before saying that it cannot."""
        ...

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction and return its result once that is durable.

        Raises ``NotStored``; ``StoreUnclear`` when it cannot be told whether it is durable; and what ``work`` raises:
        then nothing of it is stored.
        """
        ...

    def stop(self) -> None:
        """Wait for nothing any more."""
        ...

    def close(self) -> None:
        """Give the connection back. Safe to call again."""
        ...


class LocalTransactions:
    """Transactions on a database of this machine: its answer always comes, and at once."""

    leads = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def ready(self) -> bool:
        return True

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work``; the connection is dropped after any error."""
        connection = self._connection = self._connection or writing_connection(self._engine)
        try:
            begin(connection)
            done = work(connection)
            commit(connection)
        except BaseException:
            self._replace()
            raise
        return done

    def _replace(self) -> None:
        """Drop a connection on which something failed. The next one is opened first: with its last connection SQLite
        removes the write-ahead log, and the one that comes then would be taken for somebody else's.
        """
        failed, self._connection = self._connection, None
        with suppress(Exception):  # it is opened when it is needed
            self._connection = writing_connection(self._engine)
        if failed is not None:
            failed.close()

    def stop(self) -> None: ...

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
