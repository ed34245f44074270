"""One node at a time imports a source, and one that hung writes over nothing that its successor brought."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.errors import ImportSuperseded
from gateway.store import tables
from gateway.store.imports import runs as module
from gateway.store.imports.loading import LoadedAccount, Loader
from gateway.store.imports.runs import DEAD_AFTER_MS, Counts, Imports
from gateway.store.postgresql.database import PostgresqlDatabase
from gateway.store.writing.journal import Journal
from tests.directory.conftest import T0
from tests.postgresql import FreshDatabase

pytestmark = pytest.mark.postgresql

NODES = 3
Node = tuple[PostgresqlDatabase, Journal]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    fresh = FreshDatabase()
    with ExitStack() as opened:
        opened.callback(fresh.give_back)
        yield [_node(opened, fresh.open(tmp_path / str(number))) for number in range(NODES)]


def _node(opened: ExitStack, database: PostgresqlDatabase) -> Node:
    opened.callback(database.close)
    opened.callback(database.shared().close)
    journal = Journal(database)
    journal.start()
    opened.callback(journal.stop)
    return database, journal


def claim_at_once(nodes: list[Node], source: str = "erp") -> list[int]:
    """Have all nodes find a source due at the same moment; the runs that they began."""

    def claim(node: Node) -> int | None:
        database, journal = node
        return Imports(database.engine, journal).claim_due("acme", source, "sql", T0, not_after=T0 - 1, most=9)

    with ThreadPoolExecutor(NODES) as threads:
        return [run for run in threads.map(claim, nodes) if run is not None]


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets who is about to begin a run wait until all nodes are, or for some seconds."""
    bury = module._bury

    def meet_for(seconds: float) -> None:
        barrier = threading.Barrier(NODES, timeout=seconds)

        def wait_and_bury(*given: Any) -> None:
            with suppress(threading.BrokenBarrierError):
                barrier.wait()
            bury(*given)

        monkeypatch.setattr(module, "_bury", wait_and_bury)

    return meet_for


@pytest.mark.acceptance(15)
def test_of_nodes_that_find_a_source_due_at_once_one_begins(
    nodes: list[Node], meeting: Callable[[float], None]
) -> None:
    meeting(0.2)
    assert len(claim_at_once(nodes)) == 1


@pytest.mark.control(15)
def test_without_the_company_s_turn_each_would_begin(
    nodes: list[Node], meeting: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: it would fail."""
    meeting(10)
    run = Journal.run
    monkeypatch.setattr(Journal, "run", lambda self, work, **_: run(self, work, lock=str(id(self))))
    # On a busy machine one may meet the others too late: what waits for them is ended by PostgreSQL after 1.5 s.
    assert any(len(claim_at_once(nodes, f"erp-{attempt}")) > 1 for attempt in range(5))


def test_all_nodes_together_run_no_more_imports_than_may_be(
    nodes: list[Node], meeting: Callable[[float], None]
) -> None:
    """Each finds another company's source due at the same moment."""
    meeting(0.2)

    def claim(place: int) -> int | None:
        database, journal = nodes[place]
        imports = Imports(database.engine, journal)
        return imports.claim_due(f"company-{place}", "erp", "sql", T0, not_after=T0 - 1, most=2)

    with ThreadPoolExecutor(NODES) as threads:
        begun = dict(zip(range(NODES), threads.map(claim, range(NODES)), strict=True))
    (left,) = [place for place, run in begun.items() if run is None]
    database, journal = nodes[0]
    over = next(run for run in begun.values() if run is not None)
    Imports(database.engine, journal).end(over, "done", Counts(), T0 + 5, message="", refused=[])
    assert claim(left) is not None


def account(name: str) -> LoadedAccount:
    return LoadedAccount("1", name, ())


@pytest.mark.acceptance(15)
def test_an_importer_that_was_given_up_writes_nothing_more(nodes: list[Node]) -> None:
    (here, journal), (there, other), _ = nodes
    mine, theirs = Imports(here.engine, journal), Imports(there.engine, other)
    run = mine.begin("acme", "erp", "sql", T0)
    loader = Loader(here, run)
    loader.write("acme", "erp", [account("Antes")], T0)
    successor = theirs.begin("acme", "erp", "sql", T0 + DEAD_AFTER_MS + 1)
    with pytest.raises(ImportSuperseded):
        loader.write("acme", "erp", [account("Velha")], T0)
    with pytest.raises(ImportSuperseded):
        loader.remove("acme", [1])
    loader.close()
    following = Loader(there, successor)
    following.write("acme", "erp", [account("Nova")], T0)
    following.close()
    with here.engine.connect() as connection:
        assert list(connection.execute(select(tables.accounts.c.name)).scalars()) == ["Nova"]


def test_a_run_is_given_up_only_between_two_of_its_transactions(nodes: list[Node]) -> None:
    """What it writes is either whole and before its successor's, or not there."""
    (here, journal), (there, other), _ = nodes
    run = Imports(here.engine, journal).begin("acme", "erp", "sql", T0)
    loader, theirs = Loader(here, run), Imports(there.engine, other)
    begin = partial(theirs.begin, "acme", "erp", "sql", T0 + DEAD_AFTER_MS + 1)
    with ThreadPoolExecutor(1) as successor:
        with loader._turn("acme"):
            begun = successor.submit(begin)
            with pytest.raises(TimeoutError):
                begun.result(0.3)
        assert begun.result(20) > run
    loader.close()
