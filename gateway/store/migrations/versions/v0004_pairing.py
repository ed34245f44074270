"""How events find their call: what was heard when, by which rule, groups and transfers"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.drop_index("ix_calls_open", table_name="calls")
    op.drop_column("calls", "open_key")
    op.add_column(
        "calls",
        sa.Column("start_heard_at", sa.BigInteger(), comment="when a start was received, by our clock"),
    )
    op.add_column(
        "calls",
        sa.Column("end_heard_at", sa.BigInteger(), comment="when an end was received, by our clock"),
    )
    op.add_column(
        "calls",
        sa.Column(
            "paired_by",
            sa.String(length=12),
            comment="the rule by which its events found each other: domain/finding.py",
        ),
    )
    op.add_column(
        "calls",
        sa.Column(
            "group_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            comment="the first call of the same caller, where several extensions ring at once",
        ),
    )
    op.add_column(
        "calls",
        sa.Column("transferred_to", sa.String(length=32), comment="the extension that ended it, where it is another"),
    )
    op.execute("UPDATE calls SET end_heard_at = ended_at WHERE status = 'ended'")
    op.execute(
        "UPDATE calls SET start_heard_at = logged_at WHERE started_at IS NOT NULL AND status IN ('ringing', 'ended')"
    )
