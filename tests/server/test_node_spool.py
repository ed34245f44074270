"""The spool of a node, as configured: what it takes, when it is full, and what is left in it when it is turned off."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.cli.database_checks import database_checks
from gateway.clock import milliseconds
from gateway.config.loader import parse
from gateway.domain.messages import CallStarted, Origin
from gateway.errors import ConfigError, DatabaseAway, DatabaseNotReached, DataUnusable, StoreUnavailable
from gateway.server import node_spool
from gateway.server.bootstrap import build
from gateway.server.gateway import Gateway
from gateway.store.spool.file import DATABASE, SpoolRoom
from gateway.texts.rendering import render
from tests.postgresql import USER, FreshDatabase, server
from tests.waiting import until

TENANT = {"acme": {"area_code": "47", "extensions": ["3500-3599"]}}


@contextmanager
def gateway(fresh: FreshDatabase, data: Path, **server: object) -> Iterator[Gateway]:
    config = parse(
        {"server": {"database": fresh.url, "node": "n1", **server}, "tenants": TENANT}, source="gateway.toml"
    )
    with build(config, data) as found:
        yield found


@pytest.fixture
def fresh() -> Iterator[FreshDatabase]:
    found = FreshDatabase()
    yield found
    found.give_back()


def started(number: str, ago_ms: int = 20_000) -> CallStarted:
    return CallStarted("acme", "3501", number, Origin("get", "127.0.0.1"), milliseconds() - ago_ms)


def stall(found: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database take nothing: its lanes never begin a transaction."""
    for lane in found.journal._lanes:
        monkeypatch.setattr(lane._transactions, "ready", lambda lane=lane: lane._transactions._stopping.wait(0.05))


