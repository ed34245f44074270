"""Calls with their legs and notes by ranges of ids, on PostgreSQL

Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.partitions.beginning import part_calls

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "call_ranges",
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("end_id", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("first_id", name="pk_call_ranges"),
    )
    if op.get_bind().dialect.name == "postgresql":
        part_calls(op.get_bind())
