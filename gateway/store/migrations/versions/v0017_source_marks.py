"""What sources of events say of their events besides: which were seen, in which order, under which other ids"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "source_marks",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("call_ref", sa.String(255)),
        sa.Column("call_id", sa.BigInteger()),
        sa.Column("sequence", sa.BigInteger()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", "kind", "name", name="pk_source_marks"),
    )
    op.create_index("ix_source_marks_at", "source_marks", ["at"])
