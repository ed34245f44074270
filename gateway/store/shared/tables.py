"""The tables of what nodes share on PostgreSQL (``postgresql.py``).

All are UNLOGGED: nothing is written ahead for them and no standby is waited for, and after a crash or a failover they
are empty, which is what their users expect. So they are made where they are missing and have no migrations.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    text,
)

from gateway.store.fitting import FittedString

metadata = MetaData()
OFTEN_CHANGED: Any = {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": 50}}

values = Table(
    "shared_values",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("value", Text, nullable=False, comment="JSON"),
    **OFTEN_CHANGED,
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False, comment="the process, by its name in store/shared/presence.py"),
    Column("token", BigInteger, nullable=False, comment="greater with each holder"),
    Column("until", DateTime(timezone=True), nullable=False),
    **OFTEN_CHANGED,
)

attempt_counts = Table(
    "attempt_counts",
    metadata,
    Column("who", LargeBinary, primary_key=True, comment="digest of limit and login, address or both"),
    Column("ends", Float, nullable=False, comment="seconds since 1970"),
    Column("count", Integer, nullable=False),
    **OFTEN_CHANGED,
)

attempt_marks = Table(
    "attempt_marks",
    metadata,
    Column("who", LargeBinary, primary_key=True),
    Column("ends", Float, nullable=False),
    Index("ix_attempt_marks_ends", "ends"),
    **OFTEN_CHANGED,
)

LOG_IDS = Sequence("shared_log_ids", metadata=metadata, data_type=BigInteger, cache=100)
"""Logged, unlike the tables: the sequence of an unlogged table's own column cannot be read after a promotion in
PostgreSQL 15 ("bad magic number in sequence").
"""

sightings = Table(
    "sightings",
    metadata,
    Column("id", BigInteger, LOG_IDS, primary_key=True, server_default=LOG_IDS.next_value()),
    Column("at", BigInteger, nullable=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("login", FittedString(64), nullable=False),
    Column("screen", FittedString(16), nullable=False),
    Column("kind", FittedString(9), nullable=False),
    Column("call_id", BigInteger),
    Index("ix_sightings_extension", "tenant", "extension", "at"),
    Index("ix_sightings_call", "call_id", postgresql_where=text("call_id IS NOT NULL")),
    Index("ix_sightings_at", "at"),
    prefixes=["UNLOGGED"],
)
"""As on a data folder (``delivery_receipts.py``)."""

exchange_index = Table(
    "exchange_index",
    metadata,
    Column("id", BigInteger, LOG_IDS, primary_key=True, server_default=LOG_IDS.next_value()),
    Column("at", BigInteger, nullable=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("call_id", BigInteger, nullable=False),
    Column("node", FittedString(64), nullable=False, comment="whose traffic log has the bytes"),
    Column("url", FittedString(255), nullable=False, comment="of that node's desk; empty where it is not known"),
    Column("way", FittedString(3), nullable=False),
    Column("peer", FittedString(255), nullable=False),
    Column("operation", FittedString(32), nullable=False),
    Column("status", FittedString(80), nullable=False),
    Index("ix_exchange_index_call", "call_id"),
    Index("ix_exchange_index_at", "at"),
    prefixes=["UNLOGGED"],
)
