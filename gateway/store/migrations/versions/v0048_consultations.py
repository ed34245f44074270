"""Which other call a consultation was for

Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0046"


def upgrade() -> None:
    op.add_column("calls", sa.Column("consultation_for", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
