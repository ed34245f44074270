"""How long is kept what exchanges tell of agents is the company's to say."""

from pathlib import Path

import pytest

from gateway.clock import milliseconds
from gateway.config import loader as config_file
from gateway.domain.messages import AgentState, AgentStateChanged, Origin
from gateway.server import bootstrap
from gateway.store import agent_states

DAY_MS = 86_400_000


@pytest.mark.parametrize(("days", "left"), [(1, 0), (400, 1)])
def test_states_of_agents_are_kept_as_long_as_the_company_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    monkeypatch.setattr(agent_states, "NEWEST", 0)
    wanted = {"tenants": {"acme": {"events": {"agent_states_days": days}}}}
    gateway = bootstrap.build(config_file.parse(wanted, source="gateway.toml", base=tmp_path), tmp_path)
    try:
        origin, at = Origin("get", "127.0.0.1"), milliseconds() - 2 * DAY_MS
        gateway.core.handle(AgentStateChanged("acme", "3501", "Ana", AgentState.PAUSE, origin, at))
        gateway.maintenance.sweep()
        with gateway.engine.connect() as connection:
            assert len(connection.execute(agent_states.agent_states.select()).all()) == left
    finally:
        gateway.close()
