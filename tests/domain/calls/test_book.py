"""The rule book does to a call what the table says, and nothing else; pairing is in ``test_pairing.py``."""

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.calls import book
from gateway.domain.calls.about import decide_about
from gateway.domain.calls.book import EFFECTS, decide, decide_order
from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import CERTAINTY, PairingRule
from gateway.domain.calls.decision import CallChange, Decision, EventKind
from gateway.domain.calls.heard import (
    FellSilent,
    HeardEvent,
    MarkedOver,
    NoEnd,
    PlacedOrder,
    SettledOrder,
    TakenElsewhere,
)
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.states import GOING_ON, STATES, TABLE, Effect, Event, State, Transition
from gateway.domain.messages import Direction
from tests.domain.calls.ledger import Ledger
from tests.domain.calls.pairing_cases import T0

NUMBER = "4732100123"
EMPTY = (Effect.NOTHING, Effect.REPEAT)
ADDS = book.ADDS
HEARD = {
    Event.START: EventKind.CALL_STARTED,
    Event.ANSWER: EventKind.CALL_ANSWERED,
    Event.HOLD: EventKind.CALL_HELD,
    Event.RESUME: EventKind.CALL_RESUMED,
    Event.TRANSFER: EventKind.CALL_TRANSFERRED,
    Event.QUEUE: EventKind.QUEUE_ENTERED,
    Event.LEAVE_QUEUE: EventKind.QUEUE_LEFT,
    Event.ABANDON: EventKind.QUEUE_LEFT,
    Event.END: EventKind.CALL_ENDED,
    Event.NOTE: EventKind.CALL_NOTED,
}
OF_LEGS = {
    Event.RINGS_TOO: (EventKind.CALL_STARTED, "start", {"extension": "3502"}),
    Event.HANDED_ON: (EventKind.CALL_STARTED, "transfer", {"to": "3502", "stays_inside": True}),
    Event.TALKS_ALREADY: (
        EventKind.CALL_TRANSFERRED,
        "transfer",
        {"to": "3502", "stays_inside": True, "attended": True},
    ),
    Event.LEG_ENDED: (EventKind.CALL_ENDED, "end", {"extension": "3502"}),
    Event.RINGS_ON: (EventKind.CALL_ENDED, "end", {}),
    Event.WAITS_ON: (EventKind.CALL_ENDED, "end", {}),
}
"""What a leg's event is told as, and how it is heard."""


def heard(event: Event, at: int = T0 + 10_000, **more: Any) -> HeardEvent:
    """An event of the pair 3501 and NUMBER."""
    plain: dict[str, Any] = {"extension": "3501", "number": NUMBER, "known": True, "numbers": (NUMBER,)}
    plain |= {"to": "0800", "stays_inside": False} if event is Event.TRANSFER else {}
    plain |= {"recording_url": "http://pbx/1.wav"} if event is Event.NOTE else {}
    return HeardEvent(event, Direction.INCOMING, at=at, **(plain | more))


def known(status: str = "ringing", **more: Any) -> Call:
    """A call of the pair 3501 and NUMBER."""
    plain: dict[str, Any] = {"started_at": T0, "call_ref": "a", "start_heard_at": T0}
    plain |= {"answered_at": T0 + 1, "answer_heard_at": T0 + 1} if status == "talking" else {}
    return Call(1, "incoming", "3501", NUMBER, NUMBER, T0, status, **(plain | more))


ABOUT: dict[Event, Any] = {
    Event.ACCEPTED: SettledOrder("accepted", T0 + 500),
    Event.FAILED: SettledOrder("refused", T0 + 500),
    Event.TAKEN_ELSEWHERE: TakenElsewhere(T0 + 500),
    Event.FELL_SILENT: FellSilent(),
    Event.NO_END: NoEnd(),
    Event.MARKED_OVER: MarkedOver("ana", T0 + 500),
}


