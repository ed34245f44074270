"""By which rule an event found its call, and how sure that is."""

from collections.abc import Mapping
from enum import StrEnum


class Certainty(StrEnum):
    """How sure it is that events were brought together rightly."""

    CERTAIN = "certain"
    LIKELY = "likely"
    GUESS = "guess"


class PairingRule(StrEnum):
    """By which rule an event found its call."""

    CALL_ID = "call-id"
    ORDER = "order"
    PAIR = "pair"
    NEWEST = "newest"
    REPEAT = "repeat"
    LATE = "late"
    TRANSFER = "transfer"
    QUEUE = "queue"
    ALONE = "alone"


CERTAINTY: Mapping[PairingRule, Certainty] = {
    PairingRule.CALL_ID: Certainty.CERTAIN,
    PairingRule.ORDER: Certainty.LIKELY,
    PairingRule.PAIR: Certainty.LIKELY,
    PairingRule.NEWEST: Certainty.GUESS,
    PairingRule.REPEAT: Certainty.LIKELY,
    PairingRule.LATE: Certainty.LIKELY,
    PairingRule.TRANSFER: Certainty.GUESS,
    PairingRule.QUEUE: Certainty.LIKELY,
    PairingRule.ALONE: Certainty.CERTAIN,
}
