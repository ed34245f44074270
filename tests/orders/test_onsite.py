"""An appliance behind a gateway on site: what is said when the site takes an order, does not, or is not there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gateway.adapter import Delivery, Outcome, Outgoing, can_hang_up
from gateway.clock import milliseconds
from gateway.domain.messages import PlaceCall
from gateway.domain.numbering.numbers import read
from gateway.errors import DatabaseAway, GatewayError, StoreUnavailable, StoreUnclear
from gateway.orders import onsite
from gateway.orders.onsite import OnsiteAppliance, OnsiteConfig, OnsiteRoad
from gateway.store.onsite.answers import answer_of
from gateway.store.onsite.orders import OnsiteOrder, OnsiteOrders
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites
from gateway.store.orders import OrderLog
from gateway.store.writing.drafts import OrderAttempt, OrderDraft, Settlement
from gateway.texts.text import Text
from tests.store.conftest import HERE, PLAN, T0, Store, open_store, store
from tests.waiting import until

__all__ = ["open_store", "store"]

ORDER = OrderDraft(PlaceCall("acme", "3501", "4732100123", HERE, T0), "3501", "pbx", "0321", read("4732100123", PLAN))
DIAL = Outgoing("dial", "7", {"extension": "3501", "number": "0321", "order_id": "7"})
pytestmark = pytest.mark.parametrize("open_store", ["sqlite"], indirect=True)


@dataclass
class Road:
    """An appliance, and its site, which a test plays."""

    appliance: OnsiteAppliance
    orders: OnsiteOrders
    sites: OnsiteSites
    site: OnsiteSite

    def connect(self, **status: object) -> None:
        until_ms = milliseconds() + 60_000
        self.sites.seen(self.site, milliseconds(), poll="p", polled_until=until_ms, status=status)

    def waiting(self) -> list[OnsiteOrder]:
        key = (self.site.tenant, self.site.name)
        return list(self.orders.waiting({key}, milliseconds()).get(key, ()))

    def play(self, play: Callable[[OnsiteOrder], None]) -> threading.Thread:
        """Do ``play`` with the next order, on a thread of its own."""

        def run() -> None:
            until(lambda: self.waiting(), 60)
            play(self.waiting()[0])

        thread = threading.Thread(target=run)
        thread.start()
        return thread


asked: list[object] = []
"""What ``away`` was asked."""


def away(*arguments: object) -> None:
    asked.append(arguments)
    raise DatabaseAway


@pytest.fixture
def road(store: Store, monkeypatch: pytest.MonkeyPatch) -> Road:
    monkeypatch.setattr(onsite, "FETCH_WITHIN_S", 60)
    sites, orders = OnsiteSites(store.engine, store.journal), OnsiteOrders(store.engine, store.journal)
    sites.add("acme", "escritorio", milliseconds())
    site = sites.of("acme", "escritorio")
    assert site is not None
    appliance = OnsiteAppliance(OnsiteConfig(onsite="escritorio", there="central", timeout_s=15), name="pabx")
    appliance.connect(OnsiteRoad("acme", sites, orders))
    return Road(appliance, orders, sites, site)


@pytest.mark.parametrize(
    "delivery",
    [
        Delivery(Outcome.ACCEPTED, Text("The appliance {name!r} is busy.", name="x"), "ref-1"),
        Delivery(Outcome.REFUSED, "não", retry_after_s=3.0),
        Delivery(Outcome.UNREACHABLE, "longe"),
        Delivery(Outcome.UNKNOWN, "?"),
    ],
)
def test_what_the_site_answers_is_what_came_of_the_order(road: Road, delivery: Delivery) -> None:
    road.connect()
    seen: list[OnsiteOrder] = []

    def dials(order: OnsiteOrder) -> None:
        seen.append(order)
        assert road.orders.take(road.site, order.id, milliseconds())
        road.orders.answer(road.site, order.id, answer_of(delivery))

    thread = road.play(dials)
    found = road.appliance.deliver(DIAL)
    thread.join(60)
    told = (found.outcome, found.detail, found.peer_ref, found.retry_after_s)
    assert told == (delivery.outcome, delivery.detail, delivery.peer_ref, delivery.retry_after_s)
    assert [(each.appliance, each.kind, each.fields) for each in seen] == [("central", "dial", DIAL.fields)]


def test_a_site_that_is_not_connected_is_unreachable_at_once(road: Road) -> None:
    found = road.appliance.deliver(DIAL)
    assert (found.outcome, "not connected" in str(found.text)) == (Outcome.UNREACHABLE, True)
    road.connect()
    road.sites.revoke("acme", "escritorio", milliseconds())
    assert "revoked" in str(road.appliance.deliver(DIAL).text)
    assert road.waiting() == []


def test_a_site_that_nobody_made_is_named(road: Road) -> None:
    other = OnsiteAppliance(OnsiteConfig(onsite="filial"), name="pabx")
    assert other.deliver(DIAL).outcome is Outcome.UNREACHABLE
    other.connect(OnsiteRoad("acme", road.sites, road.orders))
    assert "cti-gateway onsite add filial" in str(other.probe().text)


def test_an_order_that_is_not_fetched_is_withdrawn(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onsite, "FETCH_WITHIN_S", 0.05)
    road.connect()
    assert road.appliance.deliver(DIAL).outcome is Outcome.UNREACHABLE
    assert road.waiting() == []


def test_an_order_that_was_taken_and_is_not_answered_is_unknown(store: Store, road: Road) -> None:
    road.connect()
    appliance = OnsiteAppliance(OnsiteConfig(onsite="escritorio", timeout_s=1), name="pabx")
    appliance.connect(OnsiteRoad("acme", road.sites, road.orders))
    thread = road.play(lambda order: road.orders.take(road.site, order.id, milliseconds()) and None)
    found = appliance.deliver(DIAL)
    thread.join(60)
    assert (found.outcome, "will not be dialled again" in str(found.text)) == (Outcome.UNKNOWN, True)


def test_an_answer_that_comes_when_the_order_is_unknown_is_in_its_history(store: Store, road: Road) -> None:
    """People were told that nobody knows; whoever looks later finds what became of it."""
    order = store.journal.write(ORDER)
    assert order.order_id
    message = Outgoing("dial", str(order.order_id), {"number": "0321", "order_id": str(order.order_id)})
    road.connect()
    appliance = OnsiteAppliance(OnsiteConfig(onsite="escritorio", timeout_s=1), name="pbx")
    appliance.connect(OnsiteRoad("acme", road.sites, road.orders))
    taken: list[str] = []

    def take(found: OnsiteOrder) -> None:
        assert road.orders.take(road.site, found.id, milliseconds())
        taken.append(found.id)

    thread = road.play(take)
    delivery = appliance.deliver(message)
    thread.join(60)
    assert delivery.outcome is Outcome.UNKNOWN
    made = OrderAttempt("pbx", delivery, milliseconds(), milliseconds())
    store.journal.write(Settlement("acme", order.order_id, delivery, milliseconds(), (made,)))
    for _ in range(2):
        road.orders.answer(road.site, taken[0], answer_of(Delivery(Outcome.ACCEPTED, "tocou", "ref-1")))
    _unknown, late = OrderLog(store.engine).history("acme", order.order_id)
    assert (late.outcome, late.kind, late.appliance, late.peer_ref) == ("accepted", "dial", "pbx", "ref-1")
    assert late.detail == "Respondeu quando o pedido já estava encerrado: tocou"
    assert late.took_ms >= 1000
    found = OrderLog(store.engine).outcome(order.order_id)
    assert found is not None
    assert found.outcome is Outcome.UNKNOWN


def test_an_answer_in_the_last_moment_is_what_came_of_the_order(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at it and the end of the wait."""
    give_up = OnsiteOrders.give_up

    def answered_first(orders: OnsiteOrders, tenant: str, order: str) -> bool:
        orders.answer(road.site, order, answer_of(Delivery(Outcome.ACCEPTED, "tocou")))
        return give_up(orders, tenant, order)

    monkeypatch.setattr(OnsiteOrders, "give_up", answered_first)
    road.connect()
    appliance = OnsiteAppliance(OnsiteConfig(onsite="escritorio", timeout_s=1), name="pabx")
    appliance.connect(OnsiteRoad("acme", road.sites, road.orders))
    thread = road.play(lambda order: road.orders.take(road.site, order.id, milliseconds()) and None)
    assert appliance.deliver(DIAL).outcome is Outcome.ACCEPTED
    thread.join(60)


