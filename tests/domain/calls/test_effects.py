"""What each effect makes of a call."""

from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.effects import EFFECTS, Case, measured
from gateway.domain.calls.heard import FellSilent, HeardEvent
from gateway.domain.calls.legs import LOST, Leg
from gateway.domain.calls.results import NOT_ANSWERED, Result
from gateway.domain.calls.states import STATES, Effect, Event, State
from gateway.domain.messages import Direction
from tests.domain.calls.ledger import read_back

T0 = 1_780_000_000_000
NUMBER = "4732100123"


def heard(at: int = T0, event: Event = Event.END, **more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"direction": Direction.INCOMING, "extension": "3501", "number": NUMBER, "known": True}
    return HeardEvent(event, at=at, **(plain | more))


def call(status: str = "ringing", **more: Any) -> Call:
    return read_back(Call(1, "incoming", "3501", NUMBER, NUMBER, T0, status)._replace(**more))


def done(
    effect: Effect, known: Call, event: Any, *, status: str = "talking", rule: PairingRule = PairingRule.PAIR
) -> Call:
    return EFFECTS[effect](Case(event, known, rule, status))


def differs(now: Call, before: Call) -> dict[str, Any]:
    """What of a call has changed."""
    pairs = zip(Call._fields, now, before, strict=True)
    return {name: mine for name, mine, its in pairs if mine != its}


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [(T0, T0, 0), (T0, T0 + 1600, 2), (T0, T0 + 1400, 1), (T0, T0 - 5000, 0), (None, T0, None), (T0, None, None)],
)
def test_seconds_are_rounded_and_never_less_than_none(
    since: int | None, until: int | None, seconds: int | None
) -> None:
    assert measured(call(answered_at=since, ended_at=until)).talk_s == seconds


@pytest.mark.parametrize("result", [None, *Result])
def test_a_call_that_nobody_took_rang_until_its_end(result: str | None) -> None:
    ended = call("ended", started_at=T0, ended_at=T0 + 9000, result=result)
    assert measured(ended).ring_s == (9 if result in NOT_ANSWERED else None)
    assert measured(ended._replace(answered_at=T0 + 4000)).ring_s == 4
    assert measured(ended._replace(answered_at=0)).ring_s == 0


def test_an_order_rings_from_the_moment_that_is_said() -> None:
    ordered = call("accepted", ended_at=T0, duration_s=0)
    rings = done(Effect.RING, ordered, heard(T0 + 9, occurred_at=T0 + 7), status="ringing", rule=PairingRule.ORDER)
    told = {"status": "ringing", "started_at": T0 + 7, "start_heard_at": T0 + 9, "paired_by": "order"}
    assert differs(rings, ordered) == told | {"ended_at": None, "duration_s": None}
    assert done(Effect.RING, ordered, heard(T0 + 9)).started_at == T0 + 9


@pytest.mark.parametrize(("began", "starts"), [(None, T0 + 9), (T0 + 5, T0 + 5), (T0 + 20, T0 + 9)])
def test_a_call_began_when_it_was_first_told_of(began: int | None, starts: int) -> None:
    assert done(Effect.RING_HERE, call("waiting", started_at=began), heard(T0 + 9)).started_at == starts


def test_a_call_that_was_over_rings_anew() -> None:
    over = call("ended", started_at=T0, ended_at=T0 + 9, duration_s=1, result="missed", end_heard_at=T0 + 9)
    rings = done(Effect.RING_AGAIN, over, heard(), status="ringing")
    gone = dict.fromkeys(("ended_at", "duration_s", "result", "end_heard_at"))
    assert differs(rings, over) == gone | {"status": "ringing"}


def test_a_leg_more_leaves_the_start_as_it_was() -> None:
    known = call(started_at=T0, start_heard_at=T0 + 1)
    assert differs(done(Effect.ADD_LEG, known, heard(T0 + 9), status="ringing"), known) == {}
    told = differs(done(Effect.ADD_LEG, call(), heard(T0 + 9, occurred_at=T0 + 7), status="ringing"), call())
    assert told == {"started_at": T0 + 7, "start_heard_at": T0 + 9}


