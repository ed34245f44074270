"""What a spreadsheet made of a number."""

import pytest

from gateway.domain.numbering.spreadsheet import cell


@pytest.mark.parametrize(
    ("text", "digits", "rule"),
    [
        ("47999998888.0", "47999998888", "decimal"),
        ("3210.000", "3210", "decimal"),
        ("3210.0000", None, None),
        ("3210.00000", "3210", "decimal"),
        ("2100123.0000", None, None),
        ("32100123.0000", "32100123", "decimal"),
        ("4,7999998888E+10", "47999998888", "exponent"),
        ("4,79999E+10", None, "shortened"),
        ("12E5", None, "shortened"),
        ("47,999,998,888", "47999998888", "noise"),
        ("12/05/2026", None, "date"),
        ("4732100123", None, None),
    ],
)
def test_a_cell_is_read_as_what_was_typed(text: str, digits: str | None, rule: str | None) -> None:
    found = cell(text)
    assert (found and found.digits, found and found.rule) == (digits, rule)
