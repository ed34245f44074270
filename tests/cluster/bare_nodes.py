"""Nodes without HTTP, each a journal, a hub and a doorbell in this process; and pages that read their streams."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.store.database import Database, open_database
from gateway.store.directory import Directory
from gateway.store.reading.positions import Position
from gateway.store.writing.journal import Committed, Journal
from tests.cluster.servers import Cluster
from tests.store.conftest import start_draft
from tests.waiting import until


@dataclass
class BareNode:
    """One node; ``ring`` writes an event of acme's at extension 3501."""

    database: Database
    journal: Journal
    directory: Directory
    hub: Hub

    def ring(self, number: int) -> int:
        return self.journal.write(start_draft("3501", f"4732{number:06}", now_ms())).seq


@contextmanager
def node(url: str, data: Path, *, rings: bool = True) -> Iterator[BareNode]:
    """A node; one that does not ring tells the others nothing of its commits."""
    database = open_database(data, url)
    bell = database.doorbell()

    def tell(committed: Committed) -> None:
        hub.ring(committed.tenants)
        if rings:
            bell.ring(committed.tenants)

    journal = Journal(database, on_commit=tell)
    directory = Directory(database.engine, journal)
    follower = database.follower(look_every_s=0.1)
    forget = directory.forget_sessions
    hub = Hub(database.event_log(), follower, max_screens=99, heartbeat_s=0.2, on_people=forget)
    journal.start()
    bell.start()
    hub.start()
    try:
        yield BareNode(database, journal, directory, hub)
    finally:
        hub.stop()
        bell.close()
        journal.stop()
        database.close()


@dataclass
class Page:
    """An open page that reads its stream on a thread of its own: what it was told, and how many heart-beats it had."""

    screen: Screen
    told: list[tuple[str, Position]] = field(default_factory=list)
    heard_at: dict[int, float] = field(default_factory=dict)
    """By event the moment, of ``time.monotonic``, at which it came."""
    pulses: int = 0
    is_over: bool = False

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for block in self.screen:
            lines = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
            if lines.get("event") == "pulse":
                self.pulses += 1
            elif position := Position.read(lines.get("id", "")):
                self.heard_at[position.seq] = time.monotonic()
                self.told.append((lines["event"], position))
        self.is_over = True

    @property
    def seqs(self) -> list[int]:
        return [position.seq for kind, position in self.told if kind != "reset"]

    @property
    def resets(self) -> list[Position]:
        return [position for kind, position in self.told if kind == "reset"]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wait(condition: Callable[[], object]) -> None:
    until(condition, timeout_s=40)


@contextmanager
def two_nodes(found: Cluster, folder: Path, *, rings: bool = True) -> Iterator[tuple[BareNode, BareNode]]:
    with ExitStack() as stack:
        one, two = (stack.enter_context(node(found.url(), folder / name, rings=rings)) for name in ("a", "b"))
        yield one, two
