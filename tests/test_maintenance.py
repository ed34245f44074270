"""Calls of which no end comes, and orders of a gateway that died, are closed by themselves."""

import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from gateway import maintenance as module
from gateway.clock import Clock as SteppedClock
from gateway.domain.messages import AgentState, AgentStateChanged
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.tenant import Tenant
from gateway.errors import StoreUnavailable
from gateway.maintenance import LOOK_BACK_MS, SWEEP_EVERY_S, Chore, Maintenance
from gateway.store import agent_states, captures
from gateway.store.ghosts import Ghosts
from gateway.store.letters.outbox import Outbox
from gateway.store.shared.contract import Lease
from gateway.store.shared.files import SharedFiles
from gateway.store.untold_notes import UntoldNotes
from gateway.store.writing.drafts import AgentStateDraft, NoteDraft
from tests.fakes import SetTime
from tests.store.conftest import HERE, T0, OpenStore, Store, open_store  # noqa: F401
from tests.waiting import until

HOUR = 3600 * 1000


@pytest.fixture
def store(open_store: OpenStore) -> Store:  # noqa: F811
    return open_store()


class Clock:
    """Our clock, put forward by hand."""

    now = T0

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def maintenance(store: Store, clock: Clock, tmp_path: Path) -> Iterator[Maintenance]:
    made = Maintenance(
        store.journal, Outbox(store.engine, store.journal), {"acme": 4 * HOUR, "beta": HOUR}, clock=clock
    )
    yield made
    made.stop()


def statuses(store: Store) -> list[str]:
    return [call.status for call in sorted(store.calls.recent(None), key=lambda call: call.id)]


def test_each_company_waits_as_long_as_it_says(store: Store, maintenance: Maintenance, clock: Clock) -> None:
    store.start("3501", "4732100123", T0)
    store.start("3501", "4732100123", T0, tenant="beta")
    clock.now = T0 + 2 * HOUR
    maintenance.sweep()
    assert statuses(store) == ["ringing", "lost"]
    clock.now = T0 + 4 * HOUR + 1
    maintenance.sweep()
    assert statuses(store) == ["lost", "lost"]


def test_what_was_left_while_the_gateway_was_off_is_found_at_the_start(
    store: Store, maintenance: Maintenance, clock: Clock
) -> None:
    store.start("3501", "4732100123", T0)
    clock.now = T0 + LOOK_BACK_MS
    maintenance.sweep()
    assert statuses(store) == ["lost"]


def test_states_of_agents_are_let_go_of_when_their_time_is_over(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("NEWEST", 0), ("SLICE", 2)):
        monkeypatch.setattr(agent_states, name, value)
    for number in range(5):
        message = AgentStateChanged("acme", "3501", f"{number}", AgentState.PAUSE, HERE, T0 + number)
        store.journal.write(AgentStateDraft(message, "3501"))
    outbox = Outbox(store.engine, store.journal)
    maintenance = Maintenance(store.journal, outbox, {}, clock=clock, agent_states_ms={"acme": HOUR})
    clock.now = T0 + HOUR + 4
    maintenance.sweep()
    with store.engine.connect() as connection:
        assert [row.agent for row in connection.execute(agent_states.agent_states.select())] == ["4"]


