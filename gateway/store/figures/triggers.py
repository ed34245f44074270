"""Triggers that note each hour whose calls change once it is summed, whoever changes them and in whatever version.

A call of an hour that is not summed yet costs a look at one row. On PostgreSQL they fire once for each statement.
"""

from sqlalchemy import Connection

HOUR_MS = 3_600_000
COUNTED = (
    *("direction", "extension", "answered_at", "answered_agent", "result", "group_id", "status", "missed"),
    *("waited_s", "ring_s", "talk_s", "duration_s", "queue", "tenant", "logged_at"),
    *("number", "answered_by", "leg_count", "order_id"),
)
"""The columns of calls that figures are counted from, or that say who may see them. What legs say changes only together
with their call, which is written anew then; of whom an order is never changes.
"""
_ON_CONFLICT = "ON CONFLICT (tenant, hour_at) DO UPDATE SET changes = figures_changed.changes"
_SQLITE = """
CREATE TRIGGER figures_{name} AFTER {event} ON calls
WHEN {row}.logged_at < (SELECT watched_until FROM figures_summed WHERE tenant = {row}.tenant)
BEGIN
    INSERT INTO figures_changed (tenant, hour_at, changes)
    VALUES ({row}.tenant, {row}.logged_at - {row}.logged_at % {hour}, 1)
    {on_conflict} + 1;
END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION note_changed_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO figures_changed (tenant, hour_at, changes)
    SELECT changed.tenant, changed.logged_at - changed.logged_at % {hour} AS hour_at, count(*)
    FROM changed JOIN figures_summed
    ON figures_summed.tenant = changed.tenant AND changed.logged_at < figures_summed.watched_until
    GROUP BY 1, 2 ORDER BY 1, 2
    {on_conflict} + excluded.changes;
    RETURN NULL;
END
$$
"""
_POSTGRESQL = """
CREATE OR REPLACE TRIGGER figures_{name} AFTER {event} ON calls
REFERENCING {row} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_changed_figures()
"""
_FIRED_BY = (("inserted", "INSERT", "NEW"), ("updated", "UPDATE", "NEW"), ("deleted", "DELETE", "OLD"))


def watch_anew(connection: Connection) -> None:
    """Make the triggers in the place of those of an earlier version, which noted fewer changes."""
    if connection.dialect.name == "sqlite":
        for name, _, _ in _FIRED_BY:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS figures_{name}")
    watch(connection)


def watch(connection: Connection) -> None:
    """Make the triggers of the table ``calls``: on PostgreSQL anew where they are there."""
    statement, columns = _SQLITE, f" OF {', '.join(COUNTED)}"
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_FUNCTION.format(hour=HOUR_MS, on_conflict=_ON_CONFLICT).replace("%", "%%"))
        statement, columns = _POSTGRESQL, ""
    for name, event, row in _FIRED_BY:
        fired = event + columns if event == "UPDATE" else event
        connection.exec_driver_sql(
            statement.format(name=name, event=fired, row=row, hour=HOUR_MS, on_conflict=_ON_CONFLICT)
        )
