"""How far apart events may be and still be of one call: each limit to the millisecond, and what holds beside it."""

from typing import Any

import pytest

from gateway.domain.calls.book import decide
from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.groups import find_group
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.pairing import find_goes_on, find_of_answer, find_of_end, find_of_start
from gateway.domain.calls.states import Event
from gateway.domain.messages import Direction

T0 = 1_780_000_000_000
NUMBER = "4732100123"


def heard(event: Event, at: int, **more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"extension": "3501", "number": NUMBER, "known": True, "numbers": (NUMBER,)}
    return HeardEvent(event, Direction.INCOMING, at=at, **(plain | more))


def call(status: str, **more: Any) -> Call:
    """A call of the pair 3501 and NUMBER that was first heard of at T0."""
    return Call(1, "incoming", "3501", NUMBER, NUMBER, T0, status)._replace(**more)


RINGS = call("ringing", started_at=T0, start_heard_at=T0)
ENDED = call("ended", started_at=T0, start_heard_at=T0, ended_at=T0, end_heard_at=T0)


@pytest.mark.parametrize(
    ("known", "event", "limit_ms", "rule"),
    [
        (RINGS, Event.START, 30_000, PairingRule.REPEAT),
        (call("accepted"), Event.START, 120_000, PairingRule.ORDER),
        (call("accepted"), Event.ANSWER, 120_000, PairingRule.ORDER),
        (ENDED._replace(start_heard_at=None), Event.START, 10_000, PairingRule.LATE),
        (ENDED, Event.ANSWER, 10_000, PairingRule.LATE),
        (call("elsewhere"), Event.ANSWER, 120_000, PairingRule.LATE),
        (ENDED, Event.END, 60_000, PairingRule.REPEAT),
        (RINGS, Event.END, 86_400_000, PairingRule.PAIR),
        (RINGS._replace(extension="3502"), Event.END, 14_400_000, PairingRule.TRANSFER),
    ],
)
def test_an_event_belongs_to_a_call_until_the_limit(
    known: Call, event: Event, limit_ms: int, rule: PairingRule
) -> None:
    find = {Event.START: find_of_start, Event.ANSWER: find_of_answer, Event.END: find_of_end}[event]
    at_limit, after = find(heard(event, T0 + limit_ms), [known]), find(heard(event, T0 + limit_ms + 1), [known])
    assert (at_limit.call, at_limit.rule) == (known, rule)
    assert (after.call, after.rule) == (None, PairingRule.ALONE)


def test_a_group_rings_within_five_seconds() -> None:
    assert find_group(heard(Event.START, T0 + 5000, extension="3502"), [RINGS]) == RINGS
    assert find_group(heard(Event.START, T0 + 5001, extension="3502"), [RINGS]) is None


def test_clocks_may_differ_by_two_minutes() -> None:
    late = RINGS._replace(started_at=T0 + 120_000)
    assert find_of_end(heard(Event.END, T0 + 200_000, occurred_at=T0), [late]).call == late
    assert find_of_end(heard(Event.END, T0 + 200_000, occurred_at=T0 - 1), [late]).call is None


def test_a_start_of_the_moment_of_its_end_comes_before_it_within_an_hour() -> None:
    only_end = ENDED._replace(start_heard_at=None)
    assert find_of_start(heard(Event.START, T0 + 3_600_000, occurred_at=T0), [only_end]).call == only_end
    assert find_of_start(heard(Event.START, T0 + 3_600_001, occurred_at=T0), [only_end]).call is None
    assert find_of_start(heard(Event.START, T0 + 60_000, occurred_at=T0 + 1), [only_end]).call is None


def test_an_answer_is_of_the_call_that_rings_though_a_newer_one_is_answered() -> None:
    talks = RINGS._replace(id=2, status="talking", answered_at=T0)
    assert find_of_answer(heard(Event.ANSWER, T0 + 9000), [RINGS, talks]).call == RINGS


