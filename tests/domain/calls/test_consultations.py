"""Which call a consultation before an attended transfer was for."""

from typing import Any

import pytest

from gateway.domain.calls.book import decide
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import EventKind
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.states import Event
from gateway.domain.messages import Direction
from tests.domain.calls.ledger import read_back

T0 = 1_780_000_000_000


def call(call_id: int, ref: str, **more: Any) -> Call:
    plain = Call(call_id, "internal", "3502", "3501", "3501", T0, "talking", started_at=T0, answered_at=T0 + 5)
    return read_back(plain._replace(call_ref=ref, ref_space="pbx")._replace(**more))


def customer(**more: Any) -> Call:
    return call(1000, "168", **({"direction": "incoming", "extension": "3501", "number": "4732100123"} | more))


def end(**more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"direction": Direction.INTERNAL, "extension": "3502", "number": "3501", "known": True}
    plain |= {"call_ref": "170", "ref_space": "pbx", "joined_to": "168", "goes_on": False}
    return HeardEvent(Event.END, at=T0 + 9000, **(plain | more))


def test_its_end_says_which_call_it_was_for() -> None:
    decided = decide(end(), [customer(), call(1001, "170")], 1002)
    assert (decided.call.id, decided.call.status, decided.call.consultation_for) == (1001, "ended", 1000)
    assert (decided.kind, decided.others) == (EventKind.CALL_ENDED, ())


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ({"joined_to": None}, customer()),
        ({"joined_to": "169"}, customer()),
        ({}, customer(ref_space="other")),
        ({}, customer(consultation_for=7)),
        ({}, customer(id=1001)),
    ],
)
def test_of_no_call_that_is_known_it_stays_a_call_of_its_own(said: dict[str, Any], other: Call) -> None:
    """Not named, unknown, another exchange's, a consultation itself, itself."""
    assert decide(end(**said), [other, call(1001, "170")], 1002).call.consultation_for is None


def test_two_callers_who_are_joined_stay_two_calls() -> None:
    second = customer(id=1001, call_ref="170", number="4732100456")
    heard = end(direction=Direction.INCOMING, extension="3501", number="4732100456")
    decided = decide(heard, [customer(), second], 1002)
    assert (decided.call.id, decided.call.status, decided.call.consultation_for) == (1001, "ended", None)


def test_told_again_it_stays_what_it_was() -> None:
    known = [customer(), decide(end(), [customer(), call(1001, "170")], 1002).call]
    for again in (end(), end(joined_to=None)):
        assert decide(again, known, 1002).call.consultation_for == 1000


def test_a_call_that_goes_on_after_all_is_none() -> None:
    ended = decide(end(), [customer(), call(1001, "170")], 1002).call
    again = end()._replace(event=Event.START, extension="3503", joined_to=None, goes_on=None, rings_anew=True)
    decided = decide(again, [ended], 1002)
    assert (decided.call.id, decided.call.status, decided.call.consultation_for) == (1001, "ringing", None)