def test_what_a_busy_database_did_not_let_go_of_is_let_go_of_at_the_next_sweep(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def forget(_connection: object, *, now: int) -> int:
        asked.append(now)
        if len(asked) == 1:
            raise StoreUnavailable
        return 0

    monkeypatch.setattr(captures, "forget", forget)
    swept = Maintenance(store.journal, Outbox(store.engine, store.journal), {}, clock=clock)
    with pytest.raises(StoreUnavailable):
        swept.sweep()
    swept.sweep()
    assert len(asked) == 2


def test_a_call_is_given_up_too_when_the_clock_was_set_back_meanwhile(
    store: Store, maintenance: Maintenance, clock: Clock
) -> None:
    clock.now = T0 + 20 * HOUR
    maintenance.sweep()
    clock.now = T0
    store.start("3501", "4732100123", T0)
    maintenance.sweep()
    clock.now = T0 + 4 * HOUR + 1
    maintenance.sweep()
    assert statuses(store) == ["lost"]


def test_a_clock_set_forward_gives_no_call_up_before_its_time(store: Store, tmp_path: Path) -> None:
    time = SetTime(T0)
    outbox = Outbox(store.engine, store.journal)
    maintenance = Maintenance(store.journal, outbox, {"acme": 4 * HOUR}, clock=SteppedClock(time.wall, time.steady))
    store.start("3501", "4732100123", T0)
    time.step(50 * 365 * 24 * HOUR)
    maintenance.sweep()
    assert statuses(store) == ["ringing"]
    time.pass_by(4 * HOUR + 1)
    began = monotonic()
    maintenance.sweep()
    assert statuses(store) == ["lost"]
    assert monotonic() - began < 20, "fifty years are not looked through"


def test_a_clock_set_forward_shortens_no_wait_for_a_call_that_has_gone_on_elsewhere(store: Store) -> None:
    time = SetTime(T0)
    outbox, ghosts, clock = (
        Outbox(store.engine, store.journal),
        Ghosts(store.engine),
        SteppedClock(time.wall, time.steady),
    )
    maintenance = Maintenance(store.journal, outbox, {"acme": 4 * HOUR}, clock=clock, ghosts=ghosts)
    store.start("3501", "4732100123", T0)
    store.start("3502", "4732100123", T0 + 60_000)
    store.end("3502", "4732100123", T0 + 90_000, result="ANSWERED")
    time.pass_by(100_000)
    clock()
    time.step(HOUR)
    maintenance.sweep()
    assert statuses(store) == ["ringing", "ended"]
    time.pass_by(HOUR // 4)
    maintenance.sweep()
    assert statuses(store) == ["lost", "ended"]


def test_a_call_that_has_ended_is_left_alone(store: Store, maintenance: Maintenance, clock: Clock) -> None:
    store.start("3501", "4732100123", T0)
    store.end("3501", "4732100123", T0 + 1000)
    clock.now = T0 + 10 * HOUR
    maintenance.sweep()
    assert statuses(store) == ["ended"]


def test_an_order_of_a_gateway_that_died_is_settled_as_unknown(
    store: Store, maintenance: Maintenance, clock: Clock
) -> None:
    store.order("3501", "4732100123", T0)
    clock.now = T0 + HOUR
    maintenance.sweep()
    assert statuses(store) == ["unknown"]


def test_a_transfer_that_was_told_by_a_second_start_is_not_waited_for_for_hours(store: Store, clock: Clock) -> None:
    outbox, ghosts = Outbox(store.engine, store.journal), Ghosts(store.engine)
    maintenance = Maintenance(store.journal, outbox, {"acme": 4 * HOUR}, clock=clock, ghosts=ghosts)
    store.start("3501", "4732100123", T0)
    store.start("3502", "4732100123", T0 + 60_000)
    store.end("3502", "4732100123", T0 + 300_000)
    clock.now = T0 + 300_000 + HOUR // 4
    maintenance.sweep()
    assert statuses(store) == ["lost", "ended"]
    maintenance.stop()


def test_it_stops_at_once(maintenance: Maintenance) -> None:
    maintenance.start()
    began = monotonic()
    maintenance.stop()
    maintenance.stop()
    assert "maintenance" not in [thread.name for thread in threading.enumerate()]
    assert monotonic() - began < SWEEP_EVERY_S / 2


def test_a_note_is_told_when_it_was_left_alone_for_two_minutes(store: Store, clock: Clock, tmp_path: Path) -> None:
    call_id = store.start("3501", "4733334444").call_id
    store.journal.write(NoteDraft("acme", call_id, "oi", None, None, 0, "ana", "Ana", clock()))
    untold = UntoldNotes(store.engine, store.journal, {"acme": Tenant("acme", NumberPlan("47"))})
    swept = Maintenance(store.journal, Outbox(store.engine, store.journal), {}, clock=clock, untold=untold)
    told = []
    for seconds in (0, 119, 120, 150):
        clock.now = T0 + seconds * 1000
        swept.sweep()
        told.append(sum(event.kind == "call_noted" for event in store.events.after(0)))
    assert told == [0, 0, 1, 1]


def test_a_chore_that_fails_is_done_again_and_keeps_no_other_from_being_done(store: Store, clock: Clock) -> None:
    done: list[str] = []

    def fail_once(_now: int) -> None:
        done.append("failing")
        if done.count("failing") == 1:
            raise StoreUnavailable

    chores = [
        Chore("failing", fail_once, HOUR),
        Chore("hourly", lambda _now: done.append("hourly"), HOUR),
        Chore("each time", lambda now: done.append(str(now - T0))),
    ]
    swept = Maintenance(store.journal, Outbox(store.engine, store.journal), {}, clock=clock, chores=chores)
    with pytest.raises(StoreUnavailable):
        swept.sweep()
    assert done == ["failing", "hourly", "0"]
    swept.sweep()
    assert done[3:] == ["failing", "0"]
    clock.now += HOUR
    swept.sweep()
    assert done[5:] == ["failing", "hourly", str(HOUR)]


def test_one_of_several_processes_maintains_and_another_goes_on_when_it_ends(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_EVERY_S", 0.01)
    swept: list[int] = []
    looked = [threading.Event(), threading.Event()]

    def running(number: int) -> Maintenance:
        def lease() -> Lease | None:
            looked[number].set()
            return SharedFiles(tmp_path).lease("maintenance")

        chores = [Chore("told", lambda _now: swept.append(number))]
        made = Maintenance(store.journal, Outbox(store.engine, store.journal), {}, chores=chores, lease=lease)
        made.start()
        return made

    first = running(0)
    until(lambda: swept.count(0) > 1)
    second = running(1)
    assert looked[1].wait(10)
    before = swept.count(0)
    until(lambda: swept.count(0) > before + 1)
    assert 1 not in swept
    first.stop()
    until(lambda: 1 in swept)
    second.stop()
