"""One entry for a customer, however often they rang."""

import pytest

from gateway.domain.calls.missed_list import Claim, MissedCall, by_customer, entry_with

MINUTE = 60_000


def missed(call_id: int, number: str = "4733334444", at: int | None = None, **more: object) -> MissedCall:
    return MissedCall(call_id, number, str(more.pop("extension", "3501")), at or call_id * MINUTE, **more)  # type: ignore[arg-type]


def test_a_customer_without_an_account_is_known_by_the_number() -> None:
    entries = by_customer([missed(1), missed(2, "4799998888"), missed(3)])
    assert [entry.call_ids for entry in entries] == [(3, 1), (2,)]


def test_an_account_is_one_customer_from_whatever_number() -> None:
    (entry,) = by_customer([missed(1, "4733334444", account_id=7), missed(2, "4799998888", account_id=7)])
    assert (entry.call_ids, entry.id, entry.since) == ((2, 1), 2, MINUTE)


def test_a_number_that_got_its_account_later_is_that_account_s_from_the_first_call_on() -> None:
    calls = [missed(1), missed(2, account_id=7), missed(3, "4799998888", account_id=7)]
    assert [entry.call_ids for entry in by_customer(calls)] == [(3, 2, 1)]


def test_two_accounts_that_share_a_number_stay_two() -> None:
    calls = [missed(1, account_id=7), missed(2, account_id=8), missed(3)]
    assert [entry.call_ids for entry in by_customer(calls)] == [(1,), (3, 2)]


@pytest.mark.parametrize("number", ["", "anonymous", "0000"])
def test_who_withholds_the_number_is_one_each_time(number: str) -> None:
    assert len(by_customer([missed(1, number), missed(2, number)])) == 2


def test_who_waits_longest_comes_first() -> None:
    calls = [missed(1, "4711111111", at=30), missed(2, "4722222222", at=10), missed(3, "4711111111", at=40)]
    assert [(entry.id, entry.since) for entry in by_customer(calls)] == [(2, 10), (3, 30)]


def test_a_claim_holds_for_the_customer_also_when_they_ring_again() -> None:
    claim = Claim(1, "bruno", "Bruno", "3502", 0, 10)
    entries = by_customer([missed(1), missed(2), missed(3, "4799998888")], [claim])
    assert [entry.claim for entry in entries] == [claim, None]


def test_an_entry_is_found_by_any_of_its_calls() -> None:
    entries = by_customer([missed(1), missed(2)])
    assert entry_with(1, entries) is entry_with(2, entries) is entries[0]
    assert entry_with(3, entries) is None


@pytest.mark.parametrize(
    ("owner", "rang", "is_mine"),
    [
        ("ana", "3502", True),
        ("3501", "3502", True),
        ("bruno", "3501", False),
        (None, "3501", True),
        (None, "3502", False),
    ],
)
def test_a_customer_is_mine_by_the_account_s_owner_else_by_where_it_rang(
    owner: str | None, rang: str, is_mine: bool
) -> None:
    (entry,) = by_customer([missed(1, owner=owner, account_id=7 if owner else None, extension=rang)])
    assert entry.is_looked_after_by("ana", "3501") is is_mine


def test_where_it_rang_is_told_once_each_the_last_first() -> None:
    (entry,) = by_customer([missed(1), missed(2, extension=""), missed(3, extension="3502"), missed(4)])
    assert entry.extensions == ("3501", "3502")
