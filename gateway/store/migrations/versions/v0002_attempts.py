"""Attempts of orders, their askers' keys, and who dialled"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(length=63), nullable=False),
        sa.Column("order_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="dial or hangup"),
        sa.Column("appliance", sa.String(length=63), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("peer_ref", sa.String(length=255), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_order_id"), "attempts", ["order_id"])
    op.create_index(op.f("ix_attempts_tenant_appliance_began_at"), "attempts", ["tenant", "appliance", "began_at"])
    op.add_column("orders", sa.Column("dialled_by", sa.String(length=63), nullable=True))
    op.add_column("orders", sa.Column("request_key", sa.String(length=255), nullable=True))
    op.create_index(op.f("ix_orders_tenant_extension_requested_at"), "orders", ["tenant", "extension", "requested_at"])
    op.create_index(
        "ix_orders_request_key",
        "orders",
        ["tenant", "request_key"],
        sqlite_where=sa.text("request_key IS NOT NULL"),
        postgresql_where=sa.text("request_key IS NOT NULL"),
    )
