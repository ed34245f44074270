"""Whether events that a node kept back were told of in another order than they happened, so that calls of one pair may
have got each other's.
"""

from collections.abc import Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.states import Event

BY_PAIR = (None, PairingRule.PAIR, PairingRule.REPEAT, PairingRule.LATE, PairingRule.ALONE, PairingRule.ORDER)
"""Rules that find a call by its extension and number."""


def said_unsure(heard: HeardEvent, found: Call | None, now: Call, calls: Sequence[Call]) -> Call:
    """Return the call as it is ``now``, after an event; a guess where others of its pair may have got what is its.

    What was a guess stays one: nothing that comes later makes it surer.
    """
    was_guess = found is not None and found.paired_by == PairingRule.NEWEST
    unsure = was_guess or (heard.kept and _is_mixed(heard, found, calls))
    return now._replace(paired_by=PairingRule.NEWEST.value) if unsure and now.paired_by in BY_PAIR else now


def _is_mixed(heard: HeardEvent, found: Call | None, calls: Sequence[Call]) -> bool:
    """Return whether such an event had been told of its call already, or of several calls with its number something
    that was heard later.
    """
    if found is not None and _same_heard(heard, found) is not None:
        return True
    several = found is None or len(calls) > 1
    return several and any(_last_heard(call) > heard.at for call in calls)


def _same_heard(heard: HeardEvent, call: Call) -> int | None:
    """Return when such an event of ``call`` was heard; None where none was."""
    heard_at = {Event.START: call.start_heard_at, Event.ANSWER: call.answer_heard_at, Event.END: call.end_heard_at}
    return heard_at.get(heard.event)


def _last_heard(call: Call) -> int:
    return max(call.logged_at, call.start_heard_at or 0, call.answer_heard_at or 0, call.end_heard_at or 0)
