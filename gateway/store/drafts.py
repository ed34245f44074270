"""What handlers hand to the journal, and what they get back: decided, not yet remembered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.adapter import Delivery
from gateway.domain.messages import CallEnded, CallStarted, PlaceCall
from gateway.domain.numbers import Reading
from gateway.domain.sides import Sides


@dataclass(frozen=True, slots=True)
class StartDraft:
    """A call that rings; ``forwards`` names who is to be told of it."""

    message: CallStarted
    sides: Sides
    forwards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndDraft:
    """A call that was hung up; ``forwards`` names who is to be told of it."""

    message: CallEnded
    sides: Sides
    forwards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """A call to be placed: ``extension`` calls ``digits`` (dial plan applied) by ``appliance``."""

    message: PlaceCall
    extension: str
    appliance: str
    digits: str
    other: Reading


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became durable: our call id, the last event's ``seq`` and, for an order, its id."""

    call_id: int
    seq: int
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How the attempt of an order ended."""

    order_id: int
    delivery: Delivery
    at: int


@dataclass(frozen=True, slots=True)
class Work:
    """Anything else that writes (accounts, agents, outbox): a function of the connection, run in its turn."""

    run: Callable[[Any], Any]
