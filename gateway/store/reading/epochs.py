"""The epoch of a PostgreSQL database: raised once for each cluster or timeline that takes over.

A standby that was promoted may lack what was shown, and gives out the same numbers again. The database cannot tell
whether it lacks anything, so each new timeline begins an epoch. Whoever first writes or follows the log on it raises
the epoch, durably, before anything of it is written or told, and keeps where each company's events stood then: who has
seen no more than that goes on, others start afresh.
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
STARTS = "INSERT INTO epoch_starts (epoch, tenant, seq) SELECT %s, tenant, seq FROM heads ON CONFLICT DO NOTHING"
FORGET = "DELETE FROM epoch_starts WHERE epoch < %s"
LONGEST_KEPT = 100
"""Epochs of which it is known where they began."""
KEPT = """
    SELECT seen.tenant, now.epoch, min(coalesce(epoch_starts.seq, 0)) AS kept
    FROM unnest(%s::text[], %s::bigint[]) AS seen (tenant, epoch)
    CROSS JOIN (SELECT value AS epoch FROM counters WHERE name = 'epoch') AS now
    LEFT JOIN LATERAL generate_series(seen.epoch + 1, now.epoch) AS later (epoch) ON true
    LEFT JOIN epoch_starts ON epoch_starts.epoch = later.epoch AND epoch_starts.tenant = seen.tenant
    GROUP BY seen.tenant, seen.epoch, now.epoch
"""
"""For each position's company the present epoch, and up to which ``seq`` what was seen before is still there."""
CHANGED = "UPDATE counters SET value = %s WHERE name = %s"


def current_epoch(connection: "psycopg.Connection[Any]") -> int:
    """Return the epoch of the database, raised first where it comes from somewhere else than before.

    ``connection`` is in autocommit mode. Raising it may wait for a synchronous standby.
    """
    epoch, is_same = connection.execute(SETTLED).fetchone() or (0, False)
    return int(epoch) if is_same else _raise(connection)


def settle(connection: "psycopg.Connection[Any]") -> None:
    """Raise the epoch where need be, on a connection that is not in autocommit mode and has done nothing yet."""
    connection.autocommit = True
    try:
        current_epoch(connection)
    finally:
        connection.autocommit = False


def _raise(connection: "psycopg.Connection[Any]") -> int:
    connection.execute(FIRST)
    with connection.transaction():
        known = {name: int(value) for name, value in connection.execute(LOCKED)}
        timeline, cluster = connection.execute(f"SELECT {ORIGIN}").fetchone() or (0, 0)
        if (known["timeline"], known["cluster"]) == (timeline, cluster):
            return known["epoch"]  # another process was here first
        epoch = known["epoch"] + (known["timeline"] != 0)
        if epoch != known["epoch"]:
            connection.execute(STARTS, (epoch,))
            connection.execute(FORGET, (epoch - LONGEST_KEPT,))
        for name, value in (("epoch", epoch), ("timeline", timeline), ("cluster", cluster)):
            connection.execute(CHANGED, (value, name))
    if epoch != known["epoch"]:
        log.warning("epoch_raised", epoch=epoch, timeline=timeline)
    return epoch
