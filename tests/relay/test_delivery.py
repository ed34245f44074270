"""Events are tried until somebody takes them; orders of a dead gateway are settled."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from gateway.adapter import EVENT_FIELDS, Delivery, Outcome, Outgoing
from gateway.clock import Clock as SteppedClock
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.relay.outbox_worker import OutboxWorker, sweep_abandoned
from gateway.store import tables
from gateway.store.letters.outbox import Outbox
from gateway.store.writing.drafts import OrderDraft
from gateway.texts.rendering import render
from tests.fakes import FakeAdapter, SetTime
from tests.relay.letters import claim_one, postpone
from tests.store.conftest import (
    HERE,
    PLAN,
    T0,
    OpenStore,
    Store,
    deaths_are_seen_at_once,
    end_draft,
    open_store,
    start_draft,
    store,
)
from tests.waiting import until

__all__ = ["deaths_are_seen_at_once", "open_store", "store"]

DRAFT = OrderDraft(
    PlaceCall("acme", "3501", "4732100123", HERE, T0), "3501", "pbx", "04732100123", read("4732100123", PLAN)
)


def status(store: Store) -> tuple[str, str | None]:
    (call,) = store.calls.recent("acme")
    return call.status, call.detail


def test_an_order_of_a_gateway_that_died_is_settled_as_unknown_and_never_dialled_again(store: Store) -> None:
    store.journal.write(DRAFT)
    outbox = Outbox(store.engine, store.journal)
    assert sweep_abandoned(store.journal, outbox, T0 + 60_000) == 0
    assert sweep_abandoned(store.journal, outbox, T0 + 121_000) == 1
    assert status(store)[0] == "unknown"


@pytest.mark.usefixtures("deaths_are_seen_at_once")
def test_an_order_of_a_process_that_is_known_to_be_dead_is_settled_at_once(open_store: OpenStore) -> None:
    dead, alive = open_store(), open_store()
    dead.journal.write(DRAFT)
    outbox = Outbox(alive.engine, alive.journal)
    assert sweep_abandoned(alive.journal, outbox, T0 + 1) == 0
    dead.die()
    assert sweep_abandoned(alive.journal, outbox, T0 + 1) == 1
    assert status(alive) == ("unknown", "O gateway parou durante a tentativa; não será rediscado.")
    (call,) = alive.calls.recent("acme")
    assert call.told
    assert "se detuvo durante el intento" in render(call.told, "es")


@pytest.mark.usefixtures("deaths_are_seen_at_once")
def test_an_event_that_a_dead_process_was_sending_is_found_at_once(open_store: OpenStore) -> None:
    dead, alive = open_store(), open_store()
    dead.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    assert claim_one(Outbox(dead.engine, dead.journal), "acme", "crm", T0)
    outbox = Outbox(alive.engine, alive.journal)
    assert (claim_one(outbox, "acme", "crm", T0 + 1), outbox.abandoned(T0 + 1)) == (None, [])
    dead.die()
    (letter,) = outbox.abandoned(T0 + 1)
    assert letter.holder


@pytest.mark.usefixtures("deaths_are_seen_at_once")
def test_an_event_that_was_put_off_is_not_due_because_its_process_ended(open_store: OpenStore) -> None:
    dead, alive = open_store(), open_store()
    dead.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    before = Outbox(dead.engine, dead.journal)
    letter = claim_one(before, "acme", "crm", T0)
    assert letter
    postpone(before, letter, Delivery(Outcome.REFUSED, "não"), T0 + 60_000)
    dead.die()
    alive_outbox = Outbox(alive.engine, alive.journal)
    assert (claim_one(alive_outbox, "acme", "crm", T0 + 1), alive_outbox.abandoned(T0 + 1)) == (None, [])


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = T0 + 10

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workers() -> Iterator[list[OutboxWorker]]:
    running: list[OutboxWorker] = []
    yield running
    for outbox_worker in running:
        outbox_worker.stop()


def send(store: Store, workers: list[OutboxWorker], clock: Clock, **targets: FakeAdapter) -> OutboxWorker:
    peers = {("acme", name): adapter for name, adapter in targets.items()}
    outbox_worker = OutboxWorker(Outbox(store.engine, store.journal), peers, clock=clock, look_every_s=0.05)
    workers.append(outbox_worker)
    outbox_worker.start()
    return outbox_worker


def test_an_event_reaches_the_crm_with_the_number_put_right(
    store: Store, workers: list[OutboxWorker], clock: Clock
) -> None:
    crm = FakeAdapter()
    send(store, workers, clock, crm=crm)
    store.journal.write(start_draft("3501", "+55 (47) 3210-0123", forwards=("crm",)))
    until(lambda: Outbox(store.engine, store.journal).waiting() == 0)
    (message,) = crm.delivered
    assert (message.kind, message.fields["ramal"], message.fields["telefone"]) == ("call_started", "3501", "4732100123")


def test_a_target_that_hangs_does_not_hold_up_another(store: Store, workers: list[OutboxWorker], clock: Clock) -> None:
    gate = threading.Event()

    def hang(_message: Outgoing) -> Delivery:
        gate.wait(20)
        return Delivery(Outcome.ACCEPTED, "ok")

    good = FakeAdapter()
    send(store, workers, clock, slow=FakeAdapter(hang), good=good)
    store.journal.write(start_draft("3501", "4732100123", forwards=("slow", "good")))
    assert good.arrived.wait(5)
    gate.set()


@pytest.mark.parametrize("step", [-30 * 86_400_000, -3_600_000])
def test_an_event_does_not_wait_for_a_clock_that_was_set_back(
    store: Store, workers: list[OutboxWorker], clock: Clock, step: int
) -> None:
    store.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    crm = FakeAdapter(lambda _: Delivery(Outcome.UNREACHABLE, "não"))
    send(store, workers, clock, crm=crm)
    until(lambda: outcome_of_the_letter(store) == "unreachable")
    crm.answer = lambda _: Delivery(Outcome.ACCEPTED, "ok")
    clock.now += step
    until(lambda: Outbox(store.engine, store.journal).waiting() == 0)


def outcome_of_the_letter(store: Store) -> str | None:
    with store.engine.connect() as connection:
        return connection.execute(select(tables.outbox.c.outcome)).scalar()


def test_a_clock_set_forward_gives_no_event_up(store: Store, workers: list[OutboxWorker]) -> None:
    time_set = SetTime(T0 + 10)
    store.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    crm = FakeAdapter(lambda _: Delivery(Outcome.UNREACHABLE, "não"))
    stepped = SteppedClock(time_set.wall, time_set.steady)
    time_set.step(400 * 86_400_000)
    send(store, workers, stepped, crm=crm)
    assert crm.arrived.wait(5)
    time.sleep(0.2)
    assert Outbox(store.engine, store.journal).waiting() == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://pbx/1.wav", "https://pbx/1.wav"), ("javascript:alert(1)", ""), ("file:///etc/passwd", "")],
)
def test_only_an_address_that_may_be_opened_is_sent_on(store: Store, url: str, told: str) -> None:
    draft = end_draft("3501", "4732100123", recording_url=url, result="NO ANSWER")
    store.journal.write(replace(draft, forwards=("crm",)))
    with store.engine.connect() as connection:
        assert ("javascript:" in str(connection.execute(select(tables.outbox.c.body)).scalar())) is False
    letter = claim_one(Outbox(store.engine, store.journal), "acme", "crm", T0 + 60_000)
    assert letter is not None
    assert (letter.fields["url_audio"], letter.fields["result"]) == (told, "missed")
    assert (letter.fields["resultado"], letter.fields["missed"]) == ("NO ANSWER", "true")


def test_a_letter_that_an_older_version_wrote_has_all_fields_that_templates_ask_for(store: Store) -> None:
    body = '{"tenant":"acme","call_id":"1","ramal":"3501","telefone":"","direction":"incoming","url_audio":"data:x"}'
    values = {"tenant": "acme", "target": "crm", "kind": "call_ended", "body": body, "created_at": T0, "due_at": T0}
    store.journal.run(lambda connection: connection.execute(insert(tables.outbox).values(values)) and None)
    letter = claim_one(Outbox(store.engine, store.journal), "acme", "crm", T0)
    assert letter is not None
    assert set(letter.fields) == EVENT_FIELDS
    assert (letter.fields["url_audio"], letter.fields["result"]) == ("", "")
