"""What a gateway's maintenance does, as its configuration wants it."""

from pathlib import Path

from sqlalchemy import select

from gateway.clock import Clock
from gateway.config.tables import Config
from gateway.domain.messages import CallStarted, Origin
from gateway.domain.roles import Role
from gateway.server.bootstrap import build
from gateway.store import tables
from gateway.store.directory import Agent

HERE = Origin("get", "127.0.0.1")
TEAMS = {"vendas": {"extensions": ["3500-3509"], "supervisors": ["rita"]}}


def test_figures_are_summed_for_who_leads_a_team_before_the_first_look(tmp_path: Path) -> None:
    config = Config.model_validate({"tenants": {"acme": {"teams": TEAMS}}})
    with build(config, tmp_path) as gateway:
        rita = Agent(0, "acme", "rita", "Rita", "", role=Role.SUPERVISOR)
        gateway.directory.save_agent(rita, "unusable", 1)
        gateway.core.handle(CallStarted("acme", "3501", "4732100123", HERE, Clock().ago(3 * 3_600_000)))
        gateway.maintenance.sweep()
        with gateway.engine.connect() as connection:
            assert connection.execute(select(tables.figure_scope_sums.c.received)).scalars().first() == 1
