"""From a number as somebody wrote it to the digits that an exchange shall dial, or to a refusal."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum

from gateway.domain.dialplan.forms import DialForm, Subject, matches
from gateway.domain.dialplan.rules import DialPlanRule
from gateway.domain.numbering.number_text import Typed, typed
from gateway.domain.numbering.numbers import NumberPlan, read
from gateway.domain.numbering.reading import NumberKind, Reading, ReadingStep
from gateway.domain.patterns import Pattern, SlowPattern
from gateway.domain.sentences import step
from gateway.texts.text import Text

_PREFIX = re.compile(r"[0-9*#]*")
# Those that the library phonenumbers knows as Brazil's emergency numbers; a test compares them.
EMERGENCY = ("112", "128", "190", "192", "193", "911")
LONGEST_NUMBER = 24
"""Digits that a number to dial may have: the 15 of E.164 with access, operator's code and a prefix of an exchange."""
LONGEST_CODE = 64
"""Signs that a code of the exchange (``*21*3501#``) may have, or a number with all that a plan puts around it."""
_MOST_AROUND = 16
# 0, 55, an area code and 10315: what may stand before a public service and still be taken for it, with room.
_LONGEST_SERVICE = 16
_KEYS = re.compile(r"[0-9*#]+")
# The access code 00 and the fewest digits that a number has anywhere, country code included.
_SHORTEST_ABROAD = 9


class NothingToDial(ValueError):
    """The text holds no number or extension: no digits, or a caller who withheld it."""


class TooLong(NothingToDial):
    """More digits than any telephone number has, so that no appliance needs to be asked; ``longest`` may be dialled."""

    def __init__(self, digits: int, longest: int) -> None:
        super().__init__(f"{digits} digits are no telephone number: expected at most {longest}.")
        self.digits = digits


class TooSlow(NothingToDial):
    """A pattern of the plan takes too long for the number, so that nobody knows whether it may be dialled."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"The dial plan's pattern {pattern!r} takes too long: write it without nested repetitions.")
        self.pattern = pattern


class BecomesService(NothingToDial):
    """What the plan puts in front would make a public service's number (190) of something else."""

    def __init__(self, number: str, digits: str, service: str) -> None:
        super().__init__(f"{number} would be dialled as {digits}, which is the public service {service}.")
        self.number = number
        self.digits = digits
        self.service = service


class BlockedNumber(ValueError):
    """The dial plan forbids the number; ``by`` is the rule or pattern, ``steps`` how it came to that."""

    def __init__(self, number: str, by: str, steps: tuple[ReadingStep, ...]) -> None:
        super().__init__(f"The dial plan blocks {number}: {by}.")
        self.number = number
        self.by = by
        self.steps = steps


def _never_reached(later: int, first: int) -> Text:
    return Text("rule {later} can never be reached: rule {first} is for all of its numbers", later=later, first=first)


