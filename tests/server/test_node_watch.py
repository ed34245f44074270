"""What nodes on one database find wrong: clocks, configurations, and a database that may lose something."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from gateway import __version__
from gateway.config.loader import parse
from gateway.config.tables import Config
from gateway.server.node_watch import NodeWatch, configuration_digest, warn_of_losses
from gateway.store.database import Database
from gateway.store.durability import Risk
from gateway.store.nodes import Node, Nodes
from gateway.store.sqlite.database import SqliteDatabase
from gateway.texts.text import Text
from tests.waiting import until

OURS = configuration_digest(Config())
LOSS = Risk("fsync", Text("fsync is off"))


@dataclass
class FakeNodes:
    """A database that shows ``skew``, and ``others`` beside whoever has told of itself."""

    skew: int | None = 0
    others: Sequence[Node] = ()
    told: list[Node] = field(default_factory=list)

    def skew_ms(self) -> int | None:
        return self.skew

    left: list[tuple[str, int]] = field(default_factory=list)

    def tell(self, node: Node) -> int:
        self.told.append(node)
        return len(self.told)

    def leave(self, name: str, told_at: int) -> None:
        self.left.append((name, told_at))

    def running(self) -> Sequence[Node]:
        return [*self.others, *self.told[-1:]]


@dataclass
class FakeDatabase:
    kind: str = "postgresql"


def watch(nodes: FakeNodes, found: Sequence[Risk] = ()) -> NodeWatch:
    config = Config.model_validate({"server": {"node": "n1"}})
    database = cast(Database, FakeDatabase())
    return NodeWatch(database, config, nodes=cast(Nodes, nodes), look_for_risks=lambda _: found)


def node(name: str, skew_ms: int = 0, *, version: str = __version__, configuration: str = OURS) -> Node:
    return Node(name, version, configuration, skew_ms)


def seen(nodes: FakeNodes) -> NodeWatch:
    found = watch(nodes)
    found.look()
    return found


@pytest.mark.parametrize(("skew_ms", "ready"), [(0, True), (2000, True), (-2000, True), (2001, False), (-3000, False)])
def test_a_node_whose_clock_is_two_seconds_off_is_not_ready(skew_ms: int, ready: bool) -> None:
    assert seen(FakeNodes(skew_ms)).checks() == {"clock": ready}


@pytest.mark.parametrize(
    ("others", "ready"),
    [
        ([node("n2")], False),
        ([node("n2", 3100)], True),
        ([node("n2", 3100), node("n3")], True),
        ([node("n2"), node("n3")], False),
        ([node("n2", 3100), node("n3"), node("n4")], False),
    ],
)
def test_where_most_nodes_agree_the_clock_of_the_database_is_wrong(others: list[Node], ready: bool) -> None:
    assert seen(FakeNodes(3000, others)).is_clock_right is ready


def test_a_skew_is_told_once_and_so_is_its_end() -> None:
    nodes = FakeNodes(600)
    found = watch(nodes)
    with capture_logs() as logs:
        for nodes.skew in (600, 650, 2500, 0, 0):
            found.look()
    assert [(entry["event"], entry.get("what")) for entry in logs] == [
        ("clock_skewed", "skewed"),
        ("clock_skewed", "wrong"),
        ("clock_skewed_no_more", None),
    ]
    assert logs[0]["skew_ms"] == 600


def test_an_answer_that_took_too_long_changes_nothing() -> None:
    nodes = FakeNodes(3000)
    found = seen(nodes)
    nodes.skew = None
    found.look()
    assert found.checks() == {"clock": False}
    assert found.gauges()["cti_clock_skew_seconds"][1]() == 3.0


def test_another_configuration_is_told_and_another_version_only_counted() -> None:
    others = [node("n2", configuration="x"), node("n3", version="0"), node("n4")]
    found = watch(FakeNodes(0, others))
    with capture_logs() as logs:
        found.look()
    assert [(entry["event"], entry["what"]) for entry in logs] == [("configuration_differs", ["n2"])]
    assert found.gauges()["cti_nodes_different"][1]() == 2


def test_a_node_tells_of_itself_and_check_does_not() -> None:
    nodes = FakeNodes(7)
    watch(nodes).look(tell=False)
    assert nodes.told == []
    watch(nodes).look()
    assert nodes.told == [Node("n1", __version__, OURS, 7)]


def test_a_node_that_ends_says_so_and_one_that_never_told_of_itself_does_not() -> None:
    nodes = FakeNodes()
    ending = watch(nodes)
    ending.start()
    until(lambda: nodes.told)
    ending.stop()
    assert nodes.left == [("n1", len(nodes.told))]
    watch(nodes).stop()
    assert len(nodes.left) == 1


def test_risks_that_come_and_go_are_told() -> None:
    risks: list[Risk] = []
    found = watch(FakeNodes(), risks)
    with capture_logs() as logs:
        found.look()
        risks.append(LOSS)
        found.look()
        assert found.gauges()["cti_database_risks"][1]() == 1
        risks.clear()
        found.look()
    assert [(entry["event"], entry.get("because")) for entry in logs] == [
        ("database_may_lose", ["fsync is off"]),
        ("database_may_lose_no_more", None),
    ]


def test_what_each_node_has_for_itself_is_no_difference() -> None:
    def digest(raw: dict[str, Any]) -> str:
        return configuration_digest(parse(raw, source="gateway.toml"))

    one = digest({"server": {"node": "a", "listen": "127.0.0.1:1"}, "tenants": {"acme": {}}})
    assert one == digest({"server": {"node": "b", "workers": 2}, "log": {"level": "debug"}, "tenants": {"acme": {}}})
    assert one != digest({"tenants": {"acme": {"area_code": "47"}}})


def test_on_sqlite_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    found = NodeWatch(SqliteDatabase(tmp_path), Config())
    found.start()
    assert (found.checks(), found.gauges()) == ({}, {})
    with capture_logs() as logs:
        warn_of_losses(SqliteDatabase(tmp_path), Config.model_validate({"server": {"accept_loss": True}}))
    assert logs == []
    found.stop()


def test_the_host_name_is_the_name_of_a_node_that_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "pc-da-recepcao")
    assert Config().server.node_name() == "pc-da-recepcao"
    assert Config.model_validate({"server": {"node": "n1"}}).server.node_name() == "n1"
