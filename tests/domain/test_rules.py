"""One rule of a dial plan, and one test case: for which numbers, what hides what, and what is said."""

import re
from typing import Any

import pytest

from gateway.domain.dialplan.forms import Subject
from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.dialplan.trials import Failure, Trial, TrialResult
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.numbering.reading import NumberKind
from gateway.domain.tenant import Tenant

MOBILE = Subject(NumberKind.MOBILE, "47999998888", "47999998888", "999998888", "5547999998888")
FIXED = Subject(NumberKind.FIXED, "1132100123", "1132100123", "32100123", "551132100123")
ABROAD = Subject(NumberKind.FOREIGN, "00442071234567", "00442071234567", None, "442071234567")


def rule(**settings: Any) -> DialPlanRule:
    return DialPlanRule.make(**({"dial": "0{national}"} | settings))


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, "fixed mobile special foreign unknown"),
        ({"dial": None, "block": True}, "fixed mobile special foreign unknown"),
        ({"dial": "+{international}"}, "fixed mobile special foreign"),
        ({"dial": "{local}", "areas": ["own"]}, "fixed mobile"),
        ({"areas": ["47"]}, "fixed mobile"),
        ({"kinds": ["short", "extension"]}, "short extension"),
        ({"dial": None, "block": True, "areas": ["other"], "kinds": ["mobile"]}, "mobile"),
    ],
)
def test_a_rule_is_for_the_kinds_that_can_be_written_so(settings: dict[str, Any], kinds: str) -> None:
    assert rule(**settings).kinds == tuple(kinds.split())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kinds": ["mobile", "short"], "areas": ["own"]}, "'short' has no area code: expected fixed, mobile"),
        ({"dial": None, "block": True, "kinds": ["short"], "areas": ["11"]}, "'short' has no area code"),
        ({"dial": "{local}", "areas": ["own"], "kinds": ["special"]}, "'special' has no area code"),
        (
            {"dial": "+{international}", "kinds": ["unknown"]},
            "'unknown' has no {international}: expected fixed, mobile",
        ),
        ({"kinds": ["withheld"]}, "'withheld' has no {national}"),
        ({"areas": ["own", "10"]}, "area '10' is none"),
        ({"areas": ["00", "own", "10"]}, "area '00' is none"),
        ({"kinds": ["short", "extension"], "areas": ["own"]}, "'short' has no area code"),
        ({"areas": ["others"]}, "area 'others' is none"),
        ({"dial": "{local}"}, "{local} leaves the area code out"),
        ({"dial": "{local}", "areas": ["own", "other"]}, "{local} leaves the area code out"),
        ({"dial": None}, "a rule needs either dial"),
        ({"block": True}, "a rule needs either dial"),
        ({"dial": ""}, "'' cannot be dialled"),
    ],
)
def test_a_rule_that_could_never_work_says_why(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        rule(**settings)


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ({}, [MOBILE, FIXED, ABROAD]),
        ({"kinds": ["fixed"]}, [FIXED]),
        ({"areas": ["own"]}, [MOBILE]),
        ({"areas": ["other"]}, [FIXED]),
        ({"areas": ["own", "other"]}, [MOBILE, FIXED]),
        ({"areas": ["47"]}, [MOBILE]),
        ({"areas": ["11"]}, [FIXED]),
        ({"areas": ["21", "11"]}, [FIXED]),
        ({"areas": ["47", "other"]}, [MOBILE, FIXED]),
        ({"match": ["47*"]}, [MOBILE]),
        ({"match": ["12*", "+44*"]}, [ABROAD]),
        ({"match": ["47*"], "areas": ["other"]}, []),
        ({"dial": None, "block": True, "match": ["1132100123"]}, [FIXED]),
    ],
)
def test_a_rule_is_for_numbers_by_kind_area_and_pattern(settings: dict[str, Any], numbers: list[Subject]) -> None:
    own = "".join(["4", "7"])
    assert [subject for subject in (MOBILE, FIXED, ABROAD) if rule(**settings).is_for(subject, own)] == numbers


