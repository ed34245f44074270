"""What agents write of calls: a note, an outcome, a follow-up"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (
    ("ix_agent_notes_due", ["tenant", "follow_up_at"], "follow_up_at IS NOT NULL AND follow_up_done_at IS NULL"),
    ("ix_agent_notes_untold", ["updated_at"], "revision > told_revision"),
    ("ix_agent_notes_account", ["account_id", "call_id"], "account_id IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "agent_notes",
        sa.Column("call_id", ID, nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("account_id", ID),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("follow_up_at", sa.BigInteger()),
        sa.Column("follow_up_done_at", sa.BigInteger()),
        sa.Column("follow_up_done_by", sa.String(64)),
        sa.Column("follow_up_done_in", ID),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("author_name", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("told_revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_agent_notes"),
    )
    op.create_index("ix_agent_notes_tenant_number_call_id", "agent_notes", ["tenant", "number", "call_id"])
    for name, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, "agent_notes", columns, sqlite_where=where, postgresql_where=where)
