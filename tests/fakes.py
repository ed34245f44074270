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
