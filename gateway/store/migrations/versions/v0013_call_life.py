"""A call's whole life: its legs, its wait in a queue, its free fields and notes; what exchanges tell of agents

Calls of before are at one extension each, which is their only leg; nothing is filled in.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CALLS: tuple[tuple[str, Any, str], ...] = (
    ("line_name", sa.String(255), "the configured name of the line"),
    ("waited_s", sa.Integer(), "seconds that its caller waited in a queue"),
    ("queued_at", sa.BigInteger(), "since when its caller waits in a queue"),
    ("queue_left_at", sa.BigInteger(), "when its caller waited no more"),
    ("held_at", sa.BigInteger(), "since when it is on hold"),
    ("transfer", sa.String(8), "how it was transferred: blind or attended"),
    ("cause", sa.String(64), "why it ended, as the exchange's code"),
    ("fields", sa.Text(), "JSON: free fields by name (domain/calls/free_fields.py)"),
    ("fields_cut", sa.Boolean(), "whether free fields found no room"),
    ("note_count", sa.Integer(), "how many notes are kept of it; null: none"),
    ("leg_count", sa.Integer(), "how many legs are kept of it; null: it was at one extension only"),
    ("returned_at", sa.BigInteger(), "when somebody first spoke with its caller after it was missed"),
    ("returned_by", ID, "the call in which somebody did"),
)


def upgrade() -> None:
    for name, kind, comment in CALLS:
        op.add_column("calls", sa.Column(name, kind, comment=comment))
    where = sa.text("missed AND returned_at IS NULL")
    op.create_index("ix_calls_missed", "calls", ["tenant", "number"], sqlite_where=where, postgresql_where=where)
    create_legs()
    create_notes()
    create_agent_states()
    for table in ("events", "outbox"):
        lengthen_kind(table)


def create_legs() -> None:
    op.create_table(
        "legs",
        sa.Column("call_id", ID, nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("extension", sa.String(32), nullable=False),
        sa.Column("rang_at", sa.BigInteger()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("result", sa.String(12)),
        sa.Column("agent", sa.String(64)),
        sa.Column("result_text", sa.String(255)),
        sa.Column("transferred_to", sa.String(32)),
        sa.Column("attended", sa.Boolean()),
        sa.PrimaryKeyConstraint("call_id", "place", name="pk_legs"),
    )
    op.create_index("ix_legs_tenant_extension_call_id", "legs", ["tenant", "extension", "call_id"])


def create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("call_id", ID, nullable=False, autoincrement=False),
        sa.Column("digest", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recording_url", sa.Text()),
        sa.Column("cost", sa.String(64)),
        sa.Column("transcript", sa.Text()),
        sa.PrimaryKeyConstraint("call_id", "digest", name="pk_notes"),
    )


def create_agent_states() -> None:
    op.create_table(
        "agent_states",
        sa.Column("id", ID, nullable=False, autoincrement=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger()),
        sa.Column("extension", sa.String(32), nullable=False),
        sa.Column("agent", sa.String(255), nullable=False),
        sa.Column("login", sa.String(64)),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(255)),
        sa.Column("queue", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name="pk_agent_states"),
    )
    op.create_index("ix_agent_states_tenant_id", "agent_states", ["tenant", "id"])


def lengthen_kind(table: str) -> None:
    """Let ``table`` take kinds of 32 characters.

    SQLite knows no length: only what the schema says of it is put right, as its manual describes ("Making Other Kinds
    Of Table Schema Changes"), for the table itself may be large.
    """
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, "kind", type_=sa.String(32), existing_nullable=False)
        return
    version = op.get_bind().execute(sa.text("PRAGMA schema_version")).scalar() or 0
    op.execute("PRAGMA writable_schema = ON")
    text = "UPDATE sqlite_master SET sql = replace(sql, 'kind VARCHAR(16)', 'kind VARCHAR(32)') WHERE name = :name"
    op.get_bind().execute(sa.text(text), {"name": table})
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
