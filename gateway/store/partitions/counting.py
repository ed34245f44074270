"""Whether the event log of each company has the events that its numbers say: each once, and none missing.

Over several partitions no index says so; the lock on the company's head does, under which events are numbered. This
looks after it once a day.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine, text

log = structlog.get_logger()

MISCOUNTED = Counter("cti_events_miscounted_total", "Companies whose event log lacked an event, or had one twice")
AT_ONCE = 50_000
"""Numbers that one statement looks through."""
AT_ONCE_S = 3.0
"""How long one turn may take, so that maintenance comes to its other chores."""
DAY_MS = 86_400_000
HEADS = text("SELECT tenant FROM heads WHERE seq > 0 ORDER BY tenant")
HEAD = text(
    "SELECT h.seq, greatest(coalesce(r.seq, 0), coalesce(r.events_until, 0),"
    " coalesce((SELECT value FROM counters WHERE name = 'event'), 0))"
    " FROM heads h LEFT JOIN removals r USING (tenant) WHERE h.tenant = :tenant"
)
"""The number of the last event, and up to where numbers may be missing: by age, or because they came from SQLite."""
FOUND = text(
    "SELECT count(*), count(DISTINCT seq) FROM events WHERE tenant = :tenant AND seq > :after AND seq <= :upto"
)


class Miscount(NamedTuple):
    """Numbers of a company's events behind ``after`` up to ``upto``: ``found`` are there, ``different`` ones."""

    tenant: str
    after: int
    upto: int
    found: int
    different: int


class EventCounts:
    """Counts each company's events once a day; for one process at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._steps: Iterator[Miscount | None] | None = None
        self._done_at: int | None = None

    def work(self, now: int) -> None:
        """Look through as much as there is time for, and say where something is wrong; go on at the next call. Nothing
        on SQLite, where the number is the key.
        """
        if self._engine.dialect.name != "postgresql" or not self._is_due(now):
            return
        self._steps = self._steps or self._look_through()
        until = time.monotonic() + AT_ONCE_S
        for wrong in self._steps:
            if wrong is not None:
                MISCOUNTED.inc()
                log.error("events_miscounted", **wrong._asdict())
            if time.monotonic() >= until:
                return
        self._steps, self._done_at = None, now

    def _is_due(self, now: int) -> bool:
        return self._done_at is None or not 0 <= now - self._done_at < DAY_MS

    def _look_through(self) -> Iterator[Miscount | None]:
        """Yield after each piece what is wrong in it, one thing for each company."""
        with self._engine.connect() as connection:
            tenants = connection.execute(HEADS).scalars().all()
        for tenant in tenants:
            for wrong in self._pieces(tenant):
                yield wrong
                if wrong is not None:
                    break

    def _pieces(self, tenant: str) -> Iterator[Miscount | None]:
        after, last = 0, 0
        while not last or after < last:
            with self._engine.connect() as connection:
                head, base = connection.execute(HEAD, {"tenant": tenant}).one()
                last, after = last or head, max(after, base)
                if after >= last:
                    return
                found = _counted(connection, tenant, after, min(after + AT_ONCE, last))
            yield None if found.found == found.different == found.upto - found.after else found
            after = found.upto


def _counted(connection: Connection, tenant: str, after: int, upto: int) -> Miscount:
    found = connection.execute(FOUND, {"tenant": tenant, "after": after, "upto": upto}).one()
    return Miscount(tenant, after, upto, found[0], found[1])
