"""What a target said of a call is kept for the call's later events, also over a restart."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.clock import Clock
from gateway.domain.event_fields import SAMPLE
from gateway.errors import StoreUnavailable
from gateway.maintenance import Maintenance
from gateway.relay.keeping import PAUSES_S, KeepingAdapter
from gateway.store.captures import KEPT_MS, CallCaptures
from gateway.store.letters.outbox import Outbox
from gateway.texts.text import Text
from tests.fakes import FakeAdapter, SetTime
from tests.store.conftest import T0, OpenStore, Store, open_store, store

__all__ = ["open_store", "store"]

STARTED = Outgoing("call_started", "1", {**SAMPLE, "call_id": "7"})


class Crm(FakeAdapter):
    """Says ``says`` of each event."""

    keeps = frozenset({"crm_call"})
    idempotent = True

    def __init__(self, **says: str) -> None:
        super().__init__(lambda _: Delivery(Outcome.ACCEPTED, "ok", kept=says))

    def unwanted(self, message: Outgoing) -> Text | None:
        return None if message.fields.get("crm_call") else Text("unknown call")


def captures(store: Store) -> CallCaptures:
    return CallCaptures(store.engine, store.journal)


def crm(store: Store, adapter: FakeAdapter, target: str = "crm") -> KeepingAdapter:
    return KeepingAdapter(adapter, "acme", target, captures(store), clock=lambda: T0)


def test_an_end_knows_what_its_start_captured_after_a_restart_too(open_store: OpenStore) -> None:
    before = open_store()
    assert crm(before, Crm(crm_call="c-9")).deliver(STARTED).outcome is Outcome.ACCEPTED
    before.journal.stop()
    after, told = open_store(), Crm()
    again = crm(after, told)
    assert again.unwanted(STARTED) is None
    again.deliver(replace(STARTED, kind="call_ended"))
    assert told.delivered[0].fields["crm_call"] == "c-9"


def test_another_call_and_another_target_know_nothing_of_it(store: Store) -> None:
    crm(store, Crm(crm_call="c-9")).deliver(STARTED)
    told = Crm()
    crm(store, told).deliver(replace(STARTED, fields={**STARTED.fields, "call_id": "8"}))
    crm(store, told, "erp").deliver(STARTED)
    crm(store, told).deliver(Outgoing("agent_state_changed", "1", {**SAMPLE, "call_id": ""}))
    assert [message.fields.get("crm_call") for message in told.delivered] == [None, None, None]
    assert crm(store, told, "erp").unwanted(STARTED) is not None


def test_a_later_word_takes_the_place_of_an_earlier_one_and_what_is_too_long_is_left_out(store: Store) -> None:
    for said in ("c-1", "c-2", "x" * 1001):
        crm(store, Crm(crm_call=said)).deliver(STARTED)
    assert captures(store).of("acme", "crm", 7) == {"crm_call": "c-2"}


class BusyCaptures(CallCaptures):
    """Cannot keep anything ``times`` times."""

    def __init__(self, store: Store, times: int) -> None:
        super().__init__(store.engine, store.journal)
        self.times = times

    def keep(self, tenant: str, target: str, call_id: int, values: Mapping[str, str], now: int) -> None:
        self.times -= 1
        if self.times >= 0:
            raise StoreUnavailable
        super().keep(tenant, target, call_id, values, now)


@pytest.mark.parametrize(("times", "kept"), [(0, {"crm_call": "c-9"}), (5, {"crm_call": "c-9"}), (6, {})])
def test_a_busy_database_is_asked_again_and_what_came_of_the_attempt_is_told_all_the_same(
    store: Store, times: int, kept: Mapping[str, str]
) -> None:
    pauses: list[float] = []
    busy = BusyCaptures(store, times)
    made = KeepingAdapter(Crm(crm_call="c-9"), "acme", "crm", busy, clock=lambda: T0, pause=pauses.append)
    assert made.deliver(STARTED).outcome is Outcome.ACCEPTED
    assert captures(store).of("acme", "crm", 7) == kept
    assert len(pauses) == min(times, len(PAUSES_S))


def test_nothing_is_sent_where_what_is_kept_cannot_be_read(store: Store) -> None:
    class Broken(CallCaptures):
        def of(self, tenant: str, target: str, call_id: int) -> Mapping[str, str]:
            raise OSError("no file left to open")

    told = Crm()
    made = KeepingAdapter(told, "acme", "crm", Broken(store.engine, store.journal))
    assert made.unwanted(STARTED) is None
    assert made.deliver(STARTED).outcome is Outcome.UNREACHABLE
    assert told.delivered == []


def test_what_an_adapter_declares_holds_of_the_one_that_keeps(store: Store) -> None:
    made = crm(store, Crm())
    assert made.idempotent is True
    assert made.probe().ok
    assert made.preview(STARTED) == made.adapter.preview(STARTED)
    assert getattr(made, "can_hang_up", None) is None


def test_what_was_captured_long_ago_is_forgotten(store: Store) -> None:
    captures(store).keep("acme", "crm", 7, {"crm_call": "c-9"}, T0)
    captures(store).keep("acme", "crm", 8, {"crm_call": "c-10"}, T0 + KEPT_MS)
    time = SetTime(T0 + KEPT_MS + 1)
    outbox = Outbox(store.engine, store.journal)
    Maintenance(store.journal, outbox, {}, clock=Clock(time.wall, time.steady)).sweep()
    assert captures(store).of("acme", "crm", 7) == {}
    assert captures(store).of("acme", "crm", 8) == {"crm_call": "c-10"}
