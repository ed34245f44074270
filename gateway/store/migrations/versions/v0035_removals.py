"""How far rows of each company were removed by age

Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("call_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("events_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_removals"),
    )
