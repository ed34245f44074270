"""What a plan makes of a number: what is there already, what may stand around it, and what is refused."""

from typing import Any

import pytest

from gateway.domain.dialplan.forms import DialForm, Subject, patterns
from gateway.domain.dialplan.plan import (
    BecomesService,
    BlockedNumber,
    DialPlan,
    NothingToDial,
    TooLong,
    dial,
    dials_of,
    subject_of,
    without_front,
    written_of,
)
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.numbering.number_text import typed
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.domain.numbering.reading import NumberKind

FOREIGN = "0015442071234567"


def numbers(area: str | None = "47") -> NumberPlan:
    return NumberPlan(area, Extensions.parse(["3500-3599"]))


def rule(dial: str, *kinds: str, **more: Any) -> DialPlanRule:
    return DialPlanRule.make(dial=dial, kinds=kinds, **more)


def plan(prefix: str = "", *rules: DialPlanRule, blocked: tuple[str, ...] = ()) -> DialPlan:
    """A plan with a prefix that is another object than any text of a rule."""
    return DialPlan("".join(list(prefix)), rules, patterns(blocked))


EIGHT = ("8{national}", "mobile")


@pytest.mark.parametrize(
    ("raw", "made", "digits", "steps"),
    [
        ("9190", plan("9", rule(*EIGHT)), "190", "dial-there short dial-short"),
        ("8190", plan("9", rule(*EIGHT)), "98190", "unexplained dial-prefix"),
        ("8190", plan("7", rule(*EIGHT)), "78190", "unexplained dial-prefix"),
        ("8190", plan("", rule(*EIGHT)), "8190", "unexplained dial-number"),
        ("8190", plan("8", rule(*EIGHT)), "190", "dial-there short dial-short"),
        ("832100123", plan("", rule(*EIGHT)), "832100123", "unexplained dial-number"),
        ("84732100123", plan("", rule(*EIGHT)), "4732100123", "dial-there fixed dial-number"),
        ("*932100123", plan("*9"), "*94732100123", "dial-there area-code fixed dial-prefix"),
        ("0 47 3210-0123", plan("0"), "04732100123", "dial-there fixed dial-prefix"),
        ("+55 47 3210-0123", plan("0"), "04732100123", "plus access fixed dial-prefix"),
        (FOREIGN, plan("", rule("0015{international}", "foreign")), FOREIGN, "foreign-operator dial-rule"),
        (FOREIGN, plan("0"), "0" + FOREIGN, "foreign-operator dial-prefix"),
        (FOREIGN, plan("0015"), FOREIGN, "foreign-operator dial-prefix"),
        ("+44 (0)20 7123 4567", plan("0"), "000442071234567", "plus foreign dial-prefix"),
        (
            "3210-0123",
            plan("", rule("9{local}", "fixed", areas=["own"])),
            "932100123",
            "noise area-code fixed dial-rule",
        ),
    ],
)
def test_what_stands_in_front_is_taken_off_where_the_plan_puts_it_there(
    raw: str, made: DialPlan, digits: str, steps: str
) -> None:
    dialled = dial(raw, made, numbers())
    assert (dialled.digits, " ".join(step.rule for step in dialled.steps)) == (digits, steps)
    assert dialled.reading.input == raw


def test_what_the_prefix_completes_may_be_blocked() -> None:
    assert dial("34567890", plan("11"), numbers(None)).digits == "1134567890"
    with pytest.raises(BlockedNumber, match=r"blocks 1134567890: dial_plan\.blocked 1134"):
        dial("34567890", plan("11", blocked=("1134*",)), numbers(None))
    with pytest.raises(BlockedNumber, match="11987654321"):
        dial("15 11 98765-4321", plan("0", blocked=("11987654321",)), numbers())


@pytest.mark.parametrize("raw", ["", "0", "anonymous", "---", "1;2@"])
def test_without_digits_there_is_nothing_to_dial(raw: str) -> None:
    with pytest.raises(NothingToDial, match="Nothing to dial in"):
        dial(raw, plan("0"), numbers())


@pytest.mark.parametrize(
    ("raw", "prefix", "told"),
    [
        ("7" * 24, "", None),
        ("7" * 25, "", "25 digits are no telephone number: expected at most 24."),
        ("7" * 24, "9" * 16, None),
        ("7" * 24, "9" * 17, "41 digits are no telephone number: expected at most 40."),
        ("4732100123", "1" * 70, None),
        ("4732100123", "1" * 71, "81 digits are no telephone number: expected at most 80."),
        ("*21*" + "3" * 59 + "#", "", None),
        ("*21*" + "3" * 60 + "#", "", "65 digits are no telephone number: expected at most 64."),
    ],
)
def test_no_more_is_dialled_than_an_exchange_can_take(raw: str, prefix: str, told: str | None) -> None:
    if told is None:
        assert dial(raw, plan(prefix), numbers()).digits
        return
    with pytest.raises(TooLong) as refused:
        dial(raw, plan(prefix), numbers())
    assert str(refused.value) == told
    assert told.startswith(f"{refused.value.digits} ")