def test_an_order_that_cannot_be_written_down_was_not_dialled(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_named: object) -> str:
        raise StoreUnavailable

    road.connect()
    monkeypatch.setattr(OnsiteOrders, "put", away)
    assert road.appliance.deliver(DIAL).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("ok", [True, False])
def test_the_site_probes_its_appliance(road: Road, ok: bool) -> None:
    road.connect()
    outcome = Outcome.ACCEPTED if ok else Outcome.UNREACHABLE
    answer = answer_of(Delivery(outcome, "assim está"))
    thread = road.play(lambda order: road.orders.answer(road.site, order.id, answer) and None)
    found = road.appliance.probe()
    thread.join(60)
    assert (found.ok, found.detail) == (ok, "assim está")


def test_whether_it_hangs_up_is_the_site_s_word(road: Road) -> None:
    assert not can_hang_up(road.appliance)
    road.connect(appliances={"central": {"hangs_up": True}})
    assert can_hang_up(road.appliance)
    road.connect(appliances=["no", "table"])
    assert not can_hang_up(road.appliance)


@pytest.mark.parametrize("answer", [{}, {"outcome": 7}, {"outcome": "later"}, {"outcome": [], "sentence": 3}])
def test_an_answer_that_says_nothing_known_is_unknown(road: Road, answer: dict[str, object]) -> None:
    road.connect()
    thread = road.play(lambda order: road.orders.answer(road.site, order.id, answer) and None)
    assert road.appliance.deliver(DIAL).outcome is Outcome.UNKNOWN
    thread.join(60)