@pytest.mark.parametrize(("status", "event"), list(product(STATES, HEARD)))
def test_what_is_heard_does_to_a_call_in_every_state_what_the_table_says(status: str, event: Event) -> None:
    call = known(status, **({"end_heard_at": T0} if status == "ended" else {}))
    wanted, effect = TABLE[call.state, event]
    done = decide(heard(event, call_ref="a"), [call], 2)
    assert (done.call.id, done.call.state, done.is_new) == (1, wanted, False)
    assert done.kind is HEARD[event]
    assert done.repeat is (effect in (Effect.REPEAT, Effect.ADD_END) or (effect in ADDS and done.call == call))
    unchanged = (call.state, event) in UNCHANGED
    assert (done.call == call) is (effect in EMPTY or unchanged)


UNCHANGED = (
    *((State.ENDED, event) for event in (Event.START, Event.END, Event.QUEUE, Event.LEAVE_QUEUE)),
    *((State.TALKING, event) for event in (Event.START, Event.ANSWER, Event.RESUME, Event.QUEUE)),
)
"""Where the calls of these tests have nothing that could be added."""


def with_legs(state: State, event: Event) -> Call:
    """A call in ``state`` of which ``event`` is about one leg."""
    answered_at = T0 + 1 if state is State.TALKING else None
    over = {"ended_at": T0 + 9000, "result": "missed"}
    here = Leg("3501", T0, answered_at, **(over if state is State.WAITING else {}))
    there = Leg("3502", T0 + 6000, **(over if event in (Event.LEG_ENDED, Event.WAITS_ON) else {}))
    queued = {"queued_at": T0 - 1} if event is Event.WAITS_ON or state is State.WAITING else {}
    return known(state.value, legs=(here, there) if event not in NEW_LEGS else (), **queued)


NEW_LEGS = (Event.RINGS_TOO, Event.HANDED_ON, Event.TALKS_ALREADY)
GOING_ON_PAIRS = [
    (state, event)
    for state in GOING_ON
    for event in (Event.LEG_ENDED, Event.RINGS_ON, Event.WAITS_ON)
    if TABLE[state, event].effect is not Effect.NOTHING and (event is not Event.WAITS_ON or state is State.RINGING)
]
"""Only a leg that rang in vain goes back to the queue."""
NEW_LEG_PAIRS = [(STATES[status], event) for status in STATES for event in NEW_LEGS if STATES[status].value == status]


@pytest.mark.parametrize(("state", "event"), [*GOING_ON_PAIRS, *NEW_LEG_PAIRS])
def test_what_is_heard_of_a_leg_does_to_a_call_in_every_state_what_the_table_says(state: State, event: Event) -> None:
    call = with_legs(state, event)
    kind, like, more = OF_LEGS[event]
    done = decide(heard(Event(like), call_ref="a", **more), [call], 2)
    wanted, effect = TABLE[state, event]
    if effect is Effect.NOTHING:
        wanted = TABLE[state, Event(like)].state
        kind = HEARD[Event(like)]
    assert (done.call.state, done.is_new, done.kind) == (wanted, False, kind)
    assert (len(done.call.legs) > 1) is (effect is not Effect.NOTHING)


@pytest.mark.parametrize("event", [*OF_LEGS, Event.FELL_SILENT])
def test_a_call_that_is_over_or_unknown_has_no_leg_that_could_end(event: Event) -> None:
    over = [state for state in State if state not in GOING_ON]
    done = {state for state in over if TABLE[state, event].effect is not Effect.NOTHING}
    assert (State.NONE in done, bool(done)) == (False, event in NEW_LEGS)


@pytest.mark.parametrize(("status", "event"), list(product(STATES, ABOUT)))
def test_what_happens_to_a_call_in_every_state_is_what_the_table_says(status: str, event: Event) -> None:
    call = known(status, legs=(Leg("3501", T0), Leg("3502", T0, ended_at=T0 + 400, result="missed")))
    wanted, effect = TABLE[call.state, event]
    done = decide_about(call, ABOUT[event])
    assert (done.call.id, done.call.state) == (1, wanted)
    assert (done.kind is None) is (effect is Effect.NOTHING)
    accepted_again = (status, event) == ("accepted", Event.ACCEPTED)
    assert (done.call == call) is (effect is Effect.NOTHING or accepted_again)


