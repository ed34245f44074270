"""Telephones for those who shall not see them in full."""

import pytest

from gateway.domain.masking import hidden_in, is_masked, masked


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("47999998888", "•••••••8888"),
        ("4733334444", "••••••4444"),
        ("+49 30 1234567", "+•• •• •••4567"),
        ("0800 123 4567", "•••• ••• 4567"),
        ("190", "190"),
        ("3501", "3501"),
        ("99999", "99999"),
        ("Anonymous", "Anonymous"),
        ("", ""),
        ("•••••••8888", "•••••••8888"),
    ],
)
def test_a_telephone_shows_its_last_four_digits_only(number: str, shown: str) -> None:
    assert masked(number) == shown
    assert is_masked(masked(number)) is ("•" in shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("47999998888", "•••••••8888"),
        ("+55 (47) 99999-8888", "+•• (••) •••••-8888"),
        ("fone 99998888", "fone ••••8888"),
        ("Ana", "Ana"),
        ("cpf 123.456.789-09", "cpf 123.456.789-09"),
        ("8888", "8888"),
    ],
)
def test_it_is_hidden_in_other_texts_however_they_write_it(text: str, shown: str) -> None:
    assert hidden_in(text, "47999998888") == shown


def test_no_number_hides_nothing() -> None:
    assert hidden_in("12345678", "") == "12345678"
