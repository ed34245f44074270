"""Which lease a source of events was last taken with, and how far its clock is from ours

Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0043"


LEASE = "number of the newest lease that it was run with: who has an older one writes nothing more"
AHEAD = "by how much its clock was measured to be ahead of the gateway's"
CORRECTED = "what is taken off the moments that it tells"


def upgrade() -> None:
    add(sa.Column("token", sa.BigInteger(), server_default="0", nullable=False, comment=LEASE))
    add(sa.Column("clock_ahead_ms", sa.BigInteger(), comment=AHEAD))
    add(sa.Column("clock_corrected_ms", sa.BigInteger(), server_default="0", nullable=False, comment=CORRECTED))


def add(column: sa.Column[int]) -> None:
    op.add_column("event_sources", column)
