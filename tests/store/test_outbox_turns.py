"""What one turn of the outbox costs the database."""

from typing import Any

from sqlalchemy import Engine, event

from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import ClaimRequest
from tests.store.conftest import T0, Store, start_draft

TARGETS = [f"crm{number}" for number in range(20)]


def test_what_many_targets_have_under_way_is_counted_by_one_statement(store: Store) -> None:
    outbox = Outbox(store.engine, store.journal)
    store.journal.write(start_draft("3501", "4732100123", forwards=TARGETS))
    assert len(outbox.turn((), [ClaimRequest("acme", name, 1, 1) for name in TARGETS], T0)) == len(TARGETS)
    store.journal.write(start_draft("3502", "4732100124", forwards=TARGETS))
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "claimed_by" in statement:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        full = outbox.turn((), [ClaimRequest("acme", name, 1, 1) for name in TARGETS], T0 + 1)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert (list(full), len(asked)) == ([], 1)
