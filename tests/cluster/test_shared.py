"""What nodes share when the primary dies: empty on its successor, taken anew, and nobody is declared dead for it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from gateway.clock import milliseconds
from gateway.store.delivery_receipts import DeliveryReceipt, DeliveryReceiptLog
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from gateway.store.shared import leases as shared_leases
from gateway.store.shared.log import SharedLog
from gateway.store.shared.postgresql import SharedPostgresql
from gateway.store.shared.session import SharedUnavailable
from tests.cluster.servers import Cluster, cluster
from tests.waiting import until

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Amount:
    """A small shared value."""

    count: int = 0


def one_more(value: Amount) -> tuple[Amount, int]:
    return replace(value, count=value.count + 1), value.count + 1


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@pytest.fixture
def nodes(found: Cluster, tmp_path: Path) -> Iterator[list[PostgresqlDatabase]]:
    with ExitStack() as opened:
        databases = [opened.enter_context(closing(open_postgresql(found.url(), tmp_path / name))) for name in "ab"]
        databases[0].upgrade()
        for database in databases:
            opened.callback(database.shared().close)
        yield databases


def shared(database: PostgresqlDatabase) -> SharedPostgresql:
    made = database.shared()
    assert isinstance(made, SharedPostgresql)
    return made


def beats(node: SharedPostgresql) -> bool:
    try:
        node._keeper.beat()
    except SharedUnavailable:
        return False
    return True


def test_a_failover_frees_what_was_held_and_declares_nobody_dead(
    found: Cluster, nodes: list[PostgresqlDatabase]
) -> None:
    one, other = map(shared, nodes)
    presences = [node.presence() for node in (one, other)]
    names = [presence.name() for presence in presences]
    held = one.lease("source/acme/pbx")
    assert held is not None
    assert other.lease("source/acme/pbx") is None
    places, record = one.slots("acme", "pbx", 1), one.record(Amount, "acme", "pbx")
    assert places.take(0) is not None
    record.change(one_more)
    found.fail_over(after_s=0.5)
    assert presences[0].alive(names[1] or "")
    assert presences[1].alive(names[0] or "")
    until(lambda: not held.held(), timeout_s=shared_leases.HELD_S + 5)
    until(lambda: other.lease("source/acme/other") is not None, timeout_s=30)
    for each in (one, other):
        until(partial(beats, each), timeout_s=30)
    later = other.lease("source/acme/pbx")
    assert later is not None
    assert later.token > held.token
    assert found.standby.query("SELECT count(*) FROM leases WHERE name LIKE 'process/%' AND until > now()") == [(2,)]
    assert other.record(Amount, "acme", "pbx").read() == Amount(), "breakers are closed"
    assert [presence.alive(name or "") for presence, name in zip(presences, reversed(names), strict=True)] == [True] * 2


def test_receipts_say_since_when_they_are_known_after_a_failover(
    found: Cluster, nodes: list[PostgresqlDatabase]
) -> None:
    log = SharedLog(nodes[0].engine, keep_days=14)
    receipts = DeliveryReceiptLog(log)
    log.tidy()
    began = receipts.since()
    assert began
    receipts.add(DeliveryReceipt(milliseconds(), "acme", "3501", "ana", "s1", "shown", 7))
    log.flush()
    assert len(receipts.of_call("acme", 7)) == 1
    found.primary.kill()
    receipts.add(DeliveryReceipt(milliseconds(), "acme", "3501", "ana", "s1", "shown", 8))
    log.flush()
    assert log.lost == 0, "it is tried again"
    killed_at = milliseconds()
    found.standby.promote()

    def is_begun_anew() -> bool:
        log.tidy()
        return (receipts.since() or 0) > began

    until(is_begun_anew, timeout_s=30)
    log.flush()
    assert (receipts.since() or 0) >= killed_at
    assert receipts.of_call("acme", 7) == []
    assert len(receipts.of_call("acme", 8)) == 1