@pytest.mark.parametrize("event", list(Event))
def test_what_comes_without_a_call_opens_one_or_is_about_nothing(event: Event) -> None:
    wanted, effect = TABLE[State.NONE, event]
    ledger = Ledger()
    if event is Event.ORDER:
        ledger.order("3501", NUMBER, T0)
    elif event in HEARD:
        ledger.hear(heard(event, to="3502", stays_inside=True))
    assert [call.state for call in ledger.calls.values()] == ([] if effect is Effect.NOTHING else [wanted])
    assert (event in ABOUT or event in OF_LEGS) is (effect is Effect.NOTHING)


def test_a_transfer_outside_of_which_nothing_was_known_is_told_as_a_transfer() -> None:
    done = decide(heard(Event.TRANSFER), [], 1)
    assert (done.is_new, done.is_news, done.kind, done.others) == (True, True, EventKind.CALL_TRANSFERRED, ())
    call = done.call
    assert (call.extension, call.status, call.result, call.transferred_to) == ("3501", "ended", "forwarded", "0800")
    assert (call.started_at, call.ended_at, call.missed) == (None, T0 + 10_000, None)


@pytest.mark.parametrize("state", [state for state in State if state is not State.NONE])
def test_an_order_is_always_a_call_of_its_own(state: State) -> None:
    assert TABLE[state, Event.ORDER] == (state, Effect.NOTHING)


