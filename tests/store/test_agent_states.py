"""What exchanges tell of agents is kept for a time, and as many as there is room for."""

import pytest

from gateway.domain.messages import AgentState, AgentStateChanged
from gateway.store import agent_states
from gateway.store.agent_states import forget
from gateway.store.writing.drafts import AgentStateDraft
from tests.store.conftest import HERE, T0, Store


def tell(store: Store, agent: str, at: int, tenant: str = "acme") -> None:
    store.journal.write(AgentStateDraft(AgentStateChanged(tenant, "3501", agent, AgentState.PAUSE, HERE, at), "3501"))


@pytest.fixture
def store(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of three states of acme and one of beta, where the last one of a company is kept however old."""
    monkeypatch.setattr(agent_states, "NEWEST", 1)
    for number in range(3):
        tell(store, f"agent-{number}", T0 + number)
    tell(store, "other", T0, tenant="beta")
    return store


def left(store: Store) -> list[str]:
    with store.engine.connect() as connection:
        query = agent_states.agent_states.select().order_by(agent_states.agent_states.c.id)
        return [row.agent for row in connection.execute(query)]


def test_old_ones_of_one_company_are_let_go_of(store: Store) -> None:
    assert store.journal.run(lambda connection: forget(connection, "acme", T0 + 2)) == 2
    assert left(store) == ["agent-2", "other"]


def test_none_that_is_young_enough_is(store: Store) -> None:
    assert store.journal.run(lambda connection: forget(connection, "acme", T0)) == 0
    assert len(left(store)) == 4


def test_of_too_many_the_oldest_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_states, "MOST_KEPT", 2)
    assert store.journal.run(lambda connection: forget(connection, "acme", T0)) == 1
    assert left(store) == ["agent-1", "agent-2", "other"]


def test_the_newest_are_kept_however_old(store: Store) -> None:
    """The desk shows the last state of each agent from these."""
    store.journal.run(lambda connection: forget(connection, "acme", T0 + 10**12))
    store.journal.run(lambda connection: forget(connection, "beta", T0 + 10**12))
    assert left(store) == ["agent-2", "other"]


def test_no_more_go_at_once_than_events_can_wait_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_states, "SLICE", 1)
    assert store.journal.run(lambda connection: forget(connection, "acme", T0 + 2)) == 1
    assert left(store) == ["agent-1", "agent-2", "other"]
