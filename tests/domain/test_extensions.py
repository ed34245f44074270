"""Which digits are a tenant's own extensions, as listed or guessed."""

import re

import pytest

from gateway.domain.numbering.extensions import LONGEST, Extensions
from gateway.domain.patterns import Pattern


def matching(texts: list[str], *digits: str) -> list[str]:
    extensions = Extensions.parse(texts)
    return [each for each in digits if extensions.matches(each)]


@pytest.mark.parametrize(
    ("text", "own", "others"),
    [
        ("3500-3599", ["3500", "3501", "3598", "3599"], ["3499", "3600", "350", "351", "35", "35000", "03500", ""]),
        ("3500 - 3500", ["3500"], ["3499", "3501"]),
        (" 201 ", ["201"], ["200", "202", "20", "2010"]),
        ("2xx", ["200", "255", "299"], ["199", "300", "20", "2000"]),
        ("2X", ["20", "29"], ["19", "30"]),
        ("2x0", ["200", "290"], ["201", "2000", "300"]),
        ("xx5x", ["0050", "9959"], ["0060", "050"]),
        ("/4[0-3]../", ["4000", "4399"], ["4400", "40000", "400"]),
        ("/x/", ["x"], ["1"]),
    ],
)
def test_what_is_listed_is_an_extension(text: str, own: list[str], others: list[str]) -> None:
    assert matching([text], *own, *others) == own


def test_wildcards_at_the_end_are_spans_and_others_patterns() -> None:
    assert Extensions.parse(["2xx", "35-39"]).spans == (("200", "299"), ("35", "39"))
    assert Extensions.parse(["2x0"]).patterns == (Pattern("2[0-9]0"),)


@pytest.mark.parametrize(
    "text", ["", "/", "//", "/4", "4/", "+4/", "*4*", "x-y", "4-", "²", "4a", "1,2", "xx-", "-4", "é"]
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"Extension pattern {text!r} is not understood: expected digits (201)")
    ):
        Extensions.parse([text])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/[/", "Extension pattern '/[/' is no regular expression"),
        ("350-3599", "Extension range '350-3599' has ends of 3 and 4 digits"),
        ("3500-99", "Extension range '3500-99' has ends of 4 and 2 digits"),
        ("3599-3500", "Extension range '3599-3500' runs backwards: expected 3500-3599"),
    ],
)
def test_what_is_a_wrong_pattern_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Extensions.parse([text])


def test_extensions_are_a_list() -> None:
    with pytest.raises(ValueError, match="came as the one text '3500-3599'"):
        Extensions.parse("3500-3599")


def test_without_a_list_short_numbers_are_guessed_but_for_public_services() -> None:
    own = ["10", "99", "01", "100000"[:5], "201", "9999", "98765", "0200", "10215", "10715", "1031", "200"]
    others = ["", "1", "987654", "00", "001", "0099", "190", "0190", "199", "10315", "10615"]
    assert Extensions.parse([]) == Extensions.guess() == Extensions(guessed=True)
    assert matching([], *own, *others) == own


def test_what_is_listed_and_what_is_guessed_come_together() -> None:
    both = Extensions.parse(["123456"]).joined(Extensions.guess())
    assert [both.matches(digits) for digits in ("123456", "123457", "201", "190")] == [True, False, True, False]
    listed = Extensions.parse(["201", "/3../"]).joined(Extensions.parse(["202", "/4../"]))
    assert [listed.matches(digits) for digits in ("201", "202", "301", "401", "203")] == [True, True, True, True, False]
    assert not listed.guessed
    assert Extensions.guess().joined(Extensions.parse(["201"])).guessed


def test_no_text_longer_than_a_number_is_held_against_a_pattern() -> None:
    assert LONGEST == 32
    assert [length for length in (31, 32, 33) if matching(["/1*/"], "1" * length)] == [31, 32]
    assert matching(["1" * 40], "1" * 40) == ["1" * 40]


def test_what_takes_too_long_to_tell_is_no_extension() -> None:
    assert matching(["/([0-9]|[0-9][0-9]|[0-9]{3})+[a-z]/", "3501"], "4" * 32, "3501") == ["3501"]
