"""Whether a pooler stands before a PostgreSQL server that gives its connections to others between transactions.

What one connection sets for itself then holds for whoever gets it next: ``synchronous_commit = off``, by which what
nodes share waits for no disk, for the journal's commits. PgBouncer does so in ``pool_mode = transaction``.
"""

from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from gateway.store.deadlines import Deadlines

log = structlog.get_logger()

WITHIN_S = 3.0
TRIES = 3
OWN = "SELECT pg_backend_pid()"


def shares_sessions(connect: Callable[[], "psycopg.Connection[Any]"]) -> bool:
    """Return whether connections of ``connect`` (in autocommit mode) share those of the server; False where that cannot
    be told, which is logged.
    """
    try:
        with connect() as one, connect() as other:
            deadlines = Deadlines()
            with deadlines.within(one, WITHIN_S), deadlines.within(other, WITHIN_S):
                return any(_meet(one, other) for _ in range(TRIES))
    except (psycopg.Error, OSError) as error:
        log.warning("pooler_not_looked_for", error=type(error).__name__)
        return False


def _meet(one: "psycopg.Connection[Any]", other: "psycopg.Connection[Any]") -> bool:
    """Return whether ``other`` is given what ``one`` had, or ``one`` something else when it is taken."""
    before = _own(one)
    with other.transaction():
        return _own(other) == before or _own(one) != before


def _own(connection: "psycopg.Connection[Any]") -> int:
    ((found,),) = connection.execute(OWN, prepare=False).fetchall()
    return int(found)
