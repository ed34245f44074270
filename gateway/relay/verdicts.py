"""What an attempt's outcome means for its letter: delivered, given up, or tried again."""

from dataclasses import dataclass

from gateway.adapter import Delivery, Outcome
from gateway.store.letters.stored import LetterReason, LetterState


@dataclass(frozen=True, slots=True)
class LetterVerdict:
    """How a letter is settled (None: it is tried again) and why; ``answers`` says that its target works."""

    state: LetterState | None
    reason: LetterReason | None
    answers: bool


_DELIVERED = LetterVerdict(LetterState.DELIVERED, None, answers=True)
_LATER = LetterVerdict(None, LetterReason.LATER, answers=False)
_VERDICTS = {
    Outcome.REFUSED: LetterVerdict(LetterState.DEAD, LetterReason.REFUSED, answers=True),
    Outcome.UNREACHABLE: LetterVerdict(None, LetterReason.UNREACHABLE, answers=False),
    Outcome.UNKNOWN: LetterVerdict(LetterState.DEAD, LetterReason.UNKNOWN, answers=False),
}
_AGAIN = LetterVerdict(None, LetterReason.UNKNOWN, answers=False)


def verdict_on(delivery: Delivery, *, idempotent: bool) -> LetterVerdict:
    """Return what becomes of a letter after an attempt.

    A peer that says *later* has taken nothing, whatever else it says. What may have arrived is sent again only to a
    target that an event does no harm by coming twice.
    """
    if delivery.outcome is Outcome.ACCEPTED:
        return _DELIVERED
    if delivery.retry_after_s is not None:
        return _LATER
    if delivery.outcome is Outcome.UNKNOWN and idempotent:
        return _AGAIN
    return _VERDICTS[delivery.outcome]
