"""Writing in lanes: what two nodes write of one company at once, and what a batch of many companies costs."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, select, update

from gateway.store import tables
from gateway.store.writing.drafts import EventDraft, Recorded
from gateway.store.writing.journal import apply
from tests.store.conftest import T0, OpenStore, Store, answer_draft, end_draft, start_draft

ON_POSTGRESQL = pytest.mark.parametrize(
    "open_store", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
MANY = [f"company-{place}" for place in range(128)]


def test_two_nodes_number_a_company_s_events_without_a_gap_and_its_calls_upwards(open_store: OpenStore) -> None:
    nodes = open_store(), open_store()

    def write(place: int) -> Recorded:
        return nodes[place % 2].start(f"35{place:02d}", f"473210{place:04d}", tenant="acme")

    with ThreadPoolExecutor(8) as pool:
        written = sorted(pool.map(write, range(60)), key=lambda recorded: recorded.seq)
    first = written[0].seq
    assert [recorded.seq for recorded in written] == list(range(first, first + 60))
    assert [recorded.call_id for recorded in written] == sorted({recorded.call_id for recorded in written})


def test_a_call_told_of_at_two_nodes_at_once_is_one_call(open_store: OpenStore) -> None:
    nodes = open_store(), open_store()
    with ThreadPoolExecutor(2) as pool:
        for place in range(20):
            number = f"473210{place:04d}"
            told = pool.map(lambda node, number=number: node.start("3501", number), nodes)  # type: ignore[misc]
            assert len({recorded.call_id for recorded in told}) == 1


@pytest.mark.parametrize("how", [{"tenant": "acme"}, {"lock": "counting"}, {}], ids=["tenant", "lock", "neither"])
def test_jobs_that_read_before_they_write_never_do_so_at_once(open_store: OpenStore, how: dict[str, str]) -> None:
    nodes = open_store(), open_store()

    def count(connection: Connection) -> None:
        name = tables.counters.c.name == "people"
        value = connection.execute(select(tables.counters.c.value).where(name)).scalar_one()
        time.sleep(0.002)
        connection.execute(update(tables.counters).where(name).values(value=value + 1))

    def people() -> int:
        query = select(tables.counters.c.value).where(tables.counters.c.name == "people")
        with nodes[0].engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    before = people()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: nodes[place % 2].journal.run(count, **how), range(40)))
    assert people() == before + 40


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to PostgreSQL, by all connections."""
    sent: list[str] = []

    def note(name: str) -> None:
        run = getattr(psycopg.Cursor, name)

        def noted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
            sent.append(str(query))
            return run(self, query, *rest, **more)

        monkeypatch.setattr(psycopg.Cursor, name, noted)

    note("execute")
    note("executemany")
    return sent


@ON_POSTGRESQL
def test_a_batch_of_many_companies_takes_as_few_statements_as_one_of_few(store: Store, statements: list[str]) -> None:
    assert sent_for(store, statements, MANY[:2]) == sent_for(store, statements, MANY)


@ON_POSTGRESQL
@pytest.mark.acceptance(12)
def test_a_batch_of_128_companies_takes_12_statements_at_most(store: Store, statements: list[str]) -> None:
    assert max(sent_for(store, statements, MANY)) <= 12


@ON_POSTGRESQL
@pytest.mark.control(12)
def test_a_batch_of_its_own_for_each_company_takes_more(store: Store, statements: list[str]) -> None:
    assert sum(max(sent_for(store, statements, [tenant])) for tenant in MANY[:4]) > 12


def sent_for(store: Store, statements: list[str], tenants: Sequence[str]) -> list[int]:
    """How many statements it takes to write a start, then an answer, then an end of each tenant, each in one batch."""
    transactions = store.database.transactions(0)

    def write(make: Callable[..., EventDraft], number: str, at: int) -> int:
        statements.clear()
        drafts = [make("3501", number, at, tenant=tenant) for tenant in tenants]
        transactions.run(lambda connection: apply(connection, drafts))
        return len(statements)

    write(start_draft, "4732100001", T0)  # the first of a company makes its head, once in its life
    steps = (start_draft, answer_draft, end_draft)
    sent = [write(make, "4732100002", T0 + 100_000 * place) for place, make in enumerate(steps, 1)]
    transactions.close()
    return sent