@pytest.mark.parametrize(
    ("known", "said", "told"),
    [
        ({}, None, None),
        ({"ended_at": T0 + 9000, "start_heard_at": T0}, None, None),
        ({"ended_at": T0 + 9000}, T0 + 2000, (T0 + 2000, 7, None)),
        ({"ended_at": T0 + 9000}, T0 + 30_000, (T0 + 9000, 0, None)),
        ({"ended_at": T0 + 9000, "answered_at": T0 + 5000}, T0 + 30_000, (T0 + 5000, 4, 0)),
        ({"ended_at": T0 + 9000}, None, (T0 + 9000, 0, None)),
        ({"ended_at": T0 + 9000, "started_at": T0 + 1000, "duration_s": 3}, T0, (T0 + 1000, 3, None)),
        ({"answered_at": T0 + 5000}, T0, (T0, None, 5)),
    ],
)
def test_a_start_that_was_overtaken_is_added(
    known: dict[str, Any], said: int | None, told: tuple[int, int | None, int | None] | None
) -> None:
    before = call("ended", **known)
    after = done(Effect.ADD_START, before, heard(T0 + 20_000, occurred_at=said), rule=PairingRule.LATE)
    if told is None:
        assert after == before
        return
    assert (after.started_at, after.duration_s, after.ring_s) == told
    assert (after.start_heard_at, after.paired_by) == (T0 + 20_000, "late")


@pytest.mark.parametrize("direction", list(Direction))
def test_an_answer_says_who_took_a_call_that_came_in(direction: str) -> None:
    before = call("elsewhere", direction=direction, ended_at=T0, duration_s=0, started_at=T0, queued_at=T0)
    event = heard(T0 + 9000, occurred_at=T0 + 8000, agent="ana", extension="3502")
    taken = done(Effect.ANSWER, before, event)
    who = (None, None) if direction == "outgoing" else ("3502", "ana")
    assert (taken.answered_by, taken.answered_agent) == who
    assert (taken.answered_at, taken.answer_heard_at, taken.ring_s) == (T0 + 8000, T0 + 9000, 8)
    assert (taken.status, taken.ended_at, taken.duration_s, taken.paired_by) == ("talking", None, None, "pair")
    assert (taken.queue_left_at, taken.waited_s) == (T0 + 8000, 8)
    assert done(Effect.ANSWER, before, event._replace(answered_at=T0 + 5000)).answered_at == T0 + 5000
    assert done(Effect.ANSWER, before, event._replace(answered_at=T0 + 5000)).waited_s == 5


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("text", [None, "NOANSWER"])
def test_an_answer_told_late_says_that_a_call_was_answered_unless_its_end_said_how(
    status: str, text: str | None
) -> None:
    before = call(status, result="missed", result_text=text)
    after = done(Effect.ADD_ANSWER, before, heard(T0 + 9))
    said = "answered" if STATES[status] is State.ENDED and text is None else "missed"
    assert (after.result, after.answered_at, after.status) == (said, T0 + 9, status)
    taken = before._replace(answered_at=0)
    assert done(Effect.ADD_ANSWER, taken, heard(T0 + 9)) == taken


@pytest.mark.parametrize("status", STATES)
def test_a_hold_says_that_somebody_took_the_call(status: str) -> None:
    talks = STATES[status] is State.TALKING
    before = call(status)
    held = done(Effect.HOLD, before, heard(T0 + 9, occurred_at=T0 + 7))
    assert (held.held_at, held.answered_at) == (T0 + 7, None if talks else T0 + 7)
    assert done(Effect.HOLD, before._replace(held_at=0), heard(T0 + 9)).held_at == 0
    resumed = done(Effect.RESUME, before._replace(held_at=T0), heard(T0 + 9))
    assert (resumed.held_at, resumed.answered_at) == (None, None if talks else T0 + 9)


