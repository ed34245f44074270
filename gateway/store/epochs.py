"""The epoch of a PostgreSQL database: raised once for each cluster or timeline that takes over.

A standby that was promoted may lack what was shown, and gives out the same numbers again. The database cannot tell
whether it lacks anything, so each new timeline begins an epoch. Whoever first follows the log on it raises the epoch,
durably, before anything of it is told.
"""

from typing import Any

import psycopg
import structlog

log = structlog.get_logger()

ORIGIN = """
    ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint AS timeline,
    (SELECT system_identifier FROM pg_control_system()) AS cluster
"""
"""Where rows come from. The checkpoint's timeline would be the old one for a while after a promotion."""
KNOWN = """
    (SELECT value FROM counters WHERE name = 'epoch') AS epoch,
    (SELECT value FROM counters WHERE name = 'timeline') AS known_timeline,
    (SELECT value FROM counters WHERE name = 'cluster') AS known_cluster
"""
IS_SAME = "(timeline = known_timeline AND cluster = known_cluster) IS TRUE"
SETTLED = f"SELECT coalesce(epoch, 0), {IS_SAME} FROM (SELECT {ORIGIN}, {KNOWN}) AS o"  # noqa: S608 - of constants
FIRST = "INSERT INTO counters (name, value) VALUES ('epoch', 0), ('timeline', 0), ('cluster', 0) ON CONFLICT DO NOTHING"
LOCKED = "SELECT name, value FROM counters WHERE name IN ('epoch', 'timeline', 'cluster') ORDER BY name FOR UPDATE"
CHANGED = "UPDATE counters SET value = %s WHERE name = %s"


def current_epoch(connection: "psycopg.Connection[Any]") -> int:
    """Return the epoch of the database, raised first where it comes from somewhere else than before.

    ``connection`` is in autocommit mode. Raising it may wait for a synchronous standby.
    """
    epoch, is_same = connection.execute(SETTLED).fetchone() or (0, False)
    return int(epoch) if is_same else _raise(connection)


def _raise(connection: "psycopg.Connection[Any]") -> int:
    connection.execute(FIRST)
    with connection.transaction():
        known = {name: int(value) for name, value in connection.execute(LOCKED)}
        timeline, cluster = connection.execute(f"SELECT {ORIGIN}").fetchone() or (0, 0)
        if (known["timeline"], known["cluster"]) == (timeline, cluster):
            return known["epoch"]  # another process was here first
        epoch = known["epoch"] + (known["timeline"] != 0)
        for name, value in (("epoch", epoch), ("timeline", timeline), ("cluster", cluster)):
            connection.execute(CHANGED, (value, name))
    if epoch != known["epoch"]:
        log.warning("epoch_raised", epoch=epoch, timeline=timeline)
    return epoch
