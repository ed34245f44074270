"""What queues say of a call: since when and how long its caller waited, and that the caller gave up."""

from typing import Any

import pytest

from gateway.domain.calls.call import NOTHING_ATTACHED, Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.queueing import (
    QUEUE,
    abandoned,
    gave_up,
    left_queue,
    queued,
    was_taken,
    with_queue,
    with_wait,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import STATES, Event, State
from gateway.domain.messages import ATTACHED, Direction

T0 = 1_780_000_000_000
NAMES = tuple(ATTACHED)


def call(**more: Any) -> Call:
    plain = Call(1, "incoming", "3501", "4732100123", "4732100123", T0, "ringing", attached=attached(caller_name="Ana"))
    return plain._replace(**more)


def attached(**told: str) -> tuple[str | None, ...]:
    return tuple(told.get(name) for name in NAMES)


def heard(at: int = T0, **more: Any) -> HeardEvent:
    plain = {"direction": Direction.INCOMING, "extension": "3501", "number": "4732100123", "known": True}
    return HeardEvent(Event.END, at=at, **(plain | more))  # type: ignore[arg-type]


WAITS = call(status="waiting", queued_at=T0, attached=attached(queue="vendas", caller_name="Ana"))


def test_a_caller_waits_from_the_moment_of_the_queue() -> None:
    waits = queued(call(), heard(T0 + 5000, occurred_at=T0 + 3000, attached=attached(queue="vendas")))
    assert (waits.queued_at, waits.queue_left_at) == (T0 + 3000, None)
    assert waits.attached == attached(queue="vendas", caller_name="Ana")


def test_a_further_queue_counts_from_now_on_and_the_waiting_goes_on() -> None:
    again = queued(WAITS, heard(T0 + 9000, attached=attached(queue="suporte", caller_name="Bia")))
    assert (again.queued_at, again.attached) == (T0, attached(queue="suporte", caller_name="Ana"))
    assert queued(WAITS, heard(attached=NOTHING_ATTACHED)).attached == WAITS.attached
    back = queued(WAITS._replace(queue_left_at=T0 + 1), heard(T0 + 9000))
    assert (back.queued_at, back.queue_left_at) == (T0 + 9000, None)


def test_the_queue_is_the_first_word_of_that_name() -> None:
    assert NAMES[QUEUE] == "queue"


@pytest.mark.parametrize(
    ("until", "waited_s"), [(T0 + 12_000, 12), (T0 + 12_499, 12), (T0 + 12_501, 13), (T0, 0), (T0 - 5000, 0)]
)
def test_a_wait_is_as_long_as_the_clock_says(until: int, waited_s: int) -> None:
    assert with_wait(WAITS, until) == WAITS._replace(queue_left_at=until, waited_s=waited_s)
    left = left_queue(WAITS, heard(until + 7, occurred_at=until))
    assert (left.queue_left_at, left.waited_s) == (until, waited_s)


def test_a_wait_is_as_long_as_the_exchange_says_where_it_does() -> None:
    assert left_queue(WAITS, heard(T0 + 9000, waited_s=30)).waited_s == 30
    assert left_queue(WAITS, heard(T0 + 9000, waited_s=0)).waited_s == 0
    assert with_queue(WAITS, heard(waited_s=-4)).waited_s == 0
    assert with_queue(WAITS._replace(waited_s=7), heard()).waited_s == 7


def test_who_does_not_wait_waited_for_nothing() -> None:
    assert with_wait(call(), T0 + 5000) == call()
    assert left_queue(call(), heard(T0 + 5000)) == call(queue_left_at=T0 + 5000)


@pytest.mark.parametrize(
    ("took", "taken"), [({}, False), ({"answered_at": 0}, True), ({"recording_url": "http://pbx/1.wav"}, True)]
)
def test_who_was_taken_did_not_give_up(took: dict[str, Any], taken: bool) -> None:
    assert was_taken(call(**took)) is taken
    assert abandoned(call(result="missed", **took), heard(waited_s=9)).result == ("missed" if taken else "abandoned")
    assert abandoned(call(**took), heard(waited_s=9)).waited_s == 9


def ended(result: Result, **more: Any) -> Call:
    return WAITS._replace(status="ended", ended_at=T0 + 20_000, result=result.value, **more)


@pytest.mark.parametrize(
    ("result", "said", "becomes"),
    [
        ("unknown", {}, "abandoned"),
        ("unknown", {"result_text": "???", "duration_s": 9}, "abandoned"),
        ("answered", {}, "abandoned"),
        ("answered", {"duration_s": 0}, "abandoned"),
        ("answered", {"result_text": "16"}, "abandoned"),
        ("answered", {"result_text": "ANSWERED"}, "answered"),
        ("answered", {"duration_s": 9}, "answered"),
        ("missed", {}, "missed"),
        ("abandoned", {}, "abandoned"),
        ("voicemail", {}, "voicemail"),
    ],
)
def test_who_waited_and_was_taken_by_nobody_gave_up(result: str, said: dict[str, Any], becomes: str) -> None:
    waits = WAITS._replace(status="waiting")
    gone = gave_up(ended(Result("".join(result))), waits, heard(**said))
    assert (gone.result, gone.waited_s, gone.queue_left_at) == (becomes, 20, T0 + 20_000)
    elsewhere = heard(**said)._replace(extension="")
    assert gave_up(ended(Result("".join(result))), WAITS, elsewhere) == gone


def test_where_it_still_rang_it_may_have_been_answered() -> None:
    gone = ended(Result.UNKNOWN)
    assert gave_up(gone, WAITS._replace(status="ringing"), heard()) == gone


@pytest.mark.parametrize(
    ("changed", "before"),
    [
        (ended(Result.UNKNOWN), call()),
        (ended(Result.UNKNOWN), WAITS._replace(status="ringing")),
        (ended(Result.UNKNOWN), WAITS._replace(queue_left_at=T0 + 1)),
        (ended(Result.UNKNOWN, answered_at=T0 + 1), WAITS),
        (ended(Result.UNKNOWN)._replace(ended_at=None), WAITS),
    ],
)
def test_an_end_says_nothing_of_a_queue_where_nobody_waits_in_one(changed: Call, before: Call) -> None:
    assert gave_up(changed, before, heard()) == changed


@pytest.mark.parametrize("status", STATES)
def test_an_end_where_it_rings_says_nothing_of_the_queue(status: str) -> None:
    """It may have been answered there."""
    rings = STATES[status] is State.RINGING
    before = WAITS._replace(status=status)
    assert (gave_up(ended(Result.UNKNOWN), before, heard()).result == "unknown") is rings
    assert gave_up(ended(Result.UNKNOWN), before, heard(extension="3509")).result == "abandoned"


@pytest.mark.parametrize(
    ("at", "left_at", "waits"),
    [
        (None, None, False),
        (T0, None, True),
        (T0, T0 - 1, True),
        (T0, T0, False),
        (T0, T0 + 1, False),
        (None, T0, False),
    ],
)
def test_a_caller_waits_who_has_not_left_since(at: int | None, left_at: int | None, waits: bool) -> None:
    assert call(queued_at=at, queue_left_at=left_at).is_queued is waits
