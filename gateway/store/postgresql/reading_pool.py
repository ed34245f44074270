"""The pool of connections for reading from PostgreSQL, bounded in number and in how long anybody waits for one that
hangs.
"""

from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection, QueuePool, event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.errors import DatabaseAway, DataUnusable
from gateway.store.postgresql.reachability import Reachability, ReadingConnection


class ReadingPool(QueuePool):
    """Gives out nothing while the server is away, and has nobody wait for others' answers while that is doubted."""

    reachability: Reachability

    def connect(self) -> PoolProxiedConnection:
        """Return a connection. Raises ``DatabaseAway``, also where none was free in time."""
        self.reachability.require()
        if self.reachability.is_doubted and self._is_used_up():
            raise DatabaseAway
        try:
            return super().connect()
        except PoolTimeout as error:
            raise DatabaseAway from error

    def recreate(self) -> "ReadingPool":
        made = super().recreate()
        assert isinstance(made, ReadingPool)
        made.reachability = self.reachability
        return made

    def _is_used_up(self) -> bool:
        return self.checkedout() >= self.size() + self._max_overflow


def bound_reading(engine: Engine, reachability: Reachability, before_connecting: Callable[[], None]) -> None:
    """Have nobody who reads by ``engine``, whose pool is a ``ReadingPool``, wait for a server that does not answer.

    What comes of its absence is ``DatabaseAway``, with the driver's error as its cause. ``before_connecting`` may raise
    ``DataUnusable``.
    """
    assert isinstance(engine.pool, ReadingPool)
    engine.pool.reachability = reachability

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, settings: Any) -> ReadingConnection:
        reachability.require()
        try:
            before_connecting()
        except DataUnusable as error:
            reachability.doubt()
            raise DatabaseAway from error
        connection = ReadingConnection.connect(*arguments, **settings)
        connection.reachability = reachability
        return connection

    @event.listens_for(engine, "handle_error")
    def tell(context: ExceptionContext) -> None:
        is_driver = isinstance(context.original_exception, psycopg.Error)
        if is_driver and not context.is_pre_ping and (context.connection is None or context.is_disconnect):
            reachability.doubt()
            raise DatabaseAway from context.original_exception
