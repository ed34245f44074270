"""Sums of figures for those who see a part of the calls, and triggers that note what changes those

Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.figures.triggers import watch_anew

revision = "0050"
down_revision = "0048"

SUMS = ("received", "answered", "missed", "placed", "reached", "waits")
SECONDS = ("waited_s", "longest_s", "talked_s")


def upgrade() -> None:
    op.create_table(
        "figure_scopes",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "scope", name="pk_figure_scopes"),
    )
    op.create_table(
        "figure_scope_sums",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in SUMS),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SECONDS),
        sa.PrimaryKeyConstraint("tenant", "scope", "kind", "begins_at", "name", name="pk_figure_scope_sums"),
    )
    watch_anew(op.get_bind())
