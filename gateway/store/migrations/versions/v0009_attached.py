"""Calls have the data that exchanges attach to them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; calls of before have none of it."""
    for name, comment in (("queue", "Queue or group"), ("line", "Called line")):
        op.add_column("calls", sa.Column(name, sa.String(length=255), comment=comment))
