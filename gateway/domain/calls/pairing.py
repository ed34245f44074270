"""Which call an event belongs to: the rules for each kind of event, in their order. Each says how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.finding import (
    answered_late,
    answered_pair,
    end_by_id,
    end_given_up,
    end_of_pair,
    ended_lately,
    ended_of_caller,
    in_queue,
    named,
    newest,
    noted_again,
    noted_before,
    noted_late,
    of_caller,
    open_pair,
    opened_by_transfer,
    ordered,
    overtaken,
    queued_again,
    repeated_end,
    repeated_start,
    transferred,
    transferred_again,
    transferred_just_now,
    withheld_in_queue,
)
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.records import recorded_again, recorded_late, recorded_open
from gateway.domain.calls.states import State


@dataclass(frozen=True, slots=True)
class FoundCall:
    """The call an event belongs to, None for a new one, and the rule that found it."""

    call: Call | None
    rule: PairingRule


NOTHING_FOUND = FoundCall(None, PairingRule.ALONE)


def find_of_start(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call whose start was heard; a new one when no rule finds any."""
    return _first(START_RULES, heard, calls)


def find_of_answer(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call that was answered; a new one where it rang at another extension, or its start was lost."""
    return _first(ANSWER_RULES, heard, calls)


def find_of_transfer(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call that goes on elsewhere; a new one there when no rule finds any."""
    return _first(TRANSFER_RULES, heard, calls)


def find_goes_on(heard: HeardEvent, call: Call, calls: Sequence[Call]) -> Call | None:
    """Return the call where ``call`` was transferred to, if something was heard of it there before."""
    there = [other for other in calls if other.extension == heard.to and other.state in (State.RINGING, State.TALKING)]
    if call.call_ref:
        return newest(other for other in there if other.call_ref == call.call_ref)
    same = (other for other in there if heard.known and other.number == call.number and not other.call_ref)
    return newest(other for other in same if other.direction == call.direction)


def find_of_hold(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call that is put on hold or spoken in again; a new one when no rule finds any."""
    return _first(HOLD_RULES, heard, calls)


def find_of_queue(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call whose caller waits in a queue or does so no more; a new one when no rule finds any."""
    return _first(QUEUE_RULES, heard, calls)


def find_of_note(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call that a note is about; a new one, of which only that is known, when no rule finds any."""
    return _first(NOTE_RULES, heard, calls)


def find_of_end(heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    """Return the call whose end was heard; a new one, of which only the end is known, when no rule finds any."""
    return _first(END_RULES, heard, calls)


def _first(rules: "Sequence[tuple[PairingRule, Find]]", heard: HeardEvent, calls: Sequence[Call]) -> FoundCall:
    for rule, find in rules if calls else ():
        call = find(heard, calls)
        if call is not None:
            return FoundCall(call, _told_apart(rule, heard, calls))
    return NOTHING_FOUND


def _told_apart(rule: PairingRule, heard: HeardEvent, calls: Sequence[Call]) -> PairingRule:
    """Return ``rule``, or *newest* where several calls of the pair are open: then it was only the newest of them that
    was chosen.
    """
    several = rule is PairingRule.PAIR and len(calls) > 1 and sum(1 for _ in open_pair(heard, calls)) > 1
    return PairingRule.NEWEST if several else rule


Find = Callable[[HeardEvent, Sequence[Call]], Call | None]
START_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, named),
    (PairingRule.ORDER, ordered),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.REPEAT, repeated_start),
    (PairingRule.LATE, overtaken),
    (PairingRule.LATE, noted_before),
)
ANSWER_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, named),
    (PairingRule.ORDER, ordered),
    (PairingRule.PAIR, answered_pair),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.LATE, answered_late),
)
HOLD_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, named),
    (PairingRule.PAIR, answered_pair),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.REPEAT, ended_lately),
)
TRANSFER_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, named),
    (PairingRule.REPEAT, transferred_just_now),
    (PairingRule.PAIR, end_of_pair),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.REPEAT, transferred_again),
    (PairingRule.REPEAT, opened_by_transfer),
)
QUEUE_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, named),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.NEWEST, of_caller),
    (PairingRule.LATE, ended_of_caller),
    (PairingRule.REPEAT, queued_again),
    (PairingRule.NEWEST, withheld_in_queue),
    (PairingRule.REPEAT, noted_again),
)
NOTE_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, end_by_id),
    (PairingRule.PAIR, end_of_pair),
    (PairingRule.LATE, noted_late),
    (PairingRule.REPEAT, noted_again),
)
END_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, end_by_id),
    (PairingRule.REPEAT, recorded_again),
    (PairingRule.PAIR, recorded_open),
    (PairingRule.LATE, recorded_late),
    (PairingRule.PAIR, end_of_pair),
    (PairingRule.QUEUE, in_queue),
    (PairingRule.REPEAT, repeated_end),
    (PairingRule.LATE, end_given_up),
    (PairingRule.TRANSFER, transferred),
)
