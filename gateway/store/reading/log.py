"""The event log, read: the truth that screens follow."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, bindparam, func, select

from gateway.domain.records import record
from gateway.store import tables
from gateway.store.reading.positions import Position

events, counters, removals = tables.events, tables.counters, tables.removals

EPOCH = func.coalesce(select(counters.c.value).where(counters.c.name == "epoch").scalar_subquery(), 0).label("epoch")
"""The epoch of the database, as a column: read in the statement that reads what it is about."""
GIVEN_OUT = func.coalesce(select(counters.c.value).where(counters.c.name == "event").scalar_subquery(), 0)
"""Number of the last event, which stays where that event was removed by age."""

AFTER = select(events, EPOCH).where(events.c.seq > bindparam("behind")).order_by(events.c.seq).limit(bindparam("most"))
PEOPLE = select(counters.c.value).where(counters.c.name == "people")
"""A number that grows with every change of an agent or a session."""


@record(frozen=True, slots=True)
class LoggedEvent:
    """One event; ``kind`` is one of ``domain.calls.book.EventKind``, ``payload`` JSON text."""

    seq: int
    tenant: str
    kind: str
    at: int
    extension: str
    call_id: int
    payload: str
    epoch: int = 0

    @property
    def told(self) -> dict[str, Any]:
        """The payload, read."""
        found: dict[str, Any] = json.loads(self.payload)
        return found

    @property
    def position(self) -> Position:
        """Return where it stands among the events of its company."""
        return Position(self.epoch, self.seq)


class EventLog:
    """Reads the event log. ``seq`` of a company grows in the order in which its events became durable, so that who
    reads behind a position misses nothing. On SQLite all companies have one order, on PostgreSQL each its own.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def after(self, seq: int, *, limit: int = 500) -> Sequence[LoggedEvent]:
        """Return the events behind ``seq`` of all companies, oldest first: where they have one order only."""
        with self.engine.connect() as connection:
            return [LoggedEvent(*row) for row in connection.execute(AFTER, {"behind": seq, "most": limit})]

    def after_for(
        self, tenant: str, extension: str | None, position: Position, *, limit: int = 200
    ) -> Sequence[LoggedEvent]:
        """Return the events behind ``position`` of one company (and extension), oldest first: what a screen missed."""
        query = select(events, EPOCH).where(events.c.seq > position.seq, events.c.tenant == tenant)
        if extension is not None:
            query = query.where(events.c.extension == extension)
        return self._read(query.order_by(events.c.seq).limit(limit))

    def of_call(self, tenant: str, call_id: int) -> Sequence[LoggedEvent]:
        """Return all events of one call, oldest first."""
        query = select(events, EPOCH).where(events.c.call_id == call_id, events.c.tenant == tenant)
        return self._read(query.order_by(events.c.seq).limit(1000))

    def _read(self, query: Select[Any]) -> Sequence[LoggedEvent]:
        with self.engine.connect() as connection:
            return [LoggedEvent(*row) for row in connection.execute(query)]

    def newest(self, tenant: str) -> Position:
        """Return the position of who has seen all events of a company."""
        with self.engine.connect() as connection:
            row = connection.execute(select(EPOCH, func.max(events.c.seq), GIVEN_OUT)).one()
            return Position(row[0], max(row[1] or 0, row[2]))

    def people(self) -> int:
        """Return a number that grows with every change of an agent or a session of any company."""
        with self.engine.connect() as connection:
            return connection.execute(PEOPLE).scalar() or 0

    def removed(self, tenant: str) -> int:
        """Return up to which ``seq`` events of ``tenant`` may be missing, because they or their calls were old."""
        query = select(removals.c.seq).where(removals.c.tenant == tenant)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def kept(self, tenant: str, epoch: int) -> int:
        """Return up to which ``seq`` the events of ``tenant`` are still there that were seen in an earlier ``epoch``.

        On SQLite none: there an epoch begins where events got other numbers.
        """
        return 0

    def readable(self) -> None:
        """Read something, and raise what the database raises where it cannot be read."""
        with self.engine.connect() as connection:
            connection.execute(select(counters.c.value).limit(1)).all()
