"""The audit log; agents that are locked, choose their extension, or have a first password; where sessions came from"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_tenant_id", "audit", ["tenant", "id"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.add_column("agents", sa.Column("locked_at", sa.BigInteger()))
    op.add_column("agents", sa.Column("first_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("agents", sa.Column("chooses_extension", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("agents", sa.Column("seated_at", sa.BigInteger()))
    op.add_column("sessions", sa.Column("client", sa.String(64)))
    op.add_column("sessions", sa.Column("browser", sa.String(255)))
    op.execute("INSERT INTO counters (name, value) VALUES ('people', 0)")
