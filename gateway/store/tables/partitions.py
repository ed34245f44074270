"""The table of the ranges of ids in which calls lie on PostgreSQL. SQLite has it empty."""

from sqlalchemy import BigInteger, Column, Table

from gateway.store.tables.columns import metadata

call_ranges = Table(
    "call_ranges",
    metadata,
    Column("first_id", BigInteger, primary_key=True, autoincrement=False),
    Column("end_id", BigInteger, nullable=False, comment="the first one behind it"),
    Column(
        "reached_at",
        BigInteger,
        comment="when its ids were seen to be given out: calls of later have no smaller ones; null: not yet",
    ),
    comment="The ranges of ids by which calls, legs and notes are parted: they tell from which id on to look.",
)