@pytest.mark.postgresql
def test_what_a_node_keeps_is_told_ok_without_a_number_and_written_at_its_next_start(
    fresh: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(fresh, tmp_path, spool=True) as found, monkeypatch.context() as away:
        stall(found, away)
        reply = found.core.handle(started("4732100001"))
        assert (reply.ok, reply.call_id) == (True, 0)
        assert render(reply.message, "en") == "kept on this node; it has no number yet"  # type: ignore[arg-type]
        gauges = {name: gauge() for name, (_, gauge) in found.spool.gauges().items()}
        assert gauges == {"cti_spooled": 1, "cti_spool_refused": 0}
        assert found.health() == {"writer": True, "clock": True, "spool": True}
    with gateway(fresh, tmp_path) as again:  # turned off meanwhile: what is left is drained all the same
        again.start()
        until(lambda: again.spool.gauges()["cti_spooled"][1]() == 0)
        (event,) = again.events.after(0)
        assert event.told["number"] == "4732100001"
        assert event.told["late"] is True


@pytest.mark.postgresql
@pytest.mark.acceptance(14)
def test_a_full_spool_is_503_and_not_ready(
    fresh: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(fresh, tmp_path, spool=True, spool_hours=0.001) as found, monkeypatch.context() as away:
        stall(found, away)
        assert found.core.handle(started("4732100001")).call_id == 0
        assert not found.spool.takes_events()
        with pytest.raises(StoreUnavailable):
            found.core.handle(started("4732100002", ago_ms=0))
        away.setattr(found.write_probe, "_write", lambda: False)
        assert found.health()["write"] is False


@pytest.mark.postgresql
def test_the_size_of_the_spool_is_as_configured(fresh: FreshDatabase, tmp_path: Path) -> None:
    with gateway(fresh, tmp_path, spool=True, spool_mb=3, spool_hours=2) as found:
        assert found.spool.spool
        assert found.spool.spool._room == SpoolRoom(3 * 1024 * 1024, 2 * 3_600_000)


@pytest.mark.postgresql
def test_without_the_setting_there_is_no_spool(fresh: FreshDatabase, tmp_path: Path) -> None:
    with gateway(fresh, tmp_path) as found:
        assert found.spool.writer is None
        assert [gauge() for _, gauge in found.spool.gauges().values()] == [0, 0]
        assert not (tmp_path / DATABASE).exists()


def test_on_sqlite_the_setting_is_refused_with_what_to_do(tmp_path: Path) -> None:
    config = parse({"server": {"spool": True}, "tenants": TENANT}, source="gateway.toml")
    with pytest.raises(ConfigError, match=r"server\.spool is for a PostgreSQL database"):
        build(config, tmp_path)


@pytest.mark.postgresql
def test_check_says_what_lies_in_the_spool(
    fresh: FreshDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gateway(fresh, tmp_path, spool=True, spool_hours=0.001) as found, monkeypatch.context() as away:
        assert spool_lines(found) == [(True, "0 events wait in the spool of this node.")]
        stall(found, away)
        for number in ("4732100001", "4732100002"):
            found.core.handle(started(number, ago_ms=0))
        assert spool_lines(found) == [(None, "2 events wait in the spool of this node.")]
        assert found.spool.spool
        found.spool.spool.refuse(found.spool.spool.next(1)[0], "no such company")
        refused = (None, "1 events in the spool of this node could not be written (docs/cluster.md).")
        assert spool_lines(found) == [(None, "1 events wait in the spool of this node."), refused]
        monkeypatch.setattr(node_spool, "milliseconds", lambda: milliseconds() + 10_000)
        full = (False, "the spool of this node is full: events get 503 while the database is away.")
        assert spool_lines(found)[0] == full
    with gateway(fresh, tmp_path / "other") as without:
        assert spool_lines(without) == []


def spool_lines(found: Gateway) -> list[tuple[bool | None, str]]:
    """The lines of ``check`` that tell of the spool."""
    lines = [(line.good, render(line.text, "en")) for line in database_checks(found)]
    return [line for line in lines if "spool of this node" in line[1]]


@pytest.mark.postgresql
def test_a_node_with_a_spool_starts_without_its_database_and_catches_up(tmp_path: Path) -> None:
    """The database is a new one: its schema is made as soon as it can be reached."""
    with unmade_database() as (url, make):
        config = parse({"server": {"database": url, "node": "n1", "spool": True}, "tenants": TENANT}, source="t.toml")
        with capture_logs() as logs, build(config, tmp_path, may_wait=True) as found:
            found.start()
            assert "started_without_database" in [line["event"] for line in logs]
            assert found.core.handle(started("4732100001")).call_id == 0
            assert found.health()["spool"] is True
            with pytest.raises(DatabaseAway):
                found.directory.agents("acme")
            make()
            until(lambda: found.spool.gauges()["cti_spooled"][1]() == 0)
            until(lambda: not is_away(found))
            assert [call.number for call in found.calls.recent("acme", limit=5)] == ["4732100001"]


@pytest.mark.postgresql
def test_a_node_without_one_says_so_and_ends(tmp_path: Path) -> None:
    with unmade_database() as (url, _):
        config = parse({"server": {"database": url}, "tenants": TENANT}, source="t.toml")
        with pytest.raises(DatabaseNotReached, match="cannot be reached"):
            build(config, tmp_path)


@pytest.mark.postgresql
def test_a_wrong_address_is_refused_with_a_spool_as_well(tmp_path: Path) -> None:
    """It would not come right by itself."""
    config = parse({"server": {"database": server().url("nowhere"), "spool": True}, "tenants": TENANT}, source="t.toml")
    with pytest.raises(DataUnusable, match="there is no such database"):
        build(config, tmp_path, may_wait=True)


def is_away(found: Gateway) -> bool:
    try:
        found.directory.agents("acme")
    except DatabaseAway:
        return True
    return False


@contextmanager
def unmade_database() -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of an empty database whose server cannot be reached yet, and what changes that."""
    folder = Path(tempfile.mkdtemp(prefix="cti-pg-"))
    folder.chmod(0o755)
    name = "cti_begun_without"
    server().run(f"CREATE DATABASE {name}")
    socket = ".s.PGSQL.5432"
    try:
        yield (
            f"postgresql://{USER}@/{name}?host={folder}",
            lambda: (folder / socket).symlink_to(server().folder / socket),
        )
    finally:
        server().run(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(folder)
