"""What one process learns of a forward's target holds for all of them; on files, and between nodes on PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.adapter import Delivery
from gateway.orders.circuit_breaker import Condition
from gateway.relay.dispatcher import Dispatcher
from gateway.relay.forward_rules import ForwardRules
from gateway.relay.health_book import HealthBook
from gateway.relay.target_health import TargetHealth
from gateway.store.shared import values as shared_values
from gateway.store.shared.contract import Shared
from gateway.store.shared.files import SharedFiles
from tests.relay.test_dispatching import DOWN, OK, World
from tests.relay.trials import KEY
from tests.store.conftest import T0, OpenStore, Store, open_store

__all__ = ["open_store"]


class Node(World):
    """A process of a gateway whose ``shared`` goes by the clock of the test, which ``late_ms`` is behind."""

    def __init__(self, store: Store, shared: Shared, late_ms: int = 0) -> None:
        self._shared, self._late_ms = shared, late_ms
        super().__init__(store, ForwardRules(parallel=4))

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = {KEY: self.rules}
        self._shared.now = lambda: (self.now - self._late_ms) / 1000  # type: ignore[method-assign]
        options = {"clock": self, "chance": lambda: 0.5, "shared": self._shared}
        self.dispatcher = Dispatcher(self.outbox, {KEY: self.adapter()}, rules, self._send, **options)  # type: ignore[arg-type]
        self.dispatcher.begin()

    @property
    def health(self) -> HealthBook:
        return self.dispatcher.health


@pytest.fixture
def nodes(open_store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Node]]:
    """Three processes; the clock of the last is a little behind."""
    monkeypatch.setattr(shared_values, "FRESH_S", 0.0)
    stores = [open_store() for _ in range(3)]
    made = [Node(store, store.database.shared(), late) for store, late in zip(stores, (0, 0, 900), strict=True)]
    yield made
    for node in made:
        node.health.close()


def fail(node: Node, times: int) -> None:
    for _ in range(times):
        node.health.note(KEY, answers=False, retry_after_s=None)


def test_failures_of_all_processes_are_counted_together(nodes: list[Node]) -> None:
    for node in nodes[:2]:
        fail(node, 1)
    assert [node.health.slots(KEY, 4) for node in nodes] == [4, 4, 4]
    fail(nodes[2], 1)
    assert [node.health.slots(KEY, 4) for node in nodes] == [0, 0, 0], "also where the clock is behind"
    assert {found[KEY].failures for found in (node.health.standing() for node in nodes)} == {3}


def test_a_target_that_one_process_found_down_is_left_alone_by_all(nodes: list[Node]) -> None:
    fail(nodes[0], 3)
    nodes[1].start("4732100001")
    for node in nodes:
        node.look()
    assert [node.sent for node in nodes] == [[], [], []]


def test_at_the_end_of_a_pause_one_letter_is_tried_by_all_processes_together(nodes: list[Node]) -> None:
    for number in range(6):
        nodes[0].end(f"473210000{number}")
    fail(nodes[0], 3)
    for node in nodes:
        node.now, node.held = T0 + 12_000, True
        node.look()
    assert sum(len(node.sent) for node in nodes) == 1


def test_of_those_who_claimed_a_letter_for_the_trial_one_sends_it(nodes: list[Node]) -> None:
    """Between what a process sees and what it does, another may have done it; the letter waits with the others."""
    nodes[0].end("4732100001")
    fail(nodes[0], 3)
    late = nodes[1]
    late.now = T0 + 12_000
    claim = late.outbox.turn

    def overtaken(*asked: object) -> object:
        nodes[0].now = T0 + 12_000
        assert nodes[0].health.admit(KEY)
        late.outbox.turn = claim  # type: ignore[method-assign]
        return claim(*asked)  # type: ignore[arg-type]

    late.outbox.turn = overtaken  # type: ignore[method-assign,assignment]
    late.look()
    assert (late.sent, late.states()) == ([], [(None, None)])
    late.run(T0 + 30_000)
    assert (len(late.sent), late.states()) == (1, [("delivered", None)])


def test_what_was_answered_to_one_opens_the_way_for_all(nodes: list[Node]) -> None:
    fail(nodes[0], 3)
    nodes[1].end("4732100001")
    nodes[1].answer = lambda _: OK
    nodes[1].run(T0 + 12_000)
    assert len(nodes[1].sent) == 1
    assert [node.health.slots(KEY, 4) for node in nodes] == [4, 4, 4]
    assert [node.health.own_retry_at(KEY) for node in nodes] == [None, None, None]


@pytest.mark.parametrize("answer", [OK, DOWN])
def test_a_target_that_answers_costs_no_file(tmp_path: Path, answer: Delivery) -> None:
    """Of as many forwards as a provider has."""
    with closing(SharedFiles(tmp_path)) as shared:
        book = HealthBook([KEY], shared, lambda: T0)
        book.note(KEY, answers=answer is OK, retry_after_s=None)
        book.close()
    assert [path.name for path in tmp_path.rglob("*crm*")] == ([] if answer is OK else ["acme.crm#forward_state"])


def test_a_forward_and_an_appliance_of_one_name_have_each_their_own(tmp_path: Path) -> None:
    """The appliance's file is called as before: an older gateway may be running on the folder."""
    with closing(SharedFiles(tmp_path)) as shared:
        forward, appliance = shared.record(TargetHealth, *KEY), shared.record(Condition, *KEY)
        forward.change(lambda _: (TargetHealth(failures=2), None))
        appliance.change(lambda _: (Condition(failures=4), None))
        assert (forward.read().failures, appliance.read().failures) == (2, 4)
        forward.close()
        appliance.close()
    assert {path.name for path in tmp_path.rglob("*crm*")} == {"acme.crm", "acme.crm#forward_state"}
