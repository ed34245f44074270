"""Which call an event belongs to: the rules of ``START_RULES``, ``ANSWER_RULES`` and ``END_RULES``, in their order.

Each says how sure it is. All times are milliseconds since 1970 UTC. Windows are measured by our own clock (when an
event was heard); what an exchange says of the time is only compared with what the same exchange said before.
What came first is told by ids, which are given in the order of arrival, never by a clock: clocks are set. A short
window holds in both directions, so that what was heard "in the future", before the clock was set back, claims nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import is_at
from gateway.domain.calls.results import NOT_ANSWERED, Result
from gateway.domain.calls.states import GOING_ON, OPEN, State
from gateway.domain.messages import ATTACHED, Direction

LONGEST_CALL_MS = 24 * 3600 * 1000
"""An open call older than this is not ended any more by an end that only names the same pair."""
LONGEST_RING_MS = 120 * 1000
"""After this long an order no longer claims a call that starts: somebody dialled the same number by hand."""
START_REPEAT_MS = 30 * 1000
"""A second start of the same pair within this time is the exchange trying again, not a second call."""
END_REPEAT_MS = 60 * 1000
"""The same for ends."""
OVERTAKEN_MS = 10 * 1000
"""A start may be heard this long after its end: exchanges send both from different processes."""
LATE_MS = 3600 * 1000
"""The same where both say when they happened, so that a queue in the exchange may have held them back."""
GROUP_MS = 5 * 1000
"""The same caller ringing several extensions within this time rings a group."""
TRANSFER_MS = 4 * 3600 * 1000
"""A call that began within this time may be ended by another extension, to which it was transferred."""
SAME_MOMENT_MS = 2 * 1000
CLOCK_MS = 120 * 1000
"""How far an exchange's clock may be off ours before we take it for another moment."""


QUEUE = tuple(ATTACHED).index("queue")
"""Where the queue stands among what is attached to a call."""
TAKEN = (Result.ANSWERED, Result.FORWARDED)


class Certainty(StrEnum):
    """How sure it is that events were brought together rightly."""

    CERTAIN = "certain"
    LIKELY = "likely"
    GUESS = "guess"


class PairingRule(StrEnum):
    """By which rule an event found its call."""

    CALL_ID = "call-id"
    ORDER = "order"
    PAIR = "pair"
    NEWEST = "newest"
    REPEAT = "repeat"
    LATE = "late"
    TRANSFER = "transfer"
    QUEUE = "queue"
    ALONE = "alone"


CERTAINTY: Mapping[PairingRule, Certainty] = {
    PairingRule.CALL_ID: Certainty.CERTAIN,
    PairingRule.ORDER: Certainty.LIKELY,
    PairingRule.PAIR: Certainty.LIKELY,
    PairingRule.NEWEST: Certainty.GUESS,
    PairingRule.REPEAT: Certainty.LIKELY,
    PairingRule.LATE: Certainty.LIKELY,
    PairingRule.TRANSFER: Certainty.GUESS,
    PairingRule.QUEUE: Certainty.LIKELY,
    PairingRule.ALONE: Certainty.CERTAIN,
}


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
        return _newest(other for other in there if other.call_ref == call.call_ref)
    same = (other for other in there if heard.known and other.number == call.number and not other.call_ref)
    return _newest(other for other in same if other.direction == call.direction)


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


