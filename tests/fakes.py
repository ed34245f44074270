"""Small stand-ins with the real interface."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest


def accept(_message: Outgoing) -> Delivery:
    return Delivery(Outcome.ACCEPTED, "aceito")


@dataclass
class FakeAdapter:
    """An adapter that does what ``answer`` says and remembers what it was given."""

    answer: Callable[[Outgoing], Delivery] = accept
    delivered: list[Outgoing] = field(default_factory=list)
    closed: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    longest_s: float | None = None

    def probe(self) -> Probe:
        return Probe(True, "ok")

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        return [WireRequest("pbx:80", repr(message).encode())]

    def deliver(self, message: Outgoing) -> Delivery:
        self.delivered.append(message)
        self.arrived.set()
        return self.answer(message)

    def close(self) -> None:
        self.closed = True


@dataclass
class SetTime:
    """A wall clock that the test sets, beside the steady one that it cannot; milliseconds."""

    shown: int
    passed: int = 0

    def wall(self) -> int:
        return self.shown

    def steady(self) -> int:
        return self.passed

    def pass_by(self, ms: int) -> None:
        """Let time pass on both clocks."""
        self.shown += ms
        self.passed += ms

    def step(self, ms: int) -> None:
        """Set the wall clock forward, or back."""
        self.shown += ms
