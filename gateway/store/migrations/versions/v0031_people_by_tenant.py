"""What screens on several nodes look at: changes of people for each tenant, and where epochs began

Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("heads", sa.Column("people", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "epoch_starts",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "tenant", name="pk_epoch_starts"),
    )
