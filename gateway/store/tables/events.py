"""The event log and the counters that number it."""

from sqlalchemy import BigInteger, Column, Index, Table

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import Id, metadata

counters = Table(
    "counters",
    metadata,
    Column("name", FittedString(20), primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="Last number given out for events, calls and orders; read and moved on inside the writing transaction, "
    "so that events.seq has no gaps and a reader that follows it misses nothing.",
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("kind", FittedString(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("call_id", Id, nullable=False),
    Column("payload", FittedText, nullable=False, comment="JSON: what screens need, and what was received"),
    Index(None, "call_id"),
)
