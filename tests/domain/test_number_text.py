"""What is taken off a text before it is read as a number."""

import pytest

from gateway.domain.numbering.number_text import LONGEST, clean, typed


@pytest.mark.parametrize(
    ("raw", "core", "digits", "steps"),
    [
        ("4732100123", "4732100123", "4732100123", ""),
        ("47 3210-0123", "47 3210-0123", "4732100123", "noise"),
        ("tel 4732100123", "tel 4732100123", "4732100123", "noise"),
        ("+47", "+47", "47", "plus"),
        ("x+47", "x+47", "47", "plus"),
        ("4+7", "4+7", "47", "noise"),
        ("+", "+", "", ""),
        ("", "", "", ""),
        ("0xx47 32100123", "047 32100123", "04732100123", "carrier-blank noise"),
        ("sip:3501@pbx", "3501", "3501", "address"),
        ("Ana <47 3210-0123>", "47 3210-0123", "4732100123", "display-name noise"),
        ("SIP/3501-0000002a", "3501", "3501", "channel"),
        ("47 3210-0123 ramal 23", "47 3210-0123", "4732100123", "their-extension noise"),
        ("47 3210-0123 / 3210-0124", "47 3210-0123", "4732100123", "second-number noise"),
        ("3210-0123 / 3210-0124", "3210-0123", "32100123", "second-number noise"),
        ("210-0123 / 3210-0124", "210-0123 / 3210-0124", "210012332100124", "noise"),
        ("47 32100123 - 47 32100124", "47 32100123", "4732100123", "second-number noise"),
        ("32100123 - 32100124", "32100123", "32100123", "second-number"),
        ("2100123 - 32100124", "2100123 - 32100124", "210012332100124", "noise"),
        ("32100123 - 2100124", "32100123 - 2100124", "321001232100124", "noise"),
        ("47 3210-0123 x23", "47 3210-0123", "4732100123", "their-extension noise"),
        ("3210-0123 x23", "3210-0123", "32100123", "their-extension noise"),
        ("210-0123 x23", "210-0123 x23", "210012323", "noise"),
        ("12/05/2026", "12/05/2026", "", "date"),
        ("+47999998888.0", "+47999998888", "47999998888", "decimal"),
        ("-4799998888.0", "-4799998888", "4799998888", "decimal"),
        ("'12E5'", "'12E5'", "", "shortened"),
    ],
)
def test_what_is_no_number_is_taken_off(raw: str, core: str, digits: str, steps: str) -> None:
    text = typed(raw)
    assert (text.core, text.digits, " ".join(step.rule for step in text.steps)) == (core, digits, steps)


@pytest.mark.parametrize(
    ("raw", "international", "dialled"),
    [
        ("+47999998888.0", True, "0047999998888"),
        ("-4799998888.0", False, "4799998888"),
        ("x+47", True, "0047"),
        ("4+7", False, "47"),
        ("+0123", True, "0123"),
        ("+123", True, "00123"),
        ("'12E5'", False, ""),
        ("+", False, ""),
    ],
)
def test_a_plus_in_front_is_dialled_as_two_zeros(raw: str, international: bool, dialled: str) -> None:
    assert (typed(raw).international, typed(raw).dialled) == (international, dialled)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("*98", "*98"),
        ("* 9 8", "*98"),
        ("**98", "**98"),
        ("#31#", "#31#"),
        ("*21*3501#", "*21*3501#"),
        ("98*", ""),
        ("*", ""),
    ],
)
def test_a_code_of_the_exchange_begins_with_a_star_or_a_hash(raw: str, code: str) -> None:
    assert typed(raw).feature_code == code


@pytest.mark.parametrize(
    ("raw", "one_group", "glued"),
    [
        ("3501", True, False),
        ("35-01", True, False),
        ("ramal 3501", True, False),
        ("3501&channel=1", False, False),
        ("35a01", False, True),
        ("35 a01", False, False),
        ("0x3501", False, False),
    ],
)
def test_digits_stand_together_or_are_glued_by_letters(raw: str, one_group: bool, glued: bool) -> None:
    assert (typed(raw).one_group, typed(raw).glued) == (one_group, glued)


def test_a_long_text_is_cut_and_signs_become_plain() -> None:
    assert (len(typed("1" * 300).digits), LONGEST) == (256, 256)
    assert clean(" \u0664\u0667\x003210\u00a0") == "47 3210"
    assert clean("\u00bd") == "1\u20442"
    assert len(clean("\u3392" * 200)) == 256
