"""Which events find a call, for every state that it may be in, and what keeps an event from finding one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.groups import find_group, find_picked_up, leaves_rest_of_group
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.pairing import (
    FoundCall,
    find_goes_on,
    find_of_answer,
    find_of_end,
    find_of_hold,
    find_of_note,
    find_of_queue,
    find_of_start,
    find_of_transfer,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import STATES, Event, State
from gateway.domain.messages import ATTACHED, Direction
from tests.domain.calls.ledger import read_back

T0 = 1_780_000_000_000
NUMBER = "4732100123"
Find = Callable[[HeardEvent, Sequence[Call]], FoundCall]
FINDS: dict[str, Find] = {
    "start": find_of_start,
    "answer": find_of_answer,
    "transfer": find_of_transfer,
    "end": find_of_end,
    "hold": find_of_hold,
    "queue": find_of_queue,
    "note": find_of_note,
}


def heard(at: int = T0 + 1000, **more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"extension": "3501", "number": NUMBER, "known": True, "numbers": (NUMBER,)}
    plain |= {"direction": Direction.INCOMING}
    return HeardEvent(Event.START, at=at, **(plain | more))


def call(status: str, **more: Any) -> Call:
    """A call of the pair 3501 and NUMBER that was first heard of at T0."""
    return read_back(Call(1, "incoming", "3501", NUMBER, NUMBER, T0, status)._replace(**more))


def rules(known: Call, event: HeardEvent) -> list[str]:
    """By which rule each kind of event finds ``known``; ``-`` where it does not."""
    found = [find(event, [known]) for find in FINDS.values()]
    return [each.rule.value if each.call else "-" for each in found]


FULL = {"started_at": T0, "start_heard_at": T0, "ended_at": T0 + 500, "end_heard_at": T0 + 500}
# A call's status and what else is known of it, and the rules of start, answer, transfer, end, hold, queue and note.
TABLE = """
ordered      bare       order  order  pair   pair     -      -      pair
accepted     full       order  order  pair   pair     -      -      pair
unknown      bare       order  order  pair   pair     -      -      pair
refused      full       -      -      -      -        -      -      -
unreachable  bare       -      -      -      -        -      -      -
noted        full       -      -      -      -        -      repeat repeat
waiting      bare       -      pair   pair   pair     pair   newest pair
waiting      full       -      pair   pair   pair     pair   newest pair
ringing      bare       repeat pair   pair   pair     pair   newest pair
ringing      full       repeat pair   pair   pair     pair   newest pair
talking      bare       late   pair   pair   pair     pair   newest pair
talking      full       repeat pair   pair   pair     pair   newest pair
ended        bare       late   late   -      repeat   -      -      -
ended        full       -      late   repeat repeat   repeat late   late
lost         bare       -      -      -      late     -      -      -
elsewhere    bare       -      late   -      late     -      -      -
over         bare       repeat late   -      late     -      -      -
ordered      elsewhere  -      -      -      -        -      -      -
waiting      elsewhere  -      -      -      -        -      newest -
ringing      elsewhere  -      -      -      transfer -      newest -
talking      elsewhere  -      -      -      transfer -      newest -
ended        elsewhere  -      -      -      -        -      -      -
lost         elsewhere  -      -      -      -        -      -      -
elsewhere    elsewhere  -      -      -      -        -      -      -
over         elsewhere  -      -      -      transfer -      -      -
noted        elsewhere  -      -      -      -        -      -      -
waiting      queued     queue  queue  queue  queue    queue  queue  -
ringing      queued     queue  queue  queue  queue    queue  queue  -
talking      queued     queue  queue  queue  queue    queue  queue  -
ordered      queued     -      -      -      -        -      -      -
ended        queued     -      -      -      -        -      -      -
noted        queued     -      -      -      -        -      -      -
over         queued     -      -      -      transfer -      -      -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
KNOWN: dict[str, dict[str, Any]] = {
    "bare": {},
    "full": FULL,
    "elsewhere": {"extension": "3502"},
    "queued": {"extension": "3502", "queued_at": T0},
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_an_event_finds_a_call_by_its_state(row: list[str]) -> None:
    status, what, *found = row
    assert rules(call(status, **KNOWN[what]), heard()) == found


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({"number": "1132100123"}, False),
        ({"extension": "3502", "known": False}, False),
        ({"call_ref": "b"}, True),
    ],
)
def test_another_number_or_an_unknown_one_finds_nothing(status: str, other: dict[str, Any], found: bool) -> None:
    none = ["-"] * len(FINDS)
    assert rules(call(status, **FULL), heard(**other)) == (rules(call(status, **FULL), heard()) if found else none)


