"""What came of orders, attempts, letters and imports as id and facts, so that it can be said in any language"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for table in ("orders", "attempts", "outbox", "imports"):
        op.add_column(table, sa.Column("sentence", sa.Text()))
