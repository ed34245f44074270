"""How a leg ended, by what DialEnd says of it and by the cause of its hang-up.

DialStatus alone is too coarse: NOANSWER is said of a refusal and of a wrong number, too (recorded from Asterisk 22 with
a carrier that gave each final answer in turn). The texts are those that ``domain/calls/results.py`` reads.
"""

from gateway.events.ami.state import LegEnding

ANSWER, NO_ANSWER, BUSY, REJECTED, CANCEL = "ANSWER", "NOANSWER", "BUSY", "CALL_REJECTED", "CANCEL"
CONGESTION, UNAVAILABLE, FORWARDED, ELSEWHERE = "CONGESTION", "CHANUNAVAIL", "FORWARDED", "ANSWERED_ELSEWHERE"
ABANDON, VOICEMAIL, QUEUE_TIMEOUT = "ABANDON", "VOICEMAIL", "EXITWITHTIMEOUT"
BLIND_TRANSFER, PARKED = "BLINDTRANSFER", "PARKED"
JOINED = "ATTENDEDTRANSFER"
"""How a consultation ended that became a part of the call which it was about."""
_OF_CAUSE = {
    "17": BUSY,
    "21": REJECTED,
    "1": "UNALLOCATED_NUMBER",
    "22": "NUMBER_CHANGED",
    "28": "INVALID_NUMBER_FORMAT",
    "27": "DESTINATION_OUT_OF_ORDER",
    "38": "NETWORK_OUT_OF_ORDER",
    "34": CONGESTION,
    "58": "FAILED",
    "127": "FAILED",
    "3": UNAVAILABLE,
    "20": UNAVAILABLE,
}
_OF_STATUS = {"BUSY": BUSY, "CONGESTION": CONGESTION, "CHANUNAVAIL": UNAVAILABLE, "DONTCALL": REJECTED}
_OF_STATUS |= {"TORTURE": REJECTED, "INVALIDARGS": UNAVAILABLE}
_OF_ORIGINATE = {"0": UNAVAILABLE, "1": REJECTED, "3": NO_ANSWER, "5": BUSY, "8": CONGESTION}
SILENT_CAUSES = ("", "0", "16", "127")
"""Causes that say nothing beside the result."""


def result_of(status: str, cause: str, *, forwarded: bool = False, picked_up: bool = False) -> str:
    """Return how a leg that was not answered ended: ``status`` is DialEnd's, "" where none came."""
    if forwarded or cause == "23":
        return FORWARDED
    if cause == "26" or picked_up:
        return ELSEWHERE
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    if status == "CANCEL":
        return CANCEL
    return _OF_CAUSE.get(cause, NO_ANSWER)


def ending_of(result: str, cause: str, moment: int, due: int) -> LegEnding:
    """Return the end of a leg; what the extension itself did stays so, whoever takes the call then."""
    refused = result not in (ANSWER, NO_ANSWER, CANCEL, ELSEWHERE)
    return LegEnding(due, moment, result, "" if cause in SILENT_CAUSES else cause, refused)


def result_of_order(reason: str) -> str:
    """Return how an order ended whose extension did not take it, by OriginateResponse's reason."""
    return _OF_ORIGINATE.get(reason, UNAVAILABLE)