@pytest.mark.parametrize("status", STATES)
def test_another_id_finds_nothing_and_the_same_one_is_certain(status: str) -> None:
    known = call(status, call_ref="a", **FULL)
    assert rules(known, heard(call_ref="b")) == ["-"] * len(FINDS)
    assert set(rules(known, heard(call_ref="a"))) == {"call-id"}
    assert rules(known, heard()) == rules(call(status, **FULL), heard())


# by the exchange's id


@pytest.mark.parametrize("status", STATES)
def test_an_id_names_a_call_wherever_it_is_while_it_goes_on_or_was_over_only_lately(status: str) -> None:
    known = call(status, call_ref="a", extension="3502")
    start = find_of_start(heard(T0 + 7_200_000, call_ref="a"), [known])
    goes_on = STATES[status] in (State.NOTED, State.ORDERED, State.WAITING, State.RINGING, State.TALKING)
    assert (start.call == known) is goes_on
    assert find_of_start(heard(T0 + 3_600_000, call_ref="a"), [known]).call == known
    assert (find_of_start(heard(T0 + 3_600_001, call_ref="a"), [known]).call == known) is goes_on


@pytest.mark.parametrize("known", [{"end_heard_at": T0 + 9000}, {"ended_at": T0 + 9000}, {"logged_at": T0 + 9000}])
def test_a_call_was_over_when_its_end_was_heard_else_when_it_ended(known: dict[str, Any]) -> None:
    over = call("lost", call_ref="a", extension="3502", **known)
    assert find_of_start(heard(T0 + 3_609_000, call_ref="a"), [over]).call == over
    assert find_of_start(heard(T0 + 3_609_001, call_ref="a"), [over]).call is None


@pytest.mark.parametrize(
    ("event", "known", "found"),
    [
        ({"number": "1132100123", "extension": "3502"}, {}, False),
        ({"number": "1132100123", "extension": "3500"}, {}, False),
        ({"number": "1132100123", "extension": "3502", "known": False}, {}, True),
        ({"number": "1132100123", "extension": "3502", "direction": Direction.INTERNAL}, {}, True),
        ({"number": "1132100123", "extension": "3502"}, {"direction": "internal"}, True),
        ({"number": "1132100123", "extension": "3502"}, {"number": ""}, True),
        ({"extension": "3502"}, {}, True),
        ({"number": "1132100123"}, {}, True),
    ],
)
def test_an_id_given_twice_is_not_another_party_s_call(
    event: dict[str, Any], known: dict[str, Any], found: bool
) -> None:
    rings = call("ringing", call_ref="a", **known)
    assert (find_of_start(heard(call_ref="a", **event), [rings]).call == rings) is found


def test_of_calls_of_one_id_the_one_at_the_extension_comes_first_then_the_one_that_goes_on() -> None:
    here, open_, over = (
        call("ended", id=1, call_ref="a"),
        call("ringing", id=2, extension="3502", call_ref="a"),
        call("lost", id=3, extension="3503", call_ref="a"),
    )
    event = heard(call_ref="a")
    assert find_of_start(event, [here, open_, over]).call == here
    assert find_of_start(event, [open_, over]).call == open_
    assert find_of_start(event, [over]).call == over
    with_leg = call("ringing", id=2, extension="3502", call_ref="a", legs=(Leg("3502", 1), Leg("3501", 2)))
    assert find_of_start(event, [with_leg, over._replace(status="ringing")]).call == with_leg