@pytest.mark.parametrize(
    ("answered_at", "result", "attended", "how"),
    [(None, "forwarded", None, "blind"), (T0, "answered", None, "blind"), (0, "answered", True, "attended")],
)
def test_a_transfer_closes_the_call_here(answered_at: int | None, result: str, attended: bool | None, how: str) -> None:
    before = call("talking", started_at=T0, answered_at=answered_at, held_at=T0)
    event = heard(T0 + 9000, occurred_at=T0 + 7000, to="3502", attended=attended)
    after = done(Effect.MOVE, before, event, status="ended")
    assert (after.status, after.ended_at, after.duration_s, after.result) == ("ended", T0 + 7000, 7, result)
    assert (after.transferred_to, after.transfer, after.held_at, after.paired_by) == ("3502", how, None, "pair")
    assert done(Effect.MOVE, before, heard(T0 + 9000)).ended_at == T0 + 9000


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize(("attended", "how"), [(None, None), (True, "attended"), (False, "blind")])
def test_a_call_handed_on_was_spoken_of_where_it_is_talked_in_already(
    status: str, attended: bool | None, how: str | None
) -> None:
    before = call("talking", held_at=T0, ended_at=T0)
    handed = done(Effect.HAND_ON, before, heard(to="3502", attended=attended), status=status)
    assert handed.transfer == how or (handed.transfer == ("attended" if status == "talking" else "blind") and not how)
    assert (handed.transferred_to, handed.held_at, handed.ended_at) == ("3502", None, None)


def test_who_gives_up_waiting_ends_the_call() -> None:
    before = call("waiting", started_at=T0, queued_at=T0 + 1000, held_at=T0)
    gone = done(Effect.ABANDON, before, heard(T0 + 9000, occurred_at=T0 + 8000), status="ended")
    assert (gone.status, gone.ended_at, gone.end_heard_at, gone.duration_s) == ("ended", T0 + 8000, T0 + 9000, 8)
    assert (gone.result, gone.waited_s, gone.ring_s, gone.held_at, gone.paired_by) == ("abandoned", 7, 8, None, "pair")


@pytest.mark.parametrize("event", list(Event))
def test_a_wait_told_late_is_added(event: Event) -> None:
    before = call("ended", started_at=T0, ended_at=T0 + 9000, result="missed")
    after = done(Effect.ADD_QUEUE, before, heard(event=event, waited_s=7))
    assert (after.waited_s, after.result) == (7, "abandoned" if event is Event.ABANDON else "missed")


@pytest.mark.parametrize("effect", [Effect.LEAVE, Effect.NOTE])
def test_a_recording_told_besides_is_kept_unless_there_is_one(effect: Effect) -> None:
    event = heard(recording_url="http://pbx/2", waited_s=7)
    assert done(effect, call(), event, status="ringing").recording_url == "http://pbx/2"
    assert done(effect, call(recording_url="http://pbx/1"), event).recording_url == "http://pbx/1"
    assert done(Effect.NOTE, call(), event).waited_s == 7
    assert done(Effect.LEAVE, call(held_at=T0), event, status="ringing").held_at is None
    assert done(Effect.LEAVE, call(held_at=T0), event, status="talking").held_at == T0


@pytest.mark.parametrize("event", [Event.ANSWER, Event.HOLD, Event.RESUME])
def test_a_leg_that_is_over_was_talked_in_as_is_told_late(event: Event) -> None:
    assert done(Effect.LEAVE, call(), heard(T0 + 9, event), status="ringing").answered_at == T0 + 9
    taken = call(answered_at=T0)
    assert done(Effect.LEAVE, taken, heard(T0 + 9, event), status="ringing") == taken


LEGS = (
    Leg("3501", T0, T0 + 1000, T0 + 5000, "answered"),
    Leg("3502", T0 + 2000),
    Leg("3503", T0, None, T0 + 3000, "missed"),
)


def test_a_call_of_whose_last_legs_nothing_is_heard_ended_with_the_last_that_was() -> None:
    before = call("ringing", started_at=T0, legs=LEGS, held_at=T0)
    after = done(Effect.SILENCE, before, FellSilent(), status="ended")
    assert (after.status, after.ended_at, after.duration_s, after.result) == ("ended", T0 + 5000, 5, "answered")
    assert after.legs == (LEGS[0], Leg("3502", T0 + 2000, None, T0 + 5000, None)._replace(result=LOST), LEGS[2])
    assert after.held_at is None


@pytest.mark.parametrize(
    ("results", "result"),
    [
        (("missed", "busy"), "busy"),
        (("answered", "busy"), "answered"),
        (("busy", None), "unknown"),
        (("busy", "answered"), "answered"),
        (("abandoned", "busy"), "busy"),
    ],
)
def test_a_call_ended_as_its_last_leg_did_unless_any_was_answered(results: tuple[str | None, ...], result: str) -> None:
    legs = tuple(Leg(f"350{n}", T0, None, T0 + n, said and "".join(said)) for n, said in enumerate(results))
    assert done(Effect.SILENCE, call(legs=legs), FellSilent()).result == result


