"""The language that an agent chose"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("agents", sa.Column("language", sa.String(8)))