@dataclass(frozen=True, slots=True)
class DialPlan:
    """How numbers are dialled: none that is ``blocked``, else by the first of ``rules`` for it, else by ``prefix``.

    ``prefix`` goes before every number that is no extension and no public service: 0, an operator's code, anything;
    "" for none. Source: the CRM's manual on click-to-call. ``fronts`` is what it puts in front of numbers, the prefix
    first, then that of each rule.

    Raises ``ValueError`` when ``prefix`` holds other signs than 0-9, * and #, when an emergency number would be
    blocked, or when a rule can never be reached, as one before it is for all of its numbers.
    """

    prefix: str = ""
    rules: tuple[DialPlanRule, ...] = ()
    blocked: tuple[tuple[str, Pattern], ...] = ()
    fronts: tuple[DialForm, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fronts", _fronts(self))
        if not _PREFIX.fullmatch(self.prefix):
            told = Text("Dial prefix {prefix!r} cannot be dialled: expected only 0-9, * and #.", prefix=self.prefix)
            raise ValueError(told)
        for later, rule in enumerate(self.rules, start=1):
            for first, before in enumerate(self.rules[: later - 1], start=1):
                if before.hides(rule):
                    raise ValueError(_never_reached(later, first))
        for code in EMERGENCY:
            if by := self.blocks(Subject(NumberKind.SHORT, code, code), None):
                facts = {"code": code, "by": by}
                raise ValueError(Text("the emergency number {code} may not be blocked, and {by} blocks it", **facts))

    def blocks(self, subject: Subject, own_area: str | None) -> str | None:
        """Return the setting that forbids to dial ``subject``, or None."""
        for text, pattern in self.blocked:
            if matches((pattern,), subject.national):
                return f"dial_plan.blocked {text}"
        index, rule = self.rule_for(subject, own_area)
        if rule is None or rule.form:
            return None
        return f"dial_plan.rules {index}" + (f", {rule.note}" if rule.note else "")

    def rule_for(self, subject: Subject, own_area: str | None) -> tuple[int, DialPlanRule | None]:
        """Return the first rule that is for ``subject``, and its place counted from 1."""
        for index, rule in enumerate(self.rules, start=1):
            if rule.is_for(subject, own_area):
                return index, rule
        return 0, None


@dataclass(frozen=True, slots=True)
class Dialled:
    """``digits`` to send (0-9, *, #, and + in front where a rule says so), the ``reading`` they rest on, every step."""

    digits: str
    reading: Reading
    steps: tuple[ReadingStep, ...]


def dial(raw: str, plan: DialPlan, numbers: NumberPlan) -> Dialled:
    """Return the digits that call ``raw`` by ``plan``.

    The CRM may have put the prefix there itself; it is never there twice, and dialling what was dialled
    changes nothing. Yet what came as a complete number has no prefix: with prefix 9, ``91934567890`` is
    a mobile in Pará, not (19) 3456-7890.

    Raises ``NothingToDial`` for no digits or a withheld number (or one of its kinds ``TooLong``, ``TooSlow`` and
    ``BecomesService``), and ``BlockedNumber`` when the plan forbids it.
    """
    text = typed(raw)
    written, reading, taken = _choose(text, read(raw, numbers), plan, numbers)
    if reading.kind is NumberKind.WITHHELD or not text.digits or not _KEYS.fullmatch(reading.national):
        raise NothingToDial(f"Nothing to dial in {raw[:40]!r}: expected a telephone number or an extension.")
    steps = (*taken, *reading.steps)
    subject = subject_of(written, reading)
    try:
        digits, last = _decide(subject, plan, numbers, steps)
    except SlowPattern as error:
        # It might be one that blocks the number.
        raise TooSlow(error.pattern) from None
    _check(digits, subject, numbers)
    return Dialled(digits, reading if reading.input == raw else replace(reading, input=raw), (*steps, last))


def _check(digits: str, subject: Subject, numbers: NumberPlan) -> None:
    """Refuse what no exchange should be sent: too many digits, or another number than was meant."""
    longest = LONGEST_NUMBER if subject.kind is NumberKind.UNKNOWN and subject.national.isdigit() else LONGEST_CODE
    for size, most in ((len(subject.national), longest), (len(digits), longest + _MOST_AROUND)):
        if size > most:
            raise TooLong(size, most)
    if subject.kind is not NumberKind.SHORT and len(digits) <= _LONGEST_SERVICE:
        again = read(digits, numbers)
        if again.kind is NumberKind.SHORT:
            raise BecomesService(subject.national, digits, again.national)


def subject_of(written: str, reading: Reading) -> Subject:
    """Return the forms of ``reading``, which was written so."""
    kind, national, e164 = reading.kind, reading.national, reading.e164
    international = e164[1:] if e164 else None
    if kind is NumberKind.FOREIGN:
        return Subject(kind, national, _as_written_abroad(written, reading), None, international)
    # A number abroad that the library does not know is still dialled as one, and blocked as one.
    if kind is NumberKind.UNKNOWN and written.startswith("00") and len(written) >= _SHORTEST_ABROAD:
        return Subject(NumberKind.FOREIGN, written, written, None, written.lstrip("0"))
    local = national[2:] if kind in (NumberKind.FIXED, NumberKind.MOBILE) else None
    return Subject(kind, national, national, local, international)


def _as_written_abroad(written: str, reading: Reading) -> str:
    """Return a foreign number as it was written: keeps an operator's code, drops such as the (0) in +44 (0)20."""
    digits = re.sub(r"[^0-9]", "", written).lstrip("0")
    return "00" + digits if digits.endswith((reading.e164 or "")[1:]) else reading.national


# What is done with a number -----------------------------------------------------------------------


def _decide(
    subject: Subject, plan: DialPlan, numbers: NumberPlan, steps: tuple[ReadingStep, ...] = ()
) -> tuple[str, ReadingStep]:
    _refuse(subject, plan, numbers, steps)
    index, rule = plan.rule_for(subject, numbers.area_code)
    if rule and rule.form:
        return rule.form.write(subject), step("dial-rule", f"{index}{rule.remark}: {rule.form}")
    if subject.kind in _AS_IT_IS:
        return subject.national, _AS_IT_IS[subject.kind]
    if subject.kind is NumberKind.UNKNOWN and plan.prefix:
        return _unknown(plan.prefix + subject.national, plan, numbers, steps), _behind(plan.prefix)
    return DialForm(plan.prefix, "national", "").write(subject), _behind(plan.prefix)


def _refuse(subject: Subject, plan: DialPlan, numbers: NumberPlan, steps: tuple[ReadingStep, ...]) -> None:
    if by := plan.blocks(subject, numbers.area_code):
        raise BlockedNumber(subject.national, by, (*steps, step("dial-blocked", by)))


def _unknown(digits: str, plan: DialPlan, numbers: NumberPlan, steps: tuple[ReadingStep, ...]) -> str:
    """Return the digits to dial for a number that does not read. The prefix may complete it: behind 0, 15 11 98765-4321
    begins with an operator's code.

    What it completes may be blocked, too.
    """
    reading = read(digits, numbers)
    if reading.kind is not NumberKind.UNKNOWN:
        _refuse(subject_of(digits, reading), plan, numbers, steps)
    if _trust(digits, reading) is not _Trust.DERIVED:
        return digits
    return _decide(subject_of(digits, reading), plan, numbers, steps)[0]


_AS_IT_IS = {NumberKind.EXTENSION: step("dial-extension"), NumberKind.SHORT: step("dial-short")}


def _behind(prefix: str) -> ReadingStep:
    return step("dial-prefix", prefix) if prefix else step("dial-number")


# Whether what the plan puts in front is there already ---------------------------------------------


class _Trust(IntEnum):
    """How sure it is that a text is the number it was read as."""

    NONE = 0
    DERIVED = 1  # a number once something was added or taken off
    EXACT = 2  # the very digits of a number


def _trust(written: str, reading: Reading) -> _Trust:
    if reading.kind in (NumberKind.UNKNOWN, NumberKind.WITHHELD):
        return _Trust.NONE
    if any(done.rule == "stray-zeros" for done in reading.steps):
        return _Trust.NONE
    if reading.national == written:
        return _Trust.EXACT
    # No number holds * or #; and 0 with 151 is a public service, but just as well the prefix 015 with 1.
    return _Trust.NONE if reading.kind is NumberKind.SHORT or not written.isdigit() else _Trust.DERIVED


def _choose(
    text: Typed, whole: Reading, plan: DialPlan, numbers: NumberPlan
) -> tuple[str, Reading, tuple[ReadingStep, ...]]:
    """Return the text and its reading, without the digits that the plan puts in front where they were there already."""
    written = written_of(text)
    trust = _trust(written, whole)
    if text.international or trust is _Trust.EXACT or whole.national in EMERGENCY:
        return written, whole, ()
    found = list(without_front(written, plan, numbers))
    for front, rest, behind in found:
        # A rule for unknown numbers would make them of the same digits.
        if front.before == plan.prefix and rest in EMERGENCY:
            return rest, behind, _there(front)
    # What the plan itself would dial comes before what the CRM may have added.
    if trust is _Trust.NONE:
        for front, rest, behind in found:
            if dials_of(rest, behind, plan, numbers) in (written, None):
                return rest, behind, _there(front)
    for front, rest, behind in found:
        if _was_in_front(front, trust, rest, behind, plan):
            return rest, behind, _there(front)
    return written, whole, ()


def _there(front: DialForm) -> tuple[ReadingStep, ...]:
    return (step("dial-there", front.before),) if front.before else ()


def without_front(written: str, plan: DialPlan, numbers: NumberPlan) -> Iterator[tuple[DialForm, str, Reading]]:
    """Yield the digits that may follow those which the plan puts in front, each with its reading."""
    for form in plan.fronts:
        if written.startswith(form.before):
            rest = ("00" if form.name == "international" else "") + written[len(form.before) :]
            yield form, rest, read(rest, numbers)
            if rest.startswith("00"):
                yield form, rest, read("+" + rest[2:], numbers)


def _fronts(plan: DialPlan) -> tuple[DialForm, ...]:
    forms = (DialForm(plan.prefix, "national", ""), *(rule.form for rule in plan.rules if rule.form))
    return tuple(dict.fromkeys(form for form in forms if form.before or form.name == "international"))


def _was_in_front(form: DialForm, whole: _Trust, rest: str, behind: Reading, plan: DialPlan) -> bool:
    """Return whether the CRM put in front what the plan would; a rule may leave out kinds of numbers, the CRM hardly
    does.
    """
    if behind.kind is NumberKind.WITHHELD or form.name == "international":
        return False
    trust = _trust(rest, behind)
    if form.before == plan.prefix:
        return trust is _Trust.EXACT or (trust is _Trust.DERIVED and whole is _Trust.NONE)
    return trust is _Trust.EXACT and behind.kind is not NumberKind.SHORT


def dials_of(rest: str, behind: Reading, plan: DialPlan, numbers: NumberPlan) -> str | None:
    """Return what the plan makes of ``rest``; None when it is blocked, or takes too long to tell."""
    try:
        return _decide(subject_of(rest, behind), plan, numbers)[0]
    except (BlockedNumber, SlowPattern):
        return None


def written_of(text: Typed) -> str:
    """Return the digits as sent, with * and #, for a prefix may hold these."""
    if text.international or text.feature_code:
        return text.feature_code or text.dialled
    return text.core if text.core.isdigit() else re.sub(r"[^0-9*#]", "", text.core).rstrip("*#")