# by extension and number


@pytest.mark.parametrize(
    ("event", "known", "found"),
    [
        ({"extension": NUMBER, "number": "3501"}, {}, False),
        ({"extension": "3502", "number": "3501", "direction": Direction.INTERNAL}, {"direction": "incoming"}, False),
        ({"extension": "3502", "number": "3501"}, {"direction": "internal"}, False),
        ({"extension": "3502", "number": "3501", "direction": Direction.INTERNAL}, {"direction": "internal"}, True),
        ({"extension": "3501", "number": "3502", "direction": Direction.INTERNAL}, {"direction": "internal"}, True),
        ({"extension": "3501", "number": "3503", "direction": Direction.INTERNAL}, {"direction": "internal"}, False),
    ],
)
def test_the_two_ends_of_an_internal_call_are_told_in_any_order(
    event: dict[str, Any], known: dict[str, Any], found: bool
) -> None:
    number = "3502" if known.get("direction") == "internal" else NUMBER
    rings = call("ringing", number=number, **known)
    assert (find_of_start(heard(**event), [rings]).call == rings) is found


def test_a_call_with_legs_is_of_the_pair_at_each_of_them() -> None:
    known = call("ringing", extension="3502", legs=(Leg("3502", T0), Leg("3501", T0)))
    assert find_of_end(heard(), [known]).rule is PairingRule.PAIR
    assert find_of_end(heard(number="1132100123"), [known]).call is None
    assert find_of_end(heard(extension="3503"), [known]).rule is PairingRule.TRANSFER


@pytest.mark.parametrize(
    ("event", "found"), [({}, True), ({"direction": Direction.OUTGOING}, False), ({"known": False}, False)]
)
def test_only_a_known_caller_is_found_in_a_queue(event: dict[str, Any], found: bool) -> None:
    waits = call("waiting", extension="", queued_at=T0)
    assert (find_of_start(heard(**event), [waits]).call == waits) is found
    assert find_of_start(heard(), [waits._replace(queue_left_at=T0)]).call is None
    for number in ("1132100123", "5132100123"):
        assert find_of_start(heard(number=number), [waits]).call is None


# starts and ends told again


@pytest.mark.parametrize(
    ("known", "said", "after_ms", "found"),
    [
        ({"started_at": T0 - 9000}, T0 - 9000, 120_000, True),
        ({"started_at": T0 - 9000}, T0 - 6999, 1, False),
        ({"started_at": T0 + 9000}, T0, 1, False),
        ({"started_at": T0 - 9000}, None, 30_000, True),
        ({"started_at": T0 - 9000}, None, 30_001, False),
        ({"started_at": T0, "start_heard_at": T0}, T0 - 9000, 30_000, True),
        ({"started_at": T0, "start_heard_at": T0}, T0 - 9000, 30_001, False),
        ({"started_at": None, "start_heard_at": T0 + 5000}, T0, 35_000, True),
        ({"started_at": None, "start_heard_at": T0 + 5000}, T0, 35_001, False),
        ({"started_at": None, "start_heard_at": None}, T0, 30_000, True),
    ],
)
def test_a_start_is_told_again_by_the_moment_that_is_said_else_by_the_clock(
    known: dict[str, Any], said: int | None, after_ms: int, found: bool
) -> None:
    rings = call("ringing", **({"start_heard_at": T0} | known))
    start = find_of_start(heard(T0 + after_ms, occurred_at=said), [rings])
    assert (start.call == rings) is found


