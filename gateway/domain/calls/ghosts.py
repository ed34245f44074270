"""Calls whose end will not come: the same caller has since been at another extension.

Many exchanges tell of a transfer by a second start and of the last part's end only, or of a group only the end of who
took it. Where the exchange says how calls ended, pairing closes the others of a group at once (``pairing.py``). What
is left is a guess, because a company's callers may share one number and some exchanges first end those that did not
answer: so the end is still waited for, but not for hours.
"""

from dataclasses import dataclass

from gateway.domain.calls.pairing import LONGEST_RING_MS
from gateway.domain.calls.results import Result

WAIT_MS = 15 * 60 * 1000
"""How long an end is still waited for once another call of the same caller has ended that was surely answered."""
LONG_WAIT_MS = 60 * 60 * 1000
"""The same where that call may have rung in vain: nobody has said."""


@dataclass(frozen=True, slots=True)
class EndedCall:
    """A call with the same number at another extension that has ended. Times are milliseconds.

    ``same_ref``: whether the exchange gave both the same id; None where one of them has none.
    """

    logged_at: int
    end_heard_at: int
    result: str | None = None
    recorded: bool = False
    same_ref: bool | None = None


def waits_in_vain(other: EndedCall, at: int) -> bool:
    """Whether ``other`` shows at ``at`` that the end of a call that began before it, or with it, will not come."""
    if other.same_ref is False:
        return False
    answered = was_answered(other)
    if answered is False and not other.same_ref:
        return False
    return at - other.end_heard_at >= (WAIT_MS if answered or other.same_ref else LONG_WAIT_MS)


def was_answered(other: EndedCall) -> bool | None:
    """Whether somebody spoke with the caller: None where nobody has said.

    A recording says so, and nobody lets it ring for minutes.
    """
    if other.result is not None and other.result != Result.UNKNOWN:
        return other.result == Result.ANSWERED
    return True if other.recorded or other.end_heard_at - other.logged_at > LONGEST_RING_MS else None
