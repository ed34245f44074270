"""A double click is found by the digits too: an extension that dials a lot has many orders of the last seconds"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_index("ix_orders_tenant_extension_requested_at", "orders")
    op.create_index(
        "ix_orders_tenant_extension_digits_requested_at", "orders", ["tenant", "extension", "digits", "requested_at"]
    )
