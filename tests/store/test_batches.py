"""What a batch costs that holds a bit of everything: statements and round trips to PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from gateway.adapter import Delivery, Outcome
from gateway.domain.messages import AgentState, AgentStateChanged, Origin, PlaceCall, SourceMark
from gateway.domain.numbering.numbers import read
from gateway.store.database import Database, open_database
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, OrderDraft, Recorded, Settlement
from gateway.store.writing.journal import apply
from tests.store.conftest import HERE, PLAN, T0, Store, answer_draft, end_draft, start_draft
from tests.store.test_lanes import ON_POSTGRESQL, statements
from tests.unix_proxy import counting_proxy

__all__ = ["statements"]

STARTED, ANSWERED, ORDERED, SETTLED, AGAIN = (f"473210000{place}" for place in range(1, 6))
MOST_STATEMENTS, MOST_ROUND_TRIPS = 12, 8
"""It takes seven round trips; on a busy machine a part of an answer may come while the question is still sent."""
LATER = T0 + 1_000


def order(tenant: str, number: str) -> OrderDraft:
    message = PlaceCall(tenant, "3501", number, HERE, T0)
    return OrderDraft(message, "3501", "pbx", "0" + number, read(number, PLAN), repeat_within_ms=60_000)


def marked(draft: EventDraft, **mark: Any) -> EventDraft:
    origin = Origin("webhook", "10.0.0.5", mark=SourceMark("cloud", **mark))
    return replace(draft, message=replace(draft.message, origin=origin))


class Company:
    """A company in which all is prepared that a mixed batch goes on with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.orders: Sequence[Recorded] = ()

    def before(self) -> list[Any]:
        """Return what has been written before."""
        calls = [start_draft("3501", number, T0, tenant=self.name) for number in (STARTED, ANSWERED)]
        seen = start_draft("3502", "4732100009", T0, tenant=self.name, call_ref="c-1")
        return [*calls, marked(seen, event_id="e-1"), *(order(self.name, each) for each in (ORDERED, SETTLED, AGAIN))]

    def mixed(self) -> list[Callable[[], Any]]:
        """Return what makes one draft of each kind."""
        state = AgentStateChanged(self.name, "3501", "Ana", AgentState.PAUSE, HERE, LATER)
        settlement = Settlement(self.name, self.orders[1].order_id or 0, Delivery(Outcome.ACCEPTED, "ok"), LATER)
        ids = ("c-1", "c-2")
        return [
            lambda: start_draft("3501", "4732100008", LATER, tenant=self.name),
            lambda: answer_draft("3501", STARTED, LATER, tenant=self.name),
            lambda: end_draft("3501", ANSWERED, LATER, tenant=self.name),
            lambda: order(self.name, AGAIN),
            lambda: order(self.name, "4732100007"),
            lambda: settlement,
            lambda: AgentStateDraft(state, "3501"),
            lambda: marked(answer_draft("3502", "4732100009", LATER, tenant=self.name, call_ref="c-1"), event_id="e-2"),
            lambda: marked(
                end_draft("3502", "4732100009", LATER, tenant=self.name, call_ref="c-2"), also_known_as=ids, sequence=7
            ),
            lambda: self._of_order(answer_draft("3501", ORDERED, LATER, tenant=self.name)),
        ]

    def _of_order(self, draft: EventDraft) -> EventDraft:
        """Return an event whose id at the exchange names the order."""
        return replace(draft, event=draft.event._replace(order_id=self.orders[0].order_id))


def write(database: Database, drafts: Sequence[Any]) -> list[Any]:
    transactions = database.transactions(0)
    try:
        return transactions.run(lambda connection: apply(connection, drafts))
    finally:
        transactions.close()


def prepared(database: Database, count: int) -> tuple[list[Company], list[Any]]:
    """Return companies, and the drafts of a batch in which each of them has two, of all kinds in turn."""
    companies = [Company(f"company-{place}") for place in range(count)]
    for company in companies:
        company.orders = write(database, company.before())[-3:]
    drafts = []
    for place, company in enumerate(companies):
        kinds = company.mixed()
        drafts += [kinds[place % len(kinds)](), kinds[(place + 5) % len(kinds)]()]
    return companies, drafts


@ON_POSTGRESQL
@pytest.mark.acceptance(12)
def test_a_mixed_batch_of_128_companies_takes_12_statements_at_most(
    store: Store, statements: list[str], record_property: Callable[[str, object], None]
) -> None:
    _, drafts = prepared(store.database, 128)
    transactions = store.database.transactions(0)
    assert transactions.ready()
    statements.clear()
    written = transactions.run(lambda connection: apply(connection, drafts))
    sent = list(statements)
    transactions.close()
    assert len(written) == len(drafts) == 256
    record_property("figure", f"{len(sent)} statements for {len(drafts)} drafts of 128 companies")
    assert len(sent) <= MOST_STATEMENTS, "\n".join(each[:120] for each in sent)


@ON_POSTGRESQL
def test_a_mixed_batch_takes_few_round_trips(store: Store, tmp_path: Path) -> None:
    _, drafts = prepared(store.database, 20)
    url = make_url(store.database.engine.url)
    with counting_proxy(Path(str(url.query["host"]))) as (folder, trips):
        through = url.set(query={"host": str(folder)}).render_as_string().replace("+psycopg", "")
        database = open_database(tmp_path / "through", through)
        transactions = database.transactions(0)
        assert transactions.ready()
        trips.count = 0
        transactions.run(lambda connection: apply(connection, drafts))
        counted = trips.count
        transactions.close()
        database.close()
    assert counted <= MOST_ROUND_TRIPS


def test_each_draft_of_a_mixed_batch_comes_to_what_it_would_alone(store: Store) -> None:
    (company,), _ = prepared(store.database, 1)
    started, answered, ended, again, ordered, settled, state, seen, ended_by_id, of_order = write(
        store.database, [make() for make in company.mixed()]
    )
    placed, settled_before, repeated = company.orders
    assert (again.repeated, again.order_id, again.call_id) == (True, repeated.order_id, repeated.call_id)
    assert (settled.call_id, settled.order_id) == (settled_before.call_id, settled_before.order_id)
    assert of_order.call_id == placed.call_id
    assert (seen.call_id, state.call_id) == (ended_by_id.call_id, 0)
    assert ordered.order_id not in {each.order_id for each in company.orders}
    shown = {call.id: call.status for call in store.calls.recent(company.name)}
    wanted = ((started, "ringing"), (answered, "talking"), (ended, "ended"), (settled, "accepted"), (seen, "ended"))
    for recorded, status in wanted:
        assert shown[recorded.call_id] == status
