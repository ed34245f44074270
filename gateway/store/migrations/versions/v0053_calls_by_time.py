"""One index of calls by time, for SQLite, which has their extensions in it, instead of two

Revises: 0052
"""

from alembic import op

revision = "0053"
down_revision = "0052"

MADE = "CREATE INDEX ix_calls_tenant_logged_at_extension ON calls (tenant, logged_at, extension)"
LEFT_OUT = ("ix_calls_tenant_logged_at", "ix_calls_tenant_extension_logged_at")


def upgrade() -> None:
    """Do it where one process has the file, and nobody writes meanwhile: some seconds for a million calls."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql(MADE)
    for name in LEFT_OUT:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
