"""Several accounts with one number: who looks after them, which one was chosen, the last contact"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column("owner", sa.String(length=64), comment="extension or login of who looks after the account"),
    )
    op.create_table(
        "choices",
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False, comment="canonical form"),
        sa.Column(
            "account_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="whose the number's calls are, as an agent said",
        ),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False),
        sa.Column("chosen_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number", name=op.f("pk_choices")),
    )
    op.create_index(
        "ix_calls_account",
        "calls",
        ["account_id", "logged_at"],
        sqlite_where=sa.text("account_id IS NOT NULL"),
        postgresql_where=sa.text("account_id IS NOT NULL"),
    )
