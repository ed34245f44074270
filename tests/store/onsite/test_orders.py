"""Orders on their way to a site: shown, taken by one only, answered once, or withdrawn before that."""

from dataclasses import replace

import pytest

from gateway.store.onsite.orders import KEPT_MS, OnsiteOrders, OnsiteOrderState
from gateway.store.onsite.sites import OnsiteSite
from tests.store.conftest import T0, Store

FIELDS = {"extension": "3501", "number": "0321"}


@pytest.fixture
def orders(store: Store) -> OnsiteOrders:
    return OnsiteOrders(store.engine, store.journal)


def put(orders: OnsiteOrders, now: int = T0, within_ms: int = 5_000) -> str:
    return orders.put("acme", "escritorio", "pabx", "dial", FIELDS, now=now, expires_at=now + within_ms)


def state(orders: OnsiteOrders, order: str) -> OnsiteOrderState | None:
    found = orders.of("acme", order)
    return found.state if found else None


def test_a_site_is_shown_its_own_orders_and_takes_each_once(orders: OnsiteOrders, site: OnsiteSite) -> None:
    order = put(orders)
    others = (replace(site, name="filial"), replace(site, tenant="beta"))
    assert [list(orders.waiting(each, T0)) for each in others] == [[], []]
    (shown,) = orders.waiting(site, T0)
    assert (shown.id, shown.appliance, shown.kind, shown.fields) == (order, "pabx", "dial", FIELDS)
    assert [orders.take(each, order, T0) for each in others] == [None, None]
    assert orders.take(site, order, T0) is not None
    assert orders.take(site, order, T0) is None
    assert (orders.waiting(site, T0), orders.withdraw("acme", order)) == ([], False)


def test_an_order_that_is_withdrawn_or_too_old_is_taken_no_more(orders: OnsiteOrders, site: OnsiteSite) -> None:
    withdrawn, old = put(orders), put(orders)
    assert orders.withdraw("acme", withdrawn)
    assert orders.take(site, withdrawn, T0) is None
    assert (orders.waiting(site, T0 + 5_000), orders.take(site, old, T0 + 5_000)) == ([], None)


def test_the_first_answer_counts_and_only_the_site_s_own(orders: OnsiteOrders, site: OnsiteSite) -> None:
    order = put(orders)
    orders.take(site, order, T0)
    assert not orders.answer(replace(site, name="filial"), order, {"outcome": "accepted"})
    assert state(orders, order) is OnsiteOrderState.GIVEN
    assert orders.answer(site, order, {"outcome": "refused"})
    assert not orders.answer(site, order, {"outcome": "accepted"})
    found = orders.of("acme", order)
    assert found is not None
    assert (found.state, found.answer) == (OnsiteOrderState.ANSWERED, {"outcome": "refused"})


def test_an_answer_to_what_was_withdrawn_changes_nothing(orders: OnsiteOrders, site: OnsiteSite) -> None:
    order = put(orders)
    orders.withdraw("acme", order)
    assert not orders.answer(site, order, {"outcome": "accepted"})
    assert state(orders, order) is OnsiteOrderState.WITHDRAWN


def test_orders_are_kept_for_a_day(orders: OnsiteOrders) -> None:
    old = put(orders)
    new = put(orders, T0 + KEPT_MS)
    assert put(orders, T0 + KEPT_MS + 1)
    assert (state(orders, old), state(orders, new)) == (None, OnsiteOrderState.WAITING)