def test_without_an_own_area_all_areas_are_others() -> None:
    assert rule(areas=["other"]).is_for(MOBILE, None)
    assert not rule(areas=["own"]).is_for(MOBILE, None)


@pytest.mark.parametrize(
    ("first", "later", "hidden"),
    [
        ({}, {}, True),
        ({}, {"kinds": ["fixed"], "areas": ["own"], "match": ["4*"]}, True),
        ({"kinds": ["fixed"]}, {}, False),
        ({"kinds": ["fixed", "mobile"]}, {"kinds": ["mobile"]}, True),
        ({"kinds": ["fixed"]}, {"kinds": ["fixed"]}, True),
        ({"kinds": ["fixed"]}, {"kinds": ["mobile"]}, False),
        ({"areas": ["own"]}, {"areas": ["own"]}, True),
        ({"areas": ["own", "11"]}, {"areas": ["11"]}, True),
        ({"areas": ["own"]}, {"areas": ["own", "11"]}, False),
        ({"areas": ["own"]}, {"kinds": ["fixed"]}, False),
        ({"areas": ["own"]}, {"areas": ["other"]}, False),
        ({"match": ["4*"]}, {"match": ["4*"]}, True),
        ({"match": ["4*"]}, {"match": ["4*"], "kinds": ["fixed"]}, True),
        ({"match": ["4*"]}, {"match": ["5*"]}, False),
        ({"match": ["4*"]}, {}, False),
    ],
)
def test_a_rule_hides_those_whose_numbers_are_all_its_own(
    first: dict[str, Any], later: dict[str, Any], hidden: bool
) -> None:
    assert rule(**first).hides(rule(**later)) is hidden


def test_a_note_stands_behind_the_place_of_its_rule() -> None:
    assert (rule(note="carrier").remark, rule().remark) == (" (carrier)", "")


# Test cases ---------------------------------------------------------------------------------------


def tried(number: str, dials: str | None, extension: str = "") -> Failure | None:
    plan = DialPlan("0", (rule(dial=None, block=True, kinds=["foreign"], note="ask"),))
    return Trial(number, dials, extension).failure(plan, Tenant("acme", NumberPlan("47")))


def test_a_case_holds_where_its_digits_or_the_refusal_come() -> None:
    assert tried("32100123", "".join(["0", "4732100123"])) is None
    assert tried("+44 20 7123 4567", None) is None


@pytest.mark.parametrize(
    ("number", "dials", "result", "came"),
    [
        ("32100123", "4732100123", TrialResult.DIALLED, "04732100123"),
        ("32100123", "04732100124", TrialResult.DIALLED, "04732100123"),
        ("32100123", "04732100122", TrialResult.DIALLED, "04732100123"),
        ("32100123", None, TrialResult.DIALLED, "04732100123"),
        ("+44 20 7123 4567", "000442071234567", TrialResult.BLOCKED, "dial_plan.rules 1, ask"),
        ("anonymous", None, TrialResult.NOTHING, ""),
        ("anonymous", "", TrialResult.NOTHING, ""),
    ],
)
def test_a_case_fails_with_what_came(number: str, dials: str | None, result: TrialResult, came: str) -> None:
    assert tried(number, dials, "3501") == Failure(number, "3501", dials, result, came)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (Failure("1", "", "2", TrialResult.DIALLED, "3"), "'1' gave 3, expected 2"),
        (Failure("1", "", None, TrialResult.DIALLED, "3"), "'1' gave 3, expected blocked"),
        (Failure("1", "3501", "2", TrialResult.NOTHING), "'1' from extension 3501 gave nothing to dial, expected 2"),
        (Failure("1", "", "2", TrialResult.BLOCKED, "blocked 1"), "'1' gave blocked by blocked 1, expected 2"),
    ],
)
def test_a_failure_says_what_came_and_what_was_expected(failure: Failure, said: str) -> None:
    assert str(failure) == said
