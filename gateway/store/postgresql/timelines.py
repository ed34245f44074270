"""The timelines of the servers that an address names and that take writes: several where a replaced primary is back."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg

from gateway.store.deadlines import Deadlines

WITHIN_S = 3
# The first eight digits of the name of a piece of the log are its timeline (PostgreSQL 15, 9.27.3).
TIMELINE = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END
"""
Connect = Callable[..., "psycopg.Connection[Any]"]
"""Connects with libpq's parameters. Raises ``psycopg.Error``."""


def timelines(connect: Connect, hosts: str, ports: str) -> Mapping[str, int]:
    """Return the timeline of each of ``hosts`` that takes writes, by ``HOST:PORT``; a promotion raises it.

    ``hosts`` and ``ports`` are as libpq takes them, with commas between. Who does not answer within 3 s is left out.
    """
    names, given = hosts.split(","), ports.split(",")
    pairs = zip(names, given if len(given) == len(names) else given * len(names), strict=True)
    return dict(_found(connect, pairs))


def _found(connect: Connect, servers: "zip[tuple[str, str]]") -> Iterator[tuple[str, int]]:
    for host, port in servers:
        timeline = _timeline(connect, host, port)
        if timeline is not None:
            yield f"{host}:{port}", timeline


def _timeline(connect: Connect, host: str, port: str) -> int | None:
    """Return the timeline of a server that takes writes; None of a standby, and of one that does not answer."""
    try:
        with (
            connect(host=host, port=port, target_session_attrs="any", connect_timeout=WITHIN_S) as connection,
            Deadlines().within(connection, WITHIN_S),
        ):
            ((found,),) = connection.execute(TIMELINE).fetchall()
            return None if found is None else int(found)
    except (psycopg.Error, OSError):
        return None
