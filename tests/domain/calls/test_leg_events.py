"""What an event means for a call with several legs, and how these stand afterwards."""

from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.leg_events import after_event, event_at
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import GOING_ON, STATES, Event, State
from gateway.domain.messages import Direction
from tests.domain.calls.ledger import read_back

T0 = 1_780_000_000_000
NUMBER = "4732100123"
RANG_LONG = 120_000
NAMES = ("3501", "3502", "3503")


def heard(event: Event, at: int = T0, **more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"direction": Direction.INCOMING, "extension": "3501", "number": NUMBER, "known": True}
    return HeardEvent(event, at=at, **(plain | {"call_ref": "a"} | more))


def call(status: str = "ringing", *legs: Leg, **more: Any) -> Call:
    plain = Call(1, "incoming", "3501", NUMBER, NUMBER, T0, status, started_at=T0, call_ref="".join("a"))
    return read_back(plain._replace(legs=tuple(read(leg) for leg in legs), **more))


def read(leg: Leg) -> Leg:
    """A leg whose texts are other objects, as those from a database are."""
    return leg._replace(extension="".join([leg.extension[:2], leg.extension[2:]]))


def rings(extension: str, at: int = T0) -> Leg:
    return Leg(extension, at)


def talks(extension: str, at: int = T0 + 1000) -> Leg:
    return Leg(extension, T0, at)


def over(extension: str, at: int = T0 + 2000, **more: Any) -> Leg:
    return Leg(extension, T0, None, at, "missed")._replace(**more)


@pytest.mark.parametrize("event", list(Event))
def test_only_of_a_call_that_is_named_or_has_legs_an_event_is_about_one_leg(event: Event) -> None:
    """A start at another extension, a transfer and an end are read so."""
    at_another = heard(event, extension="3502", to="3503", also_rings=())
    read_so = {Event.START: Event.RINGS_TOO, Event.TRANSFER: Event.HANDED_ON}
    assert event_at(at_another, call()) is read_so.get(event, event)
    assert event_at(at_another._replace(call_ref=None), call()) is event
    assert event_at(at_another._replace(call_ref="b"), call()) is event
    assert event_at(at_another._replace(call_ref=None), call(call_ref=None)) is event
    with_legs = call("ringing", rings("3501"), rings("3504"), call_ref=None)
    assert event_at(at_another._replace(call_ref=None), with_legs) is read_so.get(event, event)
    waits = call("waiting", call_ref=None, queued_at=T0)
    assert event_at(at_another._replace(call_ref=None), waits) is read_so.get(event, event)
    many = at_another._replace(call_ref=None, also_rings=("3503",))
    assert event_at(many, call(call_ref=None)) is read_so.get(event, event)


# starts


def test_a_start_where_the_call_is_or_at_nobody_s_is_its_start() -> None:
    assert event_at(heard(Event.START), call()) is Event.START
    assert event_at(heard(Event.START), call(extension="")) is Event.START
    assert event_at(heard(Event.START, also_rings=("3501",)), call()) is Event.START
    assert event_at(heard(Event.START, also_rings=("3501", "3502")), call()) is Event.RINGS_TOO


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize(
    ("said", "ended_at", "overtaken"),
    [
        (T0, T0, True),
        (T0 - 1, T0, True),
        (T0 + 1, T0, False),
        (None, T0, False),
        (T0, None, False),
        (None, None, False),
    ],
)
def test_a_start_sent_before_the_end_of_the_call_rings_nowhere_any_more(
    status: str, said: int | None, ended_at: int | None, overtaken: bool
) -> None:
    known = call(status, ended_at=ended_at)
    event = event_at(heard(Event.START, extension="3502", occurred_at=said), known)
    gone = STATES[status] is State.ENDED and overtaken
    assert event is (Event.START if gone else Event.RINGS_TOO)


