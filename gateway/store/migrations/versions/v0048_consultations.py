"""Which other call a consultation was for

Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0046"


FOR = "the call that it was the consultation for, before an attended transfer"


def upgrade() -> None:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("calls", sa.Column("consultation_for", kind, comment=FOR))
