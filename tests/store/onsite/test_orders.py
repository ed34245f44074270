"""Orders on their way to a site: shown, taken by one only, answered once, or withdrawn before that."""

from dataclasses import replace

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.store.onsite.orders import KEPT_MS, MOST_SHOWN, OnsiteOrder, OnsiteOrders, OnsiteOrderState
from gateway.store.onsite.sites import OnsiteSite
from gateway.store.orders import OrderLog
from gateway.store.writing.drafts import OrderDraft, Settlement
from tests.store.conftest import HERE, PLAN, T0, Store

FIELDS = {"extension": "3501", "number": "0321"}


@pytest.fixture
def orders(store: Store) -> OnsiteOrders:
    return OnsiteOrders(store.engine, store.journal)


def put(orders: OnsiteOrders, now: int = T0, within_ms: int = 5_000) -> str:
    return orders.put("acme", "escritorio", "pabx", "dial", FIELDS, now=now, expires_at=now + within_ms)


def waiting(orders: OnsiteOrders, site: OnsiteSite, now: int) -> list[OnsiteOrder]:
    key = (site.tenant, site.name)
    return list(orders.waiting({key}, now).get(key, ()))


def state(orders: OnsiteOrders, order: str) -> OnsiteOrderState | None:
    found = orders.of("acme", order)
    return found.state if found else None


def test_a_site_is_shown_its_own_orders_and_takes_each_once(orders: OnsiteOrders, site: OnsiteSite) -> None:
    order = put(orders)
    others = (replace(site, name="filial"), replace(site, tenant="beta"))
    assert [waiting(orders, each, T0) for each in others] == [[], []]
    (shown,) = waiting(orders, site, T0)
    assert (shown.id, shown.appliance, shown.kind, shown.fields) == (order, "pabx", "dial", FIELDS)
    assert [orders.take(each, order, T0) for each in others] == [None, None]
    assert orders.take(site, order, T0) is not None
    assert orders.take(site, order, T0) is None
    assert (waiting(orders, site, T0), orders.withdraw("acme", order)) == ([], False)


def test_an_order_that_is_withdrawn_or_too_old_is_taken_no_more(orders: OnsiteOrders, site: OnsiteSite) -> None:
    withdrawn, old = put(orders), put(orders)
    assert orders.withdraw("acme", withdrawn)
    assert orders.take(site, withdrawn, T0) is None
    assert (waiting(orders, site, T0 + 5_000), orders.take(site, old, T0 + 5_000)) == ([], None)


def test_orders_of_many_sites_are_read_at_once_and_of_each_some_at_a_time(orders: OnsiteOrders) -> None:
    sites = [("acme", "escritorio"), ("acme", "filial"), ("beta", "escritorio"), ("beta", "loja")]
    made = {}
    for tenant, name in sites[:3]:
        fields = FIELDS | {"site": name}
        made[tenant, name] = [
            orders.put(tenant, name, "pabx", "dial", fields, now=T0 + at, expires_at=T0 + 9_000)
            for at in range(MOST_SHOWN + 1)
        ]
    found = orders.waiting(sites, T0 + 100)
    assert {site: [each.id for each in shown] for site, shown in found.items()} == {
        site: ids[:MOST_SHOWN] for site, ids in made.items()
    }
    assert orders.waiting([sites[1]], T0 + 100).keys() == {sites[1]}
    assert orders.waiting([sites[3]], T0 + 100) == orders.waiting([], T0 + 100) == {}


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


@pytest.mark.parametrize("settled", [True, False])
def test_an_answer_after_it_was_given_up_is_added_to_the_history_once(
    store: Store, orders: OnsiteOrders, site: OnsiteSite, settled: bool
) -> None:
    """Also where the process that waited died, and its order was settled by another."""
    message = PlaceCall("acme", "3501", "4732100123", HERE, T0)
    placed = store.journal.write(OrderDraft(message, "3501", "pbx", "0321", read("4732100123", PLAN)))
    assert placed.order_id
    fields = FIELDS | {"order_id": str(placed.order_id)}
    order = orders.put("acme", "escritorio", "pabx", "dial", fields, now=T0, expires_at=T0 + 5_000)
    orders.take(site, order, T0)
    if settled:
        store.journal.write(Settlement("acme", placed.order_id, Delivery(Outcome.UNKNOWN, "?"), T0 + 6_000))
    else:
        assert orders.give_up("acme", order)
        assert not orders.give_up("acme", order)
    answer = {"outcome": "accepted", "peer_ref": "1796.7"}
    assert [orders.answer(site, order, answer) for _ in range(2)] == [True, False]
    log = OrderLog(store.engine)
    assert [found.outcome for found in log.history("acme", placed.order_id)] == ["accepted"]
    found = log.of_call("acme", placed.call_id)
    assert found is not None
    assert found.peer_ref == "1796.7", "which a hang-up needs"


def test_an_answer_in_time_is_not_added_by_itself(store: Store, orders: OnsiteOrders, site: OnsiteSite) -> None:
    message = PlaceCall("acme", "3501", "4732100123", HERE, T0)
    placed = store.journal.write(OrderDraft(message, "3501", "pbx", "0321", read("4732100123", PLAN)))
    fields = FIELDS | {"order_id": str(placed.order_id)}
    order = orders.put("acme", "escritorio", "pabx", "dial", fields, now=T0, expires_at=T0 + 5_000)
    orders.take(site, order, T0)
    assert orders.answer(site, order, {"outcome": "accepted"})
    assert not orders.give_up("acme", order)
    assert OrderLog(store.engine).history("acme", placed.order_id or 0) == []


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