@pytest.mark.parametrize("status", STATES)
def test_a_leg_that_is_over_rings_anew_after_half_a_minute_or_from_a_queue(status: str) -> None:
    known = call(status, over("3501"), rings("3502"))
    waits, goes_on = STATES[status] is State.WAITING, STATES[status] in GOING_ON
    assert (event_at(heard(Event.START, T0 + 30_000), known) is Event.RINGS_TOO) is waits
    assert (event_at(heard(Event.START, T0 + 30_001), known) is Event.RINGS_TOO) is goes_on
    silent = call(status, over("3501", rang_at=None), rings("3502"))
    assert (event_at(heard(Event.START, T0 + 99_999), silent) is Event.RINGS_TOO) is waits
    still = call(status, rings("3501"), rings("3502"))
    assert event_at(heard(Event.START, T0 + 99_999), still) is Event.START


INTERNAL = {"direction": Direction.INTERNAL, "extension": "3502", "number": "3501"}


@pytest.mark.parametrize(
    ("event", "known", "turned"),
    [
        (INTERNAL, {"direction": "internal", "number": "3502"}, True),
        (INTERNAL, {"direction": "incoming", "number": "3502"}, False),
        (INTERNAL | {"direction": Direction.INCOMING}, {"direction": "internal", "number": "3502"}, False),
        (INTERNAL | {"number": "3503"}, {"direction": "internal", "number": "3502"}, False),
        (INTERNAL, {"direction": "internal", "number": "3503"}, False),
    ],
)
def test_the_two_ends_of_an_internal_call_are_told_in_any_order(
    event: dict[str, Any], known: dict[str, Any], turned: bool
) -> None:
    assert (event_at(heard(Event.START, **event), call(**known)) is Event.START) is turned


# transfers


@pytest.mark.parametrize("status", STATES)
def test_a_transfer_hands_on_a_call_that_goes_on(status: str) -> None:
    known = call(status)
    hands_on = STATES[status] in (State.ORDERED, State.NOTED, *GOING_ON)
    transfer = heard(Event.TRANSFER, to="3502")
    assert event_at(transfer, known) is (Event.HANDED_ON if hands_on else Event.TRANSFER)
    assert event_at(transfer._replace(attended=True), known) is (Event.TALKS_ALREADY if hands_on else Event.TRANSFER)
    assert event_at(transfer._replace(stays_inside=False), known) is Event.TRANSFER


@pytest.mark.parametrize(
    ("leg", "attended", "event"),
    [
        (talks("3502"), None, Event.TALKS_ALREADY),
        (talks("3502"), False, Event.TALKS_ALREADY),
        (talks("3502"), True, Event.TALKS_ALREADY),
        (rings("3502"), None, Event.HANDED_ON),
        (rings("3502"), True, Event.TALKS_ALREADY),
        (talks("3503"), None, Event.HANDED_ON),
        (over("3502", answered_at=T0), None, Event.HANDED_ON),
    ],
)
def test_a_transfer_to_one_who_talks_already_is_an_attended_one(leg: Leg, attended: bool | None, event: Event) -> None:
    known = call("talking", talks("3501"), leg)
    assert event_at(heard(Event.TRANSFER, to="3502", attended=attended), known) is event


# ends


@pytest.mark.parametrize("status", STATES)
def test_an_end_is_the_call_s_own_unless_it_goes_on_at_another_leg(status: str) -> None:
    end, goes_on = heard(Event.END, T0 + 9000), STATES[status] in GOING_ON
    assert event_at(end, call(status)) is Event.END
    assert event_at(end._replace(extension="3509"), call(status, talks("3501"), talks("3502"))) is Event.END
    expected = Event.LEG_ENDED if goes_on else Event.END
    assert event_at(end, call(status, talks("3501"), talks("3502"))) is expected
    expected = Event.RINGS_ON if goes_on else Event.END
    assert event_at(end, call(status, rings("3501"), rings("3502"))) is expected
    assert event_at(end, call(status, talks("3501"), over("3502"))) is Event.END
    assert event_at(end, call(status, rings("3501"), rings("3501"))) is Event.END


@pytest.mark.parametrize(("to", "window_ms"), [(None, 60_000), ("3502", 10_000)])
def test_an_end_of_a_leg_that_is_over_is_its_own_for_a_moment_only(to: str | None, window_ms: int) -> None:
    known = call("talking", over("3501", T0, transferred_to=to), talks("3502"))
    assert event_at(heard(Event.END, T0 + window_ms), known) is Event.LEG_ENDED
    assert event_at(heard(Event.END, T0 - window_ms), known) is Event.LEG_ENDED
    assert event_at(heard(Event.END, T0 + window_ms + 1), known) is Event.END


