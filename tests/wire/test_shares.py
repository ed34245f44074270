"""No client can take all the places of the lenient port."""

from gateway.wire.lenient.shares import Shares, Turn


def test_a_client_has_its_share_then_waits_then_is_turned_away() -> None:
    shares: Shares[int] = Shares(at_once=2, waiting=1)
    assert [shares.bring("pabx", job) for job in range(4)] == [Turn.NOW, Turn.NOW, Turn.LATER, Turn.NEVER]
    assert shares.bring("crm", 4) is Turn.NOW


def test_those_that_wait_have_their_turn_in_the_order_they_came() -> None:
    shares: Shares[int] = Shares(at_once=1, waiting=2)
    for job in range(3):
        shares.bring("pabx", job)
    assert [shares.done("pabx"), shares.done("pabx"), shares.done("pabx")] == [1, 2, None]
    assert shares.bring("pabx", 3) is Turn.NOW


def test_a_client_that_has_nothing_to_do_is_forgotten() -> None:
    shares: Shares[int] = Shares(at_once=1, waiting=1)
    for number in range(100):
        shares.bring(f"10.0.0.{number}", number)
    assert shares.clients() == 100
    for number in range(100):
        assert shares.done(f"10.0.0.{number}") is None
    assert shares.clients() == 0
