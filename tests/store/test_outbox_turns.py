"""What one turn of the outbox costs the database."""

import threading
from typing import Any

from sqlalchemy import Connection, Engine, event

from gateway.store.letters.outbox import Outbox
from gateway.store.letters.slices import LETTERS
from gateway.store.letters.stored import ClaimRequest
from tests.store.conftest import T0, OpenStore, Store, start_draft
from tests.store.test_lanes import ON_POSTGRESQL

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


@ON_POSTGRESQL
def test_a_target_that_another_node_is_at_holds_up_no_other(open_store: OpenStore) -> None:
    """Nor does a turn wait for it: what it claims of the others goes out at once."""
    node, other = open_store(), open_store()
    node.journal.write(start_draft("3501", "4732100123", forwards=["busy", "free"]))
    wanted = [ClaimRequest("acme", name, 1, 1) for name in ("busy", "free")]
    is_there, may_end = threading.Event(), threading.Event()

    def stay(_connection: Connection) -> None:
        is_there.set()
        assert may_end.wait(60)

    staying = threading.Thread(target=other.journal.run, args=(stay,), kwargs={"lock": LETTERS, "parts": ["acme/busy"]})
    staying.start()
    try:
        assert is_there.wait(60)
        claimed = Outbox(node.engine, node.journal).turn((), wanted, T0)
    finally:
        may_end.set()
        staying.join(60)
    assert [letter.target for letter in claimed] == ["free"]
    assert [letter.target for letter in Outbox(node.engine, node.journal).turn((), wanted, T0)] == ["busy"]


@ON_POSTGRESQL
def test_who_changes_letters_of_all_targets_waits_for_each_turn(open_store: OpenStore) -> None:
    node, other = open_store(), open_store()
    is_there, may_end, done = threading.Event(), threading.Event(), []

    def stay(_connection: Connection) -> None:
        is_there.set()
        assert may_end.wait(60)
        done.append("turn")

    threads = [
        threading.Thread(target=other.journal.run, args=(stay,), kwargs={"lock": LETTERS, "parts": ["acme/crm"]}),
        threading.Thread(target=node.journal.run, args=(lambda _: done.append("all"),), kwargs={"lock": LETTERS}),
    ]
    threads[0].start()
    assert is_there.wait(60)
    threads[1].start()
    threads[1].join(0.3)
    may_end.set()
    for thread in threads:
        thread.join(60)
    assert done == ["turn", "all"]
