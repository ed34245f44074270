"""Patroni, not we, notices that the primary is dead and promotes the standby, under load."""

from pathlib import Path

import pytest

from tests.cluster.cell import cell, wait_for
from tests.cluster.patroni import PASSWORD, PatroniCluster, PatroniServer, patroni
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Patroni's absence skip everywhere, for CI does not install it; and have the password at hand."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def test_a_primary_that_dies_is_replaced_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with cell(tmp_path, nodes=2, tenants=4, on=patroni(tmp_path)) as found:
        servers = found.database
        assert isinstance(servers, PatroniCluster)
        old, new = servers.primary, servers.standby
        assert isinstance(new, PatroniServer)
        assert "a synchronous standby has what is acknowledged" in found.nodes[0].cli("check")
        found.open_screens(4)
        found.send(per_s=15, clickers=2)
        found.until_acknowledged(200)
        old.kill()
        until(new.is_primary, 90)
        servers.bring_back(old)
        servers.writable = new
        found.until_acknowledged(len(found.history.acknowledged()) + 200, within_s=120)
        assert wait_for(lambda: all(node.readiness()[0] == 200 for node in found.nodes), 60)
        assert new.as_postgres("SELECT sync_state FROM pg_stat_replication") == "sync", "the old one follows it"
        findings = found.finish()
        assert not findings, str(findings)
        assert found.history.nodes() == {"n1", "n2"}
        assert found.nodes[0].said("epoch_raised") or found.nodes[1].said("epoch_raised")
