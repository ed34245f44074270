"""What every node may ask later of every other: delivery receipts, and which node's traffic log has a call's bytes.

In PostgreSQL, in tables that no standby is waited for (``tables.py``) and that a failover empties. Rows that
cannot be written are tried again, up to a bound.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, insert, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway.clock import Clock
from gateway.errors import DatabaseAway
from gateway.store.shared.tables import exchange_index, sightings
from gateway.store.write_behind import WriteBehind

log = structlog.get_logger()

TABLES = (sightings, exchange_index)
TIDY_ROWS = 2_000
MOST_ROWS = 5_000_000
"""Of each table, whatever their age."""
MOST_TRIED_AGAIN = 20_000
OVERLAP_MS = 600_000
"""Rows are written behind what they tell of, and wait for the database; later ones go with ``keep_days``."""
DO_NOT_WAIT = "SET LOCAL synchronous_commit = off"
BEGUN = "begun"
"""The kind of the receipt that says since when there are any: the first one after the table was made or emptied."""


class SharedLog(WriteBehind):
    """Rows of this node among those of all. ``engine`` is the database's own, and not closed here.

    Rows are kept for ``keep_days``, of companies in ``keep_ms_of`` for so many milliseconds where that is shorter.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        keep_days: float,
        keep_ms_of: Mapping[str, int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        # Nodes delete the same old rows at once; READ COMMITTED lets the later one find none.
        super().__init__(engine.execution_options(isolation_level="READ COMMITTED"), "shared-log")
        self._clock = clock or Clock()
        self._keep_ms = round(keep_days * 24 * 3600 * 1000)
        self._keep_ms_of = dict(keep_ms_of or {})
        self._tidied_until: dict[tuple[str, str], int] = {}

    def insert(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Write rows of one table, without waiting for a disk or a standby. Rows that found no database come again.

        Raises what the database does.
        """
        _do_not_wait(connection)
        connection.execute(insert(table), list(rows))

    def again(self, rows: Sequence[tuple[Table, dict[str, Any]]], error: Exception) -> bool:
        """Keep rows for the next time where the database was away, and they are not too many."""
        if not isinstance(error, OperationalError | DatabaseAway) or len(rows) > MOST_TRIED_AGAIN - len(self._waiting):
            return False
        self._waiting.extendleft([lambda row=row: row for row in reversed(rows)])  # type: ignore[misc]
        return True

    def tidy(self) -> None:
        """Say since when there are receipts, and let go of what is too old or too much, a portion at a time."""
        try:
            self._begin_receipts()
            for table in TABLES:
                while self._drop(table, self._too_old_or_much(table)):
                    pass
                for tenant, kept_ms in self._keep_ms_of.items():
                    self._drop_of(table, tenant, self._clock.ago(kept_ms))
        except (SQLAlchemyError, DatabaseAway) as error:
            log.warning("side_log_not_tidied", error=type(error).__name__)

    def _begin_receipts(self) -> None:
        with self.engine.begin() as connection:
            if connection.execute(select(sightings.c.id).limit(1)).first() is None:
                _do_not_wait(connection)
                nobody = dict.fromkeys(("tenant", "extension", "login", "screen"), "")
                connection.execute(insert(sightings).values(at=self._clock(), kind=BEGUN, **nobody))

    def _too_old_or_much(self, table: Table) -> ColumnElement[bool]:
        too_many = select(func.max(table.c.id) - MOST_ROWS).scalar_subquery()
        return (table.c.at < self._clock.ago(self._keep_ms)) | (table.c.id <= too_many)

    def _drop_of(self, table: Table, tenant: str, before: int) -> None:
        """Delete what is older of one company; what was looked through is not looked through again."""
        since = self._tidied_until.get((table.name, tenant), 0)
        while self._drop(table, (table.c.tenant == tenant) & (table.c.at >= since) & (table.c.at < before)):
            pass
        self._tidied_until[table.name, tenant] = before - OVERLAP_MS

    def _drop(self, table: Table, condition: ColumnElement[bool]) -> bool:
        """Delete a portion of what meets ``condition``; False when that was all."""
        portion = select(table.c.id).where(condition).limit(TIDY_ROWS).with_for_update(skip_locked=True)
        with self.engine.begin() as connection:
            _do_not_wait(connection)
            return connection.execute(delete(table).where(table.c.id.in_(portion))).rowcount == TIDY_ROWS


def _do_not_wait(connection: Connection) -> None:
    connection.exec_driver_sql(DO_NOT_WAIT)
