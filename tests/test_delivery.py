"""Orders are tried once; events are tried until somebody takes them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.delivery import Courier, OrderDesk, sweep_abandoned, wait_ms
from gateway.domain.messages import PlaceCall
from gateway.domain.numbers import read
from gateway.store.drafts import OrderDraft
from gateway.store.outbox import Outbox
from tests.fakes import FakeAdapter
from tests.store.conftest import HERE, PLAN, T0, Store, open_store, start_draft, store

__all__ = ["open_store", "store"]

DRAFT = OrderDraft(
    PlaceCall("acme", "3501", "4732100123", HERE, T0), "3501", "pbx", "04732100123", read("4732100123", PLAN)
)


def until(condition: Callable[[], object], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def desk(store: Store, adapter: FakeAdapter, **options: object) -> OrderDesk:
    return OrderDesk(store.journal, {("acme", "pbx"): adapter}, **options)  # type: ignore[arg-type]


def status(store: Store) -> tuple[str, str | None]:
    (call,) = store.calls.recent("acme")
    return call.status, call.detail


def test_an_order_is_given_to_its_appliance_once_and_its_outcome_is_written_down(store: Store) -> None:
    adapter = FakeAdapter(lambda _: Delivery(Outcome.REFUSED, "ocupado"))
    orders = desk(store, adapter)
    outcome = orders.dial(store.journal.write(DRAFT), DRAFT)
    orders.stop()
    assert outcome == (Outcome.REFUSED, "ocupado")
    assert status(store) == ("refused", "ocupado")
    (message,) = adapter.delivered
    assert (message.kind, message.fields["extension"], message.fields["number"]) == ("dial", "3501", "04732100123")


def test_whoever_clicked_does_not_wait_for_an_appliance_that_hangs_and_its_late_outcome_is_still_written(
    store: Store,
) -> None:
    gate = threading.Event()

    def slow(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.ACCEPTED, "tarde")

    orders = desk(store, FakeAdapter(slow), answer_within_s=0.1)
    outcome, detail = orders.dial(store.journal.write(DRAFT), DRAFT)
    assert (outcome, "não será rediscado" in detail) == (Outcome.UNKNOWN, True)
    gate.set()
    until(lambda: status(store)[0] == "accepted")
    orders.stop()


def test_an_order_whose_turn_never_came_was_surely_not_sent(store: Store) -> None:
    gate = threading.Event()

    def held(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.ACCEPTED, "ok")

    adapter = FakeAdapter(held)
    orders = desk(store, adapter, threads=1, answer_within_s=0.1)
    orders.dial(store.journal.write(DRAFT), DRAFT)
    outcome, _ = orders.dial(store.journal.write(DRAFT), DRAFT)
    gate.set()
    orders.stop()
    assert outcome is Outcome.UNREACHABLE
    assert len(adapter.delivered) == 1


def test_a_defect_in_an_adapter_is_an_unknown_outcome_without_its_details(store: Store) -> None:
    def defect(_message: Outgoing) -> Delivery:
        raise RuntimeError("s3cret")

    orders = desk(store, FakeAdapter(defect))
    outcome, detail = orders.dial(store.journal.write(DRAFT), DRAFT)
    orders.stop()
    assert outcome is Outcome.UNKNOWN
    assert "s3cret" not in detail


def test_an_order_of_a_gateway_that_died_is_settled_as_unknown_and_never_dialled_again(store: Store) -> None:
    store.journal.write(DRAFT)
    outbox = Outbox(store.engine, store.journal)
    assert sweep_abandoned(store.journal, outbox, T0 + 60_000) == 0
    assert sweep_abandoned(store.journal, outbox, T0 + 121_000) == 1
    assert status(store)[0] == "unknown"


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = T0 + 10

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def couriers() -> Iterator[list[Courier]]:
    running: list[Courier] = []
    yield running
    for courier in running:
        courier.stop()


def send(store: Store, couriers: list[Courier], clock: Clock, **targets: FakeAdapter) -> Courier:
    peers = {("acme", name): adapter for name, adapter in targets.items()}
    courier = Courier(Outbox(store.engine, store.journal), peers, clock=clock, look_every_s=0.05)
    couriers.append(courier)
    courier.start()
    return courier


def test_an_event_reaches_the_crm_with_the_number_put_right(
    store: Store, couriers: list[Courier], clock: Clock
) -> None:
    crm = FakeAdapter()
    send(store, couriers, clock, crm=crm)
    store.journal.write(start_draft("3501", "+55 (47) 3210-0123", forwards=("crm",)))
    until(lambda: Outbox(store.engine, store.journal).waiting() == 0)
    (message,) = crm.delivered
    assert (message.kind, message.fields["ramal"], message.fields["telefone"]) == ("call_started", "3501", "4732100123")


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.UNKNOWN])
def test_an_event_that_was_not_taken_is_sent_again_later_and_in_order(
    store: Store, couriers: list[Courier], clock: Clock, outcome: Outcome
) -> None:
    crm = FakeAdapter(lambda _: Delivery(outcome, "agora não"))
    for number in ("4732100123", "4732100124"):
        store.journal.write(start_draft("3501", number, forwards=("crm",)))
    send(store, couriers, clock, crm=crm)
    assert crm.arrived.wait(5)
    time.sleep(0.2)
    assert [message.fields["telefone"] for message in crm.delivered] == ["4732100123"]
    crm.answer = lambda _: Delivery(Outcome.ACCEPTED, "ok")
    clock.now += 5_000
    until(lambda: Outbox(store.engine, store.journal).waiting() == 0)
    assert [message.fields["telefone"] for message in crm.delivered] == ["4732100123", "4732100123", "4732100124"]


def test_a_target_that_hangs_does_not_hold_up_another(store: Store, couriers: list[Courier], clock: Clock) -> None:
    gate = threading.Event()

    def hang(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.ACCEPTED, "ok")

    good = FakeAdapter()
    send(store, couriers, clock, slow=FakeAdapter(hang), good=good)
    store.journal.write(start_draft("3501", "4732100123", forwards=("slow", "good")))
    assert good.arrived.wait(5)
    gate.set()


def test_an_event_nobody_took_for_a_day_is_given_up_and_the_next_one_goes(
    store: Store, couriers: list[Courier], clock: Clock
) -> None:
    store.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    clock.now += 25 * 3_600_000
    send(store, couriers, clock, crm=FakeAdapter(lambda _: Delivery(Outcome.REFUSED, "não")))
    until(lambda: Outbox(store.engine, store.journal).waiting() == 0)


def test_the_wait_doubles_up_to_five_minutes() -> None:
    assert [wait_ms(n) for n in (0, 1, 2, 5, 20, 10_000)] == [1000, 2000, 4000, 32_000, 300_000, 300_000]
