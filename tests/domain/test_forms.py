"""How numbers are written for an exchange, and the patterns that they are picked by."""

import pytest

from gateway.domain.dialplan.forms import DialForm, Subject, matches, pattern
from gateway.domain.numbering.extensions import LONGEST
from gateway.domain.numbering.reading import NumberKind

MOBILE = Subject(NumberKind.MOBILE, "47999998888", "47999998888", "999998888", "5547999998888")
ABROAD = Subject(NumberKind.FOREIGN, "00442071234567", "0015442071234567", None, "442071234567")
SERVICE = Subject(NumberKind.SHORT, "190", "190")


@pytest.mark.parametrize("text", ["", " ", "/", "//", "/47", "47/", "+4/", "00/", "*4*", "*", "+", "4**", "4+", "x-y"])
def test_what_is_no_pattern_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        pattern(text)


@pytest.mark.parametrize("text", ["/[/", "/(/", "/*/"])
def test_what_is_no_regular_expression_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        pattern(text)


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("0900*", ["0900", "09001234567"], ["0901", "10900"]),
        ("47 xxxx", ["471234"], ["47123", "4712345", "48xxxx"]),
        ("47Xx", ["4712"], ["47x2"]),
        ("+1*", ["0013055551234"], ["1305", "+1305"]),
        ("/1[0-9]/", ["10", "19"], ["1", "100", "20"]),
        ("/x/", ["x"], ["xx"]),
    ],
)
def test_a_pattern_is_held_against_the_whole_number(text: str, matching: list[str], others: list[str]) -> None:
    read = (pattern(text),)
    assert [number for number in [*matching, *others] if matches(read, number)] == matching


def test_no_text_longer_than_a_number_is_matched() -> None:
    anything = (pattern("/.*/"),)
    assert [length for length in (0, LONGEST - 1, LONGEST, LONGEST + 1, 9999) if matches(anything, "1" * length)] == [
        0,
        LONGEST - 1,
        LONGEST,
    ]


@pytest.mark.parametrize(
    ("form", "subject", "digits"),
    [
        ("0{national}", MOBILE, "047999998888"),
        ("9{local}#", MOBILE, "9999998888#"),
        ("+{international}", MOBILE, "+5547999998888"),
        ("0{local}", SERVICE, "0190"),
        ("00{international}", SERVICE, "00190"),
        ("{national}", ABROAD, "0015442071234567"),
        ("0{national}", ABROAD, "00015442071234567"),
        ("0015{national}", ABROAD, "0015442071234567"),
        ("0021{national}", ABROAD, "00210015442071234567"),
        ("00 15 {international}", ABROAD, "0015442071234567"),
    ],
)
def test_a_form_writes_a_number(form: str, subject: Subject, digits: str) -> None:
    assert DialForm.parse(form).write(subject) == digits
    assert str(DialForm.parse(form)) == form.replace(" ", "")


def test_a_front_that_is_no_operators_code_is_put_there_whatever_the_number_begins_with() -> None:
    assert DialForm("47", "national", "").write(MOBILE) == "4747999998888"


def test_a_number_has_an_area_code_where_it_has_a_local_form() -> None:
    assert [subject.area for subject in (MOBILE, ABROAD, SERVICE)] == ["47", None, None]
