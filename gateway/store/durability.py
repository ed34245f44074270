"""Whether what a PostgreSQL server acknowledges survives the loss of its machine: its settings, and its standbys.

SQLite needs no such look: its settings are ours (``engine.py``), and it promises no more than one machine can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from gateway.store.database import Database
from gateway.texts.text import Text

WAITS_FOR_THE_STANDBY = ("on", "remote_apply")
"""Values of ``synchronous_commit`` with which a standby's disk has what was acknowledged (PostgreSQL 15, 20.5.1)."""
SYNCHRONOUS = ("sync", "quorum")
WANTED_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Risk:
    """A way in which something acknowledged may be lost. ``code`` is for logs and metrics."""

    code: str
    text: Text


def risks(database: Database) -> Sequence[Risk]:
    """Return how ``database`` may lose what was acknowledged; none for SQLite. Raises what the driver raises."""
    if database.kind != "postgresql":
        return ()
    with database.engine.connect() as connection:
        return [*_settings(connection), *_standbys(connection), *_poolers(database)]


def missing_rights(database: Database) -> Sequence[Text]:
    """Return what the user may not do with the tables of ``database`` and has to. Raises what the driver raises."""
    if database.kind != "postgresql":
        return ()
    with database.engine.connect() as connection:
        return list(_missing_rights(connection))


def server_version(database: Database) -> str:
    """Return the version of the server of ``database``, as it writes it (``15.18``); empty for SQLite."""
    if database.kind != "postgresql":
        return ""
    with database.engine.connect() as connection:
        return str(_one(connection, "SHOW server_version"))


def _settings(connection: Connection) -> Iterator[Risk]:
    for name in ("fsync", "full_page_writes"):
        if _one(connection, f"SHOW {name}") != "on":
            told = Text(
                "{setting} is off at the server: a power cut may damage the database. Set {setting} = on.", setting=name
            )
            yield Risk(name, told)
    found = _one(connection, "SHOW synchronous_commit")
    if found not in WAITS_FOR_THE_STANDBY:
        told = Text(
            "synchronous_commit is {value} for this user: what was acknowledged is not yet on a standby's disk. "
            "Set synchronous_commit = on.",
            value=str(found),
        )
        yield Risk("synchronous_commit", told)


def _standbys(connection: Connection) -> Iterator[Risk]:
    if not _one(connection, "SHOW synchronous_standby_names"):
        told = Text(
            "synchronous_standby_names is empty at the server: when it is lost, so is what it acknowledged last. "
            "Set up a synchronous standby (docs/cluster.md)."
        )
        yield Risk("no_synchronous_standby", told)
    elif not _may_see_standbys(connection):
        told = Text(
            "this user may not see the server's standbys, so nobody knows whether one is synchronous. "
            "GRANT pg_monitor TO {user}.",
            user=str(_one(connection, "SELECT current_user")),
        )
        yield Risk("standbys_not_seen", told)
    elif not _is_followed(connection):
        told = Text(
            "no synchronous standby follows the server just now: nothing is acknowledged until one does "
            "(pg_stat_replication)."
        )
        yield Risk("synchronous_standby_away", told)


def _poolers(database: Database) -> Iterator[Risk]:
    if database.shares_sessions():
        told = Text(
            "a pooler in transaction mode stands before the server: what one connection sets holds for others, and may "
            "leave out the wait for the standby. Name the server itself in server.database_direct (docs/cluster.md)."
        )
        yield Risk("pooler", told)


def _may_see_standbys(connection: Connection) -> bool:
    """Return whether the rows of others in ``pg_stat_replication`` are shown to us with their states."""
    return bool(_one(connection, "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"))


def _is_followed(connection: Connection) -> bool:
    query = text("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
    return any(state in SYNCHRONOUS for (state,) in connection.execute(query))


def _missing_rights(connection: Connection) -> Iterator[Text]:
    if not _one(connection, "SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        yield Text("The user may not make tables in the database; upgrades need it.")
    query = text(
        "SELECT format('%I', tablename), privilege FROM pg_tables, unnest(CAST(:wanted AS text[])) AS privilege "
        "WHERE schemaname = current_schema() "
        "AND NOT has_table_privilege(format('%I.%I', schemaname, tablename), privilege) ORDER BY 1, 2"
    )
    refused: dict[str, list[str]] = {}
    for table, privilege in connection.execute(query, {"wanted": list(WANTED_RIGHTS)}):
        refused.setdefault(table, []).append(privilege)
    for table, privileges in refused.items():
        yield Text("The user may not {rights} in the table {table}.", rights=", ".join(privileges), table=table)


def _one(connection: Connection, query: str) -> Any:
    return connection.execute(text(query)).scalar()
