"""What a PostgreSQL server may lose is told: settings that are off, standbys that are none, rights that lack."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Engine, create_engine

from gateway.cli.database_checks import servers_check
from gateway.store.database import Database
from gateway.store.durability import missing_rights, risks, server_version
from gateway.store.nodes import Node, Nodes
from gateway.store.postgresql.database import open_postgresql
from gateway.store.tables import metadata
from tests.cluster.servers import Cluster, cluster
from tests.waiting import until

pytestmark = pytest.mark.cluster


@dataclass
class Asked:
    """As much of a database as the looks need."""

    engine: Engine
    kind: str = "postgresql"

    def shares_sessions(self) -> bool:
        return False


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("risks")) as found:
        metadata.create_all(asked(found).engine)
        yield found


def asked(found: Cluster, user: str = "cti") -> Asked:
    address = found.url().replace("postgresql://cti@", f"postgresql+psycopg://{user}@")
    return Asked(create_engine(address, pool_size=1))


def codes(found: Cluster, user: str = "cti") -> list[str]:
    return [risk.code for risk in risks(cast(Database, asked(found, user)))]


@pytest.mark.control(18)
def test_a_server_with_a_synchronous_standby_has_no_risk(pair: Cluster) -> None:
    assert codes(pair) == []
    assert server_version(cast(Database, asked(pair))).split(".")[0].isdigit()


@pytest.mark.acceptance(18)
@pytest.mark.parametrize(
    ("setting", "value", "good"),
    [
        ("fsync", "off", "on"),
        ("full_page_writes", "off", "on"),
        ("synchronous_commit", "local", "on"),
        ("synchronous_commit", "off", "remote_apply"),
        ("synchronous_commit", "remote_write", "on"),
    ],
)
def test_a_setting_that_may_lose_is_named(pair: Cluster, setting: str, value: str, good: str) -> None:
    pair.primary.set(**{setting: value})
    until(lambda: codes(pair) == [setting])
    pair.primary.set(**{setting: good})
    until(lambda: codes(pair) == [])


def test_a_role_of_its_own_that_does_not_wait_is_named(pair: Cluster) -> None:
    pair.primary.query("ALTER ROLE cti SET synchronous_commit = local")
    assert codes(pair) == ["synchronous_commit"]
    pair.primary.query("ALTER ROLE cti RESET synchronous_commit")


@pytest.mark.acceptance(18)
def test_a_standby_that_is_asynchronous_is_none(pair: Cluster) -> None:
    pair.primary.set(synchronous_standby_names="")
    until(lambda: codes(pair) == ["no_synchronous_standby"])
    pair.primary.set(synchronous_standby_names="another")
    until(lambda: codes(pair) == ["synchronous_standby_away"])
    pair.primary.set(synchronous_standby_names="ANY 1 (standby)")
    until(lambda: codes(pair) == [])


def test_who_may_not_see_the_standbys_is_told_what_to_grant(pair: Cluster) -> None:
    pair.primary.query("CREATE ROLE blind LOGIN")
    pair.primary.query("GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO blind")
    found = risks(cast(Database, asked(pair, "blind")))
    assert [risk.code for risk in found] == ["standbys_not_seen"]
    assert "GRANT pg_monitor TO blind" in str(found[0].text)
    refused = [str(text) for text in missing_rights(cast(Database, asked(pair, "blind")))]
    assert "The user may not DELETE, UPDATE in the table events." in refused
    assert "The user may not make tables in the database; upgrades need it." in refused
    pair.primary.query("GRANT pg_monitor TO blind")
    assert codes(pair, "blind") == []
    assert missing_rights(cast(Database, asked(pair))) == []


def test_nodes_tell_of_themselves_and_of_their_clocks(pair: Cluster) -> None:
    engine = asked(pair).engine
    right, ahead = Nodes(engine), Nodes(engine, wall=lambda: Nodes(engine)._wall() + 3000)
    skews = [right.skew_ms(), ahead.skew_ms()]
    assert None not in skews
    assert abs(skews[0] or 0) < 400
    assert abs((skews[1] or 0) - 3000) < 400
    for name in ("n1", "n2", "n1"):
        right.tell(Node(name, "1", name, 7))
    assert [(node.name, node.configuration, node.clock_skew_ms) for node in right.running()] == [
        ("n1", "n1", 7),
        ("n2", "n2", 7),
    ]
    pair.primary.query("UPDATE nodes SET seen_at = seen_at - 61000 WHERE name = 'n2'")
    assert [node.name for node in right.running()] == ["n1"]
    pair.primary.query("UPDATE nodes SET seen_at = 1 WHERE name = 'n2'")
    right.tell(Node("n1", "1", "n1", 7))
    assert pair.primary.query("SELECT name FROM nodes") == [("n1",)]


def test_a_node_that_leaves_is_gone_at_once_unless_another_process_of_it_tells_of_it(pair: Cluster) -> None:
    found = Nodes(asked(pair).engine)
    old = found.tell(Node("n4", "1", "x", 0))
    successor = found.tell(Node("n4", "1", "x", 0))
    found.leave("n4", old if old < successor else old - 1)
    assert "n4" in [node.name for node in found.running()]
    found.leave("n4", successor)
    assert "n4" not in [node.name for node in found.running()]


def test_telling_does_not_wait_for_a_standby_that_is_away(pair: Cluster, tmp_path: Path) -> None:
    pair.standby.freeze()
    Nodes(asked(pair).engine).tell(Node("n3", "1", "x", 0))
    pair.standby.thaw()


def test_a_primary_that_was_replaced_and_lives_is_told_with_its_timeline(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    with cluster(tmp_path / "logs") as found:
        database = open_postgresql(found.url(), tmp_path)
        assert list(database.timelines()) == [f"127.0.0.1:{found.primary.port}"]
        assert list(servers_check(database)) == []
        found.standby.promote()
        old, new = database.timelines().values()
        assert new == old + 1
        (told,) = servers_check(database)
        database.close()
    assert told.good is False
    assert f"127.0.0.1:{found.standby.port} (timeline {new})" in str(told.text)


def test_a_server_that_is_named_alone_is_not_asked(pair: Cluster, tmp_path: Path) -> None:
    database = open_postgresql(f"postgresql://cti@127.0.0.1:{pair.primary.port}/cti", tmp_path)
    assert database.timelines() == {}
    database.close()
