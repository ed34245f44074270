"""What any node may ask of every other: receipts of screens, and which node's traffic log has a call's bytes."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from gateway.store.delivery_receipts import DeliveryReceipt, DeliveryReceiptLog
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.shared import log as module
from gateway.store.shared import tables as shared_tables
from gateway.store.shared.exchange_index import ExchangeIndex
from gateway.store.shared.log import BEGUN, SharedLog
from gateway.store.shared.tables import sightings
from gateway.store.traffic import TrafficLog
from tests.postgresql import FreshDatabase
from tests.store.test_traffic import made

pytestmark = pytest.mark.postgresql

DAY = 24 * 3600 * 1000
T0 = 1_796_060_000_000


class Clock:
    """Our clock, put forward by hand."""

    now = T0

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    fresh = FreshDatabase()
    with closing(fresh.open(tmp_path_factory.mktemp("node"))) as database:
        shared_tables.metadata.create_all(database.engine)
        yield database
    fresh.give_back()


@pytest.fixture
def database(opened: Any) -> Any:
    """The database, empty as after a failover."""
    with closing(opened.direct_connection()) as connection:
        connection.execute("TRUNCATE sightings, exchange_index")
    return opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


def node(database: Any, clock: Clock) -> SharedLog:
    return SharedLog(database.engine, keep_days=14, clock=clock)  # type: ignore[arg-type]


def receipt(at: int, kind: str = "shown", **more: Any) -> DeliveryReceipt:
    return DeliveryReceipt(at, "acme", "3501", "ana", "s1", kind, **more)


def count(log: SharedLog) -> int:
    return int(log.read(select(func.count()).select_from(sightings))[0][0])


def test_what_screens_of_one_node_say_every_node_can_read(database: Any, clock: Clock) -> None:
    one, other = node(database, clock), node(database, clock)
    here, there = DeliveryReceiptLog(one), DeliveryReceiptLog(other)
    for each in (receipt(T0, "opened"), receipt(T0 + 5, call_id=7), receipt(T0 + 9, "closed")):
        here.add(each)
    one.flush()
    assert there.of_call("acme", 7) == [receipt(T0 + 5, call_id=7)]
    assert [found.kind for found in there.around("acme", "3501", T0, T0 + 9)] == ["opened", "closed"]
    assert there.of_call("beta", 7) == []


def test_since_when_there_are_receipts_is_known_after_a_failover(database: Any, clock: Clock) -> None:
    log = node(database, clock)
    receipts = DeliveryReceiptLog(log)
    log.tidy()
    clock.now += 5
    log.tidy()
    assert receipts.since() == T0
    with closing(database.direct_connection()) as connection:
        connection.execute("TRUNCATE sightings")
    clock.now += 60_000
    node(database, clock).tidy()
    assert receipts.since() == T0 + 60_005


def test_rows_that_found_no_database_are_written_when_it_is_back(
    database: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = node(database, clock)
    receipts = DeliveryReceiptLog(log)
    with closing(database.direct_connection()) as connection, connection.transaction():
        connection.execute("LOCK sightings")
        monkeypatch.setattr(module, "DO_NOT_WAIT", f"{module.DO_NOT_WAIT}; SET LOCAL lock_timeout = 50")
        for at in range(3):
            receipts.add(receipt(T0 + at, call_id=1))
        log.flush()
        receipts.add(receipt(T0 + 3, call_id=1))
        log.flush()
    assert log.lost == 0
    log.flush()
    assert [each.at - T0 for each in receipts.of_call("acme", 1)] == [0, 1, 2, 3]


def test_rows_that_cannot_be_written_at_all_or_are_too_many_are_counted(
    database: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = node(database, clock)
    with capture_logs() as logs:
        log.add(lambda: (sightings, {"at": None, "kind": BEGUN}), 0)
        log.flush()
        assert log.lost == 1
        monkeypatch.setattr(module, "MOST_TRIED_AGAIN", 0)
        monkeypatch.setattr(module, "DO_NOT_WAIT", "SET LOCAL lock_timeout = 50")
        with closing(database.direct_connection()) as connection, connection.transaction():
            connection.execute("LOCK sightings")
            DeliveryReceiptLog(log).add(receipt(T0))
            log.flush()
    assert log.lost == 2
    assert [line["event"] for line in logs] == ["side_log_not_written"] * 2


def test_what_is_old_or_too_much_is_let_go_of(database: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIDY_ROWS", 2)
    log = node(database, clock)
    receipts = DeliveryReceiptLog(log)
    for at in (T0 - 15 * DAY, T0 - 15 * DAY, T0 - 14 * DAY - 1, T0 - 13 * DAY, T0, T0):
        receipts.add(receipt(at))
    log.flush()
    log.tidy()
    assert count(log) == 3
    monkeypatch.setattr(module, "MOST_ROWS", 1)
    log.tidy()
    log.tidy()
    assert count(log) == 1


def test_what_a_company_keeps_for_less_time_is_let_go_of_on_every_node(database: Any, clock: Clock) -> None:
    one = SharedLog(database.engine, keep_days=14, keep_ms_of={"acme": DAY, "idle": DAY}, clock=clock)  # type: ignore[arg-type]
    receipts, index = DeliveryReceiptLog(one), ExchangeIndex(one, "n2", None)
    for ago in (2 * DAY, DAY // 2):
        told = receipt(T0 - ago)
        receipts.add(told)
        receipts.add(replace(told, tenant="rival"))
        for tenant in ("acme", "rival"):
            index.add(at=told.at, tenant=tenant, call_id=7, way="in", peer="p", operation="o", status="ok")
    one.flush()
    one.tidy()
    kept = {"acme": [T0 - DAY // 2], "rival": [T0 - 2 * DAY, T0 - DAY // 2]}
    asked = ExchangeIndex(node(database, clock), "n1", None)
    assert {tenant: [found.at for found in asked.elsewhere(tenant, 7)] for tenant in kept} == kept
    with database.engine.connect() as connection:
        query = select(sightings.c.tenant, sightings.c.at).where(sightings.c.kind != BEGUN).order_by(sightings.c.at)
        rows = connection.execute(query).all()
    assert {tenant: [at for found, at in rows if found == tenant] for tenant in kept} == kept
    clock.now += DAY
    one.tidy()
    assert not asked.elsewhere("acme", 7), "it looks no further than where it was"


def test_a_node_says_which_other_has_the_bytes_of_a_call(database: Any, clock: Clock, tmp_path: Path) -> None:
    logs = {}
    for name in ("n1", "n2"):
        (tmp_path / name).mkdir()
        side, shared = DiagnosticLog(tmp_path / name, keep_days=1, keep_mb=8), node(database, clock)
        logs[name] = (side, shared, TrafficLog(side, ExchangeIndex(shared, name, f"http://{name}:8080/")))
    here, there = logs["n1"][2], logs["n2"][2]
    entry = replace(made(), call_id=7, tenant="acme", status="200 OK")
    here.add(lambda: entry, 10)
    here.add(lambda: replace(entry, call_id=None), 10)
    for side, shared, _ in logs.values():
        side.flush()
        shared.flush()
    assert here.elsewhere("acme", 7) == []
    (found,) = there.elsewhere("acme", 7)
    assert (found.node, found.url, found.status, found.at) == ("n1", "http://n1:8080", "200 OK", entry.at)
    assert there.elsewhere(None, 7) == [found]
    assert there.elsewhere("beta", 7) == []
    assert there.search("acme") == []
    for side, *_ in logs.values():
        side.stop()
