"""Who has lost a source to another process without knowing it writes nothing of it any more."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from gateway.adapter import Probe
from gateway.domain.messages import AgentState, AgentStateChanged, CallStarted
from gateway.domain.tenant import Tenant
from gateway.errors import SourceSuperseded
from gateway.event_source import Heard, Report, Stop
from gateway.events.runner import SourceRunner, SourceTools
from gateway.handlers import Core
from gateway.store.event_sources import SourceBook, SourceStanding, SourceState
from gateway.store.shared.files import SharedFiles
from gateway.store.writing.source_fence import SourceFences
from tests.events.reports import place, until
from tests.store.conftest import PLAN, T0, OpenStore, Store

KEY = ("acme", "central")


@dataclass
class ThawingSource:
    """Is connected, then tells what it has read when it is thawed: a process that was frozen in between."""

    messages: list[Heard]
    thawed: threading.Event = field(default_factory=threading.Event)
    connected: threading.Event = field(default_factory=threading.Event)
    peer: str = "central.example:5038"

    def probe(self) -> Probe:
        return Probe(True, "ok")

    def run(self, report: Report, stop: Stop) -> None:
        report.connected()
        self.connected.set()
        assert self.thawed.wait(60)
        for message in self.messages:
            report.message(message)
        stop.wait(60)


@dataclass
class FrozenLease:
    """A lease whose holder has not looked at a clock since it was another's."""

    token: int

    def held(self) -> bool:
        return True

    def release(self) -> None:
        pass


Run = Callable[[Store, int, list[Heard]], tuple[SourceRunner, ThawingSource]]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs the source in one process, with a lease of the token."""
    with ExitStack() as ends:

        def one(store: Store, token: int, messages: list[Heard]) -> tuple[SourceRunner, ThawingSource]:
            source = ThawingSource(messages)
            core = Core({"acme": Tenant("acme", PLAN)}, store.journal, None)  # type: ignore[arg-type]
            tools = SourceTools(core, store.journal.hand_in, holder=f"node/{token}")
            before = SourceBook(store.engine, store.journal).take(*KEY, token)
            made = SourceRunner(source, place("script"), tools, FrozenLease(token), before)
            ends.callback(made.join, 60)
            ends.callback(made.stop.set)
            ends.callback(source.thawed.set)
            made.start()
            assert source.connected.wait(60)
            return made, source

        yield one


def ring(number: str) -> CallStarted:
    return CallStarted("acme", "3501", number, place("script").origin("central.example:5038"), T0, call_ref=number)


def pause() -> AgentStateChanged:
    origin = place("script").origin("central.example:5038")
    return AgentStateChanged("acme", "3501", "", AgentState.PAUSE, origin, T0)


def numbers(store: Store) -> set[str]:
    return {str(event.told["number"]) for event in store.events.after(0)}


def test_a_frozen_holder_writes_nothing_once_another_has_the_source(open_store: OpenStore, run: Run) -> None:
    here, there = open_store(), open_store()
    frozen, frozen_source = run(here, 1, [ring("47911110000"), pause()])
    _, successor = run(there, 2, [ring("47922220000")])
    with capture_logs() as logs:
        frozen_source.thawed.set()
        until(lambda: not frozen.is_running(), "the frozen one ends", within_s=60)
    successor.thawed.set()
    until(lambda: numbers(there) != set(), "the successor's event is written", within_s=60)
    assert numbers(there) == {"47922220000"}
    assert len(there.events.after(0)) == 1
    assert [entry["event"] for entry in logs].count("source_lost_to_another") == 1
    assert [entry["count"] for entry in logs if entry["event"] == "source_events_not_written"] == [2]


def test_without_the_check_the_frozen_holder_would_write(
    open_store: OpenStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: it would fail."""
    monkeypatch.setattr(SourceFences, "check", lambda *_: None)
    here, there = open_store(), open_store()
    _, frozen_source = run(here, 1, [ring("47911110000")])
    run(there, 2, [])
    frozen_source.thawed.set()
    until(lambda: numbers(there) == {"47911110000"}, "what is late is written", within_s=60)


def test_who_took_a_source_first_says_no_more_how_it_is_doing(store: Store) -> None:
    book = SourceBook(store.engine, store.journal)
    first, second = book.take(*KEY, 1), book.take(*KEY, 2)
    book.write({KEY: SourceStanding(SourceState.CONNECTED, holder="new", memory={"read": 2}, token=second.token)})
    book.write({KEY: SourceStanding(SourceState.STOPPED, holder="old", memory={"read": 1}, token=first.token)})
    found = book.of(*KEY)
    assert (found.holder, found.state, found.memory) == ("new", SourceState.CONNECTED, {"read": 2})
    with pytest.raises(SourceSuperseded, match="central"):
        book.take(*KEY, 1)
    assert book.take(*KEY, 3).memory == {"read": 2}


def test_a_folder_of_leases_that_is_gone_keeps_nobody_from_a_source(store: Store) -> None:
    """The database of a backup knows the token of a holder whose folder was not restored."""
    book = SourceBook(store.engine, store.journal)
    tokens = []
    for folder in ("before", "after"):
        shared = SharedFiles(store.data / folder)
        for _ in range(2):
            lease = shared.lease("source/acme/central")
            assert lease is not None
            tokens.append(book.take(*KEY, lease.token).token)
            lease.release()
    assert tokens == sorted(set(tokens))