# ends


def test_an_end_says_all_that_is_known_of_it() -> None:
    before = call("talking", started_at=T0, answered_at=T0 + 2000, held_at=T0, cause=None)
    event = heard(T0 + 9000, occurred_at=T0 + 8000, recording_url="http://pbx/1", result_text="ANSWERED", cause="16")
    told = differs(done(Effect.CLOSE, before, event, status="ended"), before)
    assert told == {
        "status": "ended",
        "ended_at": T0 + 8000,
        "duration_s": 8,
        "end_heard_at": T0 + 9000,
        "recording_url": "http://pbx/1",
        "paired_by": "pair",
        "result": "answered",
        "result_text": "ANSWERED",
        "held_at": None,
        "ring_s": 2,
        "talk_s": 6,
        "cause": "16",
    }
    again = done(Effect.CLOSE, before._replace(cause="17", recording_url="http://pbx/0"), heard(T0 + 9000, cause="16"))
    assert (again.cause, again.recording_url, again.ended_at) == ("17", "http://pbx/0", T0 + 9000)


@pytest.mark.parametrize(
    ("legs", "said", "duration_s"),
    [((), 3, 3), ((), 0, 0), ((), None, 9), (LEGS, 3, 3), ((*LEGS, Leg("3504", T0, T0 + 6000)), 3, 9)],
)
def test_a_call_is_as_long_as_its_end_says_unless_several_talked(
    legs: tuple[Leg, ...], said: int | None, duration_s: int
) -> None:
    before = call("talking", started_at=T0, legs=legs)
    assert done(Effect.CLOSE, before, heard(T0 + 9000, duration_s=said)).duration_s == duration_s


@pytest.mark.parametrize(
    ("event", "known", "rule", "to"),
    [
        ({"extension": "3502"}, {}, PairingRule.TRANSFER, "3502"),
        ({"extension": "3502"}, {"transferred_to": "3509"}, PairingRule.TRANSFER, "3502"),
        ({"extension": "3501"}, {"transferred_to": "3509"}, PairingRule.PAIR, "3509"),
        ({"extension": ""}, {}, PairingRule.QUEUE, None),
        ({"extension": NUMBER}, {}, PairingRule.CALL_ID, None),
        ({"extension": "3502", "direction": Direction.INTERNAL}, {}, PairingRule.PAIR, None),
        ({"extension": "3502"}, {}, PairingRule.CALL_ID, "3502"),
        ({"extension": "3502"}, {"group_id": 1}, PairingRule.CALL_ID, "3502"),
        ({"extension": "3502"}, {"group_id": 2}, PairingRule.CALL_ID, None),
        ({"extension": "3502"}, {"group_id": 0}, PairingRule.CALL_ID, None),
        *[({"extension": "3502"}, {"group_id": 2}, rule, "3502") for rule in PairingRule if rule != "call-id"],
        ({"extension": "3502"}, {"legs": (Leg("3501", T0), Leg("3502", T0))}, PairingRule.PAIR, None),
    ],
)
def test_an_end_at_another_extension_says_where_the_call_went(
    event: dict[str, Any], known: dict[str, Any], rule: PairingRule, to: str | None
) -> None:
    assert done(Effect.CLOSE, call("talking", **known), heard(**event), rule=rule).transferred_to == to


def test_an_end_tells_an_answer_and_a_wait_that_nobody_told_before() -> None:
    before = call("ringing", started_at=T0)
    ended = done(Effect.CLOSE, before, heard(T0 + 9000, answered_at=T0 + 4000, waited_s=3))
    assert (ended.answered_at, ended.ring_s, ended.talk_s, ended.waited_s) == (T0 + 4000, 4, 5, 3)
    kept = done(Effect.CLOSE, before._replace(answered_at=T0 + 1000), heard(T0 + 9000, answered_at=T0 + 4000))
    assert (kept.answered_at, kept.waited_s) == (T0 + 1000, None)


