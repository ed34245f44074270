"""Which calls were missed, alone and of those that rang together."""

from typing import Any

import pytest

from gateway.domain.calls.call import Call
from gateway.domain.calls.missed import group_of, judged
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import STATES, State
from gateway.domain.messages import Direction

FAR = 1_000


def call(call_id: int = 1, status: str = "ended", result: str | None = "missed", **more: Any) -> Call:
    plain = {"direction": "incoming", "extension": "3501", "number": "4732100123", "number_as_sent": "4732100123"}
    return Call(id=call_id, status=status, result=result, **(plain | {"logged_at": 1} | more))


def missed(*group: Call) -> list[int]:
    """The calls that count as missed once all of the group were judged, whatever was said of them before."""
    said = {changed.id: changed.missed for changed in judged(group)}
    return [each.id for each in group if said.get(each.id, each.missed)]


@pytest.mark.parametrize("result", [None, *Result])
def test_an_incoming_call_is_missed_by_how_it_ended(result: str | None) -> None:
    by_result = {"missed", "busy", "rejected", "cancelled", "voicemail", "abandoned"}
    assert missed(call(result=result)) == ([1] if result in by_result else [])


@pytest.mark.parametrize("direction", list(Direction))
def test_only_a_call_from_outside_is_missed(direction: str) -> None:
    assert missed(call(direction=direction)) == ([1] if direction == "incoming" else [])


@pytest.mark.parametrize("status", STATES)
def test_only_a_call_that_has_ended_is_missed(status: str) -> None:
    assert missed(call(status=status)) == ([1] if STATES[status] is State.ENDED else [])


@pytest.mark.parametrize("took", [{"answered_at": 0}, {"answered_by": "3502"}, {"answered_by": ""}])
def test_a_call_that_somebody_took_was_not_missed(took: dict[str, Any]) -> None:
    assert missed(call(**took)) == []
    assert missed(call(1), call(2, **took)) == []


def test_of_a_group_the_first_is_missed_once_nobody_rings_any_more() -> None:
    assert missed(call(3), call(2, result="unknown"), call(4)) == [2]
    assert missed(call(2, result="unknown"), call(4, result=None)) == []
    assert missed(call(2), call(3, status="ringing", result=None)) == []
    assert missed(call(2), call(3, status="talking", result=None)) == []
    assert missed(call(2, direction="outgoing"), call(3)) == []


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ({}, []),
        ({"transferred_to": "3502"}, []),
        ({"group_id": 1}, []),
        ({"group_id": 1, "transferred_to": "3502"}, [1]),
    ],
)
def test_a_caller_forwarded_to_where_we_see_nothing_was_taken(more: dict[str, Any], others: list[int]) -> None:
    """Within the group, whoever it was forwarded to tells."""
    assert missed(call(1, result=f"{Result.FORWARDED}", **more), call(2)) == others


def test_only_what_is_to_be_said_anew_is_told() -> None:
    assert list(judged([call(missed=True)])) == []
    assert list(judged([call(result="answered", missed=False)])) == []
    assert list(judged([call(result="answered")])) == []
    assert list(judged([call(1, missed=True), call(2, result="answered")])) == [call(1, missed=False)]


def test_of_two_calls_alike_one_is_missed() -> None:
    """A call that is read twice from a database is two objects."""
    assert [changed.missed for changed in judged([call(), call()])] == [True]


def test_a_group_is_those_that_rang_with_a_call() -> None:
    one = call(FAR, group_id=FAR)
    with_it = call(FAR + 1, group_id=int(str(FAR)))
    others = [call(FAR + 2, group_id=FAR + 3), call(FAR + 4), call(1, group_id=1)]
    assert group_of(one, [call(int(str(FAR)), group_id=FAR, missed=True), with_it, *others]) == [one, with_it]
    assert group_of(call(5), [call(6), call(7)]) == [call(5)]
