"""How a call ended that is over: at which extension, and with which result."""

from gateway.domain.messages import Direction
from gateway.events.ami.endings import (
    ABANDON,
    ANSWER,
    BUSY,
    CANCEL,
    ELSEWHERE,
    FORWARDED,
    NO_ANSWER,
    QUEUE_TIMEOUT,
    SILENT_CAUSES,
    VOICEMAIL,
)
from gateway.events.ami.state import AmiCall, AmiLeg

TAKEN = (ELSEWHERE, FORWARDED)
"""Ends of a ring that say that somebody else has the call; of a call that nobody took they say nothing."""


def is_worth_telling(call: AmiCall) -> bool:
    """Return whether a call has to be in the log of which nothing was told: one from outside that reached no extension,
    one that found an extension busy, an order whose extension did not answer.
    """
    return call.is_order or call.direction is Direction.INCOMING or (call.direction is not None and bool(call.legs))


def last_leg(call: AmiCall) -> AmiLeg | None:
    """Return the leg whose end is the call's: who talked last, else who rang last; None where none goes on."""
    told = [leg for leg in call.legs.values() if leg.told]
    return max(told, key=lambda leg: (leg.answered, leg.ending.moment if leg.ending else 0), default=None)


def place_of(call: AmiCall, last: AmiLeg | None) -> str:
    """Return at which extension the end is told; empty: at none."""
    if last is not None:
        return last.extension
    if call.direction is Direction.INTERNAL:
        return next(reversed(call.legs), "")
    if call.direction is Direction.OUTGOING:
        return call.owner
    return next(iter(call.legs), "") if len(call.legs) == 1 and not call.told else ""


def outcome_of(call: AmiCall, last: AmiLeg | None) -> tuple[str, str]:
    """Return the result of a call and its cause; ``last`` is the leg that ends with it."""
    if last is not None and last.answered:
        return ANSWER, ""
    if call.abandoned:
        return ABANDON, ""
    if last is not None and last.ending is not None:
        return _of_call(last.ending.result), last.ending.cause
    if call.answered:
        return ANSWER, ""
    return why_not(call), "" if call.cause in SILENT_CAUSES else call.cause


def why_not(call: AmiCall) -> str:
    """Return why nobody took a call whose legs, if it had any, are over."""
    if call.up_after_ring or VOICEMAIL in call.application.upper():
        return VOICEMAIL
    if call.result:
        return _of_call(call.result)
    if call.queue:
        return QUEUE_TIMEOUT
    if call.cause not in SILENT_CAUSES:
        return BUSY if call.cause == "17" else NO_ANSWER
    return CANCEL if call.hung_up_by or call.direction is Direction.OUTGOING else NO_ANSWER


def _of_call(result: str) -> str:
    """Return what the ``result`` of its last leg says of a call that nobody took."""
    return NO_ANSWER if result in TAKEN else result
