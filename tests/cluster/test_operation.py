"""What an operator of several nodes relies on: the check, clocks, configurations, and a node that leaves in peace."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.history import Answer
from tests.cluster.kill import CONTROLS
from tests.cluster.nodes import READY_WITHIN_S, Node

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
DRAIN_S = 2.0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    """Two nodes, of which one can be started anew."""
    with cell(tmp_path_factory.mktemp("operation"), nodes=2, tenants=2, server=f"drain_s = {DRAIN_S}") as found:
        yield found


@pytest.mark.acceptance(18)
def test_check_refuses_what_may_lose_events_unless_that_is_accepted(pair: Cell) -> None:
    node = pair.nodes[0]
    assert "a synchronous standby has what is acknowledged" in node.cli("check")
    pair.database.primary.set(synchronous_standby_names="")
    try:
        refused = node.try_cli("check")
        assert refused.returncode == 1
        assert "FAIL" in refused.stdout
        assert "synchronous_standby_names is empty" in refused.stdout
        plain = node.config.read_text()
        node.config.write_text(plain.replace("[server]", "[server]\naccept_loss = true"))
        try:
            assert "server.accept_loss = true: what was acknowledged may be lost." in node.cli("check")
        finally:
            node.config.write_text(plain)
        assert wait_for(lambda: bool(node.said("database_may_lose")), 15)
    finally:
        pair.database.primary.set(synchronous_standby_names="standby")


@pytest.mark.acceptance(17)
def test_a_node_whose_clock_is_three_seconds_ahead_is_not_ready_and_says_why(pair: Cell) -> None:
    node = pair.nodes[1]
    node.kill()
    node.environment = {"PYTHONPATH": str(CONTROLS / "wrong_clock"), "CLOCK_AHEAD_S": "3"}
    try:
        node.begin()
        assert wait_for(lambda: node.readiness()[0] > 0, READY_WITHIN_S), node.told()
        assert wait_for(lambda: node.readiness()[1].get("clock") is False, 20), node.told()
        status, checks = node.readiness()
        assert status == 503
        assert [name for name, good in checks.items() if not good] == ["clock"]
        metrics = node.get("/metrics")[1]
        assert 'cti_ready{check="clock"} 0.0' in metrics
        assert 2.5 < skew_s(node) < 3.5
        assert pair.nodes[0].readiness()[0] == 200
    finally:
        node.kill()
        node.environment = {}
        node.begin()
        node.wait()


@pytest.mark.slow
@pytest.mark.control(17)
def test_half_a_second_is_no_wrong_clock(pair: Cell) -> None:
    node = pair.nodes[1]
    node.kill()
    node.environment = {"PYTHONPATH": str(CONTROLS / "wrong_clock"), "CLOCK_AHEAD_S": "0.5"}
    try:
        node.begin()
        node.wait()
        assert wait_for(lambda: 0.3 < skew_s(node) < 0.9, 60), node.told()
        assert node.readiness()[0] == 200
    finally:
        node.kill()
        node.environment = {}
        node.begin()
        node.wait()


def skew_s(node: Node) -> float:
    """Return how far the node's clock is ahead of the database's, as its metrics say; 0 where they do not."""
    lines = node.get("/metrics")[1].splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("cti_clock_skew_seconds "))


@pytest.mark.slow
def test_a_node_with_another_configuration_is_named(pair: Cell) -> None:
    changed = pair.nodes[1]
    plain = changed.config.read_text()
    changed.config.write_text(plain.replace('area_code = "47"', 'area_code = "48"', 1))
    try:
        changed.restart()
        changed.wait()
        told = pair.nodes[0]
        assert wait_for(lambda: any(entry["what"] == ["n2"] for entry in told.said("configuration_differs")), 25)
    finally:
        changed.config.write_text(plain)
        changed.restart()
        changed.wait()


def test_a_node_leaves_the_balancer_before_it_stops_and_refuses_nothing(pair: Cell) -> None:
    """The clients go by ``/readyz`` as a balancer does, each 0.2 s."""
    leaving = pair.nodes[0]
    sent = len(pair.history.events)
    pair.send(per_s=20)
    pair.until_acknowledged(sent + 40)
    for client in pair.clients:
        client.only_ready()
    assert leaving.process
    began = time.monotonic()
    leaving.process.terminate()
    assert wait_for(lambda: leaving.readiness()[0] == 503, 2)
    assert leaving.process.wait(30) == 0
    assert time.monotonic() - began >= DRAIN_S
    leaving.kill()
    time.sleep(1)
    findings = pair.finish()
    assert not findings, str(findings)
    assert {event.answer for event in pair.history.events[sent:]} == {Answer.ACKNOWLEDGED}
    leaving.begin()
    leaving.wait()


def test_nodes_say_who_they_are(pair: Cell) -> None:
    rows = pair.database.writable.query("SELECT name FROM nodes ORDER BY name")
    assert {"n1", "n2"} <= {name for (name,) in rows}
    shown = json.loads(pair.nodes[0].cli("config"))
    assert shown["server"]["node"] == "n1"
