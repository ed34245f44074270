"""What keeps an import and the desk from changing a company's accounts at the same moment.

SQLite's one lock does that for everything. On PostgreSQL it is a lock of its own, not the company's head: an import
that holds it keeps nobody from writing events.
"""

from sqlalchemy import Connection, text

TAKE = text("SELECT pg_advisory_xact_lock(hashtextextended('cti-gateway ' || :name, 0))")


def accounts_lock(tenant: str) -> str:
    """Return the name of the lock of a company's accounts, which jobs of the journal name."""
    return f"accounts {tenant}"


def lock_accounts(connection: Connection, tenant: str) -> None:
    """Hold the accounts of ``tenant`` to the end of the transaction; behind the company's head, if both are."""
    if connection.dialect.name == "postgresql":
        connection.execute(TAKE, {"name": accounts_lock(tenant)})
