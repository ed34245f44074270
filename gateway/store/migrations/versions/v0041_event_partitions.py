"""The event log by month, on PostgreSQL

Revises: 0038
"""

from alembic import op

from gateway.store.partitions.beginning import part_events

revision = "0041"
down_revision = "0038"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        part_events(op.get_bind())