@pytest.mark.parametrize(
    ("known", "event", "found"),
    [
        ({"ended_at": T0 - 9000}, {"occurred_at": T0 - 9000}, True),
        ({"ended_at": T0 - 9000}, {"occurred_at": T0 - 7000}, True),
        ({"ended_at": T0 - 9000}, {"occurred_at": T0 - 11_000}, True),
        ({"ended_at": T0 - 9000}, {"occurred_at": T0 - 6999}, False),
        ({"ended_at": T0 - 9000}, {"occurred_at": T0 - 11_001}, False),
        ({"ended_at": T0}, {"occurred_at": T0 - 60_000}, True),
        ({"ended_at": T0 - 9000, "duration_s": 3}, {"duration_s": 4}, False),
        ({"ended_at": T0 - 9000, "duration_s": 3}, {"duration_s": 3}, True),
        ({"ended_at": T0 - 9000, "duration_s": None}, {"duration_s": 3}, True),
        ({"ended_at": T0 - 9000, "duration_s": 3}, {}, True),
        ({"ended_at": None, "duration_s": 3}, {"duration_s": 4, "occurred_at": T0}, False),
        ({"ended_at": T0 - 9000, "duration_s": 3}, {"duration_s": 4, "occurred_at": T0 - 9000}, True),
        ({"recording_url": "http://pbx/1"}, {"recording_url": "http://pbx/2"}, False),
        ({"recording_url": "http://pbx/1"}, {"recording_url": "".join(["http://", "pbx/1"])}, True),
        ({"recording_url": "http://pbx/1"}, {}, True),
        ({"recording_url": None}, {"recording_url": "http://pbx/2"}, True),
    ],
)
def test_an_end_is_told_again_unless_something_that_it_says_contradicts(
    known: dict[str, Any], event: dict[str, Any], found: bool
) -> None:
    ended = call("ended", started_at=T0 - 20_000, **({"end_heard_at": T0, "ended_at": T0} | known))
    assert (find_of_end(heard(**event), [ended]).call == ended) is found


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({}, True),
        ({"number": "1132100123"}, False),
        ({"known": False}, False),
        ({"direction": Direction.INTERNAL}, False),
    ],
)
def test_an_end_where_a_call_was_transferred_to_is_told_again_there(event: dict[str, Any], found: bool) -> None:
    moved = call("ended", extension="3502", transferred_to="3501", **FULL)
    assert (find_of_end(heard(**event), [moved]).call == moved) is found


def test_a_transferred_call_is_ended_by_its_own_end_only_at_once() -> None:
    moved = call("ended", ended_at=T0, transferred_to="3502")
    assert find_of_end(heard(T0 + 10_000), [moved]).call == moved
    assert find_of_end(heard(T0 + 10_001), [moved]).call is None
    named = moved._replace(call_ref="a")
    goes_on = call("talking", id=2, extension="3502", call_ref="a")
    assert find_of_end(heard(T0 + 10_000, call_ref="a"), [named, goes_on]).call == named
    assert find_of_end(heard(T0 + 10_001, call_ref="a"), [named, goes_on]).call == goes_on


def test_a_transfer_is_told_again_within_a_minute_to_the_same_extension() -> None:
    moved = call("ended", transferred_to="3502", ended_at=T0)
    assert find_of_transfer(heard(T0 + 60_000, to="3502"), [moved]).rule is PairingRule.REPEAT
    assert find_of_transfer(heard(T0 + 60_001, to="3502"), [moved]).call is None
    assert find_of_transfer(heard(T0 + 1, to="3503"), [moved]).call is None
    told = find_of_transfer(heard(T0 + 100_000, to="3502", occurred_at=int(str(T0))), [moved])
    assert told.rule is PairingRule.REPEAT
    later = moved._replace(end_heard_at=T0 + 30_000)
    assert find_of_transfer(heard(T0 + 90_000, to="3502"), [later]).call == later


@pytest.mark.parametrize(
    ("known", "found"),
    [({}, True), ({"direction": "internal"}, False), ({"number": "1132100123"}, False), ({"call_ref": "b"}, False)],
)
def test_an_end_elsewhere_is_of_a_call_from_outside_with_the_same_number(known: dict[str, Any], found: bool) -> None:
    talks = call("talking", extension="3502", **known)
    assert (find_of_end(heard(call_ref="a"), [talks]).call == talks) is found
    assert find_of_end(heard(direction=Direction.INTERNAL), [talks]).call is None


