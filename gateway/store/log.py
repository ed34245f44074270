"""The event log, read: the truth that screens follow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from gateway.store import tables

events, counters = tables.events, tables.counters


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event; ``kind`` is one of ``domain.calls.book.EventKind``, ``payload`` JSON text."""

    seq: int
    tenant: str
    kind: str
    at: int
    extension: str
    call_id: int
    payload: str

    @property
    def told(self) -> dict[str, Any]:
        """The payload, read."""
        found: dict[str, Any] = json.loads(self.payload)
        return found


class EventLog:
    """Reads the event log. ``seq`` grows without gaps, in the order in which events became durable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # The driver's own connection: one with a transaction around it would see the same version for ever,
        # and would keep the write-ahead log from being emptied.
        self._watch = engine.raw_connection()

    def after(self, seq: int, *, limit: int = 500) -> Sequence[LoggedEvent]:
        """Return the events behind ``seq`` of all tenants, oldest first."""
        query = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        return self._read(query)

    def after_for(self, tenant: str, extension: str | None, seq: int, *, limit: int = 200) -> Sequence[LoggedEvent]:
        """Return the events behind ``seq`` of one tenant (and extension), oldest first: what a screen missed."""
        query = select(events).where(events.c.seq > seq, events.c.tenant == tenant)
        if extension is not None:
            query = query.where(events.c.extension == extension)
        return self._read(query.order_by(events.c.seq).limit(limit))

    def of_call(self, tenant: str, call_id: int) -> Sequence[LoggedEvent]:
        """Return all events of one call, oldest first."""
        query = select(events).where(events.c.call_id == call_id, events.c.tenant == tenant)
        return self._read(query.order_by(events.c.seq).limit(1000))

    def _read(self, query: object) -> Sequence[LoggedEvent]:
        with self._engine.connect() as connection:
            return [LoggedEvent(*row) for row in connection.execute(query)]  # type: ignore[call-overload]

    def newest(self) -> int:
        """Return the ``seq`` of the newest event, 0 when there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(events.c.seq))).scalar() or 0

    def people(self) -> int:
        """Return a number that grows with every change of an agent or a session."""
        query = select(counters.c.value).where(counters.c.name == "people")
        with self._engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def version(self) -> int:
        """Return a number that changes whenever another connection (or process) has committed; far cheaper than a
        query.
        """
        return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._watch.close()
