"""The list of missed calls: which were taken off it by hand, and who calls back just now"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (
    ("ix_calls_missed_account", ["account_id"], "missed AND returned_at IS NULL"),
    ("ix_calls_missed_open", ["tenant", "logged_at"], "missed AND returned_at IS NULL AND cleared_at IS NULL"),
    ("ix_calls_cleared", ["tenant", "cleared_at"], "cleared_at IS NOT NULL"),
)


def upgrade() -> None:
    op.add_column("calls", sa.Column("cleared_at", sa.BigInteger()))
    op.add_column("calls", sa.Column("cleared_by", sa.String(64)))
    for name, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, "calls", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "missed_claims",
        sa.Column("call_id", ID, nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("extension", sa.String(32), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_missed_claims"),
    )
    op.create_index("ix_missed_claims_tenant_until", "missed_claims", ["tenant", "until"])
