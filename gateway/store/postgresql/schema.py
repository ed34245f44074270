"""The schema on PostgreSQL: a new database is made at this version's revision, an older one brought there by the same
migrations as SQLite's. What differs from the tables of the code stands in ``DIFFERENCES`` and in ``partitions``, where
events are numbered for each tenant.
"""

from typing import Any

import structlog
from sqlalchemy import Connection, insert, inspect, select, text

from gateway.errors import DataUnusable, NewerSchema
from gateway.store.figures.triggers import watch
from gateway.store.partitions.beginning import part_calls, part_events
from gateway.store.revisions import MIGRATIONS
from gateway.store.shared import tables as shared_tables
from gateway.store.tables import counters, metadata

log = structlog.get_logger()

OLDEST = 150_000
"""PostgreSQL 15, as the server numbers its versions."""
LANES = 8
"""Transactions that may write at once in the whole cell, each of tenants of its own."""
FIRST_COUNTERS = {"event": 0, "call": 0, "order": 0, "results_to_fill": 0, "missed_to_fill": 0, "people": 0}
OLDEST_SCHEMA = "oldest_schema"
"""The counter with the oldest schema whose version may still work with the database; none: all may. A migration that
versions of before do not survive sets it.
"""
WAITS_FOR_A_TABLE_MS = 1500
"""How long a migration waits for a table that somebody reads: everybody else waits behind it."""
DIFFERENCES = (
    # Written again and again: their new versions find room beside the old ones.
    "ALTER TABLE counters SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)",
    "ALTER TABLE calls SET (fillfactor = 90)",
    "ALTER TABLE outbox SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)",
)


def upgrade(connection: Connection, name: str) -> None:
    """Bring the database ``name`` to this version's schema, inside the transaction of ``connection``.

    A schema that a newer version has brought further is left as it is, and worked with, for as long as that version
    lets ours. Raises ``DataUnusable`` for a server or database that we cannot work with, ``NewerSchema``.
    """
    # Alembic is imported inside this transaction, which takes a busy machine longer than a writer may be idle.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    _refuse_unfit(connection, name)
    # Of several nodes that start at once one works, the others wait.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('cti-gateway schema', 0))"))
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    if revision(connection) is None:
        _make(connection, name)
        command.stamp(config, "head")
    elif not _is_newer(connection, config, name):
        connection.execute(text(f"SET LOCAL lock_timeout = {WAITS_FOR_A_TABLE_MS}"))
        command.upgrade(config, "head")
    shared_tables.metadata.create_all(connection)


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema, None for a database without one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def lanes(connection: Connection) -> int:
    """Return how many lanes all nodes write in."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == "lanes")).scalar()
    return int(found or 1)


def _make(connection: Connection, name: str) -> None:
    if strange := set(inspect(connection).get_table_names()) & set(metadata.tables):
        raise DataUnusable(
            f"{name} has tables of these names already, but not the gateway's: {', '.join(sorted(strange))}.",
            hint="Give the gateway a database of its own.",
        )
    metadata.create_all(connection)
    for statement in DIFFERENCES:
        connection.exec_driver_sql(statement)
    part_events(connection)
    part_calls(connection)
    watch(connection)
    first = FIRST_COUNTERS | {"lanes": LANES}
    connection.execute(insert(counters), [{"name": key, "value": value} for key, value in first.items()])


def _refuse_unfit(connection: Connection, name: str) -> None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    if version < OLDEST:
        raise DataUnusable(
            f"{name} is a PostgreSQL {version // 10_000}; at least {OLDEST // 10_000} is needed.",
            hint="Upgrade the server.",
        )
    if (encoding := connection.execute(text("SHOW server_encoding")).scalar_one()) != "UTF8":
        raise DataUnusable(
            f"{name} keeps texts as {encoding}; UTF8 is needed.",
            hint="Make the database anew: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        )


def _is_newer(connection: Connection, config: Any, name: str) -> bool:
    """Return whether a newer version made the schema what it is. Raises ``NewerSchema`` where ours may not go on."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(config)
    found, ours = revision(connection) or "", script.get_current_head() or ""
    if found in {known.revision for known in script.walk_revisions()}:
        return False
    if int(ours) < (connection.execute(select(counters.c.value).where(counters.c.name == OLDEST_SCHEMA)).scalar() or 0):
        raise NewerSchema(name, found, known=ours)
    log.warning("schema_newer", found=found, ours=ours, hint="Finish the upgrade: install that version on this node.")
    return True
