"""Which calls were missed: their callers reached nobody.

Of several extensions that one caller rang at once it is one missed call, the first; and none where anybody took it.
"""

from collections.abc import Iterable, Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.results import MISSED_CALLS, Result
from gateway.domain.calls.states import GOING_ON, State
from gateway.domain.messages import Direction


def judged(group: Sequence[Call]) -> Iterable[Call]:
    """Return those calls of a ``group`` (or a call alone) of which is to be said anew whether they were missed."""
    missed = _missed_of(group)
    for call in group:
        if bool(call.missed) is not (call is missed):
            yield call._replace(missed=call is missed)


def group_of(call: Call, calls: Iterable[Call]) -> list[Call]:
    """Return ``call`` with those of ``calls`` that rang with it."""
    if call.group_id is None:
        return [call]
    return [call, *(other for other in calls if other.group_id == call.group_id and other.id != call.id)]


def _missed_of(group: Sequence[Call]) -> Call | None:
    """Return the first call of the group, which counts as missed once nobody rings any more and if nobody took any;
    else None.
    """
    if not any(_reached_nobody(call) for call in group) or any(_goes_on(call) or _was_taken(call) for call in group):
        return None
    first = min(group, key=lambda call: call.id)
    return first if first.direction == Direction.INCOMING else None


def _reached_nobody(call: Call) -> bool:
    return call.result in MISSED_CALLS and call.state is State.ENDED


def _goes_on(call: Call) -> bool:
    return call.state in GOING_ON


def _was_taken(call: Call) -> bool:
    """Return whether somebody spoke with the caller, or it was transferred to where we see nothing."""
    left = call.result == Result.FORWARDED and (call.group_id is None or call.transferred_to is None)
    return call.answered_at is not None or call.answered_by is not None or call.result == Result.ANSWERED or left
