"""The tables of what nodes share on PostgreSQL (``shared_postgresql.py``).

All are UNLOGGED: nothing is written ahead for them and no standby is waited for, and after a crash or a failover they
are empty, which is what their users expect. So they are made where they are missing and have no migrations.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Float, Index, Integer, LargeBinary, MetaData, Table, Text

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
    Column("holder", Text, nullable=False, comment="the process, by its name in store/presence.py"),
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
