"""What is taken over from a message: read, cut to what a call holds, and nothing besides."""

from typing import Any

import pytest

from gateway.domain.calls.direction import Sides, tell_sides
from gateway.domain.calls.heard import (
    LONGEST_LOGIN,
    MOST_RINGING,
    FellSilent,
    HeardEvent,
    MarkedOver,
    NoEnd,
    SettledOrder,
    TakenElsewhere,
    heard_answer,
    heard_end,
    heard_hold,
    heard_note,
    heard_queue,
    heard_start,
    heard_transfer,
    number_of,
    placed_order,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import STATES, Event, State
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    Origin,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.numbering.numbers import read as read_number
from gateway.domain.numbering.reading import NumberKind, Reading

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
HERE = Origin("get", "127.0.0.1")
T0 = 1_780_000_000_000
NUMBER = "4732100123"


def read(text: str) -> Reading:
    return read_number(text, PLAN)


def sides(ramal: str = "3501", telefone: str = NUMBER) -> Sides:
    return tell_sides(ramal, telefone, PLAN)


def started(**more: Any) -> CallStarted:
    return CallStarted("acme", "3501", NUMBER, HERE, T0, **more)


def test_a_start_says_who_calls_whom() -> None:
    heard = heard_start(started(call_ref="a", occurred_at=T0 - 5, queue="vendas"), sides(telefone="(47) 3210-0123"))
    who = (Event.START, Direction.INCOMING, "3501", NUMBER, True, T0, (NUMBER,))
    more = ("(47) 3210-0123", (NUMBER,), None, "a", T0 - 5)
    assert heard == HeardEvent(*who, *more)._replace(attached=heard.attached)
    assert "vendas" in heard.attached
    assert (heard.moment, heard.internal, heard.stays_inside) == (T0 - 5, False, True)
    assert heard_start(started(), sides()).moment == T0


def test_both_ends_of_an_internal_call_are_numbers_to_look_for() -> None:
    heard = heard_start(started(), sides(telefone="3502"))
    assert (heard.numbers, heard.internal) == (("3502", "3501"), True)
    outgoing = heard_start(started(), sides(NUMBER, "3501"))
    assert (outgoing.numbers, outgoing.internal, outgoing.direction) == ((NUMBER,), False, Direction.OUTGOING)


def test_the_other_reading_of_a_number_is_looked_for_too() -> None:
    both = Sides("3501", read("94932100123"), Direction.OUTGOING, read("4932100123"))
    heard = heard_start(started(), both)
    assert (heard.perhaps, heard.numbers) == ("4932100123", ("94932100123", "4932100123"))
    assert heard_start(started(), sides()).perhaps is None


@pytest.mark.parametrize(
    ("text", "known"),
    [(NUMBER, True), ("3502", True), ("anonymous", False), ("", False), ("123456789012345678", False)],
)
def test_a_caller_who_is_not_told_is_nobody(text: str, known: bool) -> None:
    assert heard_start(started(), sides(telefone=text)).known is known


def long(length: int) -> Reading:
    digits = "7" * length
    return Reading(digits, NumberKind.UNKNOWN, digits, None, (digits,), False, ())


def test_texts_are_cut_to_what_a_call_holds() -> None:
    both = Sides("x" * 300, long(300), Direction.INCOMING, long(299))
    heard = heard_start(started(also_rings=("y" * 300,)), both)
    cut = (heard.extension, heard.number, heard.number_as_sent, heard.perhaps, *heard.also_rings)
    assert [len(text or "") for text in cut] == [32, 64, 255, 64, 32]
    assert [len(text) for text in heard.numbers] == [64, 64]
    end = heard_end(CallEnded("acme", "3501", NUMBER, HERE, T0, cause="z" * 300), sides())
    assert len(end.cause or "") == 64
    transfer = heard_transfer(CallTransferred("acme", "3501", NUMBER, "", HERE, T0), sides(), long(300))
    assert len(transfer.to or "") == 32
    order = placed_order(PlaceCall("acme", "x" * 300, "7" * 300, HERE, T0), "x" * 300, long(300), 1)
    assert [len(text) for text in (order.extension, order.number, order.number_as_sent)] == [32, 64, 255]


def test_a_start_rings_further_extensions_each_once() -> None:
    heard = heard_start(started(also_rings=(" 3502 ", "3502", "", " ", "".join(["35", "01"]), "3500")), sides())
    assert heard.also_rings == ("3502", "3500")
    many = tuple(str(number) for number in range(1000, 1100))
    assert heard_start(started(also_rings=many), sides()).also_rings == many[:64]
    assert (MOST_RINGING, LONGEST_LOGIN) == (64, 64)


def test_holds_and_answers_are_told_apart() -> None:
    held, resumed = (kind("acme", "3501", NUMBER, HERE, T0) for kind in (CallHeld, CallResumed))
    answered = CallAnswered("acme", "3501", NUMBER, HERE, T0, answered_at=T0 - 5)
    assert [heard_hold(held, sides()).event, heard_hold(resumed, sides()).event] == [Event.HOLD, Event.RESUME]
    heard = heard_answer(answered, sides())
    assert (heard.event, heard.answered_at) == (Event.ANSWER, T0 - 5)


@pytest.mark.parametrize(
    ("to", "inside", "number"),
    [
        ("3502", True, "3502"),
        ("190", False, "190"),
        ("(11) 3210-0123", False, "1132100123"),
        ("anonymous", False, "anonymous"),
    ],
)
@pytest.mark.parametrize("attended", [None, True, False])
def test_a_transfer_says_where_to_and_how(to: str, inside: bool, number: str, attended: bool | None) -> None:
    message = CallTransferred("acme", "3501", NUMBER, to, HERE, T0, attended=attended)
    heard = heard_transfer(message, sides(), read(to))
    assert (heard.event, heard.to, heard.stays_inside, heard.attended) == (Event.TRANSFER, number, inside, attended)


def test_a_queue_is_at_no_extension() -> None:
    entered = QueueEntered("acme", "3501", NUMBER, HERE, T0, queue="vendas")
    left = QueueLeft("acme", "3501", NUMBER, HERE, T0, waited_s=0)
    gone = QueueLeft("acme", "3501", NUMBER, HERE, T0, abandoned=True)
    heard = [heard_queue(message, sides()) for message in (entered, left, gone)]
    assert [each.event for each in heard] == [Event.QUEUE, Event.LEAVE_QUEUE, Event.ABANDON]
    assert ([each.extension for each in heard], heard[1].waited_s) == ([""] * 3, 0)


def test_an_end_says_how_and_why() -> None:
    message = CallEnded("acme", "3501", NUMBER, HERE, T0, "http://pbx/1", duration_s=9, result="BUSY", cause="17")
    heard = heard_end(message, sides())
    assert (heard.event, heard.duration_s, heard.recording_url) == (Event.END, 9, "http://pbx/1")
    assert (heard.result_text, heard.cause, heard.result) == ("BUSY", "17", Result.BUSY)
    only_cause = heard_end(CallEnded("acme", "3501", NUMBER, HERE, T0, cause="17"), sides())
    assert (only_cause.result_text, only_cause.cause) == ("17", "17")
    plain = heard_end(CallEnded("acme", "3501", NUMBER, HERE, T0, result="OK"), sides())
    assert (plain.result_text, plain.cause, plain.fields, plain.waited_s) == ("OK", None, None, None)


def test_a_note_says_what_is_to_be_kept() -> None:
    message = CallNoted(
        "acme", "3501", NUMBER, HERE, T0, recording_url="http://pbx/1", cost="R$ 1", fields={"cpf": "1"}
    )
    heard = heard_note(message, sides())
    assert (heard.event, heard.recording_url, heard.cost, heard.fields) == (
        Event.NOTE, "http://pbx/1", "R$ 1", {"cpf": "1"}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "direction"),
    [
        ("3502", Direction.INTERNAL),
        (NUMBER, Direction.OUTGOING),
        ("190", Direction.OUTGOING),
        ("anonymous", Direction.OUTGOING),
    ],
)
def test_an_order_calls_an_extension_or_outside(number: str, direction: Direction) -> None:
    order = placed_order(PlaceCall("acme", "3501", number, HERE, T0), "3501", read(number), 7)
    assert (order.order_id, order.direction, order.extension, order.at) == (7, direction, "3501", T0)
    assert (order.number, order.number_as_sent, order.event) == (number_of(read(number)), number, Event.ORDER)


@pytest.mark.parametrize("outcome", STATES)
def test_an_order_was_taken_unless_it_surely_failed(outcome: str) -> None:
    failed = STATES[outcome] is State.FAILED
    assert SettledOrder(outcome, T0).event is (Event.FAILED if failed else Event.ACCEPTED)


def test_what_is_not_heard_happens_to_a_call_too() -> None:
    assert (MarkedOver("ana", T0).event, NoEnd().event) == (Event.MARKED_OVER, Event.NO_END)
    assert (FellSilent().event, TakenElsewhere(T0).event) == (Event.FELL_SILENT, Event.TAKEN_ELSEWHERE)


def test_an_end_says_when_the_call_began() -> None:
    message = CallEnded("acme", "3501", NUMBER, HERE, T0, started_at=T0 - 60_000)
    assert heard_end(message, sides()).started_at == T0 - 60_000
    assert heard_end(CallEnded("acme", "3501", NUMBER, HERE, T0), sides()).started_at is None
