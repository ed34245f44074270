"""What exchanges tell of agents, read, and let go of when it is old."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, func, select

from gateway.store import tables

agent_states = tables.agent_states

TOLD = ("extension", "agent", "login", "state", "reason", "queue")
NEWEST = 2000
"""Of so many of the newest states the last one of each agent is looked for; these are kept, however old."""
MOST_KEPT = 500_000
"""Of each company."""
SLICE = 5000
"""States that are let go of in one transaction, so that events need not wait."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KnownAgentState:
    """How an agent stands at the exchange, since ``since`` (milliseconds since 1970 UTC).

    ``agent`` is the name or id that the exchange has, ``login`` the agent of ours who sat at the extension then;
    ``state`` is login, logout, pause or ready, ``reason`` that of a pause.
    """

    extension: str
    agent: str
    login: str | None
    state: str
    reason: str | None
    queue: str | None
    since: int

    @property
    def who(self) -> str:
        """What is the same in all that is told of one agent."""
        return self.agent or self.login or self.extension


class AgentStates:
    """Reads the last state of each agent; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def latest(self, tenant: str) -> Sequence[KnownAgentState]:
        """Return the last state of each agent and, where it is of one queue only, of each queue; the newest first."""
        since = func.coalesce(agent_states.c.occurred_at, agent_states.c.at).label("since")
        query = select(*(agent_states.c[name] for name in TOLD), since).where(agent_states.c.tenant == tenant)
        found: dict[tuple[str, str | None], KnownAgentState] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(agent_states.c.id.desc()).limit(NEWEST)):
                state = KnownAgentState(**row._mapping)
                found.setdefault((state.who, state.queue), state)
        return list(found.values())


def forget(connection: Connection, tenant: str, before: int) -> int:
    """Delete the states of ``tenant`` that were heard before ``before`` (milliseconds), or are too many, of the
    ``SLICE`` oldest ones. Return how many they were.
    """
    newer, room = _place(connection, tenant, NEWEST), _place(connection, tenant, MOST_KEPT)
    query = select(agent_states.c.id, agent_states.c.at).where(agent_states.c.tenant == tenant)
    oldest = connection.execute(query.where(agent_states.c.id <= newer).order_by(agent_states.c.id).limit(SLICE))
    found = [state_id for state_id, at in oldest if at < before or state_id <= room]
    for start in range(0, len(found), AT_ONCE):
        connection.execute(delete(agent_states).where(agent_states.c.id.in_(found[start : start + AT_ONCE])))
    return len(found)


def _place(connection: Connection, tenant: str, newest: int) -> int:
    """Return the id of the newest state behind the ``newest`` of them; 0 where they are no more."""
    query = select(agent_states.c.id).where(agent_states.c.tenant == tenant).order_by(agent_states.c.id.desc())
    return connection.execute(query.offset(newest).limit(1)).scalar() or 0
