"""What forwards captured of calls: the id by which a CRM knows one, which an end may need hours and a restart later."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from gateway.store.tables import forward_captures as captures
from gateway.store.tables.captures import LONGEST_CAPTURE
from gateway.store.writing.journal import Journal

KEPT_MS = 30 * 24 * 3600 * 1000
"""How long they are kept: longer than any event of a call is waited for, or tried."""


class CallCaptures:
    """Reads and keeps what was captured of a call for one target."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def of(self, tenant: str, target: str, call_id: int) -> Mapping[str, str]:
        """Return what is kept of a call."""
        query = select(captures.c.name, captures.c.value).where(*_of(tenant, target, call_id))
        with self._engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(query)}

    def keep(self, tenant: str, target: str, call_id: int, values: Mapping[str, str], now: int) -> None:
        """Keep ``values`` of a call, in the place of those of the same names; the call returns when they are durable.

        What is too long is left out: cut, it would be another call's. Raises ``BusyError``.
        """
        key = {"tenant": tenant, "target": target, "call_id": call_id}
        fitting = {name: value for name, value in values.items() if len(value) <= LONGEST_CAPTURE}
        rows = [{**key, "name": name, "value": value, "kept_at": now} for name, value in fitting.items()]
        if rows:
            self._journal.run(lambda connection: _replace(connection, tenant, target, call_id, rows), tenant=tenant)


def forget(connection: Connection, now: int) -> int:
    """Delete what was captured too long ago; return how many values that were."""
    return connection.execute(delete(captures).where(captures.c.kept_at < now - KEPT_MS)).rowcount


def _of(tenant: str, target: str, call_id: int) -> tuple[Any, ...]:
    return captures.c.tenant == tenant, captures.c.target == target, captures.c.call_id == call_id


def _replace(connection: Connection, tenant: str, target: str, call_id: int, rows: list[dict[str, Any]]) -> None:
    names = [row["name"] for row in rows]
    connection.execute(delete(captures).where(*_of(tenant, target, call_id), captures.c.name.in_(names)))
    connection.execute(captures.insert(), rows)
