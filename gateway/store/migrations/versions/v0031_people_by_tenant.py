"""A counter of changes of agents and sessions for each tenant: for several nodes on PostgreSQL

Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("heads", sa.Column("people", sa.BigInteger(), server_default="0", nullable=False))
