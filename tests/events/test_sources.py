"""All sources of a process: who runs them, what happens when that process dies, what is written of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from gateway.adapter import Probe
from gateway.domain.tenant import Tenant
from gateway.errors import StoreUnavailable
from gateway.event_source import Report, Stop
from gateway.events import sources
from gateway.events.runner import SourceTools
from gateway.events.sources import ConfiguredSource, EventSources
from gateway.handlers import Core
from gateway.store.event_sources import STALE_MS, SourceBook, SourceStanding, SourceState
from gateway.store.shared.files import SharedFiles
from tests.events.reports import place, until
from tests.store.conftest import PLAN, OpenStore, Store

KEY = ("acme", "central")


@dataclass
class ConnectedSource:
    """Is connected until it is stopped, and counts how many run it at once."""

    now: list[int] = field(default_factory=list)
    peer: str = "central.example:5038"

    def probe(self) -> Probe:
        return Probe(True, "ok")

    def run(self, report: Report, stop: Stop) -> None:
        self.now.append(1)
        report.connected()
        stop.wait(30)
        self.now.pop()


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LOOK_S", 0.02)


Begin = Callable[[Store, ConnectedSource], EventSources]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a process's sources."""
    with ExitStack() as ends:

        def one(store: Store, source: ConnectedSource) -> EventSources:
            shared = SharedFiles(store.data)
            core = Core({"acme": Tenant("acme", PLAN)}, store.journal, None)  # type: ignore[arg-type]
            tools = SourceTools(core, store.journal.hand_in, holder="node/1")
            book = SourceBook(store.engine, store.journal)
            made = EventSources({KEY: ConfiguredSource(source, place("script"))}, shared.lease, book, tools)  # type: ignore[dict-item]
            ends.callback(shared.close)
            ends.callback(made.stop)
            made.start()
            return made

        yield one


def test_one_process_runs_a_source_and_another_takes_over(open_store: OpenStore, begin: Begin) -> None:
    source = ConnectedSource()
    first = begin(open_store(), source)
    until(lambda: first.running() == 1, "the first one has it")
    second = begin(open_store(), source)
    until(lambda: second._looks > 5, "the second one has looked")
    assert second.running() == 0
    assert len(source.now) == 1
    first.stop()
    until(lambda: second.running() == 1 and len(source.now) == 1, "the second one has it")


def test_how_a_source_is_doing_is_written(store: Store, begin: Begin) -> None:
    made = begin(store, ConnectedSource())
    until(lambda: made.book.of(*KEY).state is SourceState.CONNECTED, "it is written")
    found = made.book.all()[KEY]
    assert found.holder == "node/1"
    assert found.is_connected(found.seen_at)
    assert not found.is_connected(found.seen_at + STALE_MS)
    made.stop()
    assert made.book.of(*KEY).state is SourceState.STOPPED


def test_a_source_that_was_never_run_is_stopped(store: Store) -> None:
    assert SourceBook(store.engine, store.journal).of(*KEY) == SourceStanding()


def test_a_database_that_cannot_be_written_stops_no_source(
    store: Store, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()
    broken.set()
    real = SourceBook.write

    def write(book: SourceBook, *arguments: object) -> None:
        if broken.is_set():
            raise StoreUnavailable
        real(book, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SourceBook, "write", write)
    with capture_logs() as logs:
        source = ConnectedSource()
        made = begin(store, source)
        until(lambda: any(entry["event"] == "source_state_not_written" for entry in logs), "it is told")
        assert len(source.now) == 1
        broken.clear()
        until(lambda: made.book.of(*KEY).state is SourceState.CONNECTED, "it is written later")


def test_without_sources_there_is_no_thread(store: Store) -> None:
    tools = SourceTools(Core({}, store.journal, None), store.journal.hand_in)  # type: ignore[arg-type]
    made = EventSources({}, lambda _name: None, SourceBook(store.engine, store.journal), tools)
    made.start()
    assert not made._thread.is_alive()
    made.stop()