def test_an_end_with_an_id_sent_again_is_of_its_extension_though_the_call_goes_on_at_another() -> None:
    here, there = ENDED._replace(call_ref="a"), RINGS._replace(id=2, extension="3502", call_ref="a")
    assert find_of_end(heard(Event.END, T0 + 50_000, call_ref="a"), [here, there]).call == here


def test_an_id_is_the_same_by_its_signs() -> None:
    """What a database returns is equal to what was heard, and another object."""
    internal = call("ringing", direction="internal", extension="3502", number="3501", call_ref="".join(("a", "b")))
    event = heard(Event.START, T0 + 90_000, number="3502", call_ref="".join(("a", "b")))
    found = find_of_start(event._replace(direction=Direction.INTERNAL), [internal])
    assert (found.call, found.rule) == (internal, PairingRule.CALL_ID)


def test_an_end_that_says_when_repeats_one_that_did_not() -> None:
    again = find_of_end(heard(Event.END, T0 + 5000, occurred_at=T0 - 30_000), [ENDED])
    assert (again.call, again.rule) == (ENDED, PairingRule.REPEAT)


def test_a_late_answered_end_says_of_the_other_call_of_its_group_that_it_was_not_missed() -> None:
    lost = RINGS._replace(status="lost", group_id=1)
    missed = ENDED._replace(id=2, extension="3502", group_id=1, result="missed", missed=True)
    done = decide(heard(Event.END, T0 + 9000, result_text="ANSWERED"), [lost, missed], 3)
    assert (done.call.id, done.call.status) == (1, "ended")
    assert [(change.call.id, change.call.missed) for change in done.others] == [(2, False)]


def test_a_transfer_to_outside_of_a_call_that_nobody_knows_is_of_the_extension_that_made_it() -> None:
    outside = heard(Event.TRANSFER, T0, to="0800", stays_inside=False)
    assert decide(outside, [], 1).call.extension == "3501"
    assert decide(outside._replace(to="3502", stays_inside=True), [], 1).call.extension == "3502"


def test_the_same_moment_is_told_to_two_seconds() -> None:
    told = RINGS._replace(started_at=T0 - 5000)
    for off_ms in (-2000, 2000):
        assert find_of_start(heard(Event.START, T0 + 120_000, occurred_at=T0 - 5000 + off_ms), [told]).call == told
        further = off_ms + off_ms // 2000
        assert find_of_start(heard(Event.START, T0 + 1, occurred_at=T0 - 5000 + further), [told]).call is None


def test_the_same_id_at_the_same_extension_is_one_call_under_another_number() -> None:
    known = RINGS._replace(call_ref="".join(("a", "b")), number="1132100123")
    found = find_of_start(heard(Event.START, T0 + 90_000, call_ref="".join(("a", "b"))), [known])
    assert (found.call, found.rule) == (known, PairingRule.CALL_ID)


def test_only_an_event_of_a_pair_is_of_the_newest_of_several() -> None:
    newer = RINGS._replace(id=2)
    assert find_of_start(heard(Event.START, T0 + 1), [RINGS, newer]).rule is PairingRule.REPEAT
    assert find_of_end(heard(Event.END, T0 + 1), [RINGS, newer]).rule is PairingRule.NEWEST


def test_an_end_with_an_id_at_a_third_extension_is_of_the_call_that_is_open_else_of_the_newest() -> None:
    rings, ended = RINGS._replace(call_ref="a"), ENDED._replace(id=2, extension="3502", call_ref="a")
    end = heard(Event.END, T0 + 9000, extension="3503", call_ref="a")
    assert find_of_end(end, [rings, ended]).call == rings
    assert find_of_end(end, [ended]).call == ended


def test_a_transferred_call_goes_on_under_its_own_number_only() -> None:
    there = RINGS._replace(id=2, extension="3502")
    transfer = heard(Event.TRANSFER, T0, to="3502", stays_inside=True)
    assert find_goes_on(transfer, RINGS, [there]) == there
    assert find_goes_on(transfer, RINGS, [there._replace(number="1132100123")]) is None
    assert find_goes_on(transfer._replace(known=False), RINGS, [there]) is None
