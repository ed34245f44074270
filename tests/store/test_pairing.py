"""Which calls come of what exchanges send, with a database: the cases of ``pairing.txt``, and what the log is told."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from gateway.adapter import Delivery, Outcome
from gateway.domain.messages import CallHeld, CallNoted, CallResumed, QueueEntered, QueueLeft
from gateway.errors import BadParameter
from gateway.store.ghosts import Ghosts
from gateway.store.writing.drafts import GiveUp, InVain, Over, Settlement
from tests.domain.calls.pairing_cases import CASES, FOUR_HOURS, Case, play, shown
from tests.store.conftest import HERE, T0, Store

# An order's outcome is waited for, so what follows is never in one batch with it.
AT_ONCE = [case for case in CASES if not any(line.startswith(("order", "wait")) for line in case.events)]


@dataclass
class StorePlayer:
    """Plays cases with a database."""

    store: Store

    def start(self, ramal: str, telefone: str, at: int, **extras: object) -> None:
        self.store.start(ramal, telefone, at, **extras)

    def answer(self, ramal: str, telefone: str, at: int, **extras: object) -> None:
        self.store.answer(ramal, telefone, at, **extras)

    def transfer(self, ramal: str, telefone: str, to: str, at: int, **extras: object) -> None:
        self.store.transfer(ramal, telefone, to, at, **extras)

    def hold(self, ramal: str, telefone: str, at: int, **extras: Any) -> None:
        self.store.write(CallHeld("acme", ramal, telefone, HERE, at, **extras))

    def resume(self, ramal: str, telefone: str, at: int, **extras: Any) -> None:
        self.store.write(CallResumed("acme", ramal, telefone, HERE, at, **extras))

    def queue(self, telefone: str, at: int, **extras: Any) -> None:
        self.store.write(QueueEntered("acme", "", telefone, HERE, at, **extras))

    def leave(self, telefone: str, at: int, **extras: Any) -> None:
        self.store.write(QueueLeft("acme", "", telefone, HERE, at, **extras))

    def note(self, ramal: str, telefone: str, at: int, **extras: Any) -> None:
        self.store.write(CallNoted("acme", ramal, telefone, HERE, at, **extras))

    def end(self, ramal: str, telefone: str, at: int, **extras: object) -> None:
        self.store.end(ramal, telefone, at, **extras)

    def accepted_order(self, extension: str, number: str, at: int) -> None:
        placed = self.store.order(extension, number, at)
        assert placed.order_id is not None
        self.store.journal.write(Settlement("acme", placed.order_id, Delivery(Outcome.ACCEPTED, "ok"), at))

    def over(self, call_id: int, at: int) -> None:
        self.store.journal.write(Over("acme", call_id, "ana", at))

    def sweep(self, at: int) -> None:
        self.store.journal.give_up(GiveUp("acme", T0 - FOUR_HOURS, at - FOUR_HOURS, at))
        in_vain = Ghosts(self.store.engine).find("acme", at - FOUR_HOURS, lambda ms: at - ms)
        self.store.journal.give_up(InVain("acme", tuple(in_vain), at))


@dataclass
class Collector:
    """Takes drafts instead of the journal."""

    drafts: list[object]

    def write(self, draft: object) -> None:
        self.drafts.append(draft)


def calls_of(store: Store) -> list[str]:
    return [shown(call) for call in sorted(store.calls.recent("acme"), key=lambda call: call.id)]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_calls_that_come_of_events(store: Store, case: Case) -> None:
    for line in case.events:
        play(StorePlayer(store), line)
    assert calls_of(store) == case.calls


@pytest.mark.parametrize("case", AT_ONCE, ids=[case.name for case in AT_ONCE])
def test_what_one_transaction_holds_pairs_as_many_do(store: Store, case: Case) -> None:
    """Under load the same events come in one batch."""
    collector = Collector([])
    for line in case.events:
        play(StorePlayer(Store(store.database, collector)), line)  # type: ignore[arg-type]
    store.together(collector.drafts)  # type: ignore[arg-type]
    assert calls_of(store) == case.calls


def test_a_repeat_is_logged_and_told_to_nobody_again(store: Store) -> None:
    store.start("3501", "4732100123", T0, forwards=("crm",))
    store.start("3501", "4732100123", T0 + 2000, forwards=("crm",))
    first, second = (json.loads(event.payload) for event in store.events.after(0))
    assert ("repeat" in first, second["repeat"]) == (False, True)
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 1


def test_those_of_a_group_who_stop_ringing_are_told(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    store.start("3502", "4732100123", T0)
    ended = store.end("3502", "4732100123", T0 + 300_000)
    told = [(event.kind, event.extension) for event in store.events.after(2)]
    assert told == [("call_ended", "3501"), ("call_ended", "3502")] or told == [
        ("call_ended", "3502"),
        ("call_ended", "3501"),
    ]
    taken = next(json.loads(event.payload) for event in store.events.after(2) if event.extension == "3501")
    assert (taken["status"], taken["taken_by"]) == ("elsewhere", ended.call_id)


def test_giving_up_is_an_event_that_screens_hear_of(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 1
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 0
    last = store.events.after(1)[0]
    assert (last.kind, last.extension, json.loads(last.payload)["status"]) == ("call_lost", "3501", "lost")


def test_another_company_s_calls_are_not_given_up(store: Store) -> None:
    store.start("3501", "4732100123", T0, tenant="beta")
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 0


def test_the_first_of_two_who_mark_a_call_as_over_is_remembered(store: Store) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    first = store.journal.write(Over("acme", call_id, "ana", T0 + 1000))
    second = store.journal.write(Over("acme", call_id, "bruno", T0 + 1001))
    (call,) = store.calls.recent("acme")
    assert (call.status, call.over_by, call.over_at, call.ended_at) == ("over", "ana", T0 + 1000, None)
    assert (first.repeated, second.repeated, second.seq) == (False, True, 0)
    (told,) = [json.loads(event.payload) for event in store.events.after(1)]
    assert (told["status"], told["over_by"]) == ("over", "ana")


def test_who_marked_a_call_is_remembered_when_its_end_comes_after_all(store: Store) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    store.journal.write(Over("acme", call_id, "ana", T0 + 1000))
    store.end("3501", "4732100123", T0 + 5000)
    (call,) = store.calls.recent("acme")
    assert (call.status, call.over_by, call.duration_s) == ("ended", "ana", 5)


@pytest.mark.parametrize("tenant", ["beta", "acme"])
def test_only_a_call_of_the_company_can_be_marked(store: Store, tenant: str) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    unseen = call_id if tenant == "beta" else 99
    with pytest.raises(BadParameter):
        store.journal.write(Over(tenant, unseen, "ana", T0 + 1000))
    assert [call.status for call in store.calls.recent("acme")] == ["ringing"]


def test_a_call_that_goes_on_elsewhere_is_lost_once(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    store.end("3501", "4732100123", T0 + 1000)
    assert store.journal.give_up(InVain("acme", (1,), T0 + 2000)) == 0
    assert [call.status for call in store.calls.recent("acme")] == ["ended"]
