"""Which of several accounts a call is for, and why."""

import pytest

from gateway.domain.calls.matching import Match, RankReason, ranked

NEW, OLD = "47999998888", "4799998888"
FORMS = (NEW, OLD)


def match(account_id: int, number: str = NEW, **more: object) -> Match:
    return Match(account_id, f"C{account_id}", f"Conta {account_id}", "", number, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("matches", "order", "reasons"),
    [
        ([match(1)], [1], [RankReason.ONLY]),
        ([match(1, OLD), match(2)], [2, 1], [RankReason.EXACT, RankReason.ONLY]),
        ([match(1), match(2, OLD, chosen_at=5)], [2, 1], [RankReason.CHOSEN, RankReason.ONLY]),
        ([match(1, chosen_at=4), match(2, chosen_at=5)], [2, 1], [RankReason.CHOSEN, RankReason.ONLY]),
        ([match(1, last_contact_at=9), match(2, owner="3501")], [2, 1], [RankReason.OWNER, RankReason.ONLY]),
        ([match(1, updated_at=9), match(2, last_contact_at=1)], [2, 1], [RankReason.LAST_CONTACT, RankReason.ONLY]),
        ([match(1, updated_at=1), match(2, updated_at=2)], [2, 1], [RankReason.NEWEST, RankReason.ONLY]),
        (
            [match(1, last_contact_at=5), match(2, last_contact_at=9)],
            [2, 1],
            [RankReason.LAST_CONTACT, RankReason.ONLY],
        ),
        ([match(2), match(1)], [1, 2], [RankReason.EQUAL, RankReason.ONLY]),
        ([match(1, updated_at=1), match(2, owner="3500")], [1, 2], [RankReason.NEWEST, RankReason.ONLY]),
        (
            [match(1, last_contact_at=1000), match(2, last_contact_at=1000, updated_at=1)],
            [2, 1],
            [RankReason.NEWEST, RankReason.ONLY],
        ),
        ([match(1), match(2, last_contact_at=0)], [1, 2], [RankReason.EQUAL, RankReason.ONLY]),
        ([match(1, chosen_at=0), match(2)], [1, 2], [RankReason.EQUAL, RankReason.ONLY]),
        ([match(2, updated_at=0), match(1)], [1, 2], [RankReason.EQUAL, RankReason.ONLY]),
        ([match(1, owner="3502"), match(2, last_contact_at=1)], [2, 1], [RankReason.LAST_CONTACT, RankReason.ONLY]),
        (
            [match(1, updated_at=3), match(2, last_contact_at=1), match(3, owner="3501"), match(4, OLD, chosen_at=1)],
            [4, 3, 2, 1],
            [RankReason.CHOSEN, RankReason.OWNER, RankReason.LAST_CONTACT, RankReason.ONLY],
        ),
    ],
)
def test_the_best_comes_first_and_says_why(matches: list[Match], order: list[int], reasons: list[RankReason]) -> None:
    found = ranked(matches, FORMS, "3501")
    assert [item.match.account_id for item in found] == order
    assert [item.reason for item in found] == reasons


@pytest.mark.parametrize("numbers", [(OLD, NEW), (NEW, OLD), (NEW, NEW)])
def test_of_an_account_with_both_forms_the_better_one_counts_else_the_first(numbers: tuple[str, str]) -> None:
    first, second = match(1, numbers[0]), match(1, numbers[1])
    (found,) = ranked([first, second], FORMS)
    assert found.match is (second if numbers == (OLD, NEW) else first)


def test_an_extension_is_who_has_the_same_digits() -> None:
    [first, _] = ranked([match(1), match(2, owner="".join(["35", "01"]))], FORMS, "".join(["350", "1"]))
    assert (first.match.account_id, first.reason) == (2, RankReason.OWNER)


def test_nobody_has_it() -> None:
    assert ranked([], FORMS) == []
