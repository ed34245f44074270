"""A letter that turns up is heard of, also where several lanes write at once."""

import pytest

from gateway.store.letters.outbox import Outbox
from tests.store.conftest import Store, open_store, store
from tests.store.test_letter_log import add

__all__ = ["open_store", "store"]


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store.engine, store.journal)


def test_whose_letters_came_is_told_once(store: Store, outbox: Outbox) -> None:
    add(store, {"id": 5}, {"id": 6, "target": "erp"})
    newest, whose = outbox.news(4)
    assert (newest, sorted(whose)) == (6, [("acme", "crm"), ("acme", "erp")])
    if outbox._is_in_order:
        assert outbox.news(newest) == (6, ())


def test_a_letter_whose_number_is_smaller_than_one_that_was_seen_is_heard_of(store: Store, outbox: Outbox) -> None:
    """Another lane had taken the number and committed later."""
    outbox._is_in_order = False
    add(store, {"id": 6})
    newest, _ = outbox.news(0)
    add(store, {"id": 5, "target": "erp"}, {"id": 4, "target": "old", "settled_at": 1, "state": "delivered"})
    add(store, {"id": 3, "target": "sent", "claimed_by": "somebody"}, {"id": 2, "target": "next", "blocked_by": 3})
    found, whose = outbox.news(newest)
    assert (found, sorted(whose)) == (6, [("acme", "crm"), ("acme", "erp")])