def test_the_book_has_no_opinion_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another table, and the same event does something else."""
    monkeypatch.setitem(TABLE, (State.RINGING, Event.END), Transition(State.LOST, Effect.GIVE_UP))  # type: ignore[arg-type]
    monkeypatch.setitem(TABLE, (State.LOST, Event.MARKED_OVER), Transition(State.OVER, Effect.MARK))  # type: ignore[arg-type]
    lost = decide(heard(Event.END), [known()], 2).call
    assert (lost.status, lost.ended_at) == ("lost", None)
    assert decide_about(lost, MarkedOver("ana", T0)).call.status == "over"


def test_every_effect_is_somebody_s_work_and_every_status_a_state() -> None:
    assert {effect for _, effect in TABLE.values()} == {*EFFECTS, Effect.OPEN} == set(Effect)
    assert set(STATES.values()) | {State.NONE} == set(State)
    assert set(CERTAINTY) == set(PairingRule)


def test_the_page_about_pairing_is_the_table() -> None:
    page = Path(__file__).parents[3].joinpath("docs/pairing.md").read_text(encoding="utf-8")
    for events in (OF_CALLS, OF_QUEUES, OF_THEIR_LEGS):
        assert f"| state | {' | '.join(event.value for event in events)} |" in page
        for state in State:
            cells = [cell_of(state, event) for event in events]
            assert f"| *{state.value}* | {' | '.join(cells)} |" in page
    assert {*OF_CALLS, *OF_QUEUES, *OF_THEIR_LEGS} == set(Event)
    for rule, certainty in CERTAINTY.items():
        assert re.search(rf"^\| `{rule.value}` \|.*\| {certainty.value} \|$", page, re.MULTILINE), rule


OF_QUEUES = (Event.HOLD, Event.RESUME, Event.QUEUE, Event.LEAVE_QUEUE, Event.ABANDON, Event.NOTE)
OF_THEIR_LEGS = (*OF_LEGS, Event.FELL_SILENT)
OF_CALLS = tuple(event for event in Event if event not in (*OF_QUEUES, *OF_THEIR_LEGS))


def cell_of(state: State, event: Event) -> str:
    then, effect = TABLE[state, event]
    if effect is Effect.NOTHING:
        return "-"
    return effect.value if then is state else f"{effect.value} → *{then.value}*"


# what each effect makes of a call


def test_a_new_call_holds_what_was_heard_of_it() -> None:
    event = heard(Event.START, T0 + 9, call_ref="x", occurred_at=T0 - 500, number_as_sent="+55 47 3210-0123")
    assert decide(event, [], 7) == Decision(
        Call(
            7,
            "incoming",
            "3501",
            NUMBER,
            "+55 47 3210-0123",
            T0 + 9,
            "ringing",
            started_at=T0 - 500,
            start_heard_at=T0 + 9,
            call_ref="x",
            ref_space="",
        ),
        EventKind.CALL_STARTED,
        is_new=True,
        is_news=True,
    )


def test_a_call_of_which_only_the_end_is_known_begins_as_long_before_as_it_lasted() -> None:
    event = heard(Event.END, T0, duration_s=30, recording_url="http://pbx/1.wav", result_text="NO ANSWER")
    call = decide(event, [], 7).call
    assert (call.status, call.started_at, call.ended_at, call.duration_s) == ("ended", T0 - 30_000, T0, 30)
    assert (call.start_heard_at, call.end_heard_at, call.paired_by) == (None, T0, "alone")
    assert (call.recording_url, call.result, call.result_text) == ("http://pbx/1.wav", "missed", "NO ANSWER")
    said = decide(heard(Event.END, T0, duration_s=30, occurred_at=T0 - 9), [], 7).call
    assert (said.started_at, said.ended_at) == (T0 - 30_009, T0 - 9)
    assert decide(heard(Event.END, T0), [], 7).call.started_at is None


def test_an_order_that_rings_begins_when_it_rings() -> None:
    failed = known("refused", order_id=1, call_ref=None, start_heard_at=None, ended_at=T0 + 1, duration_s=0)
    rings = decide(
        heard(Event.START, T0 + 4000, call_ref="a", occurred_at=T0 + 3000), [failed._replace(call_ref="a")], 2
    )
    assert rings.call == failed._replace(
        status="ringing",
        started_at=T0 + 3000,
        start_heard_at=T0 + 4000,
        ended_at=None,
        duration_s=None,
        paired_by="call-id",
        call_ref="a",
    )
    assert (rings.is_news, rings.repeat) == (True, False)


@pytest.mark.parametrize(
    ("end", "said", "started_at", "duration_s"),
    [
        ({"started_at": None}, None, T0 + 5000, 0),  # heard after its end: the end's moment is the latest possible
        ({"started_at": None}, T0 + 1000, T0 + 1000, 4),
        ({"started_at": None, "ended_at": T0 + 3_600_000}, T0, T0, 3600),
        ({"started_at": T0 - 1000, "duration_s": 6}, T0 + 1000, T0 - 1000, 6),  # the end had said it
    ],
)
def test_a_start_that_was_overtaken_is_added(
    end: dict[str, Any], said: int | None, started_at: int, duration_s: int
) -> None:
    ended = known("ended", **({"start_heard_at": None, "ended_at": T0 + 5000, "end_heard_at": T0 + 5000} | end))
    done = decide(heard(Event.START, T0 + 6000, call_ref="a", occurred_at=said), [ended], 2)
    assert (done.call.started_at, done.call.duration_s) == (started_at, duration_s)
    assert (done.call.start_heard_at, done.call.paired_by, done.call.status) == (T0 + 6000, "call-id", "ended")
    assert (done.repeat, done.is_news) == (False, False)


def test_a_start_that_is_known_is_not_added_again() -> None:
    ended = known("ended", ended_at=T0 + 5000, end_heard_at=T0 + 5000, duration_s=5)
    again = decide(heard(Event.START, T0 + 6000, call_ref="a"), [ended], 2)
    assert again == Decision(ended, EventKind.CALL_STARTED, repeat=True)


def test_what_an_exchange_attaches_is_kept_as_it_was_said_first() -> None:
    call = known(attached=("vendas", None))
    assert decide(heard(Event.START, call_ref="a", attached=("suporte", "4000")), [call], 2).call.attached == (
        "vendas",
        "4000",
    )
    assert decide(heard(Event.END, attached=(None, "4000")), [call], 2).call.attached == ("vendas", "4000")
    assert decide(heard(Event.END), [call], 2).call.attached == ("vendas", None)
    assert decide(heard(Event.START, attached=("vendas", None)), [], 2).call.attached == ("vendas", None)


def test_only_what_was_heard_before_is_a_repeat_and_only_a_new_call_is_new() -> None:
    ordered = decide_order(PlacedOrder(5, Direction.OUTGOING, "3501", NUMBER, NUMBER, T0), 1)
    started, ended = decide(heard(Event.START), [], 2), decide(heard(Event.END), [], 2)
    assert [(done.is_new, done.repeat) for done in (ordered, started, ended)] == [(True, False)] * 3
    assert [done.is_news for done in (ordered, started, ended)] == [False, True, True]
    rings, over = decide(heard(Event.START), [known("ordered")], 2), decide(heard(Event.END), [known()], 2)
    assert [(done.is_new, done.repeat, done.is_news) for done in (rings, over)] == [(False, False, True)] * 2


def test_an_answer_says_who_took_the_call_and_how_long_it_rang() -> None:
    call = decide(heard(Event.ANSWER, T0 + 7000, call_ref="a", agent="ana"), [known()], 2)
    assert (call.call.status, call.call.answered_at, call.call.answer_heard_at) == ("talking", T0 + 7000, T0 + 7000)
    assert (call.call.answered_by, call.call.answered_agent) == ("3501", "ana")
    assert (call.call.ring_s, call.call.talk_s, call.is_news, call.repeat) == (7, None, True, False)
    ended = decide(heard(Event.END, T0 + 67_400, call_ref="a"), [call.call], 2).call
    assert (ended.duration_s, ended.ring_s, ended.talk_s, ended.answered_by) == (67, 7, 60, "3501")
    said = decide(heard(Event.ANSWER, T0 + 7000, call_ref="a", occurred_at=T0 + 4000), [known()], 2).call
    assert (said.answered_at, said.answer_heard_at, said.ring_s) == (T0 + 4000, T0 + 7000, 4)


def test_the_other_side_of_a_call_that_we_made_is_no_extension() -> None:
    made = known()._replace(direction="outgoing")
    answer = heard(Event.ANSWER, T0 + 7000, call_ref="a", agent="ana")._replace(direction=Direction.OUTGOING)
    call = decide(answer, [made], 2).call
    assert (call.status, call.ring_s, call.answered_by, call.answered_agent) == ("talking", 7, None, None)


def test_who_took_a_call_stays_what_was_said_first() -> None:
    talking = decide(heard(Event.ANSWER, T0 + 7000, call_ref="a", agent="ana"), [known()], 2).call
    again = decide(heard(Event.ANSWER, T0 + 9000, call_ref="a", agent="bruno"), [talking], 2)
    assert (again.call, again.repeat, again.is_news) == (talking, True, False)


def test_an_answer_that_its_end_overtook_is_added() -> None:
    ended = known("ended", ended_at=T0 + 60_000, end_heard_at=T0 + 60_000, duration_s=60)
    late = decide(heard(Event.ANSWER, T0 + 61_000, call_ref="a", occurred_at=T0 + 5000), [ended], 2)
    assert (late.call.status, late.call.answered_at, late.call.ended_at) == ("ended", T0 + 5000, T0 + 60_000)
    assert (late.call.ring_s, late.call.talk_s, late.call.duration_s) == (5, 55, 60)
    assert (late.repeat, late.is_news) == (False, True)


def test_a_start_that_its_answer_overtook_is_added_and_shows_nothing_new() -> None:
    answered = decide(heard(Event.ANSWER, T0 + 5000), [], 2)
    assert (answered.is_new, answered.call.status, answered.call.started_at) == (True, "talking", None)
    assert answered.is_news
    started = decide(heard(Event.START, T0 + 6000, occurred_at=T0), [answered.call], 3)
    assert (started.call.id, started.call.status, started.call.started_at) == (2, "talking", T0)
    assert (started.call.ring_s, started.call.duration_s, started.repeat) == (5, None, False)
    again = decide(heard(Event.START, T0 + 7000, occurred_at=T0), [started.call], 3)
    assert (again.call, again.repeat, again.is_news) == (started.call, True, False)


def test_how_long_nobody_took_it_is_how_long_it_rang() -> None:
    call = decide(heard(Event.END, T0 + 20_000, result_text="NO ANSWER"), [known()], 2).call
    assert (call.ring_s, call.talk_s) == (20, None)
    assert decide(heard(Event.END, T0 + 20_000), [known()], 2).call.ring_s is None


def test_an_answer_at_one_extension_ends_the_ringing_at_the_others() -> None:
    mine, other = known(group_id=1), known(group_id=1)._replace(id=2, extension="3502")
    done = decide(heard(Event.ANSWER, T0 + 4000, call_ref="a", agent="ana"), [mine, other], 9)
    gone = other._replace(
        status="elsewhere", ended_at=T0 + 4000, duration_s=0, answered_by="3501", answered_agent="ana"
    )
    assert done.others == (CallChange(gone, EventKind.CALL_ENDED),)


def test_an_answer_where_it_did_not_ring_opens_a_call_there_that_waited_as_long() -> None:
    rang = known(call_ref=None)
    done = decide(heard(Event.ANSWER, T0 + 9000, extension="3502"), [rang], 2)
    assert (done.is_new, done.call.extension, done.call.status, done.call.group_id) == (True, "3502", "talking", 1)
    assert (done.call.started_at, done.call.ring_s, done.call.paired_by) == (T0, 9, "transfer")
    (gone,) = done.others
    assert (gone.call.id, gone.call.status, gone.call.group_id, gone.call.answered_by) == (1, "elsewhere", 1, "3502")


def test_an_answer_says_nothing_of_a_call_that_a_colleague_speaks_in_or_made() -> None:
    by_id = decide(heard(Event.ANSWER, T0 + 9000, extension="3502", call_ref="a"), [known("talking")], 2)
    assert (by_id.others, by_id.call.status, by_id.call.extension, by_id.call.group_id) == ((), "talking", "3501", None)
    assert [(leg.extension, leg.talks) for leg in by_id.call.legs] == [("3501", True), ("3502", True)]
    dialled = known(call_ref=None)._replace(direction="outgoing")
    answer = heard(Event.ANSWER, T0 + 900, extension="3502")._replace(direction=Direction.OUTGOING)
    assert decide(answer, [dialled], 2).others == ()


def test_an_end_says_how_long_it_was_or_the_clock_does() -> None:
    assert decide(heard(Event.END, T0 + 65_400), [known()], 2).call.duration_s == 65
    assert decide(heard(Event.END, T0 + 65_400, duration_s=60), [known()], 2).call.duration_s == 60
    assert decide(heard(Event.END, T0 + 65_400, occurred_at=T0 + 30_000), [known()], 2).call.duration_s == 30
    assert decide(heard(Event.END, T0 - 1000), [known()], 2).call.duration_s == 0
    assert decide(heard(Event.END), [known(started_at=None)], 2).call.duration_s is None


def test_an_end_keeps_the_recording_that_is_known_and_takes_a_newer_one() -> None:
    call = known("lost", recording_url="http://pbx/1.wav")
    assert decide(heard(Event.END), [call], 2).call.recording_url == "http://pbx/1.wav"
    assert (
        decide(heard(Event.END, recording_url="http://pbx/2.wav"), [call], 2).call.recording_url == "http://pbx/2.wav"
    )


def test_an_end_at_another_extension_says_where_the_call_went() -> None:
    assert decide(heard(Event.END, call_ref="a"), [known()], 2).call.transferred_to is None
    assert decide(heard(Event.END, call_ref="a", extension="3502"), [known()], 2).call.transferred_to == "3502"
    assert decide(heard(Event.END, call_ref="a", extension=NUMBER), [known()], 2).call.transferred_to is None
    internal = heard(Event.END, call_ref="a", extension="3502")._replace(direction=Direction.INTERNAL)
    assert decide(internal, [known()], 2).call.transferred_to is None


def test_an_end_heard_again_adds_only_what_is_missing_and_is_news_only_then() -> None:
    ended = known("ended", ended_at=T0 + 9000, end_heard_at=T0 + 9000, duration_s=9, result="busy", result_text="BUSY")
    ended = ended._replace(ring_s=9, missed=True)
    again = decide(heard(Event.END, recording_url="http://pbx/1.wav", duration_s=8, result_text="ANSWERED"), [ended], 2)
    assert again.is_new  # another duration: another call
    again = decide(heard(Event.END, recording_url="http://pbx/1.wav", duration_s=9, result_text="ANSWERED"), [ended], 2)
    assert again == Decision(
        ended._replace(recording_url="http://pbx/1.wav"), EventKind.CALL_ENDED, repeat=True, is_news=True
    )
    assert decide(heard(Event.END), [ended], 2) == Decision(ended, EventKind.CALL_ENDED, repeat=True)
    bare = ended._replace(duration_s=None, result=None, result_text=None)
    told = decide(heard(Event.END, duration_s=7, result_text="Ocupado"), [bare], 2).call
    assert (told.duration_s, told.result, told.result_text) == (7, "busy", "Ocupado")


def test_a_repeat_tells_the_exchange_s_id_where_none_was_known() -> None:
    again = decide(heard(Event.START, call_ref="x"), [known(call_ref=None)], 2)
    assert (again.call.call_ref, again.repeat, again.is_news) == ("x", True, False)
    ended = known("ended", call_ref=None, ended_at=T0, end_heard_at=T0 + 9000)
    assert decide(heard(Event.END, call_ref="x"), [ended], 2) == Decision(
        ended._replace(call_ref="x", ref_space=""), EventKind.CALL_ENDED, repeat=True
    )


def test_what_others_say_of_a_call_is_kept() -> None:
    assert decide_about(known(), MarkedOver("ana", T0 + 5)) == CallChange(
        known("over", over_by="ana", over_at=T0 + 5), EventKind.CALL_ENDED
    )
    assert decide_about(known(), NoEnd()) == CallChange(known("lost"), EventKind.CALL_LOST)
    assert decide_about(known(), TakenElsewhere(T0 + 5)) == CallChange(
        known("elsewhere", ended_at=T0 + 5, duration_s=0), EventKind.CALL_ENDED
    )
    ordered = known("ordered")
    assert decide_about(ordered, SettledOrder("unknown", T0)).call == known("unknown")
    refused = decide_about(ordered, SettledOrder("unreachable", T0 + 5))
    assert refused == CallChange(known("unreachable", ended_at=T0 + 5, duration_s=0), EventKind.ORDER_SETTLED)


def test_an_order_is_a_call_before_anybody_dials() -> None:
    ledger = Ledger()
    assert ledger.order("3501", "(47) 3210-0123", T0) == Call(
        1, "outgoing", "3501", NUMBER, "(47) 3210-0123", T0, "ordered", started_at=T0, order_id=1
    )
    assert ledger.order("3501", "3502", T0).direction == "internal"
    assert ledger.log[0].kind is EventKind.ORDER_PLACED


# several calls at once


def test_the_first_of_a_group_learns_that_it_is_one_and_nobody_is_told() -> None:
    first, third = known(call_ref=None), known(call_ref=None, group_id=1)._replace(id=3, extension="3503")
    second = decide(heard(Event.START, T0 + 1000, extension="3502"), [first], 2)
    assert (second.call.group_id, second.others) == (1, (CallChange(first._replace(group_id=1), None),))
    later = decide(heard(Event.START, T0 + 1000, extension="3502"), [third], 4)
    assert (later.call.group_id, later.others) == (1, ())


def test_those_who_still_ring_hear_that_another_took_it() -> None:
    mine, other = known(group_id=1), known(group_id=1)._replace(id=2, extension="3502", call_ref="b")
    ended, *strangers = (
        other._replace(id=3, status="ended"),
        other._replace(id=4, group_id=0),
        other._replace(id=5, group_id=9),
    )
    calls = [mine, other, ended, *strangers]
    done = decide(heard(Event.END, T0 + 300_000, call_ref="a"), calls, 9)
    gone = other._replace(status="elsewhere", ended_at=T0 + 300_000, duration_s=0, answered_by="3501")
    assert done.others == (CallChange(gone, EventKind.CALL_ENDED),)
    assert decide(heard(Event.END, T0 + 9000, call_ref="a"), calls, 9).others == ()
    answered = decide(heard(Event.END, T0 + 9000, call_ref="a", result_text="ANSWERED"), calls, 9)
    assert answered.others == (CallChange(gone._replace(ended_at=T0 + 9000), EventKind.CALL_ENDED),)
    apart = [call._replace(group_id=None) for call in calls]
    assert decide(heard(Event.END, T0 + 300_000, call_ref="a"), apart, 9).others == ()


def test_only_the_end_that_closes_a_call_says_something_of_its_group() -> None:
    ended = known("ended", group_id=1, ended_at=T0, end_heard_at=T0 + 9000)
    late = ended._replace(start_heard_at=None)
    other = known(group_id=1)._replace(id=2, extension="3502", call_ref="b")
    assert decide(heard(Event.END, call_ref="a", result_text="ANSWERED"), [ended, other], 9).others == ()
    assert decide(heard(Event.START, T0 + 300_000, call_ref="a"), [late, other], 9).others == ()


def test_the_other_reading_of_a_number_is_taken_only_for_an_ordered_call() -> None:
    ordered = known("accepted", call_ref=None, order_id=5)
    by_hand = known(call_ref=None)._replace(id=2)
    event = heard(Event.START, number="94732100123", perhaps=NUMBER)
    assert decide(event, [ordered, by_hand], 3).call.id == 1
    assert decide(event, [by_hand], 3).is_new
    rings = by_hand._replace(number="94732100123")
    assert decide(event, [ordered, rings], 3).call.id == 2
    assert decide(event._replace(perhaps=None), [ordered], 3).is_new
    assert decide(heard(Event.END, number="94732100123", perhaps=NUMBER), [ordered], 3).call.id == 1


def test_a_transfer_told_again_is_about_what_the_first_one_opened() -> None:
    ledger = Ledger()
    ledger.start("3501", NUMBER, T0)
    first = ledger.transfer("3501", NUMBER, "3502", T0 + 9000)
    known_before = dict(ledger.calls)
    again = ledger.transfer("3501", NUMBER, "3502", T0 + 9500)
    assert (first.call.id, again.call.id, again.repeat, again.is_news) == (2, 2, True, False)
    assert ledger.calls == known_before


def test_a_transfer_to_where_the_call_is_changes_nothing() -> None:
    ledger = Ledger()
    before = ledger.start("3501", NUMBER, T0).call
    done = ledger.transfer("3501", NUMBER, "3501", T0 + 9000)
    assert (done.call, done.repeat, done.is_news) == (before, True, False)
    assert list(ledger.calls.values()) == [before]


def test_a_call_of_which_only_the_end_is_known_began_when_that_says() -> None:
    told = heard(Event.END, T0, started_at=T0 - 173_000, answered_at=T0 - 161_000, duration_s=161)
    call = decide(told, [], 1).call
    assert (call.started_at, call.ring_s, call.talk_s, call.duration_s) == (T0 - 173_000, 12, 161, 161)
    later = heard(Event.END, T0, occurred_at=T0 - 5_000, started_at=T0 + 5_000)
    assert decide(later, [], 1).call.started_at == T0 - 5_000
