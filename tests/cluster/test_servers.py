"""The harness itself: what a failover keeps, and what the proxy does to a connection."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from tests.cluster import servers
from tests.cluster.ports import fixed_port, ports_of
from tests.cluster.proxy import Proxy
from tests.cluster.servers import DATABASE, USER, Cluster, ClusterServer, cluster, owned_folder
from tests.waiting import until

pytestmark = pytest.mark.cluster
ROWS = 200


def insert(found: Cluster) -> None:
    for number in range(ROWS):
        found.primary.query(f"INSERT INTO rows VALUES ({number})")


@contextmanager
def between(port: int, **how: float) -> Iterator[Proxy]:
    """A proxy before ``port``."""
    proxy = Proxy(fixed_port(), port, **how)  # type: ignore[arg-type]
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def test_the_driver_finds_the_promoted_standby_with_all_rows(tmp_path: Path) -> None:
    with cluster(tmp_path) as found:
        found.primary.query("CREATE TABLE rows (i int)")
        insert(found)
        found.fail_over(after_s=0)
        with psycopg.connect(found.url(), autocommit=True) as connection:
            connection.execute("INSERT INTO rows VALUES (-1)")
        assert found.standby.query("SELECT count(*) FROM rows") == [(ROWS + 1,)]


def test_an_asynchronous_standby_that_was_cut_off_has_lost_rows(tmp_path: Path) -> None:
    """The control: without it nobody knows that a kill loses anything."""
    with cluster(tmp_path, synchronous=False) as found:
        found.primary.query("CREATE TABLE rows (i int)")
        until(lambda: found.standby.query("SELECT to_regclass('rows')") != [(None,)])
        found.link.cut()
        insert(found)
        found.fail_over(after_s=0)
        assert found.standby.query("SELECT count(*) FROM rows") == [(0,)]


@pytest.mark.parametrize(("free", "is_in_memory"), [(64 << 20, False), (8 << 30, True)])
def test_servers_lie_on_disk_where_memory_has_too_little_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_in_memory: bool
) -> None:
    """A container has 64 MB of it."""
    monkeypatch.setattr(servers, "MEMORY", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    with owned_folder() as place:
        assert (place.parent == tmp_path) is is_in_memory
    with owned_folder(on_disk=True) as place:
        assert place.parent != tmp_path
    monkeypatch.setattr(servers, "MEMORY", tmp_path / "missing")
    with owned_folder() as place:
        assert place.is_dir()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServer]:
    with owned_folder() as place:
        found = ClusterServer(place, tmp_path_factory.mktemp("server"), "alone")
        found.make()
        found.start()
        yield found
        found.kill()


def test_a_connection_is_cut_between_a_commit_and_its_answer(server: ClusterServer) -> None:
    server.query("CREATE TABLE cut (i int)")
    with between(server.port) as proxy:
        proxy.cut_behind = lambda data: b"COMMIT" in data
        connection = psycopg.connect(f"host=127.0.0.1 port={proxy.port} user={USER} dbname={DATABASE}")
        connection.execute("INSERT INTO cut VALUES (1)")
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
        assert proxy.cuts == 1
    assert server.query("SELECT count(*) FROM cut") == [(1,)]


def test_a_cut_network_refuses_connections_until_it_is_mended(server: ClusterServer) -> None:
    with between(server.port) as proxy:
        address = f"host=127.0.0.1 port={proxy.port} user={USER} dbname={DATABASE} connect_timeout=3"
        connection = psycopg.connect(address)
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)
        proxy.mend()
        psycopg.connect(address).close()


def test_test_processes_that_run_side_by_side_choose_among_other_ports() -> None:
    assert set(ports_of("gw0")).isdisjoint(ports_of("gw1"))
    assert len(ports_of("gw3")) > 2000
