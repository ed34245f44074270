"""Calls whose end will not come: the same caller has since spoken with another extension.

Many exchanges tell of a transfer by a second start and of the last part's end only. Where the exchange gives calls an
id or says how they ended, pairing closes the first part at once (``finding.py``). What is left is a guess, because a
company's callers may share one number: so the end is still waited for, but not for hours.
"""

from dataclasses import dataclass

from gateway.domain.finding import LONGEST_RING_MS
from gateway.domain.results import Result

WAIT_MS = 15 * 60 * 1000
"""How long an end is still waited for once a later call of the same caller at another extension has ended."""


@dataclass(frozen=True, slots=True)
class Later:
    """A call with the same number at another extension that began later and has ended. Times are milliseconds.

    ``same_ref``: whether the exchange gave both the same id; None where one of them has none.
    """

    logged_at: int
    end_heard_at: int
    result: str | None
    same_ref: bool | None


def was_answered(later: Later) -> bool:
    """Whether somebody surely spoke with the caller: nobody lets it ring as long as that."""
    if later.result is not None and later.result != Result.UNKNOWN:
        return later.result == Result.ANSWERED
    return later.end_heard_at - later.logged_at > LONGEST_RING_MS


def waits_in_vain(later: Later, at: int) -> bool:
    """Whether ``later`` shows at ``at`` that the end of a call that began before it will not come any more."""
    if later.same_ref is False or at - later.end_heard_at < WAIT_MS:
        return False
    return bool(later.same_ref) or was_answered(later)
