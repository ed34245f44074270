"""What an exchange says that it dialled is the number that was asked for."""

import pytest

from gateway.domain.dialplan.forms import pattern
from gateway.domain.dialplan.plan import DialPlan, dial
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.dialplan.undialling import sides_of
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.tenant import Appliance, Tenant

NUMBERS = NumberPlan("47", Extensions.parse(["3500-3599"]))


def tenant(plan: DialPlan) -> Tenant:
    other = Appliance("other", "other", DialPlan(""))
    return Tenant("acme", NUMBERS, appliances=(other, Appliance("pbx", "pbx", plan)))


@pytest.mark.parametrize("prefix", ["", "0", "9", "8", "*9", "021", "015", "7#"])
@pytest.mark.parametrize(
    "number", ["4732100123", "47999998888", "1132100123", "08001234567", "40041234", "0013055551234"]
)
def test_what_the_plan_puts_in_front_is_taken_off_again(prefix: str, number: str) -> None:
    digits = dial(number, DialPlan(prefix), NUMBERS).digits

    made = sides_of(digits, "3501", tenant(DialPlan(prefix)))
    assert (made.extension, made.other.national, made.direction) == ("3501", number, Direction.OUTGOING)
    # 9 and 4004-1234 may just as well be a mobile that calls from the own area.
    if digits != "940041234":
        assert sides_of("3501", digits, tenant(DialPlan(prefix))).other.national == number


def test_a_local_form_of_the_plan_is_the_number_it_was_made_of() -> None:
    rule = DialPlanRule.make(dial="9{local}", areas=["own"])
    company = tenant(DialPlan("9", (rule,)))

    assert sides_of("932100123", "3501", company).other.national == "4732100123"
    # Who calls from outside with these digits is a mobile of the own area.
    assert sides_of("3501", "932100123", company).other.national == "47932100123"


def test_a_complete_number_stays_what_it_is() -> None:
    assert sides_of("91934567890", "3501", tenant(DialPlan("9"))).other.national == "91934567890"
    assert sides_of("3501", "4732100123", tenant(DialPlan("4"))).other.national == "4732100123"


def test_what_the_plan_would_not_dial_so_is_left_alone() -> None:
    company = tenant(DialPlan("9", blocked=(("4733*", pattern("4733*")),)))

    assert sides_of("95555", "3501", company).other.national == "95555"
    assert sides_of("84732100123", "3501", company).other.national == "84732100123"
    assert sides_of("3501", "9190", company).other.national == "9190"


@pytest.mark.parametrize("number", ["94932100123", "(94) 93210-0123"])
def test_a_complete_number_may_be_the_dialled_form_of_another(number: str) -> None:
    """Whether it is, an order tells."""
    sides = sides_of(number, "3501", tenant(DialPlan("9")))
    assert (sides.other.national, sides.perhaps and sides.perhaps.national) == ("94932100123", "4932100123")
    assert sides.perhaps is not None
    assert (sides.perhaps.input, sides.perhaps.steps[0].rule, sides.perhaps.steps[0].about) == (
        number,
        "dial-there",
        "9",
    )


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("094932100123", "09"),
        ("94932100123", "8"),
        ("94932100123", ""),
        ("anonymous", "9"),
        ("190", "1"),
        ("3502", "3"),
    ],
)
def test_other_numbers_are_no_dialled_form_of_another(number: str, prefix: str) -> None:
    sides = sides_of(number, "3501", tenant(DialPlan(prefix)))
    assert sides.perhaps is None


def test_an_extension_is_no_dialled_form() -> None:
    numbers = NumberPlan("47", Extensions.parse(["3500-3599", "94732100123"]))
    company = Tenant("acme", numbers, appliances=(Appliance("pbx", "pbx", DialPlan("9")),))
    assert sides_of("3501", "94732100123", company).perhaps is None


@pytest.mark.parametrize("prefix", ["7", "9"])
def test_what_a_rule_would_dial_otherwise_has_no_prefix_in_front(prefix: str) -> None:
    company = tenant(DialPlan(prefix, (DialPlanRule.make(dial="8{national}", kinds=["fixed"]),)))
    digits = f"{prefix}4732100123"
    assert sides_of(digits, "3501", company).other.national == digits
    assert sides_of("84732100123", "3501", company).other.national == "4732100123"


def test_the_plan_of_the_extension_s_own_appliance_comes_first() -> None:
    nine, zero = Appliance("nine", "nine", DialPlan("9")), Appliance("star", "star", DialPlan("*9"))
    company = Tenant("acme", NUMBERS, appliances=(nine, zero))
    assert sides_of("*94732100123", "3501", company).other.national == "4732100123"
    assert sides_of("4732100123", "3501", Tenant("acme", NUMBERS)).other.national == "4732100123"


def test_a_code_of_the_exchange_stays_what_it_is() -> None:
    assert sides_of("3501", "*21*4732100123", tenant(DialPlan("*21*"))).other.national == "*21*4732100123"
