"""The event log on PostgreSQL, where each company has an order of its own."""

from sqlalchemy import text

from gateway.store.reading.epochs import KEPT, SETTLED
from gateway.store.reading.log import EventLog
from gateway.store.reading.positions import Position

END = text(
    "SELECT coalesce((SELECT value FROM counters WHERE name = 'epoch'), 0),"
    " coalesce((SELECT seq FROM heads WHERE tenant = :tenant), 0)"
)
IS_SETTLED = text(SETTLED)


class PostgresqlEventLog(EventLog):
    """Reads the log by company."""

    def newest(self, tenant: str) -> Position:
        with self.engine.connect() as connection:
            epoch, seq = connection.execute(END, {"tenant": tenant}).one()
            return Position(epoch, seq)

    def kept(self, tenant: str, epoch: int) -> int:
        with self.engine.connect() as connection:
            row = connection.exec_driver_sql(KEPT, ([tenant], [epoch])).first()
            return int(row.kept) if row else 0

    def is_settled(self) -> bool:
        """Return whether the epoch is the one of this database, on its present timeline."""
        with self.engine.connect() as connection:
            return bool(connection.execute(IS_SETTLED).one()[1])
