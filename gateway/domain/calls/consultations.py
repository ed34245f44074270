"""Consultations: calls before an attended transfer, which become a part of the call that is transferred."""

from collections.abc import Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.finding import newest
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.states import GOING_ON
from gateway.domain.messages import Direction


def with_consultation(heard: HeardEvent, call: Call, calls: Sequence[Call]) -> Call:
    """Return ``call`` with the one of ``calls`` that it was the consultation for, where its end ``heard`` says so.

    A call that goes on is none. Who calls in speaks for himself: two callers who are joined stay two calls.
    """
    if call.state in GOING_ON:
        return call if call.consultation_for is None else call._replace(consultation_for=None)
    if heard.joined_to is None or call.direction == Direction.INCOMING:
        return call
    others = (each for each in calls if each.call_ref == heard.joined_to and each.id != call.id)
    found = newest(each for each in others if _may_be_transferred(heard, each))
    return call if found is None else call._replace(consultation_for=found.id)


def _may_be_transferred(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``call`` is the same exchange's, and no consultation itself."""
    return call.ref_space in (None, heard.ref_space) and call.consultation_for is None
