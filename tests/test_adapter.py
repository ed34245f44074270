"""What an adapter may declare besides its protocol."""

from gateway.adapter import Delivery, Limits, Outcome, Outgoing, can_hang_up, limits_of
from tests.fakes import FakeAdapter


class Hanging(FakeAdapter):
    can_hang_up = True
    limits = Limits(orders_per_s=3)

    def hangup(self, message: Outgoing) -> Delivery:
        return Delivery(Outcome.ACCEPTED, message.fields["peer_ref"])


def test_an_adapter_that_declares_nothing_has_no_limits_and_cannot_hang_up() -> None:
    assert not can_hang_up(FakeAdapter())
    assert limits_of(FakeAdapter()) == Limits(max_orders=None, orders_per_s=None)


def test_an_adapter_says_that_it_can_hang_up_and_how_much_its_appliance_stands() -> None:
    adapter = Hanging()
    assert can_hang_up(adapter)
    assert adapter.hangup(Outgoing("hangup", "1", {"peer_ref": "17"})).detail == "17"
    assert limits_of(adapter).orders_per_s == 3


def test_one_class_may_serve_an_appliance_that_cannot_hang_up() -> None:
    adapter = Hanging()
    adapter.can_hang_up = False
    assert not can_hang_up(adapter)