@pytest.mark.parametrize(
    ("leg", "other", "event", "rings_on"),
    [
        (rings("3501"), rings("3502"), {}, True),
        (rings("3501"), rings("3502"), {"at": T0 + RANG_LONG}, True),
        (rings("3501"), rings("3502"), {"at": T0 + RANG_LONG + 1}, False),
        (rings("3501"), rings("3502", T0 + RANG_LONG), {"at": T0 + RANG_LONG + 1}, False),
        (rings("3501"), rings("3502", T0 + RANG_LONG + 1), {"at": T0 + RANG_LONG + 1}, True),
        (Leg("3501"), rings("3502"), {"at": T0 + RANG_LONG + 1}, True),
        (rings("3501"), Leg("3502"), {"at": T0 + RANG_LONG + 1}, False),
        (talks("3501"), rings("3502"), {}, False),
        (talks("3501"), rings("3502", T0 + 1000), {}, False),
        (talks("3501"), rings("3502", T0 + 1001), {}, True),
        (talks("3501"), Leg("3502"), {}, False),
        (talks("3501"), rings("3502", T0 + 1001), {"result_text": "ANSWERED"}, False),
        (talks("3501"), rings("3502"), {"result_text": "???"}, False),
        (rings("3501"), rings("3502"), {"result_text": "???"}, True),
    ],
)
def test_the_end_of_one_leg_shows_whether_the_others_ring_on(
    leg: Leg, other: Leg, event: dict[str, Any], rings_on: bool
) -> None:
    end = event_at(heard(Event.END, **({"at": T0 + 5000} | event)), call("ringing", leg, other))
    assert end is (Event.RINGS_ON if rings_on else Event.END)


@pytest.mark.parametrize("result", list(Result))
def test_an_end_that_says_how_shows_whether_the_others_ring_on(result: Result) -> None:
    text = "???" if result is Result.UNKNOWN else result
    end = heard(Event.END, T0 + 5000, result_text=text)
    assert event_at(end, call("ringing", rings("3501"), rings("3502"))) is (
        Event.END if result is Result.ANSWERED else Event.RINGS_ON
    )


@pytest.mark.parametrize(
    ("event", "known", "waits_on"),
    [
        ({}, {}, True),
        ({"at": T0 + RANG_LONG}, {}, True),
        ({"at": T0 + RANG_LONG + 1}, {}, False),
        ({"at": T0 + RANG_LONG + 1}, {"started_at": None}, True),
        ({"duration_s": 3}, {}, False),
        ({"recording_url": "http://pbx/1"}, {}, False),
        ({}, {"answered_at": T0}, False),
        ({}, {"queued_at": None}, False),
        ({"result_text": "NOANSWER", "at": T0 + RANG_LONG + 1}, {}, True),
        ({"result_text": "BUSY"}, {}, True),
        ({"result_text": "REJECTED"}, {}, True),
        ({"result_text": "FAILED"}, {}, True),
        ({"result_text": "CANCEL"}, {}, False),
        ({"result_text": "ABANDONED"}, {}, False),
        ({"result_text": "voicemail"}, {}, False),
        ({"result_text": "ANSWERED"}, {}, False),
        ({"result_text": "FORWARDED"}, {}, False),
        ({"result_text": "???"}, {}, False),
    ],
)
def test_a_caller_waits_on_when_one_of_the_queue_did_not_answer(
    event: dict[str, Any], known: dict[str, Any], waits_on: bool
) -> None:
    end = heard(Event.END, **({"at": T0 + 5000} | event))
    assert event_at(end, call("ringing", **({"queued_at": T0} | known))) is (Event.WAITS_ON if waits_on else Event.END)


# how the legs stand then


def legs_after(event: Event, heard_: HeardEvent, before: Call, **now: Any) -> tuple[Leg, ...]:
    return after_event(event, heard_, before, before._replace(**now)).legs


