"""Whatever node an order is given to, and whichever dies: it is dialled once at most, and each dial has its row."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.clock import Clock, milliseconds
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.maintenance import SWEEP_EVERY_S, Maintenance
from gateway.orders.dispatcher import OrderDispatcher
from gateway.store import tables
from gateway.store.database import Database, open_database
from gateway.store.letters.outbox import Outbox
from gateway.store.orders import OrderLog
from gateway.store.shared import leases as shared_leases
from gateway.store.shared import row_presence as shared_module
from gateway.store.writing.drafts import OrderDraft
from gateway.store.writing.journal import Journal
from tests.fakes import FakeAdapter
from tests.postgresql import FreshDatabase
from tests.store.conftest import HERE, PLAN
from tests.waiting import until

pytestmark = pytest.mark.postgresql

NODES = 3
ROUNDS = 15


@dataclass
class OrderNode:
    """A node that takes orders: its own connections, threads and knowledge of the others."""

    database: Database
    journal: Journal
    orders: OrderDispatcher

    def place(self, extension: str, number: str, key: str | None = None) -> Outcome:
        message = PlaceCall("acme", extension, number, HERE, milliseconds(), request_key=key)
        draft = OrderDraft(message, extension, "pbx", number, read(number, PLAN), repeat_within_ms=3000)
        with self.orders.admitted(draft):
            return self.orders.dial(self.journal.write(draft), draft).outcome

    def outcomes(self) -> dict[int, str | None]:
        with self.database.engine.connect() as connection:
            return {row.id: row.outcome for row in connection.execute(select(tables.orders))}


class SlowPbx(FakeAdapter):
    """Counts what it dials, and takes its time."""

    def deliver(self, message: Outgoing) -> Delivery:
        super().deliver(message)
        threading.Event().wait(0.02)
        return Delivery(Outcome.ACCEPTED, "ok")

    def dialled(self) -> Counter[str]:
        return Counter(message.fields["number"] for message in self.delivered)


@pytest.fixture
def pbx() -> SlowPbx:
    return SlowPbx()


OpenNodes = Callable[[Callable[[Path], Database]], list[OrderNode]]


@pytest.fixture
def open_nodes(tmp_path: Path, pbx: SlowPbx) -> Iterator[OpenNodes]:
    """Opens nodes, each on what ``open_`` returns for its folder."""
    with ExitStack() as opened:

        def start(open_: Callable[[Path], Database]) -> list[OrderNode]:
            return [_node(opened, open_(tmp_path / str(number)), pbx) for number in range(NODES)]

        yield start


def _node(opened: ExitStack, database: Database, pbx: SlowPbx) -> OrderNode:
    opened.callback(database.close)
    database.upgrade()
    shared = opened.enter_context(closing(database.shared()))
    journal = Journal(database)
    journal.start()
    opened.callback(journal.stop)
    orders = OrderDispatcher(journal, {("acme", "pbx"): pbx}, OrderLog(database.engine), shared=shared)
    opened.callback(orders.stop)
    return OrderNode(database, journal, orders)


@pytest.fixture
def fresh() -> Iterator[FreshDatabase]:
    made = FreshDatabase()
    yield made
    made.give_back()


def click_everywhere(nodes: list[OrderNode]) -> Counter[Outcome]:
    """Give each order to all nodes at once: half of them by a key of the asker's, half as double clicks."""
    with ThreadPoolExecutor(NODES * 2) as clicks:
        told = Counter[Outcome]()
        for number in range(ROUNDS):
            key = f"crm-{number}" if number % 2 else None
            wanted = [partial(node.place, f"35{number:02}", f"47321001{number:02}", key) for node in nodes]
            told.update(clicks.map(lambda place: place(), wanted))
    return told


@pytest.mark.acceptance(7)
def test_an_order_that_is_given_to_all_nodes_at_once_is_dialled_once(
    open_nodes: OpenNodes, fresh: FreshDatabase, pbx: SlowPbx
) -> None:
    nodes = open_nodes(fresh.open)
    assert click_everywhere(nodes) == {Outcome.ACCEPTED: NODES * ROUNDS}, "a repeat is told what the first one was"
    assert set(pbx.dialled().values()) == {1}
    until(lambda: list(nodes[0].outcomes().values()) == ["accepted"] * ROUNDS)
    assert {int(message.id) for message in pbx.delivered} == set(nodes[0].outcomes())


@pytest.mark.control(7)
def test_nodes_without_a_common_database_each_dial_it(open_nodes: OpenNodes, pbx: SlowPbx) -> None:
    """The control of the test above: it would fail."""
    click_everywhere(open_nodes(open_database))
    assert set(pbx.dialled().values()) == {NODES}


DYING = """
import sys, time
from pathlib import Path
from gateway.adapter import Delivery
from gateway.store.shared import leases as shared_leases
from tests.orders import test_orders_once as module
from tests.postgresql import open_postgresql

class Hanging(module.SlowPbx):
    def deliver(self, message):
        print("dialling", message.id, flush=True)
        time.sleep(60)

shared_leases.HELD_S = 1.0
with module.ExitStack() as opened:
    node = module._node(opened, open_postgresql(sys.argv[1], Path(sys.argv[2])), Hanging())
    node.place("3501", "4732100123", "crm-1")
"""


@pytest.mark.acceptance(7)
def test_an_order_whose_node_died_is_unknown_soon_and_dialled_by_nobody(
    open_nodes: OpenNodes, fresh: FreshDatabase, pbx: SlowPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shared_leases.HELD_S + shared_module.GRACE_S + 2 * SWEEP_EVERY_S < 150
    monkeypatch.setattr(shared_module, "GRACE_S", 0)
    monkeypatch.setattr(shared_module, "UNKNOWN_AFTER_S", 0.5)
    (node, *_) = open_nodes(fresh.open)
    swept = Maintenance(node.journal, Outbox(node.database.engine, node.journal), {}, clock=Clock())
    command = [sys.executable, "-c", DYING, fresh.url, str(tmp_path / "dying")]
    dying = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        assert dying.stdout
        said = dying.stdout.readline().split()
        assert said[0] == "dialling"
        swept.sweep()
        assert node.outcomes() == {int(said[1]): None}, "its node lives"
    finally:
        dying.kill()
        dying.communicate()

    def unknown() -> Any:
        swept.sweep()
        return node.outcomes() == {int(said[1]): "unknown"}

    until(unknown, timeout_s=30)
    assert node.place("3501", "4732100123", "crm-1") is Outcome.UNKNOWN, "a repeat is told what became of it"
    assert pbx.delivered == []
