"""What several nodes number by, and are told apart by, on PostgreSQL. SQLite has these tables empty."""

from sqlalchemy import BigInteger, Column, Sequence, Table

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import metadata

heads = Table(
    "heads",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="of the tenant's last event"),
    Column(
        "people", BigInteger, nullable=False, server_default="0", comment="moved on by changes of agents and sessions"
    ),
    comment="Held by whoever writes of a tenant, to the commit: so its events have no gaps, and one transaction at a "
    "time, on whichever node, decides about its calls.",
)

epoch_starts = Table(
    "epoch_starts",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", FittedString(63), primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="up to where events of earlier epochs are still there"),
    comment="Where each tenant's events stood when a database took over: who has seen no more misses nothing.",
)

writers = Table(
    "writers",
    metadata,
    Column("id", FittedString(255), primary_key=True, comment="node, process and lane"),
    Column("n", BigInteger, nullable=False, comment="transactions of it that are durable"),
    Column("spooled", BigInteger, nullable=False, server_default="0", comment="events of its spool that are durable"),
    Column("node", FittedString(255), nullable=False, server_default=""),
    Column("seen_at", BigInteger, nullable=False),
    comment="Moved on by each transaction of a lane: it says whether one whose COMMIT got no answer has happened.",
)

call_ids = Sequence("call_ids", metadata=metadata)
order_ids = Sequence("order_ids", metadata=metadata)
