"""The calls that an event may belong to: what each rule of ``pairing.py`` looks for.

All times are milliseconds since 1970 UTC. Windows are measured by our own clock (when an event was heard); what an
exchange says of the time is only compared with what the same exchange said before. What came first is told by ids,
which are given in the order of arrival, never by a clock: clocks are set. A short window holds in both directions, so
that what was heard "in the future", before the clock was set back, claims nothing.
"""

from collections.abc import Iterable, Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import is_at
from gateway.domain.calls.records import began_too_early
from gateway.domain.calls.states import GOING_ON, OPEN, Event, State
from gateway.domain.calls.windows import (
    CLOCK_MS,
    END_REPEAT_MS,
    GROUP_MS,
    LATE_MS,
    LONGEST_CALL_MS,
    LONGEST_RING_MS,
    OVERTAKEN_MS,
    SAME_MOMENT_MS,
    START_REPEAT_MS,
    TRANSFER_MS,
)
from gateway.domain.messages import ATTACHED, Direction

QUEUE = tuple(ATTACHED).index("queue")
"""Where the queue stands among what is attached to a call."""


def newest(calls: Iterable[Call]) -> Call | None:
    return max(calls, key=lambda call: call.id, default=None)


def within(window_ms: int, at: int, other: int) -> bool:
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


def of_same_exchange(heard: HeardEvent, calls: Sequence[Call]) -> Sequence[Call]:
    """Return ``calls`` without those of other exchanges, which may give the same ids, where the event has one."""
    if not heard.call_ref:
        return calls
    return [call for call in calls if call.ref_space is None or call.ref_space == heard.ref_space]


# finding the call of a start


