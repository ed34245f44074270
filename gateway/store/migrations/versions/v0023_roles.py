"""The roles of agents: those who could do everything before go on as administrators"""

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("agents", sa.Column("role", sa.String(16), nullable=False, server_default="agent"))
    found = op.get_bind().execute(sa.text("UPDATE agents SET role = 'administrator'"))
    if found.rowcount:
        structlog.get_logger().warning(
            "agents_became_administrators",
            agents=found.rowcount,
            hint="They may do what they could before; give each its role: cti-gateway agent role LOGIN ROLE",
        )
