"""One click is one call, and an appliance in trouble troubles nobody else."""

import errno
import multiprocessing
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.errors import Stopping, TooManyOrders
from gateway.orders import dispatcher as module
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.orders.circuit_breaker import BreakerState, Condition, Rules
from gateway.orders.dispatcher import OrderDispatcher
from gateway.store.calls import CallLog
from gateway.store.orders import OrderLog
from gateway.store.reading.doorbell import NoDoorbell, Ringing
from gateway.store.shared.files import Record, SharedFiles, Slots
from gateway.store.writing.drafts import OrderAttempt, OrderDraft, Way
from gateway.texts.rendering import render
from tests.fakes import FakeAdapter
from tests.store.conftest import HERE, PLAN, T0, Store, open_store, store
from tests.waiting import until

__all__ = ["open_store", "store"]

DRAFT = OrderDraft(
    PlaceCall("acme", "3501", "4732100123", HERE, T0), "3501", "pbx", "04732100123", read("4732100123", PLAN)
)
WITH_FALLBACK = replace(DRAFT, fallback=Way("cloud", "0214732100123"))
DIAL = Outgoing("dial", "1", {"number": "1"})
OpenDesk = Callable[..., OrderDispatcher]


@pytest.fixture
def open_desk(store: Store) -> Iterator[OpenDesk]:
    """A desk with the appliances given by name; ``rules`` are all appliances' own."""
    with ExitStack() as opened:

        def start(
            rules: Rules | None = None, *, options: dict | None = None, **adapters: FakeAdapter
        ) -> OrderDispatcher:
            appliances = {("acme", name): adapter for name, adapter in adapters.items()}
            kept = {key: rules or Rules() for key in appliances}
            desk = OrderDispatcher(store.journal, appliances, OrderLog(store.engine), rules=kept, **(options or {}))
            opened.callback(desk.stop)
            return desk

        yield start


@contextmanager
def stopping(queue: ApplianceQueue) -> Iterator[None]:
    try:
        yield
    finally:
        queue.stop()


def says(outcome: Outcome, detail: str = "sem resposta") -> FakeAdapter:
    return FakeAdapter(lambda _: Delivery(outcome, detail))


def begun(queue: ApplianceQueue) -> OrderAttempt:
    """An attempt at ``queue``'s appliance, whether it is over at once or on a thread of the queue's own."""
    attempt = queue.begin(DIAL, ends=time.monotonic() + 5)
    return attempt.result(5) if isinstance(attempt, Future) else attempt


def place(desk: OrderDispatcher, store: Store, draft: OrderDraft = DRAFT) -> tuple[Outcome, str]:
    came = desk.dial(store.journal.write(draft), draft)
    return came.outcome, render(came.text, "pt-BR")


def status(store: Store) -> tuple[str, str | None]:
    (call,) = store.calls.recent("acme")
    return call.status, call.detail


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    opened = threading.Event()
    yield opened
    opened.set()


def hanging(gate: threading.Event) -> FakeAdapter:
    def hang(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.ACCEPTED, "tarde")

    return FakeAdapter(hang)


# one chance


def test_an_order_is_given_to_its_appliance_once_and_its_outcome_is_written_down(
    store: Store, open_desk: OpenDesk
) -> None:
    adapter = says(Outcome.REFUSED, "ocupado")
    assert place(open_desk(pbx=adapter), store) == (Outcome.REFUSED, "ocupado")
    until(lambda: status(store) == ("refused", "ocupado"))
    (message,) = adapter.delivered
    assert (message.kind, message.fields["extension"], message.fields["number"]) == ("dial", "3501", "04732100123")


