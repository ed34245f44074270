"""Table of the machines that share a database."""

from sqlalchemy import BigInteger, Column, Table

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import metadata

nodes = Table(
    "nodes",
    metadata,
    Column("name", FittedString(63), primary_key=True),
    Column("version", FittedString(32), nullable=False, comment="of the gateway that runs there"),
    Column("configuration", FittedString(64), nullable=False, comment="digest of what all nodes must have alike"),
    Column("clock_skew_ms", BigInteger, nullable=False, comment="its clock less the database's"),
    Column("seen_at", BigInteger, nullable=False, comment="by the database's clock"),
    comment="What the nodes of a gateway say of themselves, every few seconds; empty on SQLite.",
)
