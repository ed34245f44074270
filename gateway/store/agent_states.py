"""What exchanges tell of agents, read."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from gateway.store import tables

agent_states = tables.agent_states

TOLD = ("extension", "agent", "login", "state", "reason", "queue")
NEWEST = 2000
"""Of so many of the newest states the last one of each agent is looked for."""


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
