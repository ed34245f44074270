"""Which calls belong together: those of one caller who rings several extensions."""

from collections.abc import Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.finding import QUEUE, newest, within
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import is_at
from gateway.domain.calls.results import NOT_ANSWERED, Result
from gateway.domain.calls.states import State
from gateway.domain.calls.windows import END_REPEAT_MS, GROUP_MS, LONGEST_RING_MS
from gateway.domain.messages import Direction

TAKEN = (Result.ANSWERED, Result.FORWARDED)


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
        return newest(call for call in others if call.call_ref == heard.call_ref and call.state in goes_on)
    ringing = (call for call in others if call.state is State.RINGING and not call.call_ref)
    same = (call for call in ringing if heard.known and call.number == heard.number)
    return newest(call for call in same if within(window_ms, heard.at, call.logged_at))


def _rang_before(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return an incoming call of the same caller that rang another extension in vain a moment ago: a queue or a hunt
    rings on. Of the same queue that may be longer ago.
    """
    if heard.call_ref or not heard.known or heard.direction is not Direction.INCOMING:
        return None
    ended = (call for call in calls if call.state is State.ENDED and call.answered_at is None and not call.call_ref)
    others = (call for call in ended if call.direction == Direction.INCOMING and not is_at(call, heard.extension))
    return newest(call for call in others if call.number == heard.number and _rings_on(heard, call))


def _rings_on(heard: HeardEvent, call: Call) -> bool:
    queue = heard.attached[QUEUE]
    if queue is not None and queue == call.attached[QUEUE] and call.result not in TAKEN:
        return within(END_REPEAT_MS, heard.at, call.end_heard_at or 0)
    return call.result in NOT_ANSWERED and within(GROUP_MS, heard.at, call.end_heard_at or 0)


def leaves_rest_of_group(call: Call, heard: HeardEvent) -> bool:
    """Return whether the end ``heard`` of ``call`` shows that the others of its group have stopped ringing.

    Some exchanges end every extension of a group, those that did not answer first: as long as it may still have been
    ringing, an end says nothing of the others, unless it says itself whether it was answered.
    """
    if heard.result is not None and heard.result is not Result.UNKNOWN:
        return heard.result not in NOT_ANSWERED and heard.result is not Result.FORWARDED
    return call.answered_at is not None or heard.at - call.logged_at > LONGEST_RING_MS