@pytest.mark.parametrize(
    ("known", "event", "result"),
    [
        ({}, {}, ("unknown", None)),
        ({"answered_at": 0}, {}, ("answered", None)),
        ({}, {"duration_s": 3}, ("answered", None)),
        ({}, {"duration_s": 0}, ("unknown", None)),
        ({}, {"recording_url": "http://pbx/1"}, ("answered", None)),
        ({"recording_url": "http://pbx/1"}, {}, ("answered", None)),
        ({}, {"result_text": "BUSY"}, ("busy", "BUSY")),
        ({"answered_at": T0}, {"result_text": "BUSY"}, ("busy", "BUSY")),
        ({"legs": LEGS}, {"result_text": "BUSY"}, ("answered", "BUSY")),
        ({"legs": LEGS[1:]}, {"result_text": "BUSY"}, ("busy", "BUSY")),
        ({"legs": LEGS}, {"result_text": "???"}, ("unknown", "???")),
        ({"legs": (Leg("3501", result="abandoned"),)}, {"result_text": "BUSY"}, ("busy", "BUSY")),
        ({}, {"result_text": "16", "duration_s": 0}, ("missed", "16")),
    ],
)
def test_a_call_ended_as_its_end_says_else_as_what_is_known_shows(
    known: dict[str, Any], event: dict[str, Any], result: tuple[str, str | None]
) -> None:
    ended = done(Effect.CLOSE, call("ringing", **known), heard(**event))
    assert (ended.result, ended.result_text) == result


FIRST_END = {"started_at": T0, "ended_at": T0 + 5000, "end_heard_at": T0 + 5000, "result": "unknown"}


@pytest.mark.parametrize(
    ("known", "event", "told"),
    [
        ({}, {}, {}),
        ({}, {"recording_url": "http://pbx/1"}, {"recording_url": "http://pbx/1", "result": "answered"}),
        ({"recording_url": "http://pbx/0", "result": "answered"}, {"recording_url": "http://pbx/1"}, {}),
        ({}, {"duration_s": 7}, {"duration_s": 7, "result": "answered"}),
        ({"duration_s": 5}, {"duration_s": 7}, {"result": "answered"}),
        ({}, {"result_text": "BUSY"}, {"result": "busy", "result_text": "BUSY", "ring_s": 5}),
        ({"result": "busy", "result_text": "BUSY", "ring_s": 5}, {"result_text": "ANSWERED"}, {}),
        ({"end_heard_at": None}, {}, {"end_heard_at": T0 + 9000}),
        ({}, {"cause": "16"}, {"cause": "16"}),
        ({"cause": "17"}, {"cause": "16"}, {}),
        ({"result": "abandoned", "ring_s": 5}, {"result_text": "16"}, {"result_text": "16"}),
        ({"result": "abandoned", "ring_s": 5}, {}, {}),
        ({"result": "abandoned"}, {"duration_s": 7}, {"duration_s": 7, "result": "answered"}),
        ({"result": "missed", "ring_s": 5}, {"result_text": "BUSY"}, {"result": "busy", "result_text": "BUSY"}),
        ({"result": "missed", "ring_s": 5}, {}, {}),
    ],
)
def test_an_end_told_again_adds_only_what_the_first_did_not_say(
    known: dict[str, Any], event: dict[str, Any], told: dict[str, Any]
) -> None:
    before = call("ended", **(FIRST_END | known))
    assert differs(done(Effect.ADD_END, before, heard(T0 + 9000, **event), status="ended"), before) == told


def test_an_end_where_one_was_only_thought_to_be_over_is_the_end() -> None:
    legs = (Leg("3501", T0, T0 + 1000, T0 + 5000, "answered"), Leg("3502", T0, None, T0 + 5000, "".join(["lo", "st"])))
    before = call("ended", **(FIRST_END | {"legs": legs}))
    assert done(Effect.ADD_END, before, heard(T0 + 9000), status="ended").ended_at == T0 + 9000
    assert done(Effect.ADD_END, before._replace(legs=legs[:1]), heard(T0 + 9000)).ended_at == T0 + 5000
    other = legs[1]._replace(result="missed"), legs[0]._replace(result="elsewhere")
    assert done(Effect.ADD_END, before._replace(legs=other), heard(T0 + 9000)).ended_at == T0 + 5000


def test_what_was_heard_again_and_says_nothing_leaves_the_very_call() -> None:
    """Measures that a call came with are not made anew."""
    before = call("ended", **(FIRST_END | {"ring_s": 77}))
    assert done(Effect.ADD_END, before, heard(T0 + 9000)) == before