def named(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call with the event's id: at the same extension, else one that goes on, else one that was over only
    lately.
    """
    if not heard.call_ref:
        return None
    if (ordered_so := _of_order(heard, calls)) is not None:
        return ordered_so
    same = [call for call in calls if call.call_ref == heard.call_ref and _of_same_party(heard, call)]
    here = (call for call in same if is_at(call, heard.extension) or same_pair(heard, call))
    return newest(here) or newest(call for call in same if _goes_on(call)) or newest(_lately(heard, same))


def _of_order(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call that was placed with the event's id."""
    if heard.order_id is None:
        return None
    return next((call for call in calls if call.order_id == heard.order_id), None)


def _of_same_party(heard: HeardEvent, call: Call) -> bool:
    """Return whether nothing says that ``call`` is another outside party's: an exchange may give an id twice."""
    if heard.internal or call.internal or not heard.known or not call.number:
        return True
    return call.number == heard.number or call.extension == heard.extension


def _goes_on(call: Call) -> bool:
    return call.state in (State.NOTED, *OPEN)


def _lately(heard: HeardEvent, calls: Iterable[Call]) -> Iterable[Call]:
    return (call for call in calls if within(LATE_MS, heard.at, call.end_heard_at or call.ended_at or call.logged_at))


def in_queue(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of an outside caller with the event's number who waits in a queue, wherever it rings."""
    if not heard.known or heard.direction is not Direction.INCOMING:
        return None
    waiting = (call for call in _without_id(heard, calls) if call.is_queued and call.state in GOING_ON)
    return newest(call for call in waiting if call.number == heard.number)


def ordered(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return newest(
        call
        for call in _pair(heard, calls)
        if call.state is State.ORDERED and within(LONGEST_RING_MS, heard.at, call.logged_at)
    )


def repeated_start(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return newest(call for call in _pair(heard, calls) if _had_start(call) and _same_start(heard, call))


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
    return within(START_REPEAT_MS, heard.at, call.start_heard_at or call.logged_at)


def overtaken(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call whose answer or end was heard before its start; that start may come more than once."""
    overtakers = (State.TALKING, State.ENDED)
    found = (call for call in _pair(heard, calls) if call.state in overtakers and _lacks_start(call))
    return newest(call for call in found if _was_before(heard, call, call.start_heard_at or _overtook_at(call)))


def noted_before(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the number, at no extension yet, of which only something else was heard a moment ago."""
    noted = (call for call in _without_id(heard, calls) if call.state is State.NOTED and not call.extension)
    same = (call for call in noted if heard.known and call.number == heard.number)
    return newest(call for call in same if within(OVERTAKEN_MS, heard.at, call.logged_at))


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
    if happened_at is not None and (heard.occurred_at is not None or (heard.kept and heard.at <= happened_at)):
        return within(LATE_MS, heard.at, heard_last_at) and heard.moment <= happened_at
    return within(OVERTAKEN_MS, heard.at, heard_last_at)


# finding the call of an answer


def answered_pair(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the pair that rings; else one that is answered already."""
    found = [call for call in open_pair(heard, calls) if call.state is not State.ORDERED]
    return newest(call for call in found if call.state is State.RINGING) or newest(found)


def answered_late(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call whose end overtook its answer; else one that another extension was thought to have taken."""
    pair = list(_pair(heard, calls))
    ended = (call for call in pair if call.state is State.ENDED and _may_be_answered(heard, call))
    closed = (call for call in pair if call.state in (State.ELSEWHERE, State.OVER))
    recent = (call for call in closed if within(LONGEST_RING_MS, heard.at, call.logged_at))
    return newest(call for call in ended if _was_before(heard, call, _overtook_at(call))) or newest(recent)


def _may_be_answered(heard: HeardEvent, call: Call) -> bool:
    """Return whether nobody has said when ``call`` was answered, or only just now."""
    return call.answered_at is None or within(END_REPEAT_MS, heard.at, call.answer_heard_at or 0)


# finding the call of a transfer


def transferred_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return newest(
        call
        for call in _pair(heard, calls)
        if call.state is State.ENDED
        and call.transferred_to == heard.to
        and (within(END_REPEAT_MS, heard.at, _transferred_at(call)) or heard.moment == call.ended_at)
    )


def transferred_just_now(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair that was transferred there a moment ago, although another one of it is open: nobody
    hands on two callers as fast as that.
    """
    again = transferred_again(heard, calls)
    return again if again is not None and within(OVERTAKEN_MS, heard.at, _transferred_at(again)) else None


def _transferred_at(call: Call) -> int:
    """Return about when the transfer of ``call`` was heard, in milliseconds."""
    return call.end_heard_at or (0 if call.ended_at is None else max(call.ended_at, call.logged_at))


def opened_by_transfer(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call that rings where a transfer goes on, of which nothing was known before it was told first."""
    there = (call for call in _without_id(heard, calls) if call.extension == heard.to and call.number == heard.number)
    rings = (call for call in there if call.state is State.RINGING)
    return newest(call for call in rings if within(LONGEST_RING_MS, heard.at, call.start_heard_at or 0))


# finding the call of a queue's event, or of a note


def of_caller(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the caller that goes on, at whatever extension."""
    mine = (call for call in _without_id(heard, calls) if heard.known and call.number == heard.number)
    return newest(call for call in mine if call.state in GOING_ON and call.direction == heard.direction)


def ended_of_caller(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the caller that ended a moment ago: what its queue says of it comes late."""
    mine = (call for call in _without_id(heard, calls) if heard.known and call.number == heard.number)
    ended = (call for call in mine if call.state is State.ENDED and call.direction == heard.direction)
    return newest(call for call in ended if within(OVERTAKEN_MS, heard.at, call.end_heard_at or 0))


def queued_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of a withheld caller of which the queue has just told the same."""
    entered = heard.event is Event.QUEUE
    moments = ((call, call.queued_at if entered else call.queue_left_at) for call in _withheld(heard, calls))
    same = (call for call, at in moments if at is not None and call.is_queued is entered and _is_again(heard, at))
    return newest(same)


def _is_again(heard: HeardEvent, told_at: int) -> bool:
    return within(SAME_MOMENT_MS if heard.occurred_at is not None else GROUP_MS, heard.moment, told_at)


def withheld_in_queue(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of a withheld caller who waits in the queue that ``heard`` left, at no extension yet."""
    if heard.event is Event.QUEUE:
        return None
    return newest(call for call in _withheld(heard, calls) if call.is_queued and call.state in GOING_ON)


def _withheld(heard: HeardEvent, calls: Sequence[Call]) -> Iterable[Call]:
    """Yield the calls of withheld callers in the event's queue that are at no extension yet."""
    if heard.known or heard.number == "":
        return ()
    mine = (call for call in _without_id(heard, calls) if call.number == heard.number and not call.extension)
    return (call for call in mine if call.attached[QUEUE] == heard.attached[QUEUE])


def ended_lately(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair that ended a moment ago."""
    ended = (call for call in _pair(heard, calls) if call.state is State.ENDED)
    return newest(call for call in ended if within(OVERTAKEN_MS, heard.at, call.end_heard_at or 0))


def noted_late(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the newest call of the pair that has ended in the last hour; of the number, where no extension is told."""
    if not heard.known:
        return None
    mine = _pair(heard, calls) if heard.extension else _without_id(heard, calls)
    ended = (call for call in mine if call.state is State.ENDED and call.number == heard.number)
    return newest(call for call in ended if within(LATE_MS, heard.at, call.end_heard_at or call.ended_at or 0))


def noted_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair of which nothing but notes was heard, a moment ago."""
    noted = (call for call in _pair(heard, calls) if call.state is State.NOTED)
    return newest(call for call in noted if within(END_REPEAT_MS, heard.at, call.logged_at))


# finding the call of an end


def end_by_id(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    if not heard.call_ref:
        return None
    if (ordered_so := _of_order(heard, calls)) is not None:
        return ordered_so
    same = [call for call in calls if call.call_ref == heard.call_ref]
    here = newest(call for call in same if is_at(call, heard.extension) and not _went_on_from(heard, call))
    return here or newest(call for call in same if call.state in OPEN) or newest(same)


def _went_on_from(heard: HeardEvent, call: Call) -> bool:
    """Return whether the end belongs to the call that a transferred ``call`` became: the transfer was too long ago for
    its own end.
    """
    transferred = (
        call.state is State.ENDED and not call.legs and call.end_heard_at is None and call.ended_at is not None
    )
    return transferred and not within(OVERTAKEN_MS, heard.at, call.ended_at or 0)


def open_pair(heard: HeardEvent, calls: Sequence[Call]) -> Iterable[Call]:
    return (call for call in _pair(heard, calls) if call.state in OPEN and _may_end(heard, call))


def _may_end(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``heard`` can end ``call``: an end held back in the exchange is not that of a call which began
    after it.
    """
    if heard.occurred_at is None or call.started_at is None:
        return True
    return call.started_at - heard.occurred_at <= CLOCK_MS and not began_too_early(heard, call)


def end_of_pair(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    return newest(open_pair(heard, calls))


def repeated_end(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the ended call of the same pair, or one that has ended at this extension because it was transferred."""
    ended = (call for call in _without_id(heard, calls) if call.state is State.ENDED)
    return newest(call for call in ended if _ended_here(heard, call) and _same_end(heard, call))


def _ended_here(heard: HeardEvent, call: Call) -> bool:
    moved = call.transferred_to == heard.extension and call.number == heard.number
    return same_pair(heard, call) or (moved and heard.known and not heard.internal)


def _same_end(heard: HeardEvent, call: Call) -> bool:
    """Return whether the end was heard a short while ago, and nothing it says contradicts."""
    if call.end_heard_at is None:
        return not _went_on_from(heard, call)
    if not within(END_REPEAT_MS, heard.at, call.end_heard_at):
        return False
    if heard.recording_url and call.recording_url and heard.recording_url != call.recording_url:
        return False
    if heard.occurred_at is not None and call.ended_at is not None:
        return call.ended_at == call.end_heard_at or abs(heard.occurred_at - call.ended_at) <= SAME_MOMENT_MS
    return heard.duration_s is None or call.duration_s in (None, heard.duration_s)


def end_given_up(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of an end that was no longer waited for: given up, taken elsewhere as it seemed, or marked as
    over.
    """
    closed = (State.LOST, State.ELSEWHERE, State.OVER)
    return newest(call for call in _pair(heard, calls) if call.state in closed and _may_end(heard, call))


def transferred(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return a call from or to the same number that goes on at another extension; else one that was marked as over
    there.
    """
    if heard.internal or not heard.known:
        return None
    goes_on = (State.RINGING, State.TALKING)
    return newest(_moved(heard, calls, *goes_on)) or newest(_moved(heard, calls, State.OVER))


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
