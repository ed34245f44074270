"""Any interleaving of events of several calls, repeats, losses, power cuts, clock steps and restarts, from one seed.

A failing run prints its shortest form and how to play it again; docs/how-we-test.md has the commands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.adapter import Outcome
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import EventKind
from gateway.domain.calls.ghosts import WAIT_MS
from gateway.domain.calls.legs import LOST, legs_of, seen_from
from gateway.domain.calls.states import TABLE, State
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    QueueEntered,
    QueueLeft,
)
from gateway.store.reading.log import LoggedEvent
from gateway.store.writing.drafts import Over
from tests.domain.calls.pairing_cases import FOUR_HOURS
from tests.simulation.conftest import LONG, SHORT
from tests.simulation.world import HERE, World, make_template

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
NOTICED_MS = 5 * SECOND
"""A clock step that is smaller is not told from time."""
EXTENSIONS = st.sampled_from(["3501", "3502", "3503"])
# Outside numbers, one that a dial plan with prefix 9 makes of another one, an extension, a withheld number.
NUMBERS = st.sampled_from(["4732100123", "4932100123", "94932100123", "3502", "anonymous"])
REFS = st.sampled_from([None, None, "a", "b"])
SAID = st.sampled_from([None, None, 0, -1 * SECOND, -90 * SECOND])
"""When the exchange says that it was, seen from now; None: it does not say."""
WAITS = st.sampled_from(
    [3 * SECOND, 12 * SECOND, 31 * SECOND, 3 * MINUTE, 16 * MINUTE, 70 * MINUTE, 5 * HOUR, 25 * HOUR]
)
STEPS = st.sampled_from([10 * SECOND, HOUR, 72 * HOUR, -10 * SECOND, -HOUR, -72 * HOUR])
RECORDINGS = st.sampled_from([None, None, "http://pbx/1.wav", "http://pbx/2.wav"])
RESULTS = st.sampled_from([None, None, "ANSWERED", "NO ANSWER", "16"])

COSTS = st.sampled_from([None, "0,32"])
QUEUES = st.sampled_from([None, None, "vendas", "suporte"])

SENT_START = st.tuples(st.just(CallStarted), EXTENSIONS, NUMBERS, REFS, SAID, QUEUES)
SENT_END = st.tuples(
    st.just(CallEnded),
    EXTENSIONS,
    NUMBERS,
    REFS,
    SAID,
    QUEUES,
    st.sampled_from([None, None, 0, 30]),
    RECORDINGS,
    RESULTS,
)
SENT_ANSWER = st.tuples(st.just(CallAnswered), EXTENSIONS, NUMBERS, REFS, SAID, QUEUES)
SENT_HOLD = st.tuples(st.sampled_from([CallHeld, CallResumed]), EXTENSIONS, NUMBERS, REFS, SAID, QUEUES)
SENT_TRANSFER = st.tuples(
    st.just(CallTransferred),
    EXTENSIONS,
    NUMBERS,
    REFS,
    SAID,
    QUEUES,
    st.sampled_from(["3502", "3503", "4733339999"]),
    st.sampled_from([None, None, True, False]),
)
SENT_QUEUE = st.tuples(
    st.sampled_from([QueueEntered, QueueLeft]), st.just(""), NUMBERS, REFS, SAID, QUEUES, st.sampled_from([None, 7])
)
SENT_ABANDON = st.tuples(st.just(QueueLeft), st.just(""), NUMBERS, REFS, SAID, QUEUES, st.just(9), st.just(True))
SENT_NOTE = st.tuples(
    st.just(CallNoted), st.sampled_from(["3501", "3502", ""]), NUMBERS, REFS, SAID, QUEUES, RECORDINGS, COSTS
)
SENT_GROUP = st.tuples(
    st.just(CallStarted), EXTENSIONS, NUMBERS, REFS, SAID, QUEUES, st.sampled_from([("3502",), ("3501", "3503")])
)
SENT_CALL = SENT_START | SENT_ANSWER | SENT_END
SENT_LIFE = SENT_HOLD | SENT_TRANSFER | SENT_QUEUE | SENT_ABANDON | SENT_NOTE | SENT_GROUP
SENT = SENT_CALL | SENT_CALL | SENT_LIFE
MORE: Mapping[type, tuple[str, ...]] = {
    CallStarted: ("queue", "also_rings"),
    CallEnded: ("queue", "duration_s", "recording_url", "result"),
    CallTransferred: ("queue", "to", "attended"),
    QueueEntered: ("queue", "waited_s"),
    QueueLeft: ("queue", "waited_s", "abandoned"),
    CallNoted: ("queue", "recording_url", "cost"),
}
"""What the values behind the first ones are, by the kind of message; of all others the queue."""


def _followers() -> dict[State, set[State]]:
    """The states that a call in each state can come to, by any number of events."""
    found = {state: {then.state for (before, _), then in TABLE.items() if before is state} for state in State}
    for _ in State:
        found = {state: then.union(*(found[each] for each in then)) for state, then in found.items()}
    return found


FOLLOWERS = _followers()


class Simulation(RuleBasedStateMachine):
    """Sends events and disturbs, and after each step holds what the log has against what was acknowledged."""

    folder: ClassVar[Path]
    template: ClassVar[Path]
    numbers: ClassVar[Any] = count()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.folder / f"world-{next(self.numbers)}", self.template)
        self.before: dict[int, Call] = {}
        self.seq = 0
        self.told: dict[int, dict[str, Any]] = {}
        self.told_at: dict[tuple[int, str], str] = {}
        self.logged_in: dict[int, tuple[int, int]] = {}
        self.end_heard: dict[int, int] = {}
        self.leg_end_heard: dict[int, int] = {}
        self.last: CallMessage | None = None
        self.last_at = 0

    def teardown(self) -> None:
        self.world.stop()
        rmtree(self.world.data)

    # what exchanges and people do

    @rule(sent=SENT)
    def send(self, sent: tuple[Any, ...]) -> None:
        message = self._message(sent)
        call_id = self.world.send(message)
        (event,) = self._acknowledge([message], [call_id])
        if "repeat" in event.told:
            self.last = None
            return
        self.last, self.last_at = message, self.world.time.passed
        if isinstance(message, CallEnded) and message.result == "ANSWERED":
            self._assert_rings_nowhere(self.world.calls()[call_id])

    @rule(sent=st.lists(SENT, min_size=2, max_size=4))
    def send_at_once(self, sent: list[tuple[Any, ...]]) -> None:
        messages = [self._message(each) for each in sent]
        self.last = None
        self._acknowledge(messages, self.world.send_at_once(messages))

    @precondition(lambda self: self.last is not None and self.world.time.passed - self.last_at < 6 * SECOND)
    @rule(after=st.sampled_from([0, 1 * SECOND, 3 * SECOND]))
    def repeat(self, after: int) -> None:
        """An exchange that got no answer, or thinks so, sends the same once more: that is no other call."""
        assert self.last is not None
        self.world.time.pass_by(after)
        known = len(self.before)
        message = replace(self.last, received_at=self.world.clock())
        self._acknowledge([message], [self.world.send(message)])
        assert len(self.world.calls()) == known

    @rule(sent=SENT)
    def lose_with_the_process(self, sent: tuple[Any, ...]) -> None:
        """What was not acknowledged leaves nothing behind."""
        self.world.die_with(self._message(sent))
        assert self.world.calls() == self.before
        self.world.restart()

    @rule(extension=EXTENSIONS, number=st.sampled_from(["4732100123", "4932100123", "3502"]))
    def order(self, extension: str, number: str) -> None:
        self.world.place(extension, number)
        self.last = None

    @precondition(lambda self: set(self.world.orders) - self.world.settled)
    @rule(outcome=st.sampled_from(list(Outcome)))
    def settle(self, outcome: Outcome) -> None:
        self.world.settle(min(set(self.world.orders) - self.world.settled), outcome)
        self.last = None

    @precondition(lambda self: self.before)
    @rule(data=st.data())
    def mark_over(self, data: st.DataObject) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.before)))
        self.world.journal.write(Over("acme", call_id, "ana", self.world.clock()))
        self.last = None

    # time

    @rule(ms=WAITS)
    def wait(self, ms: int) -> None:
        self.world.time.pass_by(ms)
        self.last = None

    @rule(ms=STEPS)
    def step_clock(self, ms: int) -> None:
        self.world.time.shown += ms
        self.world.clock()
        self.last = None

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def sweep(self) -> None:
        """Calls are given up for two reasons only, and never before their time, however the clock was set."""
        self.world.maintenance.sweep()
        self.last = None
        for call_id, call in self.world.calls().items():
            if call.state is State.LOST is not self.before[call_id].state:
                self._assert_waited_for(call)
            if call.state is State.ENDED is not self.before[call_id].state:
                self._assert_silent_for(call)

    # what must hold

    @invariant()
    def calls_only_go_on_as_the_table_allows(self) -> None:
        now = self.world.calls()
        for call_id, call in self.before.items():
            assert now[call_id].state in FOLLOWERS[call.state], (call, now[call_id])
        self.before = now

    @invariant()
    def the_rule_book_alone_comes_to_the_same(self) -> None:
        assert self.before == self.world.ledger.calls

    @invariant()
    def the_log_tells_all_without_gaps(self) -> None:
        """Who follows the log knows of each call what the table has."""
        events = self.world.events(self.seq)
        assert [event.seq for event in events] == list(range(self.seq + 1, self.seq + 1 + len(events)))
        self.seq += len(events)
        events = [event for event in events if event.kind != EventKind.MISSED_CHANGED]  # about the list, not a call
        self.told |= {event.call_id: event.told for event in events}
        self.told_at |= {(event.call_id, event.extension): event.told["status"] for event in events}
        for call_id, told in self.told.items():
            call = self.before[call_id]
            assert (told["started_at"], told["ended_at"]) == (call.started_at, call.ended_at)
            for extension in {leg.extension for leg in legs_of(call)}:
                assert self.told_at[call_id, extension] == seen_from(call, extension), (call, extension)
            assert (told["duration_s"], told["recording_url"]) == (call.duration_s, call.recording_url)
        assert set(self.told) == set(self.before)

    @invariant()
    def no_end_is_lost(self) -> None:
        for call_id in self.end_heard:
            assert self.before[call_id].state is State.ENDED

    @invariant()
    def legs_are_as_the_call_is(self) -> None:
        """A call that is over has no leg that goes on, one that is talked in or rings has one; and it is at a leg."""
        for call in self.before.values():
            states = {leg.talks for leg in call.legs if leg.goes_on}
            if call.legs:
                assert call.extension in {leg.extension for leg in call.legs}
            if call.legs and call.state is State.TALKING:
                assert True in states, call
            if call.legs and call.state in (State.ENDED, State.WAITING):
                assert not states, call

    @invariant()
    def nobody_is_missed_whom_somebody_took(self) -> None:
        assert not [call for call in self.before.values() if call.missed and call.answered_at is not None]

    @invariant()
    def durations_are_not_negative(self) -> None:
        assert all(call.duration_s is None or call.duration_s >= 0 for call in self.before.values())

    # helpers

    def _message(self, sent: tuple[Any, ...]) -> CallMessage:
        kind, ramal, telefone, ref, said, *more = sent
        now = self.world.clock()
        extras = {"call_ref": ref, "occurred_at": None if said is None else now + said}
        extras |= dict(zip(MORE.get(kind, ("queue",)), more, strict=False))
        message: CallMessage = kind("acme", ramal, telefone, origin=HERE, received_at=now, **extras)
        return message

    def _acknowledge(self, messages: Sequence[CallMessage], call_ids: Sequence[int]) -> Sequence[LoggedEvent]:
        """Remember what was answered: each message is an event of the log, of a call that there is."""
        calls = self.world.calls()
        events = [event for event in self.world.events(self.seq) if "received" in event.told]
        told = [event for event in events if event.kind != "call_transferred" or "goes_on_as" not in event.told]
        assert [event.call_id for event in told] == list(call_ids)
        assert all(event.kind in KINDS[type(message)] for event, message in zip(told, messages, strict=True))
        for event in self.world.events(self.seq):
            if event.kind == "call_started":
                self.end_heard.pop(event.call_id, None)
        for message, call_id in zip(messages, call_ids, strict=True):
            self.logged_in.setdefault(call_id, (self.world.runs, self.world.time.passed))
            if isinstance(message, CallEnded):
                self._hear_end(message, calls[call_id])
        return told

    def _hear_end(self, message: CallEnded, call: Call) -> None:
        """An end closes its call; or its leg, while the call goes on at another one or in a queue."""
        self.leg_end_heard[call.id] = self.world.time.passed
        if call.state is State.ENDED:
            self.end_heard[call.id] = self.world.time.passed

    def _assert_rings_nowhere(self, answered: Call) -> None:
        """Where somebody answered, the others of the group have stopped ringing."""
        group = [call for call in self.world.calls().values() if call.group_id == answered.group_id is not None]
        assert all(call.state is not State.RINGING for call in group if call.number == answered.number)

    def _assert_waited_for(self, call: Call) -> None:
        """Nobody can tell how long it was before a process that has begun since."""
        run, logged = self.logged_in[call.id]
        if run != self.world.runs or self.world.time.passed - logged >= FOUR_HOURS - NOTICED_MS:
            return
        others = [each for each in self.before.values() if each.number == call.number and each.id in self.end_heard]
        assert any(self.world.time.passed - self.end_heard[each.id] >= WAIT_MS - NOTICED_MS for each in others), call

    def _assert_silent_for(self, call: Call) -> None:
        """A call that fell silent has had a leg, of which nothing was heard for as long as ends are waited for."""
        assert any(leg.result == LOST for leg in call.legs) or self.before[call.id].state is State.WAITING, call


KINDS: Mapping[type, tuple[str, ...]] = {
    CallStarted: ("call_started",),
    CallAnswered: ("call_answered",),
    CallHeld: ("call_held",),
    CallResumed: ("call_resumed",),
    CallTransferred: ("call_transferred", "call_started"),
    QueueEntered: ("queue_entered",),
    QueueLeft: ("queue_left",),
    CallEnded: ("call_ended",),
    CallNoted: ("call_noted",),
}


def test_simulation(tmp_path: Path) -> None:
    Simulation.folder = tmp_path
    Simulation.template = make_template(tmp_path / "template")
    # A search of some minutes is asked for by a profile; else the same few runs each time.
    chosen = settings() if settings.get_current_profile_name() == LONG else settings.get_profile(SHORT)
    run_state_machine_as_test(Simulation, settings=chosen)
