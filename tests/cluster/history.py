"""What clients were told during a run: made by many threads at once, read when all have ended."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

RESET = "reset"


def seq_of(position: str) -> int:
    """Return the number in a position, ``SEQ`` or ``EPOCH.SEQ``."""
    return int(position.rpartition(".")[2])


class Answer(StrEnum):
    """How a request ended for its client."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """A clear no: 4xx, or 503 before anything was taken."""
    UNCLEAR = "unclear"
    """No answer, or one that says that nobody knows: it may have happened."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """A call event that an exchange sent once, known again by ``kind`` and ``number``."""

    tenant: str
    kind: str
    number: str
    node: str
    answer: Answer
    at: float
    took_s: float
    call_id: int | None = None

    @property
    def answered_at(self) -> float:
        return self.at + self.took_s


@dataclass(frozen=True, slots=True)
class SentOrder:
    """A click-to-call; the same ``key`` may be sent several times, to several nodes."""

    tenant: str
    key: str
    number: str
    node: str
    answer: Answer
    took_s: float


@dataclass(frozen=True, slots=True)
class Dialled:
    """A command that reached the simulated appliance."""

    tenant: str
    number: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An event on a screen, as it was sent: its position's text, what happened, and to which call.

    A ``RESET`` has the page read its state anew, which has everything up to its position.
    """

    position: str
    kind: str
    call_id: int | None = None

    @property
    def seq(self) -> int:
        return seq_of(self.position)


@dataclass(slots=True)
class ScreenHistory:
    """All that one screen was told, over all its connections. It was opened before the first event."""

    tenant: str
    extension: str
    shown: list[Shown] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    position: str | None = None
    """The last one it was told, heart-beats included."""

    @property
    def resets(self) -> int:
        return sum(each.kind == RESET for each in self.shown)


T = TypeVar("T")


class History:
    """What all clients were told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: list[SentEvent] = []
        self.orders: list[SentOrder] = []
        self.dialled: list[Dialled] = []
        self.screens: list[ScreenHistory] = []

    def add(self, what: SentEvent | SentOrder | Dialled) -> None:
        """Note ``what``, from any thread."""
        with self._lock:
            if isinstance(what, SentEvent):
                self.events.append(what)
            elif isinstance(what, SentOrder):
                self.orders.append(what)
            else:
                self.dialled.append(what)

    def open_screen(self, tenant: str, extension: str) -> ScreenHistory:
        screen = ScreenHistory(tenant, extension)
        with self._lock:
            self.screens.append(screen)
        return screen

    def acknowledged(self) -> Sequence[SentEvent]:
        return [event for event in self.events if event.answer is Answer.ACKNOWLEDGED]

    def nodes(self) -> set[str]:
        """Return the nodes that acknowledged something."""
        sent: Iterable[SentEvent | SentOrder] = (*self.events, *self.orders)
        return {each.node for each in sent if each.answer is Answer.ACKNOWLEDGED}

    def slowest_s(self) -> float:
        """Return the longest that an event waited for any answer."""
        return max((event.took_s for event in self.events), default=0.0)


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """A row of the event log."""

    tenant: str
    seq: int
    kind: str
    extension: str
    call_id: int
    number: str


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the orders."""

    tenant: str
    key: str | None
    digits: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database has after a run; ``per_tenant``: numbers of events run without gaps for each tenant."""

    events: Sequence[LoggedRow]
    orders: Sequence[OrderRow]
    per_tenant: bool = True
    heads: dict[str, int] = field(default_factory=dict)
