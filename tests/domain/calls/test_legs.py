"""The legs of a call: which there are, what each extension sees, and where the call is."""

from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.legs import (
    ELSEWHERE,
    Leg,
    is_at,
    leg_at,
    legs_of,
    rang,
    seen_from,
    status_at,
    with_legs,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import GOING_ON, STATES, State

RINGS, TALKS = Leg("3501", 1), Leg("3502", 1, 5)
OVER, GONE = Leg("3503", 1, None, 9, "missed"), Leg("3504", 1, None, 5, "".join(["else", "where"]))


def other(text: str) -> str:
    """An equal text that is another object."""
    return "".join([text[:2], text[2:]])


def call(status: str = "ringing", **more: Any) -> Call:
    return Call(1, "incoming", "3501", "4732100123", "4732100123", 1, status, **more)


@pytest.mark.parametrize(
    ("leg", "goes_on", "rings", "talks"),
    [
        (RINGS, True, True, False),
        (TALKS, True, False, True),
        (OVER, False, False, False),
        (Leg("1", 1, 5, 9),) + (False,) * 3,
    ],
)
def test_a_leg_rings_talks_or_is_over(leg: Leg, goes_on: bool, rings: bool, talks: bool) -> None:
    assert (leg.goes_on, leg.rings, leg.talks) == (goes_on, rings, talks)


@pytest.mark.parametrize(
    ("to", "attended", "how"),
    [
        (None, None, None),
        (None, True, None),
        ("3502", None, None),
        ("3502", True, "attended"),
        ("3502", False, "blind"),
    ],
)
def test_a_leg_says_how_it_was_transferred(to: str | None, attended: bool | None, how: str | None) -> None:
    assert Leg("3501", transferred_to=to, attended=attended).transfer == how


def test_a_call_at_one_extension_is_its_only_leg() -> None:
    told = {"result": "answered", "answered_agent": "ana", "result_text": "OK", "transferred_to": "3502"}
    one = call("ended", started_at=1, answered_at=5, ended_at=9, transfer=other("attended"), **told)
    assert legs_of(one) == (Leg("3501", 1, 5, 9, "answered", "ana", "OK", "3502", True),)
    assert legs_of(one._replace(transfer="blind"))[0].attended is False
    assert legs_of(one._replace(transfer=None))[0].attended is None
    taken = one._replace(status="elsewhere", answered_at=5)
    assert legs_of(taken) == (Leg("3501", 1, None, 9, ELSEWHERE, None, "OK", "3502", True),)


def test_a_call_without_an_extension_has_no_leg_and_kept_ones_count() -> None:
    assert legs_of(call()._replace(extension="")) == ()
    assert legs_of(call(legs=(TALKS,))) == (TALKS,)
    assert legs_of(call(legs=(TALKS,))._replace(extension="")) == (TALKS,)


def test_of_the_legs_at_an_extension_the_one_that_goes_on_counts_else_the_last() -> None:
    first, second = Leg("3501", 1, ended_at=2), Leg("3501", 3, ended_at=4)
    assert leg_at(call(legs=(first, second, TALKS)), other("3501")) == second
    assert leg_at(call(legs=(first, RINGS, second)), other("3501")) == RINGS
    assert leg_at(call(legs=(first, TALKS)), "3599") is None
    assert leg_at(call(), "3500") is None


def test_a_call_is_at_an_extension_by_itself_or_by_a_leg() -> None:
    two = call(legs=(TALKS,))
    assert [is_at(two, other(extension)) for extension in ("3501", "3502", "3503", "3500")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("status", STATES)
def test_each_extension_sees_the_status_of_its_own_leg(status: str) -> None:
    goes_on = STATES[status] in GOING_ON
    legs = (RINGS, TALKS, OVER, Leg("3505", 1, None, 9, "busy"), GONE)
    seen = [status_at(legs, STATES[status], status, leg.extension) for leg in legs]
    assert seen[:2] == (["ringing", "talking"] if goes_on else [status, status])
    assert seen[2:] == [*["ended" if goes_on else status] * 2, "elsewhere"]
    assert status_at(legs, STATES[status], status, "3599") == status
    assert seen_from(call(status, legs=legs), other("3502")) == seen[1]
    assert seen_from(call(status), "3501") == status


def test_a_call_that_we_made_rang_where_it_went_on() -> None:
    legs = (Leg("3501", 1), Leg("3502", 2), Leg("3503", None, 3), Leg("3502", 4))
    assert rang(call(legs=legs)) == ("3501", "3502")
    assert rang(call(legs=legs)._replace(direction=other("outgoing"))) == ("3502",)
    assert rang(call(legs=legs)._replace(direction="internal")) == ("3501", "3502")
    assert rang(call(started_at=0)) == ("3501",)
    assert rang(call()) == ()


@pytest.mark.parametrize(
    ("legs", "extension"),
    [
        ([RINGS, TALKS], "3502"),
        ([Leg("3505", 1, 6), TALKS], "3502"),
        ([TALKS, Leg("3505", 1, 5)], "3502"),
        ([OVER, Leg("3505", 1, None, 9, other("answered")), RINGS], "3505"),
        ([GONE, OVER, RINGS], "3503"),
        ([GONE, RINGS, OVER], "3501"),
        ([GONE, Leg("3505", 1, None, 9, other("elsewhere"))], "3504"),
        ([Leg("3505", 1, None, 9, Result.ANSWERED.value), Leg("3506", 9, 0)], "3506"),
        ([Leg("3505", 1, None, 9, "abandoned"), Leg("3506", 9, None, 10, "answered")], "3506"),
        ([Leg("3505", 1, None, 9, "failed"), OVER], "3505"),
        ([Leg("3505", 1, None, 9, "rejected"), OVER], "3505"),
    ],
)
def test_a_call_is_where_it_was_answered_first_else_where_it_rang_first(legs: list[Leg], extension: str) -> None:
    now = with_legs(call(), tuple(legs))
    assert (now.extension, now.legs) == (extension, tuple(legs))


def test_states_are_known() -> None:
    assert State.RINGING in GOING_ON
    assert State.ENDED not in GOING_ON
