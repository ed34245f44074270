"""A regular expression of a configuration never holds anybody up, whatever text meets it."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.domain.dialplan.forms import pattern, patterns
from gateway.domain.dialplan.plan import DialPlan, NothingToDial, TooSlow, dial
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.numbering.numbers import NumberKind, NumberPlan, read
from gateway.domain.patterns import Pattern, SlowPattern, do_long_matches, fullmatch, search

SLOW = ["([0-9]+)+[a-z]", "([0-9]|[0-9][0-9])+[a-z]", "(([0-9])+)*[^0-9]", "([0-9]*)*[a-c]", "(?:[0-9]{1,3})+[x-z]"]
DIGITS = "4" * 32
LONGEST_S = 5
"""Seconds of processor time, far more than a pattern has; the standard library needs minutes."""


@pytest.mark.parametrize("text", SLOW)
def test_an_extension_pattern_with_nested_repetitions_takes_no_time(text: str) -> None:
    extensions = Extensions.parse([f"/{text}/", "35xx"])
    begin = time.thread_time()
    assert not extensions.matches(DIGITS)
    assert extensions.matches("3501")
    assert read(DIGITS, NumberPlan("47", extensions)).kind is NumberKind.UNKNOWN
    assert time.thread_time() - begin < LONGEST_S


@pytest.mark.parametrize("text", SLOW)
def test_a_number_of_which_nobody_knows_whether_it_is_blocked_is_not_dialled(text: str) -> None:
    numbers = NumberPlan("47", Extensions.parse(["35xx"]))
    rule = DialPlanRule.make(block=True, kinds=["unknown"], match=[f"/{text}/"])
    begin = time.thread_time()
    for plan in (DialPlan("0", blocked=patterns([f"/{text}/"])), DialPlan("0", (rule,))):
        with pytest.raises(NothingToDial):
            dial("4" * 24 + "*5555555", plan, numbers)
    assert time.thread_time() - begin < 2 * LONGEST_S


def test_the_refusal_names_the_pattern() -> None:
    plan = DialPlan("0", blocked=patterns(["/([0-9]|[0-9][0-9]|[0-9]{3})+[a-z]/"]))
    with pytest.raises(TooSlow, match=r"takes too long: write it without"):
        dial(DIGITS, plan, NumberPlan("47", Extensions.parse(["35xx"])))


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("4[0-3][0-9]{2}", "4012", "4412"),
        ("(?:3[0-9]){2}", "3132", "3142"),
        ("(?!190)[0-9]{3}", "191", "190"),
        ("(?:[0-9]+-)+[0-9]+", "1-22-3", "1-22-"),
        ("[*]{1,2}21[*].*", "*21*35", "*22*35"),
    ],
)
def test_usual_patterns_mean_what_they_always_did(text: str, yes: str, no: str) -> None:
    assert (Pattern(text).fullmatch(yes), Pattern(text).fullmatch(no)) == (True, False)
    assert pattern(f"/{text}/") == Pattern(text)


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("35[0-9]{2}", True),
        ("1*", True),
        ("1*2+", True),
        ("1*2+3?", False),
        ("1*2{1,}3{2}4{3}", True),
        ("(?:1)+", False),
        ("(?:1){2}", False),
    ],
)
def test_what_cannot_take_long_is_left_to_the_standard_library(text: str, simple: bool) -> None:
    assert (Pattern(text)._plain is not None) is simple
    assert repr(Pattern(text)) == f"Pattern(text={text!r})"


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_what_only_the_standard_library_knows_is_matched_by_it() -> None:
    """The library ``regex`` refuses a POSIX class that it does not know."""
    text = r"(?:[[:foo:]]\d)+"
    assert [bool(search(text, told, time_s=1)) for told in ("o]1", "o]\u0663", "x]1")] == [True, True, False]
    assert [bool(fullmatch(text, told)) for told in ("o]1", "o]\u0663", "-o]1")] == [True, True, False]
    assert [Pattern(text).fullmatch(told) for told in ("o]1f]2", "o]\u0663", "x]1")] == [True, False, False]


def test_a_pattern_over_a_large_answer_ends_in_time() -> None:
    begin = time.thread_time()
    with pytest.raises(SlowPattern):
        search("(x+x+)+[yz]", "x" * 1_000_000, time_s=0.2)
    assert time.thread_time() - begin < LONGEST_S
    assert search(r"id=(?P<ref>[0-9]+)", "x" * 1_000_000 + "id=17", time_s=1)["ref"] == "17"


def test_only_what_takes_long_is_done_elsewhere() -> None:
    elsewhere = []

    def run(work: Callable[[], Any]) -> Any:
        elsewhere.append(work)
        return work()

    do_long_matches(run)
    try:
        pattern = Pattern("([0-9]|[0-9][0-9])+[a-z]")
        assert pattern.fullmatch("3501x")
        assert not elsewhere
        with pytest.raises(SlowPattern):
            pattern.fullmatch(DIGITS)
        assert len(elsewhere) == 1
    finally:
        do_long_matches(lambda work: work())
