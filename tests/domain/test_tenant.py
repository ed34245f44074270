"""Which appliance dials for an extension, and by which plan a number is read."""

import pytest

from gateway.domain.dialplan.plan import DialPlan
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.domain.tenant import Appliance, Branch, Tenant

NUMBERS = NumberPlan("47", Extensions.parse(["3500-3599"]))


def appliance(name: str, *extensions: str) -> Appliance:
    return Appliance(name, name, DialPlan(), Extensions.parse(extensions) if extensions else None)


FIRST, SECOND, THIRD = appliance("first"), appliance("second", "3550-3559"), appliance("third", "3555")


@pytest.mark.parametrize(
    ("extension", "default", "name"),
    [
        ("3501", None, "first"),
        ("3550", None, "second"),
        ("3555", None, "second"),
        ("3501", "third", "third"),
        ("3550", "third", "second"),
        ("3501", "gone", "first"),
    ],
)
def test_the_appliance_that_lists_an_extension_dials_for_it(extension: str, default: str | None, name: str) -> None:
    tenant = Tenant("acme", NUMBERS, (FIRST, SECOND, THIRD), default and "".join(default))
    found = tenant.appliance_for(extension)
    assert found is not None
    assert found.name == name


def test_an_appliance_is_found_by_its_name() -> None:
    tenant = Tenant("acme", NUMBERS, (FIRST, SECOND))
    assert tenant.appliance("".join(["sec", "ond"])) is SECOND
    assert tenant.appliance("third") is None
    assert tenant.appliance(None) is None


def test_without_appliances_nobody_dials() -> None:
    assert Tenant("acme", NUMBERS).appliance_for("3501") is None


NINE, ZERO, PLAIN = DialPlan("9"), DialPlan("0"), DialPlan()


@pytest.mark.parametrize(
    ("plans", "extension", "wanted"),
    [
        ((PLAIN, PLAIN), "3501", ()),
        ((PLAIN, NINE), "3501", (NINE,)),
        ((PLAIN, NINE), "3550", (NINE,)),
        ((ZERO, NINE), "3501", (ZERO, NINE)),
        ((ZERO, NINE), "3550", (NINE, ZERO)),
        ((NINE, DialPlan("9")), "3550", (NINE,)),
        ((), "3501", ()),
    ],
)
def test_the_plan_by_which_an_extension_dials_comes_first(
    plans: tuple[DialPlan, ...], extension: str, wanted: tuple[DialPlan, ...]
) -> None:
    listed = (None, Extensions.parse(["3550"]))
    appliances = [Appliance(plan.prefix, "x", plan, by) for plan, by in zip(plans, listed, strict=False)]
    assert Tenant("acme", NUMBERS, tuple(appliances)).plans_for(extension) == wanted


def test_a_double_click_is_two_orders_unless_somebody_says_otherwise() -> None:
    assert Tenant("acme", NUMBERS).repeat_within_ms == 0


CURITIBA = Branch("curitiba", Extensions.parse(["3590-3599"]), NumberPlan("41"))
PUBLIC = Branch("public", Extensions.parse(["190", "4732100123"]), NumberPlan("11"))


@pytest.mark.parametrize(
    ("texts", "area"),
    [
        (("3501",), "47"),
        (("3590",), "41"),
        (("3590", "32100123"), "41"),
        (("32100123", "sip:3599@pbx"), "41"),
        (("190",), "47"),
        (("4732100123", "3501"), "47"),
        ((), "47"),
    ],
)
def test_a_number_is_read_by_the_plan_of_the_branch_whose_extension_came_with_it(
    texts: tuple[str, ...], area: str
) -> None:
    assert Tenant("acme", NUMBERS, branches=(PUBLIC, CURITIBA)).numbers_for(*texts).area_code == area
    assert Tenant("acme", NUMBERS).numbers_for(*texts) is NUMBERS


@pytest.mark.parametrize(
    ("line", "name"),
    [("4732100123", "vendas"), ("(47) 3210-0123", "vendas"), ("sales", "by name"), ("4732100999", None), ("", None)],
)
def test_a_line_has_the_name_that_it_was_given_however_it_is_written(line: str, name: str | None) -> None:
    tenant = Tenant("acme", NUMBERS, lines={"4732100123": "vendas", "sales": "by name"})
    assert tenant.line_name(line) == name
