"""In which order readers of all companies' events take them, so that they miss none: the search index.

On SQLite all events have one order. On PostgreSQL each company's have their own, so that such a reader keeps a mark for
each company.
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, cast

from sqlalchemy import ColumnElement, Connection, Engine, func, select, text

from gateway.store import tables
from gateway.store.reading.log import GIVEN_OUT
from gateway.store.search.index import Progress

events, removals = tables.events, tables.removals

FEWEST = 8
"""Events of a company that are read at once, however many companies have new ones."""
AGAIN_MS = 3_600_000
"""What happened so shortly before a database took over is read again: its numbers may stand for other events now."""


class UnreadEvent(NamedTuple):
    """An event that a reader has not had yet."""

    tenant: str
    seq: int
    at: int
    call_id: int


class EventOrder(Protocol):
    """What reads in an order of events, behind a ``Progress``."""

    def beginning(self, connection: Connection, left: int) -> Progress:
        """Return the progress of a reader that begins behind the newest events; ``left`` is its own matter."""

    def checked(self, connection: Connection, progress: Progress) -> Progress | None:
        """Return from where on to read, None where ``progress`` is of another database."""

    def unread(self, connection: Connection, progress: Progress, limit: int) -> Sequence[UnreadEvent]:
        """Return events behind ``progress``, about ``limit``, those of a company in their order."""

    def moved(self, progress: Progress, read: Sequence[UnreadEvent]) -> Progress:
        """Return the progress behind ``read``, which ``unread`` has returned."""

    def behind(self, progress: Progress, tenant: str) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions for events that may be ``tenant``'s and are not read."""

    def count(self, connection: Connection) -> int:
        """Return how many events there were in all, about."""


class OneOrder:
    """All events one after the other."""

    def beginning(self, connection: Connection, left: int) -> Progress:
        seq = self.count(connection)
        return Progress(seq, _happened_at(connection, seq), left)

    def checked(self, connection: Connection, progress: Progress) -> Progress | None:
        at = _happened_at(connection, progress.seq)
        return progress if at == progress.at or (not at and _may_be_removed(connection, progress.seq)) else None

    def unread(self, connection: Connection, progress: Progress, limit: int) -> Sequence[UnreadEvent]:
        query = select(events.c.tenant, events.c.seq, events.c.at, events.c.call_id)
        rows = connection.execute(query.where(events.c.seq > progress.seq).order_by(events.c.seq).limit(limit))
        return cast(Sequence[UnreadEvent], rows.all())

    def moved(self, progress: Progress, read: Sequence[UnreadEvent]) -> Progress:
        return progress._replace(seq=read[-1].seq, at=read[-1].at)

    def behind(self, progress: Progress, tenant: str) -> Iterator[ColumnElement[bool]]:
        yield events.c.seq > progress.seq

    def count(self, connection: Connection) -> int:
        newest, given_out = connection.execute(select(func.max(events.c.seq), GIVEN_OUT)).one()
        return int(max(newest or 0, given_out))


HEADS = text("SELECT tenant, seq FROM heads WHERE seq > 0")
COUNT = text("SELECT coalesce(sum(seq), 0)::bigint FROM heads")
ORIGIN = text("SELECT name, value FROM counters WHERE name IN ('epoch', 'cluster')")
NEWEST_AT = text("SELECT coalesce(max(at), 0) FROM heads JOIN events USING (tenant, seq)")
UNREAD = text(
    "SELECT found.* FROM unnest(CAST(:tenants AS text[]), CAST(:seqs AS bigint[])) AS marks (tenant, seq)"
    " CROSS JOIN LATERAL (SELECT tenant, seq, at, call_id FROM events"
    " WHERE events.tenant = marks.tenant AND events.seq > marks.seq ORDER BY events.seq LIMIT :each) AS found"
)
BEFORE = text(
    "SELECT marks.tenant, found.seq"
    " FROM unnest(CAST(:tenants AS text[]), CAST(:seqs AS bigint[])) AS marks (tenant, seq)"
    " CROSS JOIN LATERAL (SELECT seq FROM events WHERE events.tenant = marks.tenant AND events.seq <= marks.seq"
    " AND events.at < :at ORDER BY events.seq DESC LIMIT 1) AS found"
)


class OrderOfEach:
    """The events of each company one after the other."""

    def beginning(self, connection: Connection, left: int) -> Progress:
        marks = _by_tenant(connection, HEADS)
        at = int(connection.execute(NEWEST_AT).scalar_one())
        return Progress(sum(marks.values()), at, left, **_origin(connection), marks=MappingProxyType(marks))

    def checked(self, connection: Connection, progress: Progress) -> Progress | None:
        origin = _origin(connection)
        if progress.cluster not in (0, origin["cluster"]):
            return None
        if progress.epoch == origin["epoch"]:
            return progress._replace(**origin)
        return self._rewound(connection, progress)._replace(**origin)

    def unread(self, connection: Connection, progress: Progress, limit: int) -> Sequence[UnreadEvent]:
        heads = _by_tenant(connection, HEADS)
        marks = {name: seen for name, seq in heads.items() if seq > (seen := progress.marks.get(name, 0))}
        if not marks:
            return ()
        wanted = _lists(marks) | {"each": max(FEWEST, limit // len(marks))}
        return [UnreadEvent(*row) for row in connection.execute(UNREAD, wanted)]

    def moved(self, progress: Progress, read: Sequence[UnreadEvent]) -> Progress:
        marks = dict(progress.marks)
        for event in read:
            marks[event.tenant] = max(event.seq, marks.get(event.tenant, 0))
        at = max(progress.at, *(event.at for event in read))
        return progress._replace(seq=sum(marks.values()), at=at, marks=MappingProxyType(marks))

    def behind(self, progress: Progress, tenant: str) -> Iterator[ColumnElement[bool]]:
        yield events.c.tenant == tenant
        yield events.c.seq > progress.marks.get(tenant, 0)

    def count(self, connection: Connection) -> int:
        return int(connection.execute(COUNT).scalar_one())

    def _rewound(self, connection: Connection, progress: Progress) -> Progress:
        wanted = _lists(progress.marks) | {"at": progress.at - AGAIN_MS}
        found = _by_tenant(connection, BEFORE, wanted)
        marks = {name: found.get(name, 0) for name in progress.marks}
        return progress._replace(seq=sum(marks.values()), marks=MappingProxyType(marks))


def order_of(engine: Engine) -> EventOrder:
    """Return the order of events in the database of ``engine``."""
    return OneOrder() if engine.dialect.name == "sqlite" else OrderOfEach()


def _happened_at(connection: Connection, seq: int) -> int:
    return connection.execute(select(events.c.at).where(events.c.seq == seq)).scalar() or 0


def _may_be_removed(connection: Connection, seq: int) -> bool:
    """Return whether an event may be missing because it was old, or its call was."""
    return connection.execute(select(removals.c.seq).where(removals.c.seq >= seq).limit(1)).first() is not None


def _origin(connection: Connection) -> dict[str, Any]:
    return {"epoch": 0, "cluster": 0} | _by_tenant(connection, ORIGIN)


def _by_tenant(connection: Connection, query: Any, values: dict[str, Any] | None = None) -> dict[str, int]:
    return {name: int(value) for name, value in connection.execute(query, values or {})}


def _lists(marks: Any) -> dict[str, Any]:
    return {"tenants": [*marks], "seqs": [*marks.values()]}