def test_what_the_site_is_told_is_shown(road: Road) -> None:
    (shown,) = road.appliance.preview(DIAL)
    assert (shown.peer, shown.data.decode().splitlines()[:2]) == (
        "onsite escritorio",
        ["dial central", "extension: 3501"],
    )


@pytest.mark.parametrize("timeout_s", [0, 15.5])
def test_a_time_that_nobody_waits_is_refused(road: Road, timeout_s: float) -> None:
    with pytest.raises(ValueError, match="expected 1 to 15 seconds"):
        OnsiteConfig(onsite="escritorio", timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(StoreUnavailable(), Outcome.UNREACHABLE), (StoreUnclear(), Outcome.UNKNOWN)],
)
def test_an_order_of_which_nobody_knows_whether_it_was_written_is_not_left_to_a_fallback(
    road: Road, monkeypatch: pytest.MonkeyPatch, error: GatewayError, outcome: Outcome
) -> None:
    def put(*_arguments: object, **_named: object) -> str:
        raise error

    road.connect()
    monkeypatch.setattr(road.orders, "put", put)
    assert road.appliance.deliver(DIAL).outcome is outcome


def test_a_database_that_is_away_before_the_order_is_written_leaves_it_undialled(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(road.sites, "of", away)
    assert road.appliance.deliver(DIAL).outcome is Outcome.UNREACHABLE


def test_a_database_that_is_away_for_a_moment_ends_no_wait(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.connect()

    def answers(order: OnsiteOrder) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(road.orders, "of", away)
            road.orders.ring()
            until(lambda: asked, 60)
        assert road.orders.take(road.site, order.id, milliseconds())
        road.orders.answer(road.site, order.id, {"outcome": "accepted"})

    asked.clear()
    thread = road.play(answers)
    assert road.appliance.deliver(DIAL).outcome is Outcome.ACCEPTED
    thread.join(60)


def test_a_database_that_stays_away_makes_an_order_unknown(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.connect()
    monkeypatch.setattr(onsite, "LEEWAY_S", 0)
    monkeypatch.setattr(road.orders, "of", away)
    appliance = OnsiteAppliance(OnsiteConfig(onsite="escritorio", timeout_s=1), name="pabx")
    appliance.connect(OnsiteRoad("acme", road.sites, road.orders))
    assert appliance.deliver(DIAL).outcome is Outcome.UNKNOWN
