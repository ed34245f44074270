"""Gateways on site: their keys, how far their events were taken, the orders that go to them

Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0035"


def upgrade() -> None:
    op.create_table(
        "onsite_sites",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger()),
        sa.Column("poll", sa.String(32)),
        sa.Column("polled_until", sa.BigInteger()),
        sa.Column("address", sa.String(64)),
        sa.Column("ahead_ms", sa.BigInteger()),
        sa.Column("status", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_onsite_sites"),
        sa.UniqueConstraint("key_hash", name="uq_onsite_sites_key_hash"),
    )
    op.create_table(
        "onsite_spools",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("spool", sa.String(255), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "site", "spool", name="pk_onsite_spools"),
    )
    op.create_table(
        "onsite_orders",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("site", sa.String(63), nullable=False),
        sa.Column("appliance", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_onsite_orders"),
    )
    op.create_index("ix_onsite_orders_site", "onsite_orders", ["tenant", "site", "state"])
    op.create_index("ix_onsite_orders_made_at", "onsite_orders", ["made_at"])
