"""What came of orders, letters and imports is kept as id and facts, and as text in the company's language."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from gateway.adapter import Delivery, Outcome
from gateway.store import rows, tables
from gateway.store.imports.runs import Counts, Imports
from gateway.store.letters.outbox import Outbox
from gateway.store.orders import OrderLog, note
from gateway.store.writing.drafts import OrderAttempt, Settlement
from gateway.store.writing.journal import Journal
from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import render
from gateway.texts.text import Text, verbatim
from tests.relay.letters import claim_one, postpone
from tests.relay.letters import settle as settle_letter
from tests.store.conftest import T0, OpenStore, Store, open_store, start_draft

__all__ = ["open_store"]

REFUSED = Delivery(Outcome.REFUSED, Text("The appliance {name!r} did not answer.", name="pbx"), "ref-1")
IN_SPANISH = "La central 'pbx' no respondió."
IN_PORTUGUESE = "A central 'pbx' não respondeu."


@pytest.fixture
def spanish(open_store: OpenStore) -> Iterator[Store]:
    """A store whose company ``acme`` speaks Spanish."""
    found = open_store()
    journal = Journal(found.database, language_of=lambda tenant: "es" if tenant == "acme" else DEFAULT)
    journal.start()
    yield Store(found.database, journal)
    journal.stop()


def settle(store: Store, order_id: int, tenant: str = "acme") -> None:
    attempt = OrderAttempt("pbx", REFUSED, T0, T0 + 5)
    store.journal.write(Settlement(tenant, order_id, REFUSED, T0 + 9, (attempt,)))


def test_an_order_s_outcome_is_told_in_any_language(spanish: Store) -> None:
    placed = spanish.order("3501", "4732100123")
    assert placed.order_id is not None
    settle(spanish, placed.order_id)
    log = OrderLog(spanish.engine)
    (call,), (tried,) = spanish.calls.recent("acme"), log.history("acme", placed.order_id)
    assert (call.detail, call.as_json()["detail"], tried.detail) == (IN_SPANISH,) * 3
    assert call.told == tried.told == REFUSED.text
    assert render(tried.told, "pt-BR") == IN_PORTUGUESE
    assert log.outcome(placed.order_id) == REFUSED
    assert [event.told["detail"] for event in spanish.events.after(0) if event.kind == "order_settled"] == [IN_SPANISH]


def test_another_company_s_is_written_in_its_own_language(spanish: Store) -> None:
    placed = spanish.order("3501", "4732100123", tenant="rival")
    assert placed.order_id is not None
    settle(spanish, placed.order_id, "rival")
    note(spanish.journal, "rival", placed.order_id, OrderAttempt("pbx", REFUSED, T0, T0 + 5, "hangup"))
    tried = OrderLog(spanish.engine).history("rival", placed.order_id)
    assert [each.detail for each in tried] == [IN_PORTUGUESE] * 2


def test_a_row_of_version_0_1_0_shows_the_text_that_it_has(spanish: Store) -> None:
    placed = spanish.order("3501", "4732100123")
    assert placed.order_id is not None
    settle(spanish, placed.order_id)
    with spanish.engine.begin() as connection:
        for table in (tables.orders, tables.attempts):
            connection.execute(update(table).values(detail="A central recusou.", sentence=None))
    (call,) = spanish.calls.recent("acme")
    (tried,) = OrderLog(spanish.engine).history("acme", placed.order_id)
    assert call.told == tried.told == verbatim("A central recusou.")


def test_a_call_that_was_not_ordered_has_nothing_to_tell(spanish: Store) -> None:
    spanish.start("3501", "4732100123")
    (call,) = spanish.calls.recent("acme")
    assert (call.detail, call.told) == (None, None)


@pytest.mark.parametrize("settled", [True, False])
def test_a_letter_keeps_what_came_of_it(spanish: Store, settled: bool) -> None:
    spanish.journal.write(start_draft("3501", "4732100123", forwards=("crm",)))
    outbox = Outbox(spanish.engine, spanish.journal)
    letter = claim_one(outbox, "acme", "crm", T0)
    assert letter is not None
    settle_letter(outbox, letter, REFUSED, T0) if settled else postpone(outbox, letter, REFUSED, T0 + 1)
    with spanish.engine.connect() as connection:
        row = connection.execute(select(tables.outbox)).one()
    assert row.detail == IN_SPANISH
    assert "did not answer" in row.sentence


def test_an_import_s_end_is_told_in_any_language(spanish: Store) -> None:
    imports = Imports(spanish.engine, spanish.journal)
    died, failed, plain = (imports.begin("acme", name, "csv", T0) for name in ("a", "b", "c"))
    imports.bury(died, T0 + 1)
    imports.end(failed, "failed", Counts(), T0 + 1, message=REFUSED.text, refused=())
    imports.end(plain, "failed", Counts(), T0 + 1, message="como veio", refused=())
    found = {run.id: run for run in imports.last("acme")}
    assert found[died].message.startswith("El proceso que importaba se detuvo")
    assert render(found[died].told, "en").startswith("The process that imported stopped halfway")
    assert (found[failed].message, found[failed].told) == (IN_SPANISH, REFUSED.text)
    assert (found[plain].message, found[plain].told) == ("como veio", verbatim("como veio"))


def test_a_run_whose_process_died_is_told_when_the_next_one_begins(spanish: Store) -> None:
    imports = Imports(spanish.engine, spanish.journal)
    died = imports.begin("acme", "a", "csv", T0)
    imports.begin("acme", "a", "csv", T0 + 200_000)
    run = imports.get("acme", died)
    assert run is not None
    assert run.message.startswith("El proceso que importaba se detuvo")


def test_sentences_that_differ_in_a_fact_are_kept_apart() -> None:
    pbx, other = (rows.kept(Text("The appliance {name!r} did not answer.", name=name), "es") for name in ("pbx", "b"))
    assert (pbx[0], other[0]) == (IN_SPANISH, "La central 'b' no respondió.")