def find_group(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call of the same caller that rings another extension, or has just rung there in vain, so that a new call
    belongs to its group.
    """
    return (_group_within(GROUP_MS, heard, calls) or _rang_before(heard, calls)) if calls else None


def find_picked_up(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call of the same caller that rings another extension than the one that answered it."""
    return _group_within(LONGEST_RING_MS, heard, calls)


def _group_within(window_ms: int, heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return an incoming call of the same caller at another extension; by the exchange's id also one that was answered.
    Two who dial the same number are no group.
    """
    if heard.direction is not Direction.INCOMING:
        return None
    others = [call for call in calls if call.direction == Direction.INCOMING and call.extension != heard.extension]
    if heard.call_ref:
        goes_on = (State.RINGING, State.TALKING)
        return _newest(call for call in others if call.call_ref == heard.call_ref and call.state in goes_on)
    ringing = (call for call in others if call.state is State.RINGING and not call.call_ref)
    same = (call for call in ringing if heard.known and call.number == heard.number)
    return _newest(call for call in same if _within(window_ms, heard.at, call.logged_at))


def _rang_before(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return an incoming call of the same caller that rang another extension in vain a moment ago: a queue or a hunt
    rings on. Of the same queue that may be longer ago.
    """
    if heard.call_ref or not heard.known or heard.direction is not Direction.INCOMING:
        return None
    ended = (call for call in calls if call.state is State.ENDED and call.answered_at is None and not call.call_ref)
    others = (call for call in ended if call.direction == Direction.INCOMING and not is_at(call, heard.extension))
    return _newest(call for call in others if call.number == heard.number and _rings_on(heard, call))


def _rings_on(heard: HeardEvent, call: Call) -> bool:
    queue = heard.attached[QUEUE]
    if queue is not None and queue == call.attached[QUEUE] and call.result not in TAKEN:
        return _within(END_REPEAT_MS, heard.at, call.end_heard_at or 0)
    return call.result in NOT_ANSWERED and _within(GROUP_MS, heard.at, call.end_heard_at or 0)


def leaves_rest_of_group(call: Call, heard: HeardEvent) -> bool:
    """Return whether the end ``heard`` of ``call`` shows that the others of its group have stopped ringing.

    Some exchanges end every extension of a group, those that did not answer first: as long as it may still have been
    ringing, an end says nothing of the others, unless it says itself whether it was answered.
    """
    if heard.result is not None and heard.result is not Result.UNKNOWN:
        return heard.result not in NOT_ANSWERED and heard.result is not Result.FORWARDED
    return call.answered_at is not None or heard.at - call.logged_at > LONGEST_RING_MS


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
    several = rule is PairingRule.PAIR and sum(1 for _ in _open_pair(heard, calls)) > 1
    return PairingRule.NEWEST if several else rule


def _newest(calls: Iterable[Call]) -> Call | None:
    return max(calls, key=lambda call: call.id, default=None)


def _within(window_ms: int, at: int, other: int) -> bool:
    return abs(at - other) <= window_ms


def same_pair(heard: HeardEvent, call: Call) -> bool:
    """Return whether extension and number are the same; the two ends of an internal call in any order. Where no
    extension is told, the number is.
    """
    if not heard.extension:
        return heard.known and call.internal is heard.internal and call.number == heard.number
    ends = (call.extension, call.number)
    if ends == (heard.extension, heard.number) or (call.legs and _has_leg_at(heard, call)):
        return True
    return heard.internal and call.internal and ends == (heard.number, heard.extension)


def _has_leg_at(heard: HeardEvent, call: Call) -> bool:
    return call.number == heard.number and is_at(call, heard.extension)


def _pair(heard: HeardEvent, calls: Sequence[Call]) -> Iterable[Call]:
    """Yield the calls of the same pair; one with an id of its own is not taken for one with another."""
    return (call for call in _without_id(heard, calls) if same_pair(heard, call))


def _without_id(heard: HeardEvent, calls: Sequence[Call]) -> Iterable[Call]:
    """Return a day's calls that may be found without an id: nobody has to look further back than that."""
    first = heard.at - LONGEST_CALL_MS
    return (call for call in calls if call.logged_at >= first and not (heard.call_ref and call.call_ref))


# finding the call of a start


def _named(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call with the event's id: at the same extension, else one that goes on, else one that was over only
    lately.
    """
    if not heard.call_ref:
        return None
    same = [call for call in calls if call.call_ref == heard.call_ref and _of_same_party(heard, call)]
    here = (call for call in same if is_at(call, heard.extension) or same_pair(heard, call))
    return _newest(here) or _newest(call for call in same if _goes_on(call)) or _newest(_lately(heard, same))


def _of_same_party(heard: HeardEvent, call: Call) -> bool:
    """Return whether nothing says that ``call`` is another outside party's: an exchange may give an id twice."""
    if heard.internal or call.internal or not heard.known or not call.number:
        return True
    return call.number == heard.number or call.extension == heard.extension


def _goes_on(call: Call) -> bool:
    return call.state in (State.NOTED, *OPEN)


def _lately(heard: HeardEvent, calls: Iterable[Call]) -> Iterable[Call]:
    return (call for call in calls if _within(LATE_MS, heard.at, call.end_heard_at or call.ended_at or call.logged_at))


def _in_queue(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of an outside caller with the event's number who waits in a queue, wherever it rings."""
    if not heard.known or heard.direction is not Direction.INCOMING:
        return None
    waiting = (call for call in _without_id(heard, calls) if call.is_queued and call.state in GOING_ON)
    return _newest(call for call in waiting if call.number == heard.number)


def _ordered(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return _newest(
        call
        for call in _pair(heard, calls)
        if call.state is State.ORDERED and _within(LONGEST_RING_MS, heard.at, call.logged_at)
    )


def _repeated_start(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return _newest(call for call in _pair(heard, calls) if _had_start(call) and _same_start(heard, call))


def _had_start(call: Call) -> bool:
    if call.state is State.TALKING:
        return call.start_heard_at is not None
    return call.state in (State.RINGING, State.OVER)


def _same_start(heard: HeardEvent, call: Call) -> bool:
    if heard.occurred_at is not None and call.started_at is not None:
        if abs(heard.occurred_at - call.started_at) <= SAME_MOMENT_MS:
            return True
        if call.started_at != call.start_heard_at:  # the exchange said another moment
            return False
    return _within(START_REPEAT_MS, heard.at, call.start_heard_at or call.logged_at)


def _overtaken(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call whose answer or end was heard before its start; that start may come more than once."""
    overtakers = (State.TALKING, State.ENDED)
    found = (call for call in _pair(heard, calls) if call.state in overtakers and _lacks_start(call))
    return _newest(call for call in found if _was_before(heard, call, call.start_heard_at or _overtook_at(call)))


def _noted_before(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the number, at no extension yet, of which only something else was heard a moment ago."""
    noted = (call for call in _without_id(heard, calls) if call.state is State.NOTED and not call.extension)
    same = (call for call in noted if heard.known and call.number == heard.number)
    return _newest(call for call in same if _within(OVERTAKEN_MS, heard.at, call.logged_at))


def _lacks_start(call: Call) -> bool:
    """Return whether the end came first; which was heard first no clock tells, for it may have been set
    back meanwhile.
    """
    return call.start_heard_at is None or call.paired_by == PairingRule.LATE


def _overtook_at(call: Call) -> int:
    """Return when the end of ``call``, or else its answer, was heard, in milliseconds."""
    return call.end_heard_at or call.answer_heard_at or call.logged_at


def _was_before(heard: HeardEvent, call: Call, heard_last_at: int) -> bool:
    """Return whether ``heard`` happened before the answer or the end of ``call``, which was last heard of at
    ``heard_last_at``.
    """
    happened_at = call.ended_at if call.ended_at is not None else call.answered_at
    if heard.occurred_at is not None and happened_at is not None:
        return _within(LATE_MS, heard.at, heard_last_at) and heard.occurred_at <= happened_at
    return _within(OVERTAKEN_MS, heard.at, heard_last_at)


# finding the call of an answer


def _answered_pair(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the pair that rings; else one that is answered already."""
    found = [call for call in _open_pair(heard, calls) if call.state is not State.ORDERED]
    return _newest(call for call in found if call.state is State.RINGING) or _newest(found)


def _answered_late(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call whose end overtook its answer; else one that another extension was thought to have taken."""
    pair = list(_pair(heard, calls))
    ended = (call for call in pair if call.state is State.ENDED and _may_be_answered(heard, call))
    closed = (call for call in pair if call.state in (State.ELSEWHERE, State.OVER))
    recent = (call for call in closed if _within(LONGEST_RING_MS, heard.at, call.logged_at))
    return _newest(call for call in ended if _was_before(heard, call, _overtook_at(call))) or _newest(recent)


def _may_be_answered(heard: HeardEvent, call: Call) -> bool:
    """Return whether nobody has said when ``call`` was answered, or only just now."""
    return call.answered_at is None or _within(END_REPEAT_MS, heard.at, call.answer_heard_at or 0)


# finding the call of a transfer


def _transferred_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return _newest(
        call
        for call in _pair(heard, calls)
        if call.state is State.ENDED
        and call.transferred_to == heard.to
        and (_within(END_REPEAT_MS, heard.at, _transferred_at(call)) or heard.moment == call.ended_at)
    )


def _transferred_at(call: Call) -> int:
    """Return about when the transfer of ``call`` was heard, in milliseconds."""
    return call.end_heard_at or (0 if call.ended_at is None else max(call.ended_at, call.logged_at))


def _opened_by_transfer(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call that rings where a transfer goes on, of which nothing was known before it was told first."""
    there = (call for call in _without_id(heard, calls) if call.extension == heard.to and call.number == heard.number)
    rings = (call for call in there if call.state is State.RINGING)
    return _newest(call for call in rings if _within(START_REPEAT_MS, heard.at, call.start_heard_at or 0))


# finding the call of a queue's event, or of a note


def _of_caller(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the caller that goes on, at whatever extension."""
    mine = (call for call in _without_id(heard, calls) if heard.known and call.number == heard.number)
    return _newest(call for call in mine if call.state in GOING_ON and call.direction == heard.direction)


def _ended_of_caller(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the caller that ended a moment ago: what its queue says of it comes late."""
    mine = (call for call in _without_id(heard, calls) if heard.known and call.number == heard.number)
    ended = (call for call in mine if call.state is State.ENDED and call.direction == heard.direction)
    return _newest(call for call in ended if _within(OVERTAKEN_MS, heard.at, call.end_heard_at or 0))


def _ended_lately(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair that ended a moment ago."""
    ended = (call for call in _pair(heard, calls) if call.state is State.ENDED)
    return _newest(call for call in ended if _within(OVERTAKEN_MS, heard.at, call.end_heard_at or 0))


def _noted_late(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the pair that has ended in the last hour; of the number, where no extension is told."""
    if not heard.known:
        return None
    mine = _pair(heard, calls) if heard.extension else _without_id(heard, calls)
    ended = (call for call in mine if call.state is State.ENDED and call.number == heard.number)
    return _newest(call for call in ended if _within(LATE_MS, heard.at, call.end_heard_at or call.ended_at or 0))


def _noted_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair of which nothing but notes was heard, a moment ago."""
    noted = (call for call in _pair(heard, calls) if call.state is State.NOTED)
    return _newest(call for call in noted if _within(END_REPEAT_MS, heard.at, call.logged_at))


# finding the call of an end


def _end_by_id(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    if not heard.call_ref:
        return None
    same = [call for call in calls if call.call_ref == heard.call_ref]
    here = _newest(call for call in same if is_at(call, heard.extension) and not _went_on_from(heard, call))
    return here or _newest(call for call in same if call.state in OPEN) or _newest(same)


def _went_on_from(heard: HeardEvent, call: Call) -> bool:
    """Return whether the end belongs to the call that a transferred ``call`` became: the transfer was too long ago for
    its own end.
    """
    transferred = (
        call.state is State.ENDED and not call.legs and call.end_heard_at is None and call.ended_at is not None
    )
    return transferred and not _within(OVERTAKEN_MS, heard.at, call.ended_at or 0)


def _open_pair(heard: HeardEvent, calls: Sequence[Call]) -> Iterable[Call]:
    return (call for call in _pair(heard, calls) if call.state in OPEN and _may_end(heard, call))


def _may_end(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``heard`` can end ``call``: an end held back in the exchange is not that of a call which began
    after it.
    """
    if heard.occurred_at is None or call.started_at is None:
        return True
    return call.started_at - heard.occurred_at <= CLOCK_MS


def _end_of_pair(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return _newest(_open_pair(heard, calls))


def _repeated_end(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the ended call of the same pair, or one that has ended at this extension because it was transferred."""
    ended = (call for call in _without_id(heard, calls) if call.state is State.ENDED)
    return _newest(call for call in ended if _ended_here(heard, call) and _same_end(heard, call))


def _ended_here(heard: HeardEvent, call: Call) -> bool:
    moved = call.transferred_to == heard.extension and call.number == heard.number
    return same_pair(heard, call) or (moved and heard.known and not heard.internal)


def _same_end(heard: HeardEvent, call: Call) -> bool:
    """Return whether the end was heard a short while ago, and nothing it says contradicts."""
    if call.end_heard_at is None:
        return not _went_on_from(heard, call)
    if not _within(END_REPEAT_MS, heard.at, call.end_heard_at):
        return False
    if heard.recording_url and call.recording_url and heard.recording_url != call.recording_url:
        return False
    if heard.occurred_at is not None and call.ended_at is not None:
        return call.ended_at == call.end_heard_at or abs(heard.occurred_at - call.ended_at) <= SAME_MOMENT_MS
    return heard.duration_s is None or call.duration_s in (None, heard.duration_s)


def _end_given_up(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of an end that was no longer waited for: given up, taken elsewhere as it seemed, or marked as
    over.
    """
    closed = (State.LOST, State.ELSEWHERE, State.OVER)
    return _newest(call for call in _pair(heard, calls) if call.state in closed and _may_end(heard, call))


def _transferred(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call from or to the same number that goes on at another extension; else one that was marked as over
    there.
    """
    if heard.internal or not heard.known:
        return None
    goes_on = (State.RINGING, State.TALKING)
    return _newest(_moved(heard, calls, *goes_on)) or _newest(_moved(heard, calls, State.OVER))


def _moved(heard: HeardEvent, calls: Sequence[Call], *states: State) -> Iterable[Call]:
    return (
        call
        for call in _without_id(heard, calls)
        if call.state in states
        and not call.internal
        and call.number == heard.number
        and heard.at - call.logged_at <= TRANSFER_MS
        and _may_end(heard, call)
    )


Find = Callable[[HeardEvent, Sequence[Call]], Call | None]
START_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _named),
    (PairingRule.ORDER, _ordered),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.REPEAT, _repeated_start),
    (PairingRule.LATE, _overtaken),
    (PairingRule.LATE, _noted_before),
)
ANSWER_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _named),
    (PairingRule.ORDER, _ordered),
    (PairingRule.PAIR, _answered_pair),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.LATE, _answered_late),
)
HOLD_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _named),
    (PairingRule.PAIR, _answered_pair),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.REPEAT, _ended_lately),
)
TRANSFER_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _named),
    (PairingRule.PAIR, _end_of_pair),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.REPEAT, _transferred_again),
    (PairingRule.REPEAT, _opened_by_transfer),
)
QUEUE_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _named),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.NEWEST, _of_caller),
    (PairingRule.LATE, _ended_of_caller),
    (PairingRule.REPEAT, _noted_again),
)
NOTE_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _end_by_id),
    (PairingRule.PAIR, _end_of_pair),
    (PairingRule.LATE, _noted_late),
    (PairingRule.REPEAT, _noted_again),
)
END_RULES: Sequence[tuple[PairingRule, Find]] = (
    (PairingRule.CALL_ID, _end_by_id),
    (PairingRule.PAIR, _end_of_pair),
    (PairingRule.QUEUE, _in_queue),
    (PairingRule.REPEAT, _repeated_end),
    (PairingRule.LATE, _end_given_up),
    (PairingRule.TRANSFER, _transferred),
)
