"""Which calls' ends will not come any more, because the same caller has since been at another extension."""

from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.ghosts import LONG_WAIT_MS, WAIT_MS, fell_silent, is_of_nobody, waits_in_vain, was_answered
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.results import Result
from gateway.domain.calls.windows import LONGEST_RING_MS

T0 = 1_780_000_000_000
ENDED_AT = T0 + 60_000


def call(call_id: int, extension: str, logged_at: int, status: str = "ringing", **more: Any) -> Call:
    return Call(call_id, "incoming", extension, "4732100123", "4732100123", logged_at, status, **more)


def ended(**more: Any) -> Call:
    """A later call of the same caller at another extension, answered and ended."""
    plain: dict[str, Any] = {"extension": "3502", "logged_at": T0 + 1, "end_heard_at": ENDED_AT, "result": "answered"}
    plain |= {"call_id": 2, "status": "ended"}
    return call(**(plain | more))


def given_up(first: Call, other: Call, waited_ms: int = LONG_WAIT_MS) -> bool:
    """Whether the end of ``first`` is given up so long after ``other`` has ended."""
    return waits_in_vain(first, other, lambda ms: ENDED_AT + waited_ms - ms)


RINGS = call(1, "3501", T0)


@pytest.mark.parametrize(
    ("other", "wait_ms"),
    [
        (ended(), WAIT_MS),
        (ended(result=None, answered_at=T0 + 2), WAIT_MS),
        (ended(result=None, recording_url="http://pbx/1.wav"), WAIT_MS),
        (ended(result=None), LONG_WAIT_MS),
        (ended(result="unknown"), LONG_WAIT_MS),
    ],
)
def test_the_end_of_a_call_is_waited_for_so_long_after_the_other_has_ended(other: Call, wait_ms: int) -> None:
    assert given_up(RINGS, other, wait_ms)
    assert not given_up(RINGS, other, wait_ms - 1)


@pytest.mark.parametrize(
    "other",
    [
        ended(end_heard_at=None),
        ended(result="missed"),
        ended(extension="".join(["35", "01"])),
        ended(logged_at=T0),
        ended(logged_at=T0 - 1),
        ended(logged_at=T0, group_id=1),
    ],
)
def test_what_says_nothing_of_a_call_ends_no_wait_for_it(other: Call) -> None:
    assert not given_up(RINGS, other)


def test_a_call_of_the_same_group_need_not_have_begun_later() -> None:
    grouped = RINGS._replace(group_id=1)
    assert given_up(grouped, ended(logged_at=T0 - 1, group_id=1))
    assert given_up(RINGS._replace(group_id=1000), ended(logged_at=T0 - 1, group_id=int("1000")))
    assert not given_up(grouped, ended(logged_at=T0 - 1, group_id=2))
    assert not given_up(grouped, ended(logged_at=T0 - 1, group_id=0))
    assert not given_up(grouped, ended(extension="3501", group_id=1))


def test_the_exchange_s_id_tells_more_than_the_number() -> None:
    """Another id is another call; the same one is the same call, whoever took it."""
    known = RINGS._replace(call_ref="b")
    assert not given_up(known, ended(call_ref="a"))
    assert not given_up(known, ended(call_ref="c"))
    assert given_up(known, ended())
    assert given_up(known, ended(call_ref="b", result="missed"), WAIT_MS)


def test_a_conversation_is_given_up_only_for_the_same_id() -> None:
    talks = RINGS._replace(status="talking", call_ref="b")
    assert not given_up(talks, ended())
    assert given_up(talks, ended(call_ref="b"))


@pytest.mark.parametrize(
    ("other", "answered"),
    [
        (ended(), True),
        (ended(result="missed"), False),
        (ended(result="busy"), False),
        (ended(result="unknown", answered_at=0), True),
        (ended(result=None), None),
        (ended(result=None, end_heard_at=None), None),
        (ended(result=None, logged_at=T0, end_heard_at=T0 + LONGEST_RING_MS), None),
        (ended(result=None, logged_at=T0, end_heard_at=T0 + LONGEST_RING_MS + 1), True),
    ],
)
def test_whether_somebody_spoke_with_the_caller(other: Call, answered: bool | None) -> None:
    assert was_answered(other) is answered


@pytest.mark.parametrize("result", list(Result))
def test_each_result_says_whether_somebody_spoke_with_the_caller(result: Result) -> None:
    said = None if result == "unknown" else result == "answered"
    assert was_answered(ended(result=f"{result}")) is said


@pytest.mark.parametrize(("number", "of_nobody"), [("", True), ("000", True), ("anonymous", True), ("0047", False)])
def test_withheld_numbers_are_of_nobody(number: str, of_nobody: bool) -> None:
    assert is_of_nobody(number) is of_nobody


def test_an_end_is_waited_for_a_quarter_of_an_hour_or_an_hour() -> None:
    assert (WAIT_MS, LONG_WAIT_MS) == (900_000, 3_600_000)


NOW = T0 + 100 * 60 * 1000


def silent(legs: list[Leg], status: str = "ringing", now: int = NOW) -> bool:
    return fell_silent(call(1, "3501", T0, status, legs=tuple(legs)), lambda ms: now - ms)


def leg(extension: str, rang_at: int | None, ended_at: int | None = None, **more: Any) -> Leg:
    return Leg(extension, rang_at, ended_at=ended_at, **more)


@pytest.mark.parametrize(
    ("goes_on", "over", "gone"),
    [
        (leg("3501", T0), leg("3502", T0, NOW - WAIT_MS), True),
        (leg("3501", T0), leg("3502", T0, NOW - WAIT_MS + 1), False),
        (leg("3501", T0), leg("3502", T0 - 5000, NOW - WAIT_MS), True),
        (leg("3501", T0), leg("3502", T0 - 5001, NOW - WAIT_MS), False),
        (leg("3501", None, answered_at=T0), leg("3502", T0 - 5001, NOW - WAIT_MS), False),
        (leg("3501", None, answered_at=T0), leg("3502", T0 - 5000, NOW - WAIT_MS), True),
        (leg("3501", None), leg("3502", None, NOW - WAIT_MS), True),
        (leg("3501", T0), leg("3502", T0, NOW - WAIT_MS, transferred_to="3501"), False),
        (leg("3501", T0), leg("3502", T0), False),
    ],
)
def test_a_leg_is_left_behind_when_one_that_rang_with_it_or_later_has_long_ended(
    goes_on: Leg, over: Leg, gone: bool
) -> None:
    assert silent([goes_on, over]) is gone
    assert silent([over, goes_on, leg("3503", T0 + 99_999_999)]) is False


def test_a_caller_in_a_queue_is_waited_for_for_an_hour_after_the_last_leg() -> None:
    first, last = leg("3501", T0, T0 + 1), leg("3502", T0, NOW - LONG_WAIT_MS)
    assert silent([first, last], "waiting")
    assert not silent([first, last], "waiting", NOW - 1)
    assert not silent([], "waiting")
    assert not silent([leg("3501", T0)], "waiting")
    assert not silent([], "ringing")
