"""Table of what was removed by age."""

from sqlalchemy import BigInteger, Column, Table

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import metadata

removals = Table(
    "removals",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("seq", BigInteger, nullable=False, server_default="0", comment="up to which events of it may be missing"),
    Column("call_id", BigInteger, nullable=False, server_default="0", comment="up to which calls of it may be missing"),
    Column("events_until", BigInteger, nullable=False, server_default="0", comment="events up to here were looked at"),
    comment="How far rows of each company were removed by age, for screens and search indexes that are behind it.",
)
