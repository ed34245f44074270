"""A double click, or a request that is sent again, is one order."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.errors import KeyTaken
from gateway.store.writing.drafts import OrderDraft, Recorded
from gateway.store.writing.journal import apply
from tests.store.conftest import HERE, PLAN, T0, OpenStore, Store

MESSAGE = PlaceCall("acme", "3501", "4732100123", HERE, T0)
DRAFT = OrderDraft(MESSAGE, "3501", "pbx", "04732100123", read("4732100123", PLAN), repeat_within_ms=3000)


def asked(at: int = T0, key: str | None = None, **other: str) -> OrderDraft:
    return replace(DRAFT, message=replace(MESSAGE, received_at=at, request_key=key), **other)


def test_the_same_order_a_moment_later_is_not_a_new_one(store: Store) -> None:
    first = store.journal.write(DRAFT)
    again = store.journal.write(asked(T0 + 2900))
    assert (again.repeated, again.order_id, again.call_id) == (True, first.order_id, first.call_id)
    assert len(store.calls.recent("acme")) == 1


@pytest.mark.parametrize(
    "other",
    [
        asked(T0 + 3000),
        asked(T0 + 100, extension="3502"),
        asked(T0 + 100, digits="04732100124"),
        asked(T0 + 100, appliance="cloud"),
        replace(asked(T0 + 100), repeat_within_ms=0),
        replace(DRAFT, message=replace(MESSAGE, tenant="rival")),
    ],
)
def test_another_call_is_dialled_even_if_it_is_much_alike(store: Store, other: OrderDraft) -> None:
    store.journal.write(DRAFT)
    assert not store.journal.write(other).repeated


@pytest.mark.parametrize("step", [-86_400_000, -60_000, -3_000, 60_000])
def test_a_click_after_the_clock_was_set_is_a_new_order(store: Store, step: int) -> None:
    store.journal.write(DRAFT)
    assert not store.journal.write(asked(T0 + step)).repeated
    assert store.journal.write(asked(T0 + step + 1000)).repeated, "its own double click is none"


@pytest.mark.parametrize("step", [-60_000, -1_000])
def test_in_one_batch_too(store: Store, step: int) -> None:
    first, second = apply_together(store, DRAFT, asked(T0 + step))
    assert (first.repeated, second.repeated) == (False, step == -1_000)


def apply_together(store: Store, *drafts: OrderDraft) -> list[Recorded]:
    written: list[Recorded] = store.journal.run(lambda connection: apply(connection, drafts))
    return written


def test_the_same_key_is_the_same_order_however_much_later(store: Store) -> None:
    first = store.journal.write(asked(key="pedido-1"))
    assert store.journal.write(asked(T0 + 86_400_000, key="pedido-1")).order_id == first.order_id
    assert not store.journal.write(asked(T0 + 86_400_000, key="pedido-2")).repeated


def test_a_key_that_belongs_to_another_call_is_refused_and_nothing_is_written(store: Store) -> None:
    store.journal.write(asked(key="pedido-1"))
    with pytest.raises(KeyTaken, match="'pedido-1' já foi usado para outra ligação"):
        store.journal.write(asked(T0 + 100, key="pedido-1", digits="0999"))
    assert len(store.calls.recent("acme")) == 1


def test_two_companies_may_use_the_same_key(store: Store) -> None:
    store.journal.write(asked(key="1"))
    rival = replace(DRAFT, message=replace(MESSAGE, tenant="rival", request_key="1"))
    assert not store.journal.write(rival).repeated


def test_a_restart_forgets_nothing(open_store: OpenStore) -> None:
    before = open_store()
    first = before.journal.write(asked(key="k"))
    before.journal.stop()
    after = open_store()
    assert after.journal.write(asked(T0 + 1000)).order_id == first.order_id
    assert after.journal.write(asked(T0 + 90_000, key="k")).order_id == first.order_id


def at_once(*works: Callable[[], Recorded]) -> list[Recorded]:
    found: list[Recorded] = []
    threads = [threading.Thread(target=lambda work=work: found.append(work())) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("key", [None, "k"])
def test_of_sixteen_clicks_at_once_on_two_workers_one_is_a_new_order(open_store: OpenStore, key: str | None) -> None:
    one, other = open_store(), open_store()
    clicks = [lambda store=store: store.journal.write(asked(key=key)) for store in (one, other) for _ in range(8)]
    found = at_once(*clicks)
    assert [recorded.repeated for recorded in found].count(False) == 1
    assert len({recorded.order_id for recorded in found}) == 1
