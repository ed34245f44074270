"""Which lease a source of events was last taken with, and how far its clock is from ours

Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0043"


def upgrade() -> None:
    op.add_column("event_sources", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("event_sources", sa.Column("clock_ahead_ms", sa.BigInteger()))
    op.add_column("event_sources", sa.Column("clock_corrected_ms", sa.BigInteger(), server_default="0", nullable=False))
