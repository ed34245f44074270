"""Which numbers can exist in an area, and which digits are a number abroad."""

import pytest

from gateway.domain.numbering.abroad import valid_abroad
from gateway.domain.numbering.reading import NumberKind
from gateway.domain.numbering.subscriber import AREA_CODES, both_forms, is_special, special, subscriber

FIXED, MOBILE, SPECIAL = NumberKind.FIXED, NumberKind.MOBILE, NumberKind.SPECIAL


def test_brazil_has_67_area_codes() -> None:
    assert len(AREA_CODES) == 67
    assert {"11", "21", "28", "47", "55", "99"} <= AREA_CODES
    assert not {"10", "20", "23", "29", "36", "39", "52", "76", "78", "00"} & AREA_CODES


@pytest.mark.parametrize(
    ("number", "kind", "national"),
    [
        *[(f"{first}2100123", FIXED, f"47{first}2100123") for first in "2345"],
        *[(f"{first}9998888", MOBILE, f"479{first}9998888") for first in "6789"],
        *[(f"{first}9998888", None, "") for first in "01"],
        *[(f"9{first}9998888", MOBILE, f"479{first}9998888") for first in "0123456789"],
        *[(f"{first}99998888", None, "") for first in "012345678"],
        ("40041234", SPECIAL, "40041234"),
        ("30031234", SPECIAL, "30031234"),
        ("40141234", FIXED, "4740141234"),
        ("30131234", FIXED, "4730131234"),
        ("50041234", FIXED, "4750041234"),
        ("20041234", FIXED, "4720041234"),
    ],
)
def test_a_number_can_be_in_an_area_by_its_first_digits(number: str, kind: NumberKind | None, national: str) -> None:
    found = subscriber("47", number)
    assert (found and found.kind, found.national if found else "") == (kind, national)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("40041234", True),
        ("30031234", True),
        ("4004123", False),
        ("400412345", False),
        ("40141234", False),
        ("50041234", False),
    ],
)
def test_special_numbers_have_eight_digits(number: str, is_one: bool) -> None:
    assert is_special(number) is is_one


def test_a_number_says_how_it_was_found_and_what_to_look_up() -> None:
    fixed, old, new = (subscriber("47", number) for number in ("32100123", "88887777", "988887777"))
    needless = subscriber("47", "40041234")
    assert fixed is not None
    assert old is not None
    assert new is not None
    assert needless is not None
    assert (fixed.e164, fixed.candidates) == ("+554732100123", ("4732100123",))
    assert (old.e164, old.candidates) == ("+5547988887777", ("47988887777", "4788887777"))
    assert (new.e164, new.candidates) == (old.e164, old.candidates)
    steps = [[step.rule for step in found.steps] for found in (fixed, old, new, needless)]
    assert steps == [["fixed"], ["ninth-digit", "mobile"], ["mobile"], ["needless-prefix", "special"]]
    assert [found.steps[-1].about for found in (fixed, new)] == ["47", "47"]
    assert (needless.e164, needless.candidates) == ("+5540041234", ("40041234", "4740041234"))
    assert special("40041234").candidates == ("40041234",)


@pytest.mark.parametrize("digit", "0123456789")
def test_only_an_old_mobile_was_used_without_its_ninth_digit(digit: str) -> None:
    old = (f"479{digit}8887777", f"47{digit}8887777")
    assert both_forms(old[0]) == (old if digit in "6789" else old[:1])


@pytest.mark.parametrize("collect", [True, False])
def test_a_collect_call_stays_one(collect: bool) -> None:
    fixed = subscriber("47", "32100123")
    assert fixed is not None
    assert fixed.after(collect=collect).collect is collect
    assert fixed.after(collect=True).after(collect=collect).collect
    read = fixed.after(fixed.steps[0], collect=collect).reading("x", fixed.steps)
    assert (read.input, read.kind, read.national, read.collect) == ("x", FIXED, "4732100123", collect)
    assert read.steps == fixed.steps * 3


@pytest.mark.parametrize(
    ("digits", "e164"),
    [
        ("442071234567", "+442071234567"),
        ("4402071234567", "+442071234567"),
        ("13055551234", "+13055551234"),
        ("1305555123", None),
        ("130555512345", None),
        ("10000000000", None),
        ("554732100123", None),
        ("55", None),
        ("0442071234567", None),
        ("351212345678", "+351212345678"),
        ("390612345678", "+390612345678"),
        ("39612345678", None),
        ("39012345", "+39012345"),
        ("541141234567", "+541141234567"),
        ("5491141234567", "+5491141234567"),
        ("54111541234567", "+5491141234567"),
        ("999123456789", None),
        ("4420", None),
        ("2902158", None),
        ("2472158", None),
        ("24722158", "+24722158"),
        ("29022158", "+29022158"),
        ("6832123", None),
        ("6834000", "+6834000"),
        ("683400", None),
        ("4915123456789012", None),
        ("49151234567890123", None),
        ("4930123456789012", "+4930123456789012"),
        ("49301234567890123", None),
        ("499131123456789", "+499131123456789"),
        ("861012345678", "+861012345678"),
        ("8601012345678", "+861012345678"),
    ],
)
def test_digits_are_a_number_abroad_where_some_country_has_it(digits: str, e164: str | None) -> None:
    assert valid_abroad(digits) == e164
