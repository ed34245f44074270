"""Locks by name, held to the end of the transaction: of what several nodes may not do at once.

A job of some parts of a lock shares the lock and has its parts to itself, so that jobs of other parts go on beside it;
one that names no parts has all of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import String

from gateway.store.writing.drafts import WriteJob

TAKE = (
    "SELECT CASE WHEN shared THEN pg_advisory_xact_lock_shared(key)::text ELSE pg_advisory_xact_lock(key)::text END "
    "FROM (SELECT hashtextextended('cti-gateway ' || name, 0) AS key, shared "
    "FROM unnest(%s::text[], %s::bool[]) AS wanted (name, shared)) AS keys"
)
TRY = text(
    "SELECT part FROM unnest(:parts) AS part "
    "WHERE pg_try_advisory_xact_lock(hashtextextended('cti-gateway ' || :lock || ' ' || part, 0))"
).bindparams(bindparam("parts", type_=ARRAY(String)))
OTHERS = "others"
"""The lock of jobs that name neither a company nor a lock of their own."""


def locks_of(jobs: Iterable[WriteJob]) -> Sequence[Sequence[object]]:
    """Return the parameters of ``TAKE`` for ``jobs``, in the order in which everybody takes them; none without any."""
    shared: Mapping[str, bool] = {}
    for job in jobs:
        if job.lock and job.parts is not None:
            shared = {job.lock: True, **dict.fromkeys((f"{job.lock} {part}" for part in job.parts), False), **shared}
        elif job.lock or job.tenant is None:
            shared = {**shared, job.lock or OTHERS: False}
    names = sorted(shared)
    return [names, [shared[name] for name in names]] if names else ()


def try_parts(connection: Connection, lock: str, parts: Collection[str]) -> Collection[str]:
    """Take those of ``parts`` that nobody holds, without waiting; return them. All of them on SQLite, where only one
    transaction writes at a time.
    """
    if connection.dialect.name != "postgresql" or not parts:
        return parts
    found = connection.execute(TRY, {"parts": sorted(parts), "lock": lock}).scalars()
    return set(found)
