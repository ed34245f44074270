"""A report that keeps what a source tells, and a place for it to tell it from."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from gateway.event_source import EventSource, Heard, SourcePlace, SourceStopped
from gateway.texts.text import Text

ZONE = ZoneInfo("America/Sao_Paulo")
TENANT = "acme"


def place(kind: str, name: str = "central", **more: Any) -> SourcePlace:
    """Return the place of a source of the company acme, whose extensions begin with 35."""
    known = {"is_extension": lambda text: len(text) == 4 and text.startswith("35")} | more
    return SourcePlace(TENANT, name, kind, name, ZONE, **known)


@dataclass
class CollectedReport:
    """Keeps all that is told. While ``open_gate`` is not set, ``message`` waits as for a slow disk."""

    stop: threading.Event = field(default_factory=threading.Event)
    memory: Mapping[str, Any] = field(default_factory=dict)
    messages: list[Heard] = field(default_factory=list)
    heard_bytes: bytearray = field(default_factory=bytearray)
    said_bytes: bytearray = field(default_factory=bytearray)
    hidden: list[str] = field(default_factory=list)
    problems: list[Text] = field(default_factory=list)
    connections: int = 0
    missed_nothing: bool = False
    open_gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open_gate.set()

    def connected(self, *, nothing_missed: bool = False) -> None:
        self.connections += 1
        self.missed_nothing = nothing_missed

    def message(self, message: Heard) -> None:
        while not self.open_gate.wait(0.05):
            if self.stop.is_set():
                raise SourceStopped
        self.messages.append(message)

    def heard(self, data: bytes) -> None:
        self.heard_bytes += data

    def said(self, data: bytes, secrets: tuple[str, ...] = ()) -> None:
        self.said_bytes += data
        self.hidden += secrets

    def problem(self, problem: Text, data: bytes = b"") -> None:
        self.problems.append(problem)

    def remember(self, memory: Mapping[str, Any]) -> None:
        self.memory = dict(memory)


@dataclass
class Attempt:
    """One run of a source on a thread of its own."""

    source: EventSource
    report: CollectedReport
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.source.run(self.report, self.report.stop)
        except BaseException as error:
            self.error = error

    def ended(self, within_s: float = 10) -> bool:
        """Whether it has ended, after at most so many seconds."""
        self.thread.join(within_s)
        return not self.thread.is_alive()


@contextmanager
def attempt(source: EventSource, report: CollectedReport | None = None) -> Iterator[Attempt]:
    """Run ``source`` meanwhile."""
    made = Attempt(source, report or CollectedReport())
    try:
        yield made
    finally:
        made.report.stop.set()
        assert made.ended(), "the source does not end"


def until(happened: Callable[[], bool], what: str, within_s: float = 10) -> None:
    """Wait until something ``happened``."""
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.01)
