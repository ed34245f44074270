"""The limits of an appliance bind all nodes of a gateway together: each process here is a node's."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.orders.circuit_breaker import BreakerState, Rules
from gateway.store.shared import tables as shared_tables
from gateway.store.shared.contract import Shared
from gateway.store.shared.postgresql import SharedPostgresql
from gateway.store.writing.drafts import OrderAttempt
from tests.fakes import FakeAdapter
from tests.postgresql import FreshDatabase
from tests.waiting import until

pytestmark = pytest.mark.postgresql

MOST = 3
ORDERS = 200
NODES = 4
NODE = """
import socket, sys, time
from concurrent.futures import Future, ThreadPoolExecutor
import psycopg
from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.orders.circuit_breaker import Rules
from gateway.store.shared.postgresql import SharedPostgresql
from tests.fakes import FakeAdapter

def dial(_message):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30) as line:
        line.sendall(b"x")
        return Delivery(Outcome.ACCEPTED if line.recv(1) else Outcome.UNREACHABLE, "")

def order(number):
    ends = time.monotonic() + 60
    begun = queue.begin(Outgoing("dial", str(number), {"number": "1"}), ends=ends)
    return (begun.result(60) if isinstance(begun, Future) else begun).delivery.outcome.value

shared = SharedPostgresql(lambda: psycopg.connect(sys.argv[2], autocommit=True)) if sys.argv[2] else None
queue = ApplianceQueue("acme", "pbx", FakeAdapter(dial), Rules(max_orders=3, wait_s=60), shared=shared)
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(8) as clicks:
    print(*clicks.map(order, range(int(sys.argv[3]))), flush=True)
queue.stop()
if shared:
    shared.close()
"""


class CountingPbx:
    """Takes calls, a hundredth of a second each, and knows how many it had at once."""

    def __init__(self) -> None:
        self.taken = self.most = self._now = 0
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                threading.Thread(target=self._take, args=(line,), daemon=True).start()

    def _take(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            self._count(1)
            line.recv(1)
            time.sleep(0.01)
            self._count(-1)
            line.sendall(b"y")

    def _count(self, change: int) -> None:
        with self._lock:
            self._now += change
            self.taken += change > 0
            self.most = max(self.most, self._now)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    fresh = FreshDatabase()
    with closing(fresh.open(tmp_path_factory.mktemp("node"))) as opened:
        shared_tables.metadata.create_all(opened.engine)
        yield fresh
    fresh.give_back()


@pytest.fixture
def nodes(database: Any, tmp_path: Path) -> Iterator[list[SharedPostgresql]]:
    with ExitStack() as opened:
        connect = opened.enter_context(closing(database.open(tmp_path))).direct_connection
        yield [opened.enter_context(closing(SharedPostgresql(connect))) for _ in range(NODES)]


@pytest.fixture
def pbx() -> Iterator[CountingPbx]:
    with closing(CountingPbx()) as made:
        yield made


def run_nodes(pbx: CountingPbx, url: str, *, nodes: int = NODES, kill: int = 0) -> list[str]:
    """Have all nodes order at once, ``kill`` of which die in the middle; what became of the others' orders."""
    command = [sys.executable, "-c", NODE, str(pbx.port), url, str(ORDERS // NODES)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": Path(__file__).parents[2]}
    processes = [subprocess.Popen(command, **pipes) for _ in range(nodes)]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        if kill:
            until(lambda: pbx.taken > ORDERS // 10, timeout_s=60)
        for process in processes[:kill]:
            process.kill()
        return [outcome for process in processes[kill:] for outcome in process.communicate(timeout=60)[0].split()]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.acceptance(13)
def test_no_more_orders_are_under_way_at_once_than_the_appliance_stands_though_a_node_dies(
    pbx: CountingPbx, database: Any
) -> None:
    found = run_nodes(pbx, database.url, kill=1)
    assert found == ["accepted"] * (ORDERS - ORDERS // NODES)
    assert pbx.most <= MOST


@pytest.mark.control(13)
def test_the_appliance_notices_nodes_that_share_nothing(pbx: CountingPbx) -> None:
    """The control of the test above: it would fail."""
    run_nodes(pbx, "", nodes=2)
    assert pbx.most > MOST


def trials(shared: list[Shared | None]) -> tuple[int, set[BreakerState]]:
    """Let an appliance be found down, and all nodes order at once when its pause is over; how many it was asked by."""
    gate, asked = threading.Event(), threading.Semaphore(0)

    def hang(_message: Outgoing) -> Delivery:
        asked.release()
        gate.wait(30)
        return Delivery(Outcome.ACCEPTED, "ok")

    down = FakeAdapter(lambda _message: Delivery(Outcome.UNREACHABLE, "caiu"))
    rules = Rules(failures=1, pause_s=0.001)
    with ExitStack() as running:
        queues = [ApplianceQueue("acme", "pbx", down, rules, shared=each) for each in shared]
        running.callback(lambda: [queue.stop() for queue in queues])
        running.callback(gate.set)
        for queue in queues if shared[0] is None else queues[:1]:
            queue.begin(Outgoing("dial", "1", {"number": "1"}), ends=time.monotonic() + 30)
        until(lambda: {queue.health().gate for queue in queues} == {BreakerState.HALF_OPEN})
        adapters = [FakeAdapter(hang) for _ in queues]
        for queue, adapter in zip(queues, adapters, strict=True):
            queue.adapter = adapter
        begun = [queue.begin(Outgoing("dial", "2", {"number": "1"}), ends=time.monotonic() + 30) for queue in queues]
        held = [attempt for attempt in begun if isinstance(attempt, OrderAttempt)]
        for _ in range(len(queues) - len(held)):
            assert asked.acquire(timeout=30)
        gate.set()
        until(lambda: BreakerState.OPEN not in {queue.health().gate for queue in queues})
        return sum(len(adapter.delivered) for adapter in adapters), {queue.health().gate for queue in queues}


@pytest.mark.acceptance(13)
def test_a_half_open_breaker_has_one_trial_in_the_whole_cell(nodes: list[SharedPostgresql]) -> None:
    assert trials([*nodes])[0] == 1


@pytest.mark.control(13)
def test_each_of_nodes_that_share_nothing_makes_its_own_trial() -> None:
    """The control of the test above: it would fail."""
    assert trials([None] * NODES)[0] == NODES