def test_an_end_elsewhere_is_rather_of_a_call_that_goes_on_than_of_one_marked_as_over() -> None:
    talks, over = call("talking", extension="3502"), call("over", id=2, extension="3503")
    assert find_of_end(heard(), [talks, over]).call == talks
    assert find_of_end(heard(), [over]).call == over
    began_later = talks._replace(started_at=T0 + 200_000)
    assert find_of_end(heard(T0 + 200_000, occurred_at=T0), [began_later]).call is None


# queues and notes


@pytest.mark.parametrize("status", STATES)
def test_what_a_queue_says_is_of_the_caller_s_call_in_the_same_direction(status: str) -> None:
    known = call(status, extension="3502", **FULL)
    goes_on = STATES[status] in (State.WAITING, State.RINGING, State.TALKING)
    assert (find_of_queue(heard(), [known]).call == known) is (goes_on or STATES[status] is State.ENDED)
    assert find_of_queue(heard(direction=Direction.OUTGOING), [known]).call is None
    assert find_of_queue(heard(known=False), [known]).call is None


def test_what_a_queue_a_hold_and_a_note_say_late() -> None:
    ended = call("ended", **FULL)
    for find, limit_ms in ((find_of_queue, 10_000), (find_of_hold, 10_000), (find_of_note, 3_600_000)):
        assert find(heard(T0 + 500 + limit_ms), [ended]).call == ended
        assert find(heard(T0 + 501 + limit_ms), [ended]).call is None
        assert find(heard(T0 + 501 + limit_ms), [ended._replace(end_heard_at=None, ended_at=None)]).call is None


def test_a_note_without_an_extension_is_of_the_number_s_call_that_ended_last() -> None:
    first, last = call("ended", **FULL), call("ended", id=2, extension="3502", ended_at=T0 + 600)
    assert find_of_note(heard(extension=""), [first, last]).call == last
    assert find_of_note(heard(), [first, last]).call == first
    assert find_of_note(heard(extension="", known=False), [first, last]).call is None
    assert find_of_note(heard(extension="", number="1132100123"), [first, last]).call is None


# groups


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize(("find", "window_ms"), [(find_group, 5000), (find_picked_up, 120_000)])
def test_who_rings_with_a_call_rings_at_another_extension_a_moment_ago(
    status: str, find: Callable[[HeardEvent, Sequence[Call]], Call | None], window_ms: int
) -> None:
    known = call(status, extension="3502")
    rings = STATES[status] is State.RINGING
    assert (find(heard(T0 + window_ms), [known]) == known) is rings
    assert (find(heard(T0 - window_ms), [known]) == known) is rings
    assert find(heard(T0 + window_ms + 1), [known]) is None
    named, event = known._replace(call_ref="a"), heard(T0 + 999_999_999, call_ref="a")
    assert (find(event, [named]) == named) is (STATES[status] in (State.RINGING, State.TALKING))


@pytest.mark.parametrize(
    ("event", "known"),
    [
        ({"direction": Direction.OUTGOING}, {}),
        ({"direction": Direction.INTERNAL}, {}),
        ({}, {"direction": "outgoing"}),
        ({}, {"direction": "internal"}),
        ({}, {"extension": "3501"}),
        ({}, {"number": "1132100123"}),
        ({"known": False}, {}),
        ({}, {"call_ref": "a"}),
        ({"call_ref": "a"}, {"call_ref": "b"}),
    ],
)
def test_two_who_have_nothing_to_do_with_each_other_are_no_group(event: dict[str, Any], known: dict[str, Any]) -> None:
    assert find_group(heard(**event), [call("ringing", **({"extension": "3502"} | known))]) is None


