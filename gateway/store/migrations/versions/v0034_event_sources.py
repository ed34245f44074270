"""How sources of events are doing that the gateway goes and gets

Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "event_sources",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("complete_until", sa.BigInteger()),
        sa.Column("told_at", sa.BigInteger()),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("not_understood", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_event_sources"),
    )