@pytest.mark.parametrize(
    ("raw", "prefix", "digits"), [("19190", "0", "019190"), ("90", "1", "190"), ("55190", "0", "055190")]
)
def test_nothing_becomes_a_public_service_by_its_prefix(raw: str, prefix: str, digits: str) -> None:
    with pytest.raises(BecomesService, match=f"{raw} would be dialled as {digits}, which is the public service 190"):
        dial(raw, plan(prefix), numbers())


@pytest.mark.parametrize(
    ("written", "kind", "local", "international"),
    [
        ("4732100123", NumberKind.FIXED, "32100123", "554732100123"),
        ("47999998888", NumberKind.MOBILE, "999998888", "5547999998888"),
        ("40041234", NumberKind.SPECIAL, None, "5540041234"),
        ("190", NumberKind.SHORT, None, None),
        ("3501", NumberKind.EXTENSION, None, None),
        ("00123456", NumberKind.UNKNOWN, None, None),
        ("001234567", NumberKind.FOREIGN, None, "1234567"),
        ("0001234567", NumberKind.FOREIGN, None, "1234567"),
        ("00442071234567", NumberKind.FOREIGN, None, "442071234567"),
    ],
)
def test_a_number_has_the_forms_that_its_kind_has(
    written: str, kind: NumberKind, local: str | None, international: str | None
) -> None:
    national = read(written, numbers()).national if kind is not NumberKind.FOREIGN else written
    subject = subject_of(written, read(written, numbers()))
    assert subject == Subject(kind, national, written, local, international)


def test_a_number_abroad_is_dialled_as_it_was_written_with_its_operator() -> None:
    assert subject_of(FOREIGN, read(FOREIGN, numbers())).dialled == FOREIGN
    assert subject_of("+44 20 7123 4567", read("+44 20 7123 4567", numbers())).dialled == "00442071234567"
    other = subject_of("00999", read(FOREIGN, numbers()))
    assert (other.dialled, other.national) == ("00442071234567", "00442071234567")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("*21*3501#", "*21*3501#"),
        ("+44 20", "004420"),
        ("0*47 3210#", "0*473210"),
        ("+0123", "0123"),
        ("47 32-1", "47321"),
    ],
)
def test_what_was_written_are_digits_stars_and_hashes(text: str, written: str) -> None:
    assert written_of(typed(text)) == written


def test_what_may_stand_behind_each_front() -> None:
    made = plan("0", rule("021{national}", "mobile"), rule("00{international}", "foreign"), rule("{national}", "fixed"))
    found = [(str(form), rest, reading.kind.value) for form, rest, reading in without_front("02147", made, numbers())]
    assert found == [("0{national}", "2147", "unknown"), ("021{national}", "47", "unknown")]
    abroad = list(without_front("00442071234567", made, numbers()))
    assert [(str(form), rest) for form, rest, _ in abroad] == [
        ("0{national}", "0442071234567"),
        ("00{international}", "00442071234567"),
        ("00{international}", "00442071234567"),
    ]
    assert abroad[2][2].kind is NumberKind.FOREIGN
    bare = plan("", rule("{international}", "foreign"))
    assert [rest for _, rest, _ in without_front("442071234567", bare, numbers())] == ["00442071234567"] * 2


def test_what_is_blocked_or_takes_too_long_to_tell_is_dialled_as_nothing() -> None:
    blocked = plan("0", blocked=("4732*",))
    assert dials_of("4732100123", read("4732100123", numbers()), blocked, numbers()) is None
    assert dials_of("4733100123", read("4733100123", numbers()), blocked, numbers()) == "04733100123"
    slow = plan("0", blocked=("/([0-9]|[0-9][0-9]|[0-9]{3})+[a-z]/",))
    assert dials_of("4" * 32, read("4" * 32, numbers()), slow, numbers()) is None


def test_a_rule_is_named_by_its_place_and_its_note() -> None:
    made = plan("0", rule("9{national}", "mobile"), DialPlanRule.make(block=True, kinds=["foreign"], note="ask"))
    assert made.rule_for(Subject(NumberKind.MOBILE, "47", "47"), None)[0] == 1
    assert made.rule_for(Subject(NumberKind.FIXED, "47", "47"), None) == (0, None)
    assert made.blocks(Subject(NumberKind.FOREIGN, "0044", "0044"), None) == "dial_plan.rules 2, ask"
    without_note = plan("0", DialPlanRule.make(block=True, kinds=["foreign"]))
    assert without_note.blocks(Subject(NumberKind.FOREIGN, "0044", "0044"), None) == "dial_plan.rules 1"
    assert made.blocks(Subject(NumberKind.MOBILE, "47", "47"), None) is None
    assert dial("47999998888", made, numbers()).steps[-1].text == "Dials by the plan's rule 1: 9{national}."


def test_a_rule_behind_one_that_is_for_all_of_its_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="rule 3 can never be reached: rule 2 is for all of its numbers"):
        plan("0", rule("9{national}", "fixed"), rule("8{national}", "mobile"), rule("7{national}", "mobile"))


def test_forms_with_nothing_in_front_are_no_fronts() -> None:
    form = DialForm("", "national", "")
    assert list(without_front("4732100123", DialPlan("", (DialPlanRule(form, (NumberKind.FIXED,)),)), numbers())) == []