@pytest.mark.parametrize("result", [None, *Result])
def test_an_end_that_says_how_shows_whether_the_others_ring_on(result: Result | None) -> None:
    texts = {None: None, Result.UNKNOWN: "???"}
    event = heard(T0 + 60_000, result_text=texts.get(result, result))
    assert event.result is result
    nothing_said = result in (None, Result.UNKNOWN)
    assert leaves_rest_of_group(call("ringing"), event) is (result is Result.ANSWERED)
    assert leaves_rest_of_group(call("talking", answered_at=T0), event) is (result is Result.ANSWERED or nothing_said)
    long = event._replace(at=T0 + 120_001)
    assert leaves_rest_of_group(call("ringing"), long) is (result is Result.ANSWERED or nothing_said)
    assert leaves_rest_of_group(call("ringing"), event._replace(at=T0 + 120_000)) is (result is Result.ANSWERED)


@pytest.mark.parametrize("status", STATES)
def test_a_transferred_call_goes_on_where_it_rings_or_is_talked_in(status: str) -> None:
    there, event = call(status, id=2, extension="3502"), heard(to="3502")
    goes_on = STATES[status] in (State.RINGING, State.TALKING)
    assert (find_goes_on(event, call("talking"), [there]) == there) is goes_on
    assert find_goes_on(heard(to="3503"), call("talking"), [there]) is None
    assert find_goes_on(event, call("talking"), [there._replace(direction="outgoing")]) is None
    assert find_goes_on(event, call("talking"), [there._replace(call_ref="a")]) is None
    named = call("talking", call_ref="a")
    assert find_goes_on(event, named, [there]) is None
    assert (find_goes_on(event, named, [there._replace(call_ref="".join("a"))]) is not None) is goes_on
    assert find_goes_on(event, named, [there._replace(call_ref="b")]) is None


def test_of_several_the_newest_by_its_id_is_found() -> None:
    older, newer = call("ringing", id=2), call("ringing", id=10, logged_at=T0 - 5)
    assert find_of_end(heard(), [newer, older]) == FoundCall(newer, PairingRule.NEWEST)
    assert find_of_end(heard(), [older]) == FoundCall(older, PairingRule.PAIR)
    assert find_of_note(heard(), [newer, older]).rule is PairingRule.NEWEST


# before an end or an answer that overtook


@pytest.mark.parametrize(
    ("known", "said", "after_ms", "found"),
    [
        ({"end_heard_at": T0 + 5000, "ended_at": T0}, T0, 3_605_000, True),
        ({"end_heard_at": T0 + 5000, "ended_at": T0}, T0, 3_605_001, False),
        ({"end_heard_at": T0 + 5000, "ended_at": T0}, T0 + 1, 5000, False),
        ({"end_heard_at": T0 + 5000, "ended_at": T0}, None, 15_000, True),
        ({"end_heard_at": T0 + 5000, "ended_at": T0}, None, 15_001, False),
        ({"end_heard_at": T0 + 5000, "answered_at": T0}, T0, 3_605_000, True),
        ({"end_heard_at": T0 + 5000, "answered_at": T0, "ended_at": T0 + 9}, T0 + 9, 3_605_000, True),
        ({"answer_heard_at": T0 + 5000}, None, 15_000, True),
        ({"answer_heard_at": T0 + 5000}, None, 15_001, False),
        ({}, None, 10_001, False),
        ({"end_heard_at": T0, "start_heard_at": T0 + 5000, "paired_by": "late"}, None, 15_000, True),
        ({"end_heard_at": T0, "start_heard_at": T0 + 5000, "paired_by": "late"}, None, 15_001, False),
        ({"end_heard_at": T0, "start_heard_at": T0 + 5000, "paired_by": "pair"}, None, 5000, False),
    ],
)
def test_a_start_that_was_overtaken_is_found_by_what_is_said_else_by_the_clock(
    known: dict[str, Any], said: int | None, after_ms: int, found: bool
) -> None:
    ended = call("ended", **known)
    assert (find_of_start(heard(T0 + after_ms, occurred_at=said), [ended]).call == ended) is found


