"""The database is away, two nodes keep what their exchanges tell, and one of them is killed while it has that."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.checker import START
from tests.cluster.clients import Clicker, Client, Exchange
from tests.cluster.history import Answer, SentEvent
from tests.cluster.nodes import Node

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
EVENTS, MANY = 200, 500
AWAY_S = 10.0
WITHIN_S = 90


def spooled(node: Node) -> int:
    """Return how many events lie in the node's spool, as its metrics say."""
    (found,) = [line for line in node.get("/metrics")[1].splitlines() if line.startswith("cti_spooled ")]
    return round(float(found.split()[1]))


def send(found: Cell, tenants: Sequence[str], clickers: int = 0) -> None:
    """Let an exchange of each of ``tenants`` send to one of the nodes in turn, and some CRMs order calls."""
    clients: list[Client] = [
        Exchange(found.history, found.nodes, name, place, per_s=40) for place, name in enumerate(tenants)
    ]
    clients += [Clicker(found.history, found.nodes, tenants[place], place, per_s=2) for place in range(clickers)]
    found.begin(clients)


def kept(found: Cell) -> list[SentEvent]:
    """Return the events that were acknowledged without a number."""
    return [event for event in found.history.acknowledged() if event.call_id == 0]


@pytest.mark.acceptance(14)
def test_what_two_nodes_keep_while_the_database_is_away_is_there_once_and_in_order(tmp_path: Path) -> None:
    with cell(tmp_path, nodes=2, tenants=6, server="spool = true", standby=False) as found:
        first, second = found.nodes
        found.open_screens(2)
        send(found, found.tenants[:2])
        found.until_acknowledged(100)
        found.quiet()
        found.database.primary.kill()
        # Nothing was under way: of what is, an exchange may hear that it is unclear, and go to the other node for good.
        dialled, ordered = len(found.history.dialled), len(found.history.orders)
        send(found, found.tenants[2:], clickers=1)
        assert wait_for(lambda: len(kept(found)) >= EVENTS, WITHIN_S), f"{len(kept(found))} kept\n{found.logs()}"
        assert {event.node for event in kept(found)} == {"n1", "n2"}
        assert (first.readiness(), second.readiness()[0]) == ((200, first.readiness()[1]), 200)
        assert len(found.history.dialled) == dialled, "an order was dialled that nobody can have written down"
        assert wait_for(lambda: len(found.history.orders) > ordered, 20)
        assert {order.answer for order in found.history.orders[ordered:]} <= {Answer.UNCLEAR}  # 503
        found.quiet()
        assert spooled(first) > 0
        first.kill()
        found.database.primary.start()
        assert wait_for(lambda: spooled(second) == 0, WITHIN_S), found.logs()
        first.begin()
        assert wait_for(lambda: bool(first.said("spool_drained")), WITHIN_S), first.told()
        first.restart()
        first.wait()
        assert wait_for(lambda: spooled(first) == 0, WITHIN_S), first.told()
        findings = found.finish()
        assert not findings, str(findings)
        assert_in_order(found)


@pytest.mark.slow
@pytest.mark.acceptance(14)
def test_two_nodes_fill_their_spools_and_one_dies_while_it_is_emptied(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with cell(tmp_path, nodes=2, tenants=8, server="spool = true\nspool_mb = 1", standby=False) as found:
        first = found.nodes[0]
        found.open_screens(4)
        found.database.primary.kill()
        away_since = time.monotonic()
        send(found, found.tenants, clickers=2)
        assert wait_for(lambda: {node.readiness()[0] for node in found.nodes} == {503}, WITHIN_S), "never full"
        assert wait_for(lambda: any(event.answer is Answer.UNCLEAR for event in found.history.events), WITHIN_S)
        assert wait_for(lambda: len(found.history.orders) > 0, WITHIN_S)
        time.sleep(max(0.0, away_since + AWAY_S - time.monotonic()))
        found.quiet()
        assert found.history.dialled == []
        assert {order.answer for order in found.history.orders} == {Answer.UNCLEAR}
        held = spooled(first)
        found.database.primary.start()
        assert wait_for(lambda: 0 < spooled(first) < held, WITHIN_S), first.told()
        first.restart()
        first.wait()
        assert wait_for(lambda: sum(map(spooled, found.nodes)) == 0, WITHIN_S), found.logs()
        findings = found.finish()
        assert not findings, str(findings)
        assert_in_order(found, MANY)
        assert_heard_in_time(found)
        left = sum(drained["waiting"] > 0 for drained in first.said("spool_drained"))
        record_property("figure", f"{len(kept(found))} kept, {held} at the one that died after {left} transactions")


def assert_heard_in_time(found: Cell) -> None:
    """Calls have the times at which their events were received, not those at which they were written down."""
    wall = time.time() - time.monotonic()
    heard = {
        (tenant, number): at / 1000
        for tenant, number, at in found.database.writable.query(
            "SELECT tenant, number_as_sent, start_heard_at FROM calls WHERE start_heard_at IS NOT NULL"
        )
    }
    late = [
        event
        for event in kept(found)
        if event.kind == START and not -1 < heard[event.tenant, event.number] - wall - event.at < event.took_s + 1
    ]
    assert late == []


def assert_in_order(found: Cell, least: int = EVENTS) -> None:
    """Each company's exchange sent one event after the other: what one node kept of it has its order in the log."""
    seqs = {(row.tenant, row.kind, row.number): row.seq for row in found.stored().events}
    sent = defaultdict(list)
    for event in kept(found):
        sent[event.tenant, event.node].append(seqs[event.tenant, event.kind, event.number])
    assert sum(map(len, sent.values())) >= least
    for key, found_seqs in sent.items():
        assert found_seqs == sorted(found_seqs), key
    ended = found.database.writable.query(
        "SELECT count(*) FROM calls WHERE status = 'ended' AND duration_s IS NOT NULL"
    )
    assert ended[0][0] > least // 3


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path) -> Iterator[None]:
    """Have a failure carry the logs of all servers."""
    try:
        yield
    finally:
        for path in sorted(tmp_path.rglob("*.log")):
            print(f"--- {path.relative_to(tmp_path)}\n{path.read_text(errors='replace')[-3000:]}")
