"""Short ways to the letters of an outbox."""

from gateway.adapter import Delivery
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import ClaimRequest, Letter, LetterReason, LetterResult, LetterState


def claim_one(outbox: Outbox, tenant: str, target: str, now: int) -> Letter | None:
    """Claim the next letter of a target, if one is due."""
    found = outbox.turn((), [ClaimRequest(tenant, target, parallel=16, most=1)], now)
    return found[0] if found else None


def settle(outbox: Outbox, letter: Letter, delivery: Delivery, now: int) -> None:
    """Write down that a letter was delivered, or given up."""
    result = LetterResult(letter, now, delivery.text, LetterState.DEAD, LetterReason.REFUSED, delivery.outcome)
    outbox.turn([result], (), now)


def postpone(outbox: Outbox, letter: Letter, delivery: Delivery, due_at: int) -> None:
    """Write down that a letter is tried again at ``due_at``."""
    result = LetterResult(letter, due_at, delivery.text, None, LetterReason.LATER, delivery.outcome, due_at=due_at)
    outbox.turn([result], (), due_at)
