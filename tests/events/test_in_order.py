"""What a source tells is written in its order, and waits for the disk without being lost."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import InternalError, QueueFull, StoreUnavailable
from gateway.event_source import SourceStopped
from gateway.events import in_order
from gateway.events.in_order import InOrderWriter
from gateway.events.memory import SourceMemory
from gateway.store.writing.drafts import EventDraft, Recorded
from tests.events.reports import until
from tests.store.conftest import start_draft


@dataclass
class Disk:
    """A journal whose commits the test makes. ``handed`` are drafts in the order in which they came in."""

    is_full: bool = False
    handed: list[EventDraft] = field(default_factory=list)
    waiting: list[tuple[EventDraft, Callable[[Any], None]]] = field(default_factory=list)
    durable: list[EventDraft] = field(default_factory=list)

    def hand_in(self, draft: EventDraft, then: Callable[[Any], None]) -> None:
        if self.is_full:
            raise QueueFull(1)
        self.handed.append(draft)
        self.waiting.append((draft, then))

    def commit(self, outcome: Any = None) -> None:
        """Settle all that waits."""
        waiting, self.waiting = self.waiting, []
        for draft, then in waiting:
            if outcome is None:
                self.durable.append(draft)
            then(outcome or Recorded(1, 1))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_order, "PAUSES_S", (0.0,))
    monkeypatch.setattr(in_order, "LOOK_S", 0.01)


class Told:
    """A writer, what it refused, and a clock that the test sets."""

    def __init__(self, disk: Disk, most: int = 4) -> None:
        self.stop, self.now, self.refused = threading.Event(), 1000, []
        self.writer = InOrderWriter(
            disk.hand_in,  # type: ignore[arg-type]
            self.stop,
            lambda: self.now,
            refused=lambda draft, error: self.refused.append((draft, error)),
            most=most,
        )


def drafts(count: int) -> list[EventDraft]:
    return [start_draft("3501", f"4732100{place:03}") for place in range(count)]


def test_events_are_handed_in_without_waiting_for_the_disk(disk: Disk) -> None:
    told, events = Told(disk), drafts(3)
    for event in events:
        told.writer.write(event)
    assert disk.handed == events
    assert told.writer.settled() == 0
    disk.commit()
    assert (told.writer.settled(), told.writer.written) == (3, 3)


def test_a_source_waits_while_too_much_is_under_way(disk: Disk) -> None:
    told, events = Told(disk, most=2), drafts(3)
    thread = threading.Thread(target=lambda: [told.writer.write(event) for event in events], daemon=True)
    thread.start()
    until(lambda: len(disk.handed) == 2, "two are handed in")
    thread.join(0.1)
    assert thread.is_alive()
    disk.commit()
    thread.join(5)
    assert not thread.is_alive()
    assert disk.handed == events


def test_what_the_database_did_not_take_is_handed_in_again_in_its_order(disk: Disk) -> None:
    told, events = Told(disk), drafts(3)
    for event in events:
        told.writer.write(event)
    disk.commit(StoreUnavailable())
    assert told.writer.settled() == 0
    told.writer.try_again()
    disk.commit()
    assert disk.durable == events
    assert told.writer.settled() == 3


def test_nothing_overtakes_an_event_that_failed(disk: Disk) -> None:
    told, events = Told(disk), drafts(2)
    told.writer.write(events[0])
    disk.commit(StoreUnavailable())
    thread = threading.Thread(target=lambda: told.writer.write(events[1]), daemon=True)
    thread.start()
    thread.join(5)
    disk.commit()
    assert disk.durable == events


def test_an_event_that_failed_waits_for_those_behind_it(disk: Disk) -> None:
    told, events = Told(disk), drafts(2)
    for event in events:
        told.writer.write(event)
    disk.waiting.pop(0)[1](StoreUnavailable())
    told.writer.try_again()
    assert disk.handed == events
    disk.commit()
    told.writer.try_again()
    assert disk.handed == [*events, events[0]]


def test_a_full_queue_is_waited_for(disk: Disk) -> None:
    told, (event,) = Told(disk), drafts(1)
    disk.is_full = True
    told.writer.write(event)
    told.writer.try_again()
    assert disk.handed == []
    disk.is_full = False
    told.writer.try_again()
    disk.commit()
    assert disk.durable == [event]


def test_an_event_that_can_never_be_written_is_told_of_and_left(disk: Disk) -> None:
    told, events = Told(disk), drafts(2)
    for event in events:
        told.writer.write(event)
    disk.waiting.pop(0)[1](error := InternalError("write-1"))
    disk.commit()
    assert told.refused == [(events[0], error)]
    assert (told.writer.settled(), told.writer.written) == (2, 1)


def test_a_stopped_source_waits_no_more(disk: Disk) -> None:
    told, events = Told(disk, most=1), drafts(2)
    told.writer.write(events[0])
    told.stop.set()
    with pytest.raises(SourceStopped):
        told.writer.write(events[1])


def test_the_end_waits_for_what_is_under_way_but_not_for_ever(disk: Disk) -> None:
    told, (event,) = Told(disk), drafts(1)
    told.writer.write(event)
    assert told.writer.finish(0.05) == 1
    threading.Timer(0.05, disk.commit).start()
    assert told.writer.finish(5) == 0


def test_it_says_up_to_when_all_is_durable(disk: Disk) -> None:
    told, events = Told(disk), drafts(2)
    assert told.writer.complete_until() == 1000
    told.writer.write(events[0])
    told.now = 2000
    told.writer.write(events[1])
    told.now = 3000
    assert told.writer.complete_until() == 1000
    disk.waiting.pop(0)[1](Recorded(1, 1))
    assert told.writer.complete_until() == 2000
    disk.commit()
    assert told.writer.complete_until() == 3000


def test_what_is_to_be_done_with_an_event_is_done_when_it_is_durable(disk: Disk) -> None:
    told, (event,) = Told(disk), drafts(1)
    done: list[Recorded] = []
    told.writer.then = done.append
    told.writer.write(event)
    assert done == []
    disk.commit()
    assert done == [Recorded(1, 1)]


def test_a_memory_counts_when_the_events_before_it_are_durable() -> None:
    memory = SourceMemory({"at": 0})
    memory.remember({"at": 5}, told=5)
    memory.remember({"at": 7}, told=7)
    memory.remember({"at": 9}, told=9)
    assert memory.newest == {"at": 9}
    assert memory.safe(lambda: 4) == {"at": 0}
    assert memory.safe(lambda: 8) == {"at": 5}
    assert memory.safe(lambda: 9) == {"at": 9}
