"""Dial plans of rules: whole plans in the file beside this one, and what holds for any plan."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phonenumbers.shortnumberinfo import is_emergency_number

from gateway.config import dial_plans
from gateway.config import loader as config_file
from gateway.domain.dialplan.forms import DialForm, patterns
from gateway.domain.dialplan.plan import (
    EMERGENCY,
    BecomesService,
    BlockedNumber,
    Dialled,
    DialPlan,
    NothingToDial,
    dial,
)
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.dialplan.trials import Trial
from gateway.domain.numbering.numbers import Extensions, NumberKind, NumberPlan, read
from gateway.domain.tenant import Tenant
from gateway.errors import ConfigError
from gateway.server.companies import tenants
from tests.domain.test_numbers import anything, fixed, foreign, mobiles, numbers, plans

PLANS = tomllib.loads(Path(__file__).with_name("dialplans.toml").read_text(encoding="utf-8"))
CASES = [(name, case) for name, table in PLANS.items() for case in table["dial_plan"]["tests"]]
SAO_PAULO = NumberPlan("11", Extensions.parse(["35xx"]))


def loaded(table: dict[str, Any]) -> tuple[dial_plans.DialPlanSettings, Tenant]:
    parsed = config_file.parse({"tenants": {"t": table}}, source="gateway.toml")
    return parsed.tenants["t"].dial_plan, tenants(parsed)["t"]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name} {case['number']}" for name, case in CASES])
def test_a_plan_dials_as_its_own_test_cases_say(name: str, case: dict[str, Any]) -> None:
    settings_, tenant = loaded(PLANS[name])
    trial = Trial(case["number"], case.get("dials"), case.get("extension", ""))

    assert trial in settings_.trials()
    assert trial.failure(settings_.plan(), tenant) is None


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"number": "47 3210-0123", "dials": "1"}, "'47 3210-0123' gave 032100123, expected 1"),
        ({"number": "47 3210-0123", "blocked": True}, "'47 3210-0123' gave 032100123, expected blocked"),
        ({"number": "0900 123 4567", "dials": "1"}, "gave blocked by dial_plan.blocked 0900*, expected 1"),
        (
            {"number": "+44 121 234 5678", "dials": "1"},
            "gave blocked by dial_plan.rules 4, ask the management, expected 1",
        ),
        ({"number": "anonymous", "dials": "1", "extension": "3501"}, "from extension 3501 gave nothing to dial"),
    ],
)
def test_a_case_that_does_not_hold_says_what_came_and_what_was_expected(case: dict[str, Any], said: str) -> None:
    table = PLANS["pabx"] | {"dial_plan": PLANS["pabx"]["dial_plan"] | {"tests": [case]}}
    settings_, tenant = loaded(table)

    assert said in str(settings_.trials()[0].failure(settings_.plan(), tenant))


def test_each_step_to_the_digits_is_told() -> None:
    settings_, tenant = loaded(PLANS["pabx"])
    dialled = dial("0 15 11 98765-4321", settings_.plan(), tenant.numbers)

    assert [step.rule for step in dialled.steps] == ["noise", "trunk", "mobile", "dial-rule"]
    assert dialled.steps[-1].text == "Dials by the plan's rule 2: 0021{national}."
    with pytest.raises(BlockedNumber) as refusal:
        dial("+44 121 234 5678", settings_.plan(), tenant.numbers)
    assert [step.rule for step in refusal.value.steps] == ["plus", "foreign", "dial-blocked"]


ALL, OWN = {"dial": "0{national}"}, {"area": "own", "dial": "{local}"}
MOBILES = {"kind": "mobile", "dial": "9{national}"}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({"blocked": ["1*"]}, "the emergency number 112 may not be blocked, and dial_plan.blocked 1* blocks it"),
        ({"blocked": ["19x"]}, "the emergency number 190 may not be blocked"),
        ({"blocked": ["/.*/"]}, "the emergency number 112 may not be blocked"),
        ({"blocked": "911"}, "the emergency number 911 may not be blocked"),
        ({"rules": [{"kind": "short", "block": True}]}, "112 may not be blocked, and dial_plan.rules 1 blocks it"),
        ({"blocked": ["*"]}, "number pattern '*' is not understood: expected digits, x for any digit"),
        ({"blocked": ["0900-"]}, "number pattern '0900-' is not understood"),
        ({"blocked": ["/[/"]}, "number pattern '/[/' is no regular expression"),
        ({"prefix": "+"}, "dial_plan.prefix: came '+'; expected digits, '*' or '#'"),
        ({"rules": [{}]}, 'a rule needs either dial = "..." or block = true'),
        ({"rules": [{"dial": "0{national}", "block": True}]}, "a rule needs either dial"),
        ({"rules": [{"dial": "0"}]}, "'0' cannot be dialled: expected one of {national}, {local} or {international}"),
        ({"rules": [{"dial": "0{number}"}]}, "'0{number}' cannot be dialled"),
        ({"rules": [{"dial": "0{national}9"}]}, "'0{national}9' cannot be dialled"),
        ({"rules": [{"dial": "0+{national}"}]}, "'0+{national}' cannot be dialled"),
        (
            {"rules": [{"kind": "short", "area": "own", "dial": "{local}"}]},
            "a number of kind 'short' has no area code: expected fixed",
        ),
        ({"rules": [{"kind": "foreign", "area": "own", "dial": "{national}"}]}, "kind 'foreign' has no area code"),
        ({"rules": [{"kind": "extension", "dial": "{international}"}]}, "kind 'extension' has no {international}"),
        (
            {"rules": [{"kind": "mobil", "dial": "{national}"}]},
            "dial_plan.rules.0.kind.0: came 'mobil'; input should be",
        ),
        ({"rules": [{"area": "10", "dial": "{local}"}]}, "dial_plan.rules.0.area.0"),
        ({"rules": [{"match": "x-y", "dial": "{national}"}]}, "number pattern 'x-y' is not understood"),
        ({"rules": [{"dial": "0{local}"}]}, "{local} leaves the area code out: expected area = 'own' or the DDDs"),
        ({"rules": [{"area": ["11", "other"], "dial": "{local}"}]}, "{local} leaves the area code out"),
        ({"rules": [{"dail": "{national}"}]}, "dial_plan.rules.0.dail: unknown key. Did you mean 'dial'?"),
        ({"rules": [ALL, {"kind": "foreign", "block": True}]}, "rule 2 can never be reached: rule 1 is for all of its"),
        ({"rules": [OWN, MOBILES, OWN | {"kind": "fixed"}]}, "rule 3 can never be reached: rule 1 is for all"),
        ({"tests": [{"number": "1"}]}, 'a test needs either dials = "..." or blocked = true'),
        ({"tests": [{"number": "1", "dials": "1", "blocked": True}]}, "a test needs either dials"),
        ({"tests": [{"number": "1", "dials": "(1)"}]}, "dial_plan.tests.0.dials: came '(1)'; string should match"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_with_its_reason(plan: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded({"dial_plan": plan})
    assert said in str(error.value)


@pytest.mark.parametrize(
    "rules",
    [
        [OWN, MOBILES, ALL],
        [MOBILES, OWN],
        [MOBILES | {"match": "47*"}, MOBILES],
        [OWN, {"area": "47", "dial": "{local}"}],
    ],
)
def test_a_rule_that_some_number_reaches_is_kept(rules: list[dict[str, Any]]) -> None:
    assert len(loaded({"dial_plan": {"rules": rules}})[0].plan().rules) == len(rules)


def test_what_the_company_never_dials_no_appliance_dials() -> None:
    pbx = {"adapter": "url", "url": "http://192.0.2.1/?to={{ number }}", "success": "ok", "dial_plan": {"prefix": "9"}}
    _, tenant = loaded({"dial_plan": {"blocked": ["0900*"]}, "appliances": {"pbx": pbx}})
    (appliance,) = tenant.appliances

    assert dial("08001234567", appliance.dial_plan, tenant.numbers).digits == "908001234567"
    with pytest.raises(BlockedNumber):
        dial("09001234567", appliance.dial_plan, tenant.numbers)


# What holds for any plan --------------------------------------------------------------------------

kinds = st.lists(
    st.sampled_from(["mobile", "fixed", "special", "foreign", "short", "extension", "unknown"]), max_size=2
)
fronts = st.sampled_from(["", "0", "9", "021", "0021", "*9", "1001#", "8"])


@st.composite
def rules(draw: st.DrawFn) -> DialPlanRule:
    form = draw(st.sampled_from(["{national}", "{local}", "{international}"]))
    # Country codes that nothing marks as such look like area codes when they come back.
    front = draw(st.sampled_from(["+", "00", "0021", "1001#"]) if form == "{international}" else fronts)
    try:
        return DialPlanRule.make(
            dial=front + form,
            kinds=draw(kinds),
            # Without area code 11 is only dialled back in 11: an appliance elsewhere that does so needs other plans.
            areas=("own",) if form == "{local}" else draw(st.sampled_from([(), ("own",), ("other",), ("11",)])),
            match=draw(st.sampled_from([(), ("4*",), ("11xxxxxxxx", "11xxxxxxxxx")])),
        )
    except ValueError:
        assume(False)
        raise


def reachable(rules: list[DialPlanRule]) -> bool:
    return not any(rules[first].hides(rules[later]) for later in range(len(rules)) for first in range(later))


dial_plans = st.builds(DialPlan, fronts, st.lists(rules(), max_size=3).filter(reachable).map(tuple))


def dialled(raw: str, plan: DialPlan, numbers: NumberPlan) -> Dialled | None:
    try:
        return dial(raw, plan, numbers)
    except NothingToDial:
        return None


@settings(deadline=None, max_examples=150)
@given(anything | numbers | foreign, dial_plans, plans)
def test_nothing_but_keys_of_a_telephone_is_ever_dialled(raw: str, plan: DialPlan, own: NumberPlan) -> None:
    if once := dialled(raw, plan, own):
        assert re.fullmatch(r"\+?[0-9*#]+", once.digits)


@settings(deadline=None, max_examples=150)
@given(anything | numbers | foreign, dial_plans, plans)
def test_dialling_what_was_dialled_changes_nothing(raw: str, plan: DialPlan, own: NumberPlan) -> None:
    once = dialled(raw, plan, own)
    assume(once is not None)
    again = read(once.digits, own)
    # As they stand, the digits may be another number: 9 and (19) 3456-7890 are a mobile in Pará.
    assume(again.kind is NumberKind.UNKNOWN or again.national == once.reading.national)

    assert dial(once.digits, plan, own).digits == once.digits


@settings(deadline=None, max_examples=150)
@given(fixed | mobiles | foreign, dial_plans, st.sampled_from(["0", "021", "00", "9"]))
def test_a_blocked_number_is_refused_however_it_is_written(number: str, plan: DialPlan, front: str) -> None:
    canonical = read(number, SAO_PAULO).national
    blocking = DialPlan(plan.prefix, plan.rules, patterns([canonical]))
    abroad = number.startswith("+")
    for text in (number, canonical, f"{number} ramal 23", f"sip:{number}@pbx", plan.prefix + canonical):
        if read(text, SAO_PAULO).national == canonical:
            with pytest.raises(BlockedNumber):
                dial(text, blocking, SAO_PAULO)
    if not abroad and front in ("0", "021"):
        with pytest.raises(BlockedNumber):
            dial(front + number, blocking, SAO_PAULO)


def test_an_emergency_number_behind_the_prefix_is_no_unknown_one_of_a_rule() -> None:
    unknown = DialPlanRule(form=DialForm("0", "national", ""), kinds=(NumberKind.UNKNOWN,))
    assert dial("021911", DialPlan("021", (unknown,)), SAO_PAULO).digits == "911"


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(EMERGENCY), dial_plans, st.sampled_from(["", "0", "021"]))
def test_emergency_numbers_are_dialled_as_they_are_unless_a_rule_names_them(
    number: str, plan: DialPlan, front: str
) -> None:
    assume(not any(NumberKind.SHORT in rule.kinds for rule in plan.rules))

    assert dial(number, plan, SAO_PAULO).digits == number
    assert dial(front + number, DialPlan(front, plan.rules), SAO_PAULO).digits == number


@settings(deadline=None, max_examples=150)
@given(st.from_regex(r"35[0-9]{2}", fullmatch=True), dial_plans)
def test_extensions_are_dialled_as_they_are_unless_a_rule_names_them(number: str, plan: DialPlan) -> None:
    assume(not any(NumberKind.EXTENSION in rule.kinds for rule in plan.rules))

    assert dial(number, plan, SAO_PAULO).digits == number


# The documentation --------------------------------------------------------------------------------

DOCUMENTED = re.findall(
    r"```toml\n(.*?)```", (Path(__file__).parents[2] / "docs" / "numbers.md").read_text("utf-8"), re.S
)


@pytest.mark.parametrize("text", DOCUMENTED, ids=range(len(DOCUMENTED)))
def test_the_plans_in_the_documentation_do_what_it_says(text: str) -> None:
    parsed = tomllib.loads(text)["tenants"]["acme"]
    settings_, tenant = loaded(parsed)

    assert settings_.tests
    assert [trial.failure(settings_.plan(), tenant) for trial in settings_.trials()] == [None] * len(settings_.tests)


def test_emergency_numbers_are_those_of_the_library() -> None:
    short = (str(number) for number in range(100, 1000))
    assert tuple(number for number in short if is_emergency_number(number, "BR")) == EMERGENCY


def test_the_documentation_names_every_emergency_number() -> None:
    page = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text("utf-8")
    for number in EMERGENCY:
        assert number in page


@pytest.mark.parametrize(
    ("number", "dial_as"), [("90", "1{national}"), ("88", "1{national}"), ("19190", "0{national}")]
)
def test_a_rule_never_makes_a_public_service_of_something_else(number: str, dial_as: str) -> None:
    own = NumberPlan("47", Extensions.parse(["3500-3599", "90"]))
    plan = DialPlan("", (DialPlanRule.make(dial=dial_as, kinds=["extension", "unknown"]),))
    with pytest.raises(BecomesService, match="which is the public service"):
        dial(number, plan, own)
