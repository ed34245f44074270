"""What is wrong with a PostgreSQL database that cannot be used, as one sentence with what to do."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.errors import DatabaseAway, DatabaseNotReached, DataUnusable

REACH = (
    "Is server.database right (host, port, name), does the server run, and does its pg_hba.conf let this machine in?"
)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "28P01": (
        "{name} refuses the user or its password.",
        "Correct server.database and server.database_password; for 'db copy' ~/.pgpass, PGPASSWORD or the address.",
    ),
    "28000": (
        "{name} does not let this user in from here.",
        "Add a line for it to the server's pg_hba.conf; where that says hostssl, come with TLS (sslmode=require).",
    ),
    "3D000": ("{name}: there is no such database.", "Make it: CREATE DATABASE ... OWNER ... ENCODING 'UTF8'."),
    "42501": ("{name}: the user may not do that ({reason}).", "Let it own the database (ALTER DATABASE ... OWNER TO)."),
    "25006": (
        "{name} is a standby, which takes no writes.",
        "Name the primary, or all of them with target_session_attrs=read-write.",
    ),
    "no primary": (
        "{name}: no server named there takes writes: who answers is a standby.",
        "Start the primary, or promote a standby (docs/cluster.md).",
    ),
    "08P01": (
        "{name}: a pooler does not reach its server ({reason}).",
        "Does the server that its [databases] name run, and is it the primary? Change it there, and reload the pooler.",
    ),
    "53300": ("{name} takes no more connections.", "Raise max_connections, or start fewer workers."),
    "53100": ("{name}: its disk is full.", "Make room on the server; what was acknowledged is still there."),
    "57P03": ("{name} is just starting or stopping.", "Wait a moment and start again."),
    "certificate": (
        "{name}: the server's certificate is not believed ({reason}).",
        "Is it too old, for another name, or of an authority that sslrootcert does not have? "
        "Look at it: openssl s_client -starttls postgres -connect HOST:5432",
    ),
}
"""By SQLSTATE; ``certificate`` and ``no primary`` are ours."""
READ_ONLY = "25006"
NONE_WRITABLE = "session is read-only"
"""What libpq says of each standby, where a server that takes writes was asked for (``target_session_attrs``)."""
ATTEMPT = re.compile(r"- host: .*?, hostaddr: [^:]*(?:::?[^:']*)*': ")
"""What psycopg writes before each server's error where it has tried several."""
NOBODY_THERE = ("Connection refused", "timeout expired", "No route to host", "Network is unreachable")
PASSING = (None, "08P01", "25006", "53300", "57P03", "no primary")
"""What is over by itself some time: no answer, also to a pooler, a failover, too many connections, a start."""


def explain(error: BaseException, name: str) -> DataUnusable | None:
    """Return what ``error`` says of the database ``name``; None for an error that is about something else."""
    cause: Any = _cause_of(error)
    if not (isinstance(cause, PoolTimeout | DatabaseAway) or type(cause).__module__.startswith("psycopg")):
        return None
    said = said_by(cause)
    state = "no primary" if NONE_WRITABLE in said else sqlstate_of(cause)
    usual = ("{name} cannot be reached ({reason}).", REACH) if state is None else ("{name}: {reason}.", "")
    sentence, hint = SENTENCES.get(state or "", usual)
    kind = DatabaseNotReached if state in PASSING else DataUnusable
    return kind(sentence.format(name=name, reason=said), hint=hint)


def sqlstate_of(error: Any) -> str | None:
    """Return the SQLSTATE of a driver's error; None where the server said nothing."""
    return getattr(error, "sqlstate", None) or _state_of(said_by(error))


def _cause_of(error: BaseException) -> BaseException | None:
    """Return what the driver raised, where ``error`` comes of it."""
    if isinstance(error, DatabaseAway) and error.__cause__:
        return _cause_of(error.__cause__)
    return error.orig if isinstance(error, DBAPIError) else error


def _state_of(said: str) -> str | None:
    """Return the SQLSTATE of a refused connection, of which libpq tells only the words, in English."""
    for words, state in (
        ("password authentication failed", "28P01"),
        ("no password supplied", "28P01"),
        ("SASL authentication failed", "28P01"),
        ("no pg_hba.conf entry", "28000"),
        ("does not exist", "3D000"),
        ("too many clients", "53300"),
        ("too many connections", "53300"),
        ("remaining connection slots", "53300"),
        ("starting up", "57P03"),
        ("shutting down", "57P03"),
        (NONE_WRITABLE, READ_ONLY),
        ("certificate verify failed", "certificate"),
        ("server certificate for", "certificate"),
    ):
        if words in said:
            return state
    return None


def said_by(error: Any) -> str:
    """Return what ``error`` says in a line: of several servers that were tried what the most telling one said. Hosts,
    users and databases are named there; the password where the address itself cannot be read.
    """
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    attempts = [ATTEMPT.sub("", line) for line in lines if ATTEMPT.match(line)]
    return min(attempts or lines[:1], key=_vagueness, default=type(error).__name__)


def _vagueness(said: str) -> int:
    """Return how little ``said`` tells: a server that is off, or a standby, is usual where several are named."""
    state = _state_of(said)
    if state:
        return 2 if state == READ_ONLY else 0
    return 3 if any(words in said for words in NOBODY_THERE) else 1