@pytest.mark.parametrize("event", list(Event))
def test_a_call_at_one_extension_gets_legs_only_by_a_further_one(event: Event) -> None:
    before = call("ringing")
    same = after_event(event, heard(event, T0 + 5000, to="3502"), before, before)
    begins = (Event.RINGS_TOO, Event.HANDED_ON, Event.TALKS_ALREADY, Event.WAITS_ON)
    assert bool(same.legs) is (event in begins)


def test_a_start_elsewhere_adds_a_leg_for_each_extension_that_does_not_ring_yet() -> None:
    event = heard(Event.START, T0 + 9, extension="3502", occurred_at=T0 + 7, also_rings=("3501", "3503", ""))
    first = Leg("3501", T0)
    assert legs_after(Event.RINGS_TOO, event, call()) == (first, rings("3502", T0 + 7), rings("3503", T0 + 7))
    known = call("ringing", over("3502"), rings("3503"))
    assert legs_after(Event.RINGS_TOO, event, known) == (
        over("3502"), rings("3503"), rings("3502", T0 + 7), rings("3501", T0 + 7)
    )  # fmt: skip
    new = call(extension="")
    assert legs_after(Event.START, event, new, extension="3502", started_at=T0) == (
        rings("3502"), rings("3501", T0 + 7), rings("3503", T0 + 7)
    )  # fmt: skip
    nowhere = heard(Event.START, T0 + 9, extension="")
    assert legs_after(Event.RINGS_TOO, nowhere, call("ringing", rings("3501"))) == (rings("3501"),)


@pytest.mark.parametrize("status", STATES)
def test_a_start_lets_extensions_ring_only_while_the_call_goes_on(status: str) -> None:
    event = heard(Event.START, T0 + 9, also_rings=("3502",))
    told = [leg.extension for leg in legs_after(Event.START, event, call(status))]
    assert told == (["3501", "3502"] if STATES[status] in GOING_ON else [])
    known = call(status, rings("3501"), rings("3503"))
    assert legs_after(Event.START, event, known) == known.legs


def test_an_answer_ends_the_ringing_elsewhere() -> None:
    known = call("ringing", rings("3501"), rings("3502"), over("3503"))
    event = heard(Event.ANSWER, T0 + 9, extension="3502", agent="ana")
    gone = Leg("3501", T0, None, T0 + 9, "elsewhere")
    taken = Leg("3502", T0, T0 + 9, None, None, "ana")
    assert legs_after(Event.ANSWER, event, known) == (gone, taken, over("3503"))
    assert legs_after(Event.ANSWER, event._replace(answered_at=T0 + 5), known)[1].answered_at == T0 + 5
    assert legs_after(Event.HOLD, event._replace(occurred_at=T0 + 7), known)[1].answered_at == T0 + 7
    both = call("talking", talks("3501"), talks("3502"))
    assert legs_after(Event.ANSWER, event, both) == (talks("3501"), talks("3502"))


def test_an_answer_where_it_did_not_ring_is_a_leg_of_its_own() -> None:
    event = heard(Event.ANSWER, T0 + 9, extension="3502")
    gone, taken = Leg("3501", T0, None, T0 + 9, "elsewhere"), Leg("3502", None, T0 + 9)
    assert legs_after(Event.ANSWER, event, call()) == (gone, taken)
    assert legs_after(Event.ANSWER, event._replace(call_ref=None), call()) == ()
    assert legs_after(Event.ANSWER, event, call(extension="")) == ()
    assert legs_after(Event.ANSWER, event._replace(extension="3501"), call()) == ()


def test_of_two_legs_at_an_extension_the_one_that_goes_on_is_answered_else_a_new_one() -> None:
    event = heard(Event.ANSWER, T0 + 9)
    first, last = over("3501", T0 + 1), over("3501", T0 + 2)
    taken = [leg.answered_at for leg in legs_after(Event.ANSWER, event, call("ringing", first, last))]
    assert taken == [None, None, T0 + 9]
    known = call("ringing", rings("3501"), last)
    assert [leg.answered_at for leg in legs_after(Event.ANSWER, event, known)] == [T0 + 9, None]


