"""Brazil's area codes, and which numbers can exist in them.

Source: Anatel's numbering plan.
"""

from gateway.domain.numbering.reading import NumberKind, Reading, ReadingStep
from gateway.domain.records import record
from gateway.domain.sentences import step

_UNITS_BY_TENS = {
    "1": "123456789", "2": "12478", "3": "1234578", "4": "123456789", "5": "1345",
    "6": "123456789", "7": "134579", "8": "123456789", "9": "123456789",
}  # fmt: skip
AREA_CODES = frozenset(tens + unit for tens, units in _UNITS_BY_TENS.items() for unit in units)


@record(frozen=True, slots=True)
class FoundSubscriber:
    """What a rule made of digits: a reading of which the text and the steps before it are not known yet."""

    kind: NumberKind
    national: str
    steps: tuple[ReadingStep, ...]
    e164: str | None = None
    candidates: tuple[str, ...] = ()
    collect: bool = False

    def after(self, *steps: ReadingStep, collect: bool = False) -> "FoundSubscriber":
        """Return the same result, with the ``steps`` that were done before it was found."""
        steps += self.steps
        return FoundSubscriber(self.kind, self.national, steps, self.e164, self.candidates, self.collect or collect)

    def reading(self, raw: str, steps: tuple[ReadingStep, ...]) -> Reading:
        steps += self.steps
        return Reading(raw, self.kind, self.national, self.e164, self.candidates, self.collect, steps)


def is_special(number: str) -> bool:
    return len(number) == 8 and number[:3] in ("400", "300")


def special(number: str, *also: str) -> FoundSubscriber:
    return FoundSubscriber(NumberKind.SPECIAL, number, SPECIAL, "+55" + number, (number, *also))


def subscriber(area: str, number: str) -> FoundSubscriber | None:
    """Return ``number`` of 8 or 9 digits in an existing ``area``, or None if no such number can be."""
    if len(number) == 9:
        return _mobile(area, number) if number[0] == "9" else None
    if is_special(number):
        return special(number, area + number).after(NEEDLESS_AREA)
    if number[0] in "2345":
        return _fixed(area + number)
    return _mobile(area, "9" + number).after(_NINTH) if number[0] in "6789" else None


def _fixed(national: str) -> FoundSubscriber:
    return FoundSubscriber(NumberKind.FIXED, national, FIXED[national[:2]], "+55" + national, (national,))


def _mobile(area: str, number: str) -> FoundSubscriber:
    national = area + number
    return FoundSubscriber(NumberKind.MOBILE, national, MOBILE[area], "+55" + national, both_forms(national))


def both_forms(mobile: str) -> tuple[str, ...]:
    """Return ``mobile`` with and without the ninth digit, if it can be old enough to have been used without; else with
    it only.
    """
    return (mobile, mobile[:2] + mobile[3:]) if mobile[3] in "6789" else (mobile,)


SPECIAL = (step("special"),)
FIXED = {area: (step("fixed", area),) for area in AREA_CODES}
MOBILE = {area: (step("mobile", area),) for area in AREA_CODES}
NEEDLESS_AREA = step("needless-prefix")
_NINTH = step("ninth-digit")
