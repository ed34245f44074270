"""Whose id of a call it is: two exchanges may give the same"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("calls", sa.Column("ref_space", sa.String(63)))
