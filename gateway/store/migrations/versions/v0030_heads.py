"""Numbers for each tenant, and who writes: for several nodes on PostgreSQL

Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "heads",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_heads"),
    )
    op.create_table(
        "writers",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("spooled", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("node", sa.String(255), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_writers"),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.execute(sa.schema.CreateSequence(sa.Sequence("call_ids")))
        op.execute(sa.schema.CreateSequence(sa.Sequence("order_ids")))
