"""Sessions that a program has, such as the browser extension: an agent makes and revokes them at the desk"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("program", sa.String(64)))
    op.add_column("sessions", sa.Column("used_at", sa.BigInteger()))