@pytest.mark.parametrize(
    ("leg", "transfer", "ended", "goes_on"),
    [
        (talks("3501"), "blind", ("answered", T0 + 7, False), rings("3502", T0 + 7)),
        (rings("3501"), "blind", ("forwarded", T0 + 7, False), rings("3502", T0 + 7)),
        (talks("3501"), "attended", ("answered", T0 + 7, True), Leg("3502", T0 + 7, T0 + 7)),
    ],
)
def test_a_transfer_ends_one_leg_and_begins_the_next(
    leg: Leg, transfer: str, ended: tuple[str, int, bool], goes_on: Leg
) -> None:
    event = heard(Event.TRANSFER, T0 + 9, occurred_at=T0 + 7, to="3502", agent="ana")
    before, after = legs_after(Event.HANDED_ON, event, call("talking", leg), transfer="".join(transfer))
    assert (before.result, before.ended_at, before.attended, before.transferred_to) == (*ended, "3502")
    assert after == goes_on


def test_a_transfer_goes_on_at_a_leg_that_is_there_and_leaves_the_others() -> None:
    event = heard(Event.TRANSFER, T0 + 9, to="3502")
    known = call("talking", over("3501"), talks("3501"), talks("3502"), talks("3503"))
    legs = legs_after(Event.TALKS_ALREADY, event, known, transfer="attended")
    assert [legs[0], *legs[2:]] == [over("3501"), talks("3502"), talks("3503")]
    assert len(legs_after(Event.HANDED_ON, event, call("talking", talks("3501"), over("3502")))) == 3
    both = call("talking", talks("3501"), talks("3500"), talks("3509"))
    assert [leg.extension for leg in legs_after(Event.HANDED_ON, event, both)] == ["3501", "3500", "3509", "3502"]
    waits = call("talking", talks("3501"), rings("3502"), rings("3503"))
    [_, taken, other] = legs_after(Event.TALKS_ALREADY, event, waits, transfer="attended")
    assert (taken, other) == (Leg("3502", T0, T0 + 9), rings("3503"))
    [_, rung, _] = legs_after(Event.HANDED_ON, event, waits, transfer="blind")
    assert rung == rings("3502")


@pytest.mark.parametrize("event", [Event.LEG_ENDED, Event.RINGS_ON, Event.WAITS_ON])
def test_the_end_of_a_leg_is_its_own(event: Event) -> None:
    end = heard(Event.END, T0 + 9, occurred_at=T0 + 7, result_text="BUSY")
    known = call("talking", over("3501"), rings("3501"), rings("3502"))
    ended = Leg("3501", T0, None, T0 + 7, "busy", None, "BUSY")
    assert legs_after(event, end, known) == (over("3501"), ended, rings("3502"))


@pytest.mark.parametrize(
    ("leg", "event", "result"),
    [
        (talks("3501"), {}, "answered"),
        (talks("3501"), {"result_text": "BUSY"}, "answered"),
        (rings("3501"), {}, "unknown"),
        (rings("3501"), {"duration_s": 3}, "answered"),
        (rings("3501"), {"duration_s": 0}, "unknown"),
        (rings("3501"), {"recording_url": "http://pbx/1"}, "answered"),
        (rings("3501"), {"result_text": "16", "duration_s": 0}, "missed"),
    ],
)
def test_a_leg_ended_as_its_end_says_unless_it_was_answered(leg: Leg, event: dict[str, Any], result: str) -> None:
    [ended, _] = legs_after(Event.LEG_ENDED, heard(Event.END, **event), call("talking", leg, rings("3502")))
    assert ended.result == result


@pytest.mark.parametrize("status", STATES)
def test_all_legs_end_with_the_call(status: str) -> None:
    known = call("talking", talks("3501"), rings("3502"), over("3503"))
    end = heard(Event.END, T0 + 9)
    legs = legs_after(Event.END, end, known, status=status, ended_at=T0 + 9, result="answered")
    if STATES[status] in GOING_ON:
        assert legs == known.legs
        return
    ended = Leg("3501", T0, T0 + 1000, T0 + 9, "answered")
    assert legs == (ended, Leg("3502", T0, None, T0 + 9, "elsewhere"), over("3503"))


