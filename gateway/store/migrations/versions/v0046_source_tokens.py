"""Which lease a source of events was last taken with

Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0038"


def upgrade() -> None:
    op.add_column("event_sources", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
