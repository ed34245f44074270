"""Sums of figures, and the triggers of calls that note which hours are to be summed anew

Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

from gateway.store.figures.triggers import watch

revision = "0043"
down_revision = "0042"

SUMS = ("received", "answered", "missed", "placed", "reached", "waits")
SECONDS = ("waited_s", "longest_s", "talked_s")


def upgrade() -> None:
    op.create_table(
        "figure_sums",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in SUMS),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in SECONDS),
        sa.PrimaryKeyConstraint("tenant", "kind", "begins_at", "name", name="pk_figure_sums"),
    )
    op.create_table(
        "figures_summed",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("watched_until", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_figures_summed"),
    )
    op.create_table(
        "figures_changed",
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hour_at", name="pk_figures_changed"),
    )
    watch(op.get_bind())
