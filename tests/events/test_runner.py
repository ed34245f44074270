"""One source that is run: attempts, pauses, gaps, silence, what is written down and what people are shown."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.adapter import Probe
from gateway.domain.messages import CallStarted
from gateway.domain.tenant import Tenant
from gateway.errors import EventSourceError
from gateway.event_source import Report, SourcePlace, Stop
from gateway.events import pauses
from gateway.events.pauses import pause_after
from gateway.events.runner import SourceRunner, SourceTools
from gateway.handlers import Core
from gateway.store.event_sources import Gap, SourceStanding, SourceState
from gateway.store.traffic import IN, OUT, TrafficEntry
from gateway.texts.text import Text
from tests.events.reports import place, until
from tests.store.conftest import PLAN, Store

NOW = 1_800_000_000_000


@dataclass
class ScriptedSource:
    """Does in each attempt what the test says, then the last of it again."""

    attempts: list[Callable[[Report, Stop], None]]
    place: SourcePlace = field(default_factory=lambda: place("script"))
    made: int = 0
    peer: str = "central.example:5038"

    def probe(self) -> Probe:
        return Probe(True, "ok")

    def run(self, report: Report, stop: Stop) -> None:
        self.made += 1
        self.attempts[min(self.made, len(self.attempts)) - 1](report, stop)


@dataclass
class HeldLease:
    """A lease that the test takes away."""

    is_ours: bool = True
    token: int = 1

    def held(self) -> bool:
        return self.is_ours

    def release(self) -> None:
        self.is_ours = False


@dataclass
class Situation:
    """A runner on a real store, with a clock that the test sets."""

    store: Store
    now: int = NOW
    entries: list[TrafficEntry] = field(default_factory=list)
    lease: HeldLease = field(default_factory=HeldLease)

    def ring(self, number: str, ref: str) -> CallStarted:
        origin = place("script").origin("central.example:5038")
        return CallStarted("acme", "3501", number, origin, self.now, call_ref=ref)

    @contextmanager
    def running(self, *attempts: Callable[[Report, Stop], None], **more: Any) -> Iterator[SourceRunner]:
        tools = SourceTools(
            Core({"acme": Tenant("acme", PLAN)}, self.store.journal, None),  # type: ignore[arg-type]
            self.store.journal.hand_in,
            add=lambda draft, _size: self.entries.append(draft()),
            clock=lambda: self.now,
        )
        source = ScriptedSource(list(attempts), place("script", clock=lambda: self.now))
        before = more.pop("before", SourceStanding())
        made = SourceRunner(source, source.place, tools, self.lease, before, **more)
        made.start()
        try:
            yield made
        finally:
            made.stop.set()
            made.join(10)
            assert not made.is_running()


@pytest.fixture
def situation(store: Store) -> Situation:
    return Situation(store)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "PAUSES_S", (0.01,))


def connected_until_stopped(report: Report, stop: Stop) -> None:
    report.connected()
    stop.wait(30)


def test_what_a_source_tells_is_in_the_call_log(situation: Situation) -> None:
    def tell(report: Report, stop: Stop) -> None:
        report.connected()
        for place_ in range(200):
            report.message(situation.ring(f"4732100{place_:03}", f"ref-{place_}"))
        stop.wait(30)

    with situation.running(tell) as made:
        until(lambda: made.standing().told == 200, "all are durable")
        assert made.standing().state is SourceState.CONNECTED
    events = situation.store.events.after(0)
    assert len({event.call_id for event in events}) == 200


def test_it_is_tried_again_after_each_end_and_says_why(situation: Situation) -> None:
    def fail(_report: Report, _stop: Stop) -> None:
        raise EventSourceError(Text("nothing listens at {peer}", peer="central.example:5038"))

    def crash(_report: Report, _stop: Stop) -> None:
        raise RuntimeError("segredo")

    seen: list[SourceStanding] = []
    with situation.running(fail, crash, connected_until_stopped) as made, capture_logs() as logs:
        until(lambda: bool(seen.append(made.standing())) or seen[-1].state is SourceState.CONNECTED, "it is connected")
        assert seen[-1].problem is None
    assert [entry["event"] for entry in logs if entry["event"] in ("source_failed", "source_connected")]
    assert made.standing().state is SourceState.STOPPED
    told = [entry.get("problem", "") for entry in logs if entry["event"] == "source_not_heard"]
    assert not any("segredo" in problem for problem in told)


def test_it_is_shown_since_when_it_is_not_heard(situation: Situation) -> None:
    attempts: list[int] = []

    def fail(_report: Report, _stop: Stop) -> None:
        attempts.append(situation.now)
        situation.now += 1000
        raise EventSourceError("nobody")

    with situation.running(fail) as made:
        until(lambda: len(attempts) > 3, "it is tried again and again")
        assert made.standing().since == NOW


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "PAUSES_S", (1.0, 2.0, 30.0))
    assert 0.7 <= pause_after(0) <= 1.3
    assert 0.7 <= pause_after(1) <= 1.3
    assert 1.4 <= pause_after(2) <= 2.6
    assert 21 <= pause_after(50) <= 39
    assert len({pause_after(3) for _ in range(10)}) > 1


def test_a_wrong_password_is_not_tried_every_second(situation: Situation) -> None:
    def refuse(_report: Report, _stop: Stop) -> None:
        raise EventSourceError("Authentication failed", pause_s=600)

    with situation.running(refuse) as made:
        until(lambda: made.standing().state is SourceState.WAITING, "it waits")
        assert not made.stop.wait(0.2)
        assert made._source.made == 1  # type: ignore[attr-defined]


def test_what_may_be_missing_is_told_after_a_crash(situation: Situation) -> None:
    before = SourceStanding(complete_until=NOW - 60_000)
    with capture_logs() as logs, situation.running(connected_until_stopped, before=before) as made:
        until(lambda: made.standing().state is SourceState.CONNECTED, "it is connected")
        assert made.standing().gaps == (Gap(NOW - 60_000, NOW),)
    (told,) = [entry for entry in logs if entry["event"] == "source_gap"]
    assert (told["seconds"], told["began"], told["ended"]) == (60, "2027-01-15T07:59:00Z", "2027-01-15T08:00:00Z")


def test_what_may_be_missing_is_told_after_a_lost_connection(situation: Situation) -> None:
    def lose(report: Report, _stop: Stop) -> None:
        report.connected()
        situation.now += 1000

    def come_back(report: Report, stop: Stop) -> None:
        situation.now += 5000
        connected_until_stopped(report, stop)

    with situation.running(lose, come_back) as made:
        until(lambda: bool(made.standing().gaps), "a gap is told")
        assert made.standing().gaps == (Gap(NOW + 1000, NOW + 6000),)


@pytest.mark.parametrize("before", [SourceStanding(), SourceStanding(complete_until=NOW - 60_000)])
def test_nothing_is_missing_at_first_or_where_the_source_says_so(situation: Situation, before: SourceStanding) -> None:
    def begin_where_it_stopped(report: Report, stop: Stop) -> None:
        report.connected(nothing_missed=before.complete_until is not None)
        stop.wait(30)

    with situation.running(begin_where_it_stopped, before=before) as made:
        until(lambda: made.standing().state is SourceState.CONNECTED, "it is connected")
        assert made.standing().gaps == ()


def test_it_is_complete_only_up_to_what_is_durable(situation: Situation) -> None:
    with situation.running(lambda report, stop: stop.wait(30) or None) as made:
        assert made.standing().complete_until is None
    with situation.running(connected_until_stopped) as made:
        until(lambda: made.standing().state is SourceState.CONNECTED, "it is connected")
        assert made.standing().complete_until == NOW
        situation.now += 700
    assert made.standing().complete_until == NOW + 700
    situation.now += 5000
    assert made.standing().complete_until == NOW + 700


def test_silence_is_told_once(situation: Situation) -> None:
    with capture_logs() as logs, situation.running(connected_until_stopped, silent_after_s=60) as made:
        until(lambda: made.standing().state is SourceState.CONNECTED, "it is connected")
        situation.now += 59_000
        made.tick()
        assert [entry for entry in logs if entry["event"] == "source_silent"] == []
        situation.now += 2_000
        made.tick()
        made.tick()
    (told,) = [entry for entry in logs if entry["event"] == "source_silent"]
    assert told["seconds"] == 61


def test_one_that_another_process_has_now_ends(situation: Situation) -> None:
    with situation.running(connected_until_stopped) as made:
        made.tick()
        assert made.is_running()
        situation.lease.is_ours = False
        made.tick()
        made.join(5)
        assert not made.is_running()
        assert not made.is_holder()


def test_the_bytes_of_an_event_are_in_the_traffic_log_with_its_call_and_without_secrets(situation: Situation) -> None:
    def talk(report: Report, stop: Stop) -> None:
        report.said(b"Action: Login\r\nKey: 0123456789abcdef\r\n\r\n", ("0123456789abcdef",))
        report.heard(b"Response: Success\r\nMessage: segredo-da-central\r\n\r\n")
        report.connected()
        report.message(situation.ring("4732100123", "ref-1"))
        report.heard(b"Event: Newchannel\r\n\r\n")
        report.message(situation.ring("4732100124", "ref-2"))
        report.heard(b"gibberish")
        report.problem(Text("a line of {size} bytes is no event", size=9))
        stop.wait(30)

    with situation.running(talk, secrets=("segredo-da-central",)) as made:
        until(lambda: len(situation.entries) == 3, "all is in the traffic log")
        assert made.standing().not_understood == 1
    by_status = {entry.status: entry for entry in situation.entries if entry.way == IN}
    (login,) = [entry for entry in situation.entries if entry.way == OUT]
    assert (login.request, login.answer) == (
        b"Action: Login\r\nKey: ****\r\n\r\n",
        b"Response: Success\r\nMessage: ****\r\n\r\n",
    )
    event, problem = by_status["200 OK"], by_status["400 ?"]
    assert event.request == b"Event: Newchannel\r\n\r\n"
    assert event.call_id
    assert login.call_id
    assert event.call_id != login.call_id
    assert (event.tenant, event.peer, event.wire) == ("acme", "central", "script")
    assert event.address == "central.example:5038"
    assert problem.request == b"gibberish"
    assert problem.remarks
    assert problem.remarks[-1].facts == {"problem": "a line of 9 bytes is no event"}


def test_what_is_no_part_of_an_event_is_written_when_it_is_old(situation: Situation) -> None:
    def talk(report: Report, stop: Stop) -> None:
        report.connected()
        report.heard(b"Event: Nothing\r\n\r\n")
        stop.wait(30)

    with situation.running(talk) as made:
        until(lambda: bool(made.traffic._heard), "something was heard")
        made.tick()
        assert situation.entries == []
        situation.now += 6000
        made.tick()
        assert [entry.request for entry in situation.entries] == [b"Event: Nothing\r\n\r\n"]


def test_a_message_that_cannot_be_written_is_told_and_the_source_goes_on(situation: Situation) -> None:
    def tell(report: Report, stop: Stop) -> None:
        report.connected()
        report.message(CallStarted("nobody", "3501", "4732100123", place("script").origin("x"), NOW, call_ref="1"))
        report.message(None)  # type: ignore[arg-type]
        report.message(situation.ring("4732100123", "ref-1"))
        stop.wait(30)

    with capture_logs() as logs, situation.running(tell) as made:
        until(lambda: made.standing().told == 1, "the good one is durable")
        assert made.standing().refused == 2
    assert {"source_event_refused", "source_event_failed"} <= {entry["event"] for entry in logs}


def test_a_memory_is_kept_with_the_events_before_it(situation: Situation) -> None:
    def tell(report: Report, stop: Stop) -> None:
        assert report.memory == {"offset": 3}
        report.connected()
        report.message(situation.ring("4732100123", "ref-1"))
        report.remember({"offset": 10})
        assert report.memory == {"offset": 10}
        stop.wait(30)

    before = SourceStanding(memory={"offset": 3}, told=7)
    with situation.running(tell, before=before) as made:
        until(lambda: made.standing().memory == {"offset": 10}, "it may be written")
        assert made.standing().told == 8


def test_a_slow_disk_makes_the_source_wait(situation: Situation) -> None:
    told: list[int] = []
    gate, taken = threading.Event(), threading.Event()

    def hold(_connection: object) -> None:
        taken.set()
        gate.wait(20)

    def tell(report: Report, stop: Stop) -> None:
        report.connected()
        taken.wait(20)
        for number in range(200):
            report.message(situation.ring(f"4732100{number:03}", f"ref-{number}"))
            told.append(number)
        stop.wait(30)

    with situation.running(tell) as made:
        thread = threading.Thread(target=lambda: situation.store.journal.run(hold, tenant="acme"), daemon=True)
        thread.start()
        until(lambda: len(told) == 64, "as many are under way as may be")
        assert not made.stop.wait(0.2)
        assert len(told) == 64
        gate.set()
        until(lambda: made.standing().told == 200, "all are durable")
        thread.join(5)


def test_what_is_measured_of_a_clock_outlives_who_ran_the_source(situation: Situation) -> None:
    ahead_ms = 7 * 60_000

    def tell(report: Report, stop: Stop) -> None:
        report.connected()
        for number in range(6):
            situation.now += 61_000
            ring = situation.ring(f"4732100{number:03}", f"ref-{number}")
            report.message(replace(ring, occurred_at=situation.now + ahead_ms))
        stop.wait(30)

    with capture_logs() as logs, situation.running(tell) as made:
        until(lambda: made.standing().told == 6, "all are durable")
        standing = made.standing()
    assert (standing.clock_ahead_ms, standing.clock_corrected_ms) == (ahead_ms, ahead_ms)
    assert [entry["ahead_s"] for entry in logs if entry["event"] == "source_clock_differs"] == [420]

    def tell_one_more(report: Report, stop: Stop) -> None:
        report.connected()
        report.message(replace(situation.ring("47321009999", "next"), occurred_at=situation.now + ahead_ms))
        stop.wait(30)

    with situation.running(tell_one_more, before=standing) as made:
        until(lambda: made.standing().told == 7, "it is durable")
        assert made.standing().clock_ahead_ms == ahead_ms
    newest = situation.store.calls.recent("acme")[0]
    assert newest.started_at == situation.now
