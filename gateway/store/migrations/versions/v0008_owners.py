"""Who tries an order and who sends a letter, so that what a dead process held is free at once"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("orders", sa.Column("owner", sa.String(32)))
    op.add_column("outbox", sa.Column("claimed_by", sa.String(32)))
