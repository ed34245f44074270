"""What is dialled: the table beside this file, and what holds for any text and prefix."""

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.domain.dialplan.plan import DialPlan, NothingToDial, dial
from gateway.domain.numbering.numbers import Extensions, NumberKind, NumberPlan, read
from tests.domain.cases import table
from tests.domain.test_numbers import anything, foreign, numbers, plans, scribbles

ROWS = list(table("dialplan.tsv", columns=5))
SAO_PAULO = NumberPlan("11")

prefixes = st.sampled_from(["", "0", "9", "021", "015", "0015", "00", "*9", "#"])


@pytest.mark.parametrize(
    ("raw", "prefix", "area", "extensions", "digits"),
    ROWS,
    ids=[f"{row[0]!a} behind {row[1]} {row[2]} {row[3]}" for row in ROWS],
)
def test_a_number_is_dialled_as_the_table_says(raw: str, prefix: str, area: str, extensions: str, digits: str) -> None:
    plan, numbers = DialPlan(prefix), NumberPlan(area or None, Extensions.parse(extensions.split()))

    if not digits:
        with pytest.raises(NothingToDial, match=r"Nothing to dial in|expected at most 24|is the public service"):
            dial(raw, plan, numbers)
        return
    dialled = dial(raw, plan, numbers)
    assert dialled.digits == digits
    assert dialled.reading.input == raw
    assert dialled.steps[-1].rule.startswith("dial-")


@settings(deadline=None, max_examples=200)
@given(anything | numbers | foreign, prefixes, plans)
@example("11987654321\r\nAction: Originate", "0", SAO_PAULO)
def test_nothing_but_keys_of_a_telephone_is_ever_dialled(raw: str, prefix: str, plan: NumberPlan) -> None:
    try:
        digits = dial(raw, DialPlan(prefix), plan).digits
    except NothingToDial:
        return
    assert re.fullmatch(r"[0-9*#]+", digits)


@settings(deadline=None, max_examples=200)
@given(anything | numbers | foreign, prefixes, plans)
@example("15 11 98765-4321", "0", SAO_PAULO)
@example("34567890", "0015", NumberPlan())
def test_the_prefix_is_never_added_twice(raw: str, prefix: str, plan: NumberPlan) -> None:
    try:
        once = dial(raw, DialPlan(prefix), plan)
    except NothingToDial:
        return
    assume(not is_another_number(once.digits, once.reading.national, plan))

    assert dial(once.digits, DialPlan(prefix), plan).digits == once.digits


def is_another_number(digits: str, national: str, plan: NumberPlan) -> bool:
    """9 and (19) 3456-7890 are the digits of a mobile in Pará, 9 and 001000000 those of 0900 100 0000 without its 0:
    as sent, nothing tells them apart.
    """
    again = read(digits, plan)
    return again.kind is not NumberKind.UNKNOWN and again.national != national


@settings(deadline=None, max_examples=200)
@given(numbers, st.sampled_from(["0", "021", "015"]))
def test_usual_prefixes_never_make_one_number_of_another(number: str, prefix: str) -> None:
    once = dial(number, DialPlan(prefix), SAO_PAULO).digits

    assert once == prefix + number
    assert dial(once, DialPlan(prefix), SAO_PAULO).digits == once


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.sampled_from("0123456789"), max_size=7) | scribbles,
    st.sampled_from(["", "0", "1", "9", "19", "01", "021", "055", "*1"]),
    plans,
)
@example("19190", "0", NumberPlan("47", Extensions.parse(["3500-3599"])))
@example("90", "1", NumberPlan("47", Extensions.parse(["3500-3599"])))
def test_only_who_asked_for_a_public_service_is_put_through_to_one(raw: str, prefix: str, plan: NumberPlan) -> None:
    try:
        digits = dial(raw, DialPlan(prefix), plan).digits
    except NothingToDial:
        return
    if read(digits, plan).kind is NumberKind.SHORT:
        assert digits in (read(raw, plan).national, re.sub(r"\D", "", raw).removeprefix(prefix))


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"35[0-9]{2}", fullmatch=True), prefixes)
def test_an_extension_is_dialled_as_it_is(extension: str, prefix: str) -> None:
    plan = NumberPlan("11", Extensions.parse(["3500-3599"]))

    assert dial(extension, DialPlan(prefix), plan).digits == extension


@pytest.mark.parametrize("prefix", ["+", "0,", "0 ", "0\n", "x", "²"])
def test_a_prefix_that_no_telephone_can_dial_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="cannot be dialled: expected only 0-9"):
        DialPlan(prefix)
