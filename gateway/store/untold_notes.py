"""Notes of agents that nobody finished: left alone for a while, they are told as they are."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, select

from gateway.domain.tenant import Tenant
from gateway.store import tables
from gateway.store.writing.drafts import UntoldNote
from gateway.store.writing.journal import Journal

notes = tables.agent_notes

LEFT_ALONE_MS = 2 * 60 * 1000
"""A note is finished when nobody has changed it for so long."""
AT_ONCE = 500


class UntoldNotes:
    """Tells the log, and the forwards of ``tenants`` that want to know."""

    def __init__(self, engine: Engine, journal: Journal, tenants: Mapping[str, Tenant]) -> None:
        self._engine = engine
        self._journal = journal
        self._tenants = tenants

    def tell(self, *, at: int, before: int) -> int:
        """Tell of the notes that nobody has changed since ``before`` (milliseconds); return how many they were.

        Raises ``BusyError``; what was not told is told the next time.
        """
        return sum(self._tell(tenant, call_id, at, before) for tenant, call_id in self._untold(before))

    def _untold(self, before: int) -> Sequence[tuple[str, int]]:
        query = select(notes.c.tenant, notes.c.call_id).where(
            notes.c.revision > notes.c.told_revision, notes.c.updated_at <= before
        )
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(notes.c.updated_at).limit(AT_ONCE)).all()
        return [(tenant, call_id) for tenant, call_id in found if tenant in self._tenants]

    def _tell(self, name: str, call_id: int, at: int, before: int) -> bool:
        tenant = self._tenants[name]
        forwards = tenant.forwards.get("call_noted", ())
        draft = UntoldNote(name, call_id, before, at, forwards, tenant.telling_rules)
        return not self._journal.write(draft).repeated