# a number that differs, in both directions of the alphabet

OTHERS = ("1132100123", "5132100123")


@pytest.mark.parametrize("number", OTHERS)
@pytest.mark.parametrize("status", STATES)
def test_another_number_is_never_the_same_caller(status: str, number: str) -> None:
    none = ["-"] * len(FINDS)
    for known in ({}, FULL, {"extension": "3502"}, {"extension": "3502", "queued_at": T0}, {"extension": ""}):
        for extension in ("3501", ""):
            assert rules(call(status, **known), heard(number=number, extension=extension)) == none
    other = call(status, extension="3502", result="missed", end_heard_at=T0, number=number)
    assert find_group(heard(), [other]) is None
    assert find_picked_up(heard(), [other]) is None
    assert find_goes_on(heard(to="3502"), call("talking"), [other]) is None


# where no extension is told


@pytest.mark.parametrize(
    ("event", "known", "found"),
    [
        ({}, {}, True),
        ({"known": False}, {}, False),
        ({"direction": Direction.INTERNAL}, {}, False),
        ({"direction": Direction.INTERNAL}, {"direction": "internal"}, True),
        ({}, {"direction": "internal"}, False),
        ({}, {"direction": "outgoing"}, True),
    ],
)
def test_an_event_without_an_extension_is_of_the_number_s_call(
    event: dict[str, Any], known: dict[str, Any], found: bool
) -> None:
    talks = call("talking", **known)
    assert (find_of_note(heard(extension="", **event), [talks]).call == talks) is found


# a queue or a hunt that rings on


@pytest.mark.parametrize("result", [None, *Result])
@pytest.mark.parametrize("status", STATES)
def test_who_rang_in_vain_a_moment_ago_rings_on_at_another_extension(status: str, result: str | None) -> None:
    in_vain = {"missed", "busy", "rejected", "failed", "cancelled", "voicemail", "abandoned"}
    rang = call(status, extension="3502", result=result, end_heard_at=T0, logged_at=T0 - 60_000)
    rings_on = STATES[status] is State.ENDED and result in in_vain
    assert (find_group(heard(T0 + 5000), [rang]) == rang) is rings_on
    assert find_group(heard(T0 + 5001), [rang]) is None


QUEUED = tuple("vendas" if name == "queue" else None for name in ATTACHED)


@pytest.mark.parametrize("result", [None, *Result])
def test_who_rang_in_vain_in_the_same_queue_rings_on_for_longer(result: str | None) -> None:
    rang = call("ended", extension="3502", result=result, end_heard_at=T0, logged_at=T0 - 60_000, attached=QUEUED)
    taken = result in ("answered", "forwarded")
    queue = tuple("".join(["ven", "das"]) if name else None for name in QUEUED)
    assert (find_group(heard(T0 + 60_000, attached=queue), [rang]) == rang) is not taken
    assert find_group(heard(T0 + 60_001, attached=queue), [rang]) is None
    other = tuple("suporte" if name else None for name in QUEUED)
    assert find_group(heard(T0 + 60_000, attached=other), [rang]) is None


@pytest.mark.parametrize(
    ("event", "known"),
    [
        ({"call_ref": "a"}, {}),
        ({"known": False}, {}),
        ({"direction": Direction.OUTGOING}, {}),
        ({}, {"answered_at": T0}),
        ({}, {"call_ref": "a"}),
        ({}, {"direction": "outgoing"}),
        ({}, {"direction": "internal"}),
        ({}, {"extension": "3501"}),
        ({}, {"end_heard_at": None}),
    ],
)
def test_what_else_has_ended_rings_on_nowhere(event: dict[str, Any], known: dict[str, Any]) -> None:
    plain = {"extension": "3502", "result": "missed", "end_heard_at": T0, "logged_at": T0 - 60_000}
    assert find_group(heard(**event), [call("ended", **(plain | known))]) is None
