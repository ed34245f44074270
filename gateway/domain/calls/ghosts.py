"""Calls whose end will not come: the same caller has since been at another extension.

Many exchanges tell of a transfer by a second start and of the last part's end only, or of a group only the end of who
took it. Where the exchange says how calls ended, pairing closes the others of a group at once (``pairing.py``). What
is left is a guess, because a company's callers may share one number and some exchanges first end those that did not
answer: so the end is still waited for, but not for hours.
"""

import re
from collections.abc import Callable, Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import State
from gateway.domain.calls.windows import GROUP_MS, LONGEST_RING_MS

WAIT_MS = 15 * 60 * 1000
"""How long an end is still waited for once another call of the same caller has ended that was surely answered."""
LONG_WAIT_MS = 60 * 60 * 1000
"""The same where that call may have rung in vain: nobody has said."""


_OF_NOBODY = re.compile(r"[^1-9]*")


def is_of_nobody(number: str) -> bool:
    """Return whether ``number`` cannot show that two calls are of one caller: withheld ones are words, zeros or
    nothing.
    """
    return _OF_NOBODY.fullmatch(number) is not None


def waits_in_vain(call: Call, other: Call, ago: Callable[[int], int]) -> bool:
    """Return whether ``other``, an ended call with the same number, shows that the end of ``call`` will not come any
    more.

    ``ago`` tells what our clock showed so many milliseconds ago, however it was set since.
    """
    if other.end_heard_at is None or not _went_on(call, other):
        return False
    refs = (call.ref_space, call.call_ref), (other.ref_space, other.call_ref)
    same_ref = refs[0] == refs[1] if call.call_ref and other.call_ref else None
    answered = was_answered(other)
    if same_ref is False or (answered is False and not same_ref):
        return False
    if call.state is State.TALKING and not same_ref:
        return False  # somebody took it: that others of its number spoke with a colleague since says nothing
    return other.end_heard_at <= ago(WAIT_MS if answered or same_ref else LONG_WAIT_MS)


def fell_silent(call: Call, ago: Callable[[int], int]) -> bool:
    """Return whether of the legs of ``call`` that go on nothing more will be heard, as the end of a leg shows to which
    the call went on from there; or of one that waits in a queue, nothing since its last leg ended.
    """
    over = [leg for leg in call.legs if leg.ended_at is not None]
    if call.state is State.WAITING:
        return bool(over) and max(leg.ended_at or 0 for leg in over) <= ago(LONG_WAIT_MS)
    return bool(call.legs) and all(leg.ended_at is not None or _is_left_behind(leg, over, ago) for leg in call.legs)


def _is_left_behind(leg: Leg, over: Sequence[Leg], ago: Callable[[int], int]) -> bool:
    began = leg.rang_at or leg.answered_at or 0
    later = (other for other in over if other.transferred_to is None and (other.rang_at or 0) >= began - GROUP_MS)
    return any((other.ended_at or 0) <= ago(WAIT_MS) for other in later)


def was_answered(other: Call) -> bool | None:
    """Return whether somebody spoke with the caller; None where nobody has said.

    A recording says so, and nobody lets it ring for minutes.
    """
    if other.result is not None and other.result != Result.UNKNOWN:
        return other.result == Result.ANSWERED
    long = other.end_heard_at is not None and other.end_heard_at - other.logged_at > LONGEST_RING_MS
    return True if other.answered_at is not None or other.recording_url is not None or long else None


def _went_on(call: Call, other: Call) -> bool:
    """Return whether ``other`` is at another extension and began after ``call``, or rang with it."""
    grouped = call.group_id is not None and call.group_id == other.group_id
    return other.extension != call.extension and (grouped or other.logged_at > call.logged_at)