def test_whoever_clicked_does_not_wait_for_an_appliance_that_hangs_and_its_late_outcome_is_still_written(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    desk = open_desk(pbx=hanging(gate), options={"answer_within_s": 0.1})
    outcome, detail = place(desk, store)
    assert (outcome, "não será rediscado" in detail) == (Outcome.UNKNOWN, True)
    gate.set()
    until(lambda: status(store)[0] == "accepted")


def test_a_defect_in_an_adapter_is_an_unknown_outcome_without_its_details(store: Store, open_desk: OpenDesk) -> None:
    def defect(_message: Outgoing) -> Delivery:
        raise RuntimeError("s3cret")

    outcome, detail = place(open_desk(pbx=FakeAdapter(defect)), store)
    assert outcome is Outcome.UNKNOWN
    assert "s3cret" not in detail


def test_a_double_click_waits_for_the_first_one_s_answer_and_dials_once(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    adapter = hanging(gate)
    desk = open_desk(pbx=adapter)
    draft = replace(DRAFT, repeat_within_ms=3000)
    answers: list[tuple[Outcome, str]] = []
    threads = [threading.Thread(target=lambda: answers.append(place(desk, store, draft))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert adapter.arrived.wait(5)
    gate.set()
    for thread in threads:
        thread.join()
    assert answers == [(Outcome.ACCEPTED, "tarde")] * 3
    assert len(adapter.delivered) == 1


class SilentBell(NoDoorbell):
    """A doorbell that is heard; ``ring_here`` is what comes of another process's ring."""

    is_heard = True

    def on_ring(self, listener: Ringing) -> None:
        self.ring_here = listener


def test_a_repeat_hears_by_the_bell_what_another_process_was_answered(
    store: Store, open_desk: OpenDesk, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_UNRUNG_S", 600)
    adapter, bell = hanging(gate), SilentBell()
    first, other = open_desk(pbx=adapter), open_desk(pbx=adapter, options={"doorbell": bell, "answer_within_s": 700})
    draft = replace(DRAFT, repeat_within_ms=3000)
    told: list[tuple[Outcome, str]] = []
    begun = threading.Thread(target=place, args=(first, store, draft), daemon=True)
    begun.start()
    assert adapter.arrived.wait(60)
    repeat = threading.Thread(target=lambda: told.append(place(other, store, draft)), daemon=True)
    repeat.start()
    gate.set()
    begun.join(60)
    ends = time.monotonic() + 60
    while repeat.is_alive() and time.monotonic() < ends:
        bell.ring_here(["acme"])
        repeat.join(0.05)
    assert told == [(Outcome.ACCEPTED, "tarde")]


def test_an_outcome_that_nobody_waited_for_is_written_before_the_gateway_stops(
    store: Store, open_desk: OpenDesk
) -> None:
    desk = open_desk(pbx=says(Outcome.REFUSED, "ocupado"))
    for _ in range(20):
        place(desk, store)
    desk.stop()
    store.journal.stop()
    assert [call.status for call in CallLog(store.engine).recent("acme")] == ["refused"] * 20


@pytest.mark.parametrize(
    ("longest_s", "answer_within_s", "by_the_asker"),
    [(1.0, 20.0, True), (None, 20.0, False), (30.0, 20.0, False), (1.0, 1.5, False)],
)
def test_an_attempt_is_made_by_the_thread_of_whoever_waits_only_where_it_surely_ends_in_time(
    store: Store, open_desk: OpenDesk, longest_s: float | None, answer_within_s: float, by_the_asker: bool
) -> None:
    made_by: list[int] = []

    def note(_message: Outgoing) -> Delivery:
        made_by.append(threading.get_ident())
        return Delivery(Outcome.ACCEPTED, "aceito")

    desk = open_desk(pbx=FakeAdapter(note, longest_s=longest_s), options={"answer_within_s": answer_within_s})
    assert place(desk, store) == (Outcome.ACCEPTED, "aceito")
    assert (made_by == [threading.get_ident()]) is by_the_asker


def test_whoever_clicked_does_not_wait_for_a_promise_that_would_be_kept_too_late(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    adapter = hanging(gate)
    adapter.longest_s = 0.5
    desk = open_desk(pbx=adapter, options={"answer_within_s": 0.2})
    assert place(desk, store)[0] is Outcome.UNKNOWN


def test_a_gateway_that_stops_takes_no_order_any_more_and_writes_nothing(store: Store, open_desk: OpenDesk) -> None:
    desk = open_desk(pbx=says(Outcome.ACCEPTED))
    desk.stop()
    with pytest.raises(Stopping), desk.admitted(DRAFT):
        pass


# the fallback


def test_the_fallback_dials_when_the_appliance_was_surely_not_reached_and_the_history_shows_both(
    store: Store, open_desk: OpenDesk
) -> None:
    cloud = says(Outcome.ACCEPTED, "aceito")
    desk = open_desk(pbx=says(Outcome.UNREACHABLE, "Sem rede."), cloud=cloud)
    assert place(desk, store, WITH_FALLBACK) == (Outcome.ACCEPTED, "aceito Antes: Sem rede.")
    assert [message.fields["number"] for message in cloud.delivered] == ["0214732100123"]
    until(lambda: status(store)[0] == "accepted")
    (call,) = store.calls.recent("acme")
    assert call.appliance == "cloud"
    placed = OrderLog(store.engine).of_call("acme", call.id)
    assert placed is not None
    made = OrderLog(store.engine).history("acme", placed.id)
    assert [(tried.appliance, tried.outcome) for tried in made] == [("pbx", "unreachable"), ("cloud", "accepted")]


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN])
def test_no_other_outcome_lets_the_fallback_dial(store: Store, open_desk: OpenDesk, outcome: Outcome) -> None:
    cloud = FakeAdapter()
    assert place(open_desk(pbx=says(outcome), cloud=cloud), store, WITH_FALLBACK)[0] is outcome
    assert cloud.delivered == []


def test_an_attempt_that_fails_after_nobody_waits_any_more_lets_no_fallback_dial(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    def late(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.UNREACHABLE, "tarde")

    cloud = FakeAdapter()
    desk = open_desk(pbx=FakeAdapter(late), cloud=cloud, options={"answer_within_s": 0.1})
    assert place(desk, store, WITH_FALLBACK)[0] is Outcome.UNKNOWN
    gate.set()
    until(lambda: status(store)[0] == "unreachable")
    assert cloud.delivered == []


# the breaker


def test_an_appliance_that_is_left_alone_gets_no_orders_and_the_fallback_dials(
    store: Store, open_desk: OpenDesk
) -> None:
    pbx, cloud = says(Outcome.UNREACHABLE, "Sem rede."), says(Outcome.ACCEPTED)
    desk = open_desk(Rules(failures=2, pause_s=60), pbx=pbx, cloud=cloud)
    for _ in range(4):
        assert place(desk, store, WITH_FALLBACK)[0] is Outcome.ACCEPTED
    assert len(pbx.delivered) == 2
    outcome, detail = place(desk, store)
    assert outcome is Outcome.UNREACHABLE
    assert "nova tentativa às" in detail
    assert "Motivo: Sem rede." in detail
    assert desk.queues["acme", "pbx"].health().gate is BreakerState.OPEN


class Dead(FakeAdapter):
    """An appliance whose probe says whether it is back."""

    back = False

    def probe(self) -> Probe:
        return Probe(self.back, "ok" if self.back else "conexão recusada")


def test_after_the_pause_a_probe_rings_nobody_and_only_when_it_is_good_an_order_goes(
    store: Store, open_desk: OpenDesk
) -> None:
    pbx = Dead(lambda _: Delivery(Outcome.UNREACHABLE, "Sem rede."))
    desk = open_desk(Rules(failures=1, pause_s=0.01), pbx=pbx)
    place(desk, store)
    time.sleep(0.02)
    outcome, detail = place(desk, store)
    assert (outcome, len(pbx.delivered)) == (Outcome.UNREACHABLE, 1)
    assert "Motivo: conexão recusada" in detail
    time.sleep(0.02)
    pbx.back, pbx.answer = True, lambda _: Delivery(Outcome.ACCEPTED, "ok")
    assert place(desk, store)[0] is Outcome.ACCEPTED
    assert desk.queues["acme", "pbx"].health().gate is BreakerState.CLOSED


def test_a_trial_s_probe_that_hangs_keeps_nobody_longer_than_they_wait(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    class Hanging(FakeAdapter):
        def probe(self) -> Probe:
            gate.wait(20)
            return Probe(True, "ok")

    pbx = Hanging(lambda _: Delivery(Outcome.UNREACHABLE, "Sem rede."))
    desk = open_desk(Rules(failures=1, pause_s=0.01), pbx=pbx, options={"answer_within_s": 0.2})
    place(desk, store)
    time.sleep(0.02)
    outcome, detail = place(desk, store)
    assert (outcome, len(pbx.delivered)) == (Outcome.UNREACHABLE, 1)
    assert "não respondeu à sondagem" in detail
    gate.set()


def test_an_appliance_s_name_is_no_other_one_s_limit(tmp_path: Path) -> None:
    rules = Rules(max_orders=1)
    queues = [
        ApplianceQueue("acme", name, says(Outcome.ACCEPTED), rules, shared=SharedFiles(tmp_path))
        for name in ("pbx", "pbx.0", "pbx#0")
    ]
    for queue in queues:
        assert begun(queue).delivery.outcome is Outcome.ACCEPTED
        queue.stop()
    assert len(list((tmp_path / "appliances").iterdir())) == 6


def test_two_workers_know_of_the_same_breaker(tmp_path: Path) -> None:
    rules = Rules(failures=1, pause_s=60)
    one, other = (
        ApplianceQueue("acme", "../pbx", says(Outcome.UNKNOWN), rules, shared=SharedFiles(tmp_path)) for _ in range(2)
    )
    begun(one)
    assert other.health().gate is BreakerState.OPEN
    assert begun(other).delivery.outcome is Outcome.UNREACHABLE
    assert {path.parent for path in tmp_path.rglob("*pbx")} == {tmp_path / "appliances"}
    one.stop()
    other.stop()


def test_an_appliance_that_nobody_dials_by_costs_no_file(tmp_path: Path) -> None:
    queue = ApplianceQueue("acme", "pbx", says(Outcome.ACCEPTED), Rules(), shared=SharedFiles(tmp_path))
    assert queue.health().gate is BreakerState.CLOSED
    assert list(tmp_path.iterdir()) == []
    queue.stop()


def test_a_record_that_a_killed_process_left_half_written_is_as_good_as_none(tmp_path: Path) -> None:
    queue = ApplianceQueue("acme", "pbx", says(Outcome.ACCEPTED), Rules(), shared=SharedFiles(tmp_path))
    (tmp_path / "appliances").mkdir()
    (tmp_path / "appliances" / "acme.pbx").write_text('{"failures": 9, "retr')
    assert begun(queue).delivery.outcome is Outcome.ACCEPTED
    queue.stop()


def test_each_attempt_is_counted_once_by_its_outcome_and_one_that_was_not_made_took_no_time(store: Store) -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"tenant": "acme", "appliance": "counted", **labels}) or 0

    def outcomes() -> list[float]:
        return [counted("cti_orders_total", outcome=outcome) for outcome in ("accepted", "unreachable")]

    delivers = iter([Outcome.ACCEPTED, Outcome.UNREACHABLE])
    adapter = FakeAdapter(lambda _: Delivery(next(delivers), "Sem rede."))
    key = ("acme", "counted")
    desk = OrderDispatcher(store.journal, {key: adapter}, OrderLog(store.engine), rules={key: Rules(failures=1)})
    draft = replace(DRAFT, appliance="counted")
    for _ in range(3):
        place(desk, store, draft)
    desk.stop()
    until(lambda: outcomes() == [1, 2])
    assert counted("cti_order_seconds_count") == 2


# limits


def test_an_order_over_the_limit_waits_a_little_and_is_then_refused_and_never_dialled(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    pbx = hanging(gate)
    desk = open_desk(Rules(max_orders=1, wait_s=0.1), pbx=pbx)
    first = threading.Thread(target=place, args=(desk, store))
    first.start()
    assert pbx.arrived.wait(5)
    outcome, detail = place(desk, store)
    assert outcome is Outcome.REFUSED
    assert "ocupada (até 1 pedidos ao mesmo tempo) e nada foi enviado" in detail
    gate.set()
    first.join()
    assert len(pbx.delivered) == 1


def test_an_order_that_gets_its_turn_in_time_is_dialled(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    pbx = hanging(gate)
    desk = open_desk(Rules(max_orders=1, wait_s=10), pbx=pbx)
    answers: list[tuple[Outcome, str]] = []
    threads = [threading.Thread(target=lambda: answers.append(place(desk, store))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert pbx.arrived.wait(5)
    assert len(pbx.delivered) == 1
    gate.set()
    for thread in threads:
        thread.join()
    assert [outcome for outcome, _ in answers] == [Outcome.ACCEPTED] * 3


def test_no_more_orders_a_second_than_the_appliance_stands(store: Store, open_desk: OpenDesk) -> None:
    desk = open_desk(Rules(orders_per_s=2, wait_s=0.2), pbx=says(Outcome.ACCEPTED))
    found = [place(desk, store) for _ in range(3)]
    assert [outcome for outcome, _ in found] == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REFUSED]
    assert "2 por segundo" in found[2][1]


def hold_a_slot(path: Path, held: "multiprocessing.synchronize.Event") -> None:
    assert Slots(path, 1).take(0)
    held.set()
    time.sleep(60)


def test_a_limit_binds_all_processes_together_and_one_that_dies_gives_its_place_back(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held = spawn.Event()
    other = spawn.Process(target=hold_a_slot, args=(tmp_path / "pbx", held))
    other.start()
    assert held.wait(30)
    here = Slots(tmp_path / "pbx", 1)
    assert here.take(0) is None
    other.kill()
    other.join()
    assert here.take(0) is not None


def test_an_order_goes_out_though_nothing_can_be_shared_with_other_processes(tmp_path: Path) -> None:
    (tmp_path / "appliances").write_text("a file where the folder should be")
    queue = ApplianceQueue(
        "acme", "pbx", says(Outcome.UNREACHABLE), Rules(max_orders=1, failures=2), shared=SharedFiles(tmp_path)
    )
    with stopping(queue), capture_logs() as logs:
        outcomes = [begun(queue).kind for _ in range(3)]
    assert outcomes == ["dial", "dial", "held"]
    told = [line["event"] for line in logs if line["log_level"] == "error"]
    assert sorted(told) == ["appliance_limit_not_shared", "appliance_state_not_shared"]


@pytest.mark.parametrize("outcome", [Outcome.UNREACHABLE, Outcome.ACCEPTED])
def test_it_is_said_once_that_nothing_can_be_shared_and_once_that_it_can_again(
    tmp_path: Path, outcome: Outcome
) -> None:
    folder = tmp_path / "appliances"
    folder.write_text("a file where the folder should be")
    queue = ApplianceQueue("acme", "pbx", says(outcome), Rules(max_orders=1, failures=9), shared=SharedFiles(tmp_path))
    with stopping(queue), capture_logs() as logs:
        for _ in range(2):
            begun(queue)
        folder.unlink()
        for _ in range(2):
            begun(queue)
    assert [line["event"] for line in logs] == [
        "appliance_limit_not_shared",
        "appliance_state_not_shared",
        "appliance_limit_shared_again",
        "appliance_state_shared_again",
    ]


def test_a_process_goes_on_from_what_was_last_shared(tmp_path: Path) -> None:
    record = Record(Condition, tmp_path / "shared" / "pbx")
    record.change(lambda condition: (replace(condition, failures=condition.failures + 1), None))
    record.close()
    shutil.rmtree(tmp_path / "shared")
    (tmp_path / "shared").write_text("a file where the folder was")
    record.change(lambda condition: (replace(condition, failures=condition.failures + 1), None))
    assert record.change(lambda condition: (condition, condition.failures)) == 2


def test_of_changes_by_many_none_is_lost(tmp_path: Path) -> None:
    def count(record: Record[Condition]) -> None:
        for _ in range(200):
            record.change(lambda condition: (replace(condition, failures=condition.failures + 1), None))
            record.change(lambda condition: (condition, None))

    records = [Record(Condition, tmp_path / "pbx") for _ in range(3)]
    threads = [threading.Thread(target=count, args=(record,)) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.read().failures for record in records] == [600] * 3


def test_what_cannot_be_written_is_counted_once_and_written_later(tmp_path: Path, monkeypatch: Any) -> None:
    def fail_again(condition: Condition) -> tuple[Condition, int]:
        return replace(condition, failures=condition.failures + 1), condition.failures + 1

    record = Record(Condition, tmp_path / "pbx")
    with monkeypatch.context() as patch:
        full = OSError(errno.ENOSPC, "No space left on device")
        patch.setattr("gateway.store.shared.files.os.pwrite", Mock(side_effect=full))
        assert [record.change(fail_again) for _ in range(2)] == [1, 2]
    assert record.change(fail_again) == 3
    assert Record(Condition, tmp_path / "pbx").read().failures == 3


def test_an_order_that_cannot_be_admitted_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = ApplianceQueue("acme", "pbx", says(Outcome.ACCEPTED), Rules(max_orders=1, wait_s=0))
    with stopping(queue):
        with monkeypatch.context() as patch:
            patch.setattr(queue._record, "change", Mock(side_effect=MemoryError))
            with pytest.raises(MemoryError):
                begun(queue)
        assert begun(queue).delivery.outcome is Outcome.ACCEPTED


def test_an_order_whose_writing_took_too_long_is_not_dialled(
    store: Store, open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process hung meanwhile, and another may have settled the order as unknown."""
    pbx = says(Outcome.ACCEPTED)
    desk = open_desk(pbx=pbx)
    with desk.admitted(DRAFT):
        recorded = store.journal.write(DRAFT)
        monkeypatch.setattr(module, "WRITTEN_WITHIN_S", -1.0)
        came = desk.dial(recorded, DRAFT)
    assert (came.outcome, pbx.delivered) == (Outcome.REFUSED, [])
    assert "nada foi discado" in render(came.text, "pt-BR")
    until(lambda: status(store)[0] == "refused")
    monkeypatch.undo()
    with desk.admitted(DRAFT):
        assert place(desk, store, replace(DRAFT, digits="04732100124"))[0] is Outcome.ACCEPTED


# who may wait


def test_an_appliance_that_hangs_cannot_keep_another_from_dialling(
    store: Store, open_desk: OpenDesk, gate: threading.Event
) -> None:
    cloud = says(Outcome.ACCEPTED)
    desk = open_desk(pbx=hanging(gate), cloud=cloud, options={"waiting": 8})
    with ExitStack() as waiting:
        for _ in range(4):
            waiting.enter_context(desk.admitted(DRAFT))
        with pytest.raises(TooManyOrders, match="4 pedidos de ligação já esperam"), desk.admitted(DRAFT):
            pass
        other = replace(DRAFT, appliance="cloud")
        with desk.admitted(other):
            assert place(desk, store, other)[0] is Outcome.ACCEPTED
    with desk.admitted(DRAFT):
        assert desk.waiting() == 1


def test_a_lone_appliance_may_have_all_the_places(open_desk: OpenDesk) -> None:
    desk = open_desk(pbx=FakeAdapter(), options={"waiting": 3})
    with ExitStack() as waiting:
        for _ in range(3):
            waiting.enter_context(desk.admitted(DRAFT))
        with pytest.raises(TooManyOrders), desk.admitted(DRAFT):
            pass


class Obedient(FakeAdapter):
    """An appliance that hangs up by command."""

    can_hang_up = True

    def hangup(self, message: Outgoing) -> Delivery:
        return self.deliver(message)


def test_who_wants_to_hang_up_takes_a_place_of_those_who_wait_too(store: Store, open_desk: OpenDesk) -> None:
    """Else hang-ups at an appliance that hangs would take all threads there are."""
    pbx = Obedient()
    desk = open_desk(pbx=pbx, options={"waiting": 2})
    placed = store.journal.write(DRAFT)
    with desk.admitted(DRAFT), desk.admitted(DRAFT), pytest.raises(TooManyOrders):
        desk.hang_up("acme", placed.call_id)
    assert pbx.delivered == []
    assert desk.hang_up("acme", placed.call_id).outcome is Outcome.ACCEPTED
    assert desk.waiting() == 0