@pytest.mark.parametrize(
    ("legs", "extension", "result", "ended"),
    [
        ((rings("3501"), rings("3502")), "3501", "missed", ["missed", "missed"]),
        ((rings("3501"), rings("3502")), "3501", "answered", ["missed", "elsewhere"]),
        ((rings("3501"), rings("3502")), "3509", "answered", ["answered", "answered"]),
        ((over("3501"), rings("3502")), "3501", "answered", ["missed", "answered"]),
        ((rings("3501"), talks("3502")), "3501", "missed", ["missed", "missed"]),
        ((rings("3501"), rings("3502"), talks("3503")), "3501", "missed", ["missed", "elsewhere", "missed"]),
    ],
)
def test_a_leg_that_rang_when_another_was_taken_was_taken_elsewhere(
    legs: tuple[Leg, ...], extension: str, result: str, ended: list[str]
) -> None:
    end = heard(Event.END, T0 + 9, extension=extension, result_text="NOANSWER")
    told = legs_after(Event.END, end, call("ringing", *legs), status="ended", ended_at=T0 + 9, result=result)
    assert [leg.result for leg in told] == ended


# answers and holds of a leg that is over


@pytest.mark.parametrize("event", [Event.ANSWER, Event.HOLD, Event.RESUME])
@pytest.mark.parametrize(
    ("leg", "said", "at", "late"),
    [
        (over("3501", T0), None, T0 + 10_000, True),
        (over("3501", T0), None, T0 + 10_001, False),
        (over("3501", T0), None, T0 - 99_000, True),
        (over("3501", T0), T0, T0 + 99_000, True),
        (over("3501", T0), T0 - 1, T0 + 99_000, True),
        (over("3501", T0), T0 + 1, T0 + 1, False),
        (over("3501", T0, result="answered"), T0, T0, True),
        (over("3501", T0, result="".join(["else", "where"])), T0, T0, False),
        (rings("3501"), T0, T0, False),
        (rings("3503"), T0, T0, False),
    ],
)
def test_an_answer_of_a_leg_that_is_over_comes_late(
    event: Event, leg: Leg, said: int | None, at: int, late: bool
) -> None:
    known = call("talking", leg, talks("3502"))
    assert event_at(heard(event, at, occurred_at=said), known) is (Event.LEG_ENDED if late else event)


@pytest.mark.parametrize("status", STATES)
def test_an_answer_comes_late_for_a_leg_only_while_the_call_goes_on(status: str) -> None:
    known = call(status, over("3501", T0), rings("3502"))
    late = STATES[status] in GOING_ON
    assert event_at(heard(Event.ANSWER), known) is (Event.LEG_ENDED if late else Event.ANSWER)


def test_a_leg_that_is_answered_late_was_talked_in_to_its_end() -> None:
    known = call("talking", over("3501", T0), over("3501", T0 + 5000), talks("3502"))
    [first, last, _] = legs_after(Event.LEG_ENDED, heard(Event.ANSWER, T0 + 9000, agent="ana"), known)
    assert (first, last.answered_at, last.agent) == (over("3501", T0), T0 + 5000, "ana")
    [_, earlier, _] = legs_after(Event.LEG_ENDED, heard(Event.ANSWER, T0 + 9000, occurred_at=T0 + 3000), known)
    assert earlier.answered_at == T0 + 3000


@pytest.mark.parametrize(("answered_at", "result"), [(T0, "elsewhere"), (None, "answered")])
def test_no_leg_of_a_call_that_is_over_goes_on(answered_at: int | None, result: str) -> None:
    known = call("ended", over("3501", T0), rings("3503"))
    event = heard(Event.ANSWER, T0 + 9, extension="3502")
    legs = legs_after(Event.ANSWER, event, known, answered_at=answered_at, ended_at=T0 + 20, result="answered")
    assert [leg.ended_at for leg in legs] == [T0, T0 + 9, T0 + 20]
    started = legs_after(Event.RINGS_TOO, event, known, answered_at=answered_at, ended_at=T0 + 20, result="answered")
    assert [(leg.ended_at, leg.result) for leg in started[2:]] == [(T0 + 20, result)]
