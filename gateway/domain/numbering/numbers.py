"""How a telephone number is read, wherever it came from: exchange, CRM, directory or keyboard.

`read` tries the rules of `RULES` in turn on the digits of a text; the first that understands them decides.
Sources: Anatel's numbering plan (area codes, ninth digit, operator codes, collect calls), and what exchanges
really send.
Foreign numbers are left to the library phonenumbers, which must call them valid.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.domain.numbering.abroad import valid_abroad
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.numbering.number_text import LONGEST, Typed, typed
from gateway.domain.numbering.reading import NumberKind, Reading, ReadingStep
from gateway.domain.numbering.subscriber import (
    AREA_CODES,
    FIXED,
    MOBILE,
    NEEDLESS_AREA,
    SPECIAL,
    FoundSubscriber,
    both_forms,
    is_special,
    special,
    subscriber,
)
from gateway.domain.numbering.withheld import hides_number
from gateway.domain.sentences import step
from gateway.texts.text import Text

__all__ = ["AREA_CODES", "Extensions", "NumberKind", "NumberPlan", "Reading", "ReadingStep", "read"]


@dataclass(frozen=True, slots=True, eq=False)
class NumberPlan:
    """What a tenant's own numbers look like: the area code (DDD) it sits in, if known, and its extensions.

    No two plans are compared: what was read by one is remembered by its identity, which is at hand.

    Raises ``ValueError`` when ``area_code`` is none of the 67 in `AREA_CODES`.
    """

    area_code: str | None = None
    extensions: Extensions = field(default_factory=Extensions.guess)

    def __post_init__(self) -> None:
        if self.area_code is not None and self.area_code not in AREA_CODES:
            raise ValueError(Text("Area code {code!r} does not exist: expected such as 11 or 47.", code=self.area_code))


def read(raw: str, plan: NumberPlan) -> Reading:
    """Return what ``raw`` is, seen from a tenant with ``plan``. Never raises; a text that says nothing is *unknown*.

    >>> read("0 15 (11) 8765-4321", NumberPlan()).national
    '11987654321'
    """
    # A text that no number fills is not remembered, or a few thousand of them would take all memory.
    return _remembered(raw, plan) if len(raw) <= LONGEST else read_anew(raw, plan)


def read_anew(raw: str, plan: NumberPlan) -> Reading:
    """Read ``raw`` without looking whether it was read before. Never raises."""
    return _read_plain(raw, plan) or _read_text(raw, plan)


_remembered = lru_cache(maxsize=8192)(read_anew)


_Rule = Callable[[str, NumberPlan], FoundSubscriber | None]


def _first(rules: tuple[_Rule, ...], digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    for rule in rules:
        if found := rule(digits, plan):
            return found
    return None


# The way of most numbers: digits only, nothing to take off ----------------------------------------


def _read_plain(raw: str, plan: NumberPlan) -> Reading | None:
    if not (raw.isascii() and raw.isdigit()):
        return None
    if plan.extensions.matches(raw):
        return Reading(raw, NumberKind.EXTENSION, raw, None, (raw,), False, _EXTENSION)
    if len(raw) == 11 and raw[2] == "9" and raw[:2] in AREA_CODES:
        return Reading(raw, NumberKind.MOBILE, raw, "+55" + raw, both_forms(raw), False, MOBILE[raw[:2]])
    if len(raw) == 10 and raw[2] in "2345" and raw[:2] in AREA_CODES and not _two_ways(raw):
        return Reading(raw, NumberKind.FIXED, raw, "+55" + raw, (raw,), False, FIXED[raw[:2]])
    return None


def _two_ways(national: str) -> bool:
    return national[:2] == "55" or is_special(national[2:])


def _read_text(raw: str, plan: NumberPlan) -> Reading:
    text = typed(raw)
    if text.steps and text.steps[0].rule in _LOST:
        return _unexplained(text).reading(raw, text.steps)
    found = _nobody(text) or _feature_code(text) or _understood(text, plan) or _unexplained(text)
    return found.reading(raw, text.steps)


def _understood(text: Typed, plan: NumberPlan) -> FoundSubscriber | None:
    """Read a text by the rules, or as text with a number in it: digits with words between them are more likely a number
    and something else than one number.
    """
    if text.digits != text.core and _WORD_BETWEEN.search(text.core):
        return _embedded(text, plan) or (None if text.glued else _by_rules(text, plan))
    return _by_rules(text, plan) or _embedded(text, plan)


def _by_rules(text: Typed, plan: NumberPlan) -> FoundSubscriber | None:
    found = _first(RULES, text.dialled, plan)
    if found and found.kind in _SHORT_KINDS and not text.one_group:
        return None
    return found if found or text.international else _first(_BEHIND_OPERATOR, text.digits, plan)


# Digits from here and there in a text would make an extension of anything.
_SHORT_KINDS = (NumberKind.EXTENSION, NumberKind.SHORT)
_LOST = ("shortened", "date")
_WORD_BETWEEN = re.compile(r"[0-9][^0-9]*[^\W0-9_xX][^0-9]*[0-9]")
# A stretch of digits and what is written between them, up to a word, a dash with spaces around it or the like.
_STRETCH = re.compile(r"\+?\(?[0-9](?:(?! -|  )[0-9 ().+\-])*")


def _embedded(text: Typed, plan: NumberPlan) -> FoundSubscriber | None:
    """Return the first complete number inside a text with other digits: 'sala 2: 11 98765-4321'."""
    for stretch in (*_STRETCH.findall(text.core), *text.core.split()):
        inner = typed(stretch)
        if 8 <= len(inner.digits) < len(text.digits):
            found = _by_rules(inner, plan)
            if found and _stands_alone(found):
                return found.after(_EMBEDDED, *inner.steps)
    return None


def _stands_alone(found: FoundSubscriber) -> bool:
    """Return whether it is a number without our area code; digits that stand apart in the text may be an area code, if
    a bad one.
    """
    if found.kind not in (NumberKind.MOBILE, NumberKind.FIXED, NumberKind.SPECIAL, NumberKind.FOREIGN):
        return False
    return all(done.rule != "area-code" for done in found.steps)


# Texts without a number ---------------------------------------------------------------------------


def _nobody(text: Typed) -> FoundSubscriber | None:
    if text.core == "-1" or (text.digits and not text.digits.strip("0")):
        return None if text.feature_code else _WITHHELD
    if text.digits:
        return None
    return _WITHHELD if hides_number(text.core) else _unexplained(text)


def _feature_code(text: Typed) -> FoundSubscriber | None:
    code = text.feature_code
    return FoundSubscriber(NumberKind.EXTENSION, code, _FEATURE_CODE, candidates=(code,)) if code else None


def _unexplained(text: Typed) -> FoundSubscriber:
    return _unknown(text.digits if text.digits and text.one_group else text.text, _UNEXPLAINED)


def _unknown(national: str, steps: tuple[ReadingStep, ...]) -> FoundSubscriber:
    return FoundSubscriber(NumberKind.UNKNOWN, national, steps, candidates=(national,))


# Numbers without an area code ---------------------------------------------------------------------

# 911 is what mobile networks take for 190; phonenumbers lists it among Brazil's emergency numbers.
_SHORT_CODE = re.compile(r"1[0-9]{2}|10[0-9]{3}|911")
# An area code only behind 0 or 55: 21190 alone is rather somebody's extension than the police in Rio.
_BEHIND_HEAD = re.compile(
    r"(?:0*55|0)(?:(?P<area>0?[1-9][1-9])(?P<far>1[0-9]{2}|10[0-9]{3}))|0(?P<near>1[0-9]{2}|10[0-9]{3})"
)
# 0800 and its like keep their 0 in Brazil, and lose it behind +55 and in spreadsheets. No area code
# is 30, 50, 80 or 90, so these digits can be nothing else. An area code in front was put there by rule.
_TOLL_FREE = re.compile(
    r"(?:0*55)?(?:0*|0[1-9][0-9]0|(?:0(?:[1-9][0-9])?)?(?P<area>[1-9][1-9])0)"
    r"(?P<number>(?:[358]00|303)[0-9]{6,7}|900[0-9]{7})"
)


def _extension(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    if not plan.extensions.matches(digits):
        return None
    return FoundSubscriber(NumberKind.EXTENSION, digits, _EXTENSION, candidates=(digits,))


def _short(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    if not _SHORT_CODE.fullmatch(digits):
        return None
    return FoundSubscriber(NumberKind.SHORT, digits, _SHORT, candidates=(digits,))


def _short_behind_head(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Read 190 to which an exchange or CRM added the 0, area code or 55 that it adds to all numbers."""
    match = _BEHIND_HEAD.fullmatch(digits)
    if match is None or (match["area"] and match["area"][-2:] not in AREA_CODES):
        return None
    found = _short(match["far"] or match["near"], plan)
    return found.after(NEEDLESS_AREA) if found else None


def _toll_free(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    match = _TOLL_FREE.fullmatch(digits)
    if match is None or (match["area"] and match["area"] not in AREA_CODES):
        return None
    number = "0" + match["number"]
    return FoundSubscriber(NumberKind.SPECIAL, number, SPECIAL, "+55" + number[1:], (number,))


# Area code and number -----------------------------------------------------------------------------


# What may stand before area code and number: country (some exchanges add it to numbers that have it), trunk 0
# and operator, or the call for collect. An operator's code is any two digits, as many existed; 00 + operator + 55
# is Brazil called from Brazil.
_HEAD = re.compile(
    r"(?:(?P<access>0{2,}(?:[1-9][0-9])?55)|(?P<country>0?55))?(?P<again>0{0,2}55)?"
    r"(?:(?P<trunk>0(?:[1-9][0-9])?)|0?(?P<collect>90(?:[1-9][0-9])?))?"
)
_HEAD_RULES = {
    "access": "access",
    "country": "country",
    "again": "country-again",
    "trunk": "trunk",
    "collect": "collect",
}


def _complete(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Read area code and number, whatever may stand before them."""
    found = next(_behind_heads(digits), None)
    second = _other_country_55(digits, plan) if found else None
    return _with_second(found, second) if found and second else found


def _behind_heads(digits: str) -> Iterator[FoundSubscriber]:
    for size in (11, 10):
        head, area, number = digits[:-size], digits[-size : 2 - size], digits[2 - size :]
        if len(digits) < size or area not in AREA_CODES or (steps := _head_steps(head)) is None:
            continue
        if found := subscriber(area, number):
            yield found.after(*steps, collect=any(step.rule == "collect" for step in steps))


@lru_cache(maxsize=1024)
def _head_steps(head: str) -> tuple[ReadingStep, ...] | None:
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    return tuple(step(rule, match[group]) for group, rule in _HEAD_RULES.items() if match[group])


def _other_country_55(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Return the second reading of 5587654321, which may be area code 55, or the country's code before a number of the
    tenant's own area.
    """
    if len(digits) != 10 or digits[:2] != "55" or plan.area_code in (None, "55") or is_special(digits[2:]):
        return None
    return _local(digits[2:], plan)


def _with_second(found: FoundSubscriber, second: FoundSubscriber) -> FoundSubscriber:
    candidates = tuple(dict.fromkeys(found.candidates + second.candidates))
    return FoundSubscriber(
        found.kind, found.national, (*found.steps, _TWO_READINGS), found.e164, candidates, found.collect
    )


def _local(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Return a number of the tenant's own area, sent without the area code."""
    for size in (9, 8):
        head, number = digits[:-size], digits[-size:]
        if len(digits) >= size and head in _LOCAL_HEADS and (found := _in_own_area(number, plan)):
            return found.after(*_LOCAL_HEADS[head], collect=head.endswith("9090"))
    return None


# Without 00 in front 55 is an area code, unless the call for collect follows, which no number begins with.
_COUNTRY = re.compile(r"0{2,}55|0?55(?=9090)")


def _country_before_local(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Read +55 and a number without area code; or area code 55 behind a + that does not belong there."""
    country = _COUNTRY.match(digits)
    if country is None:
        return None
    behind = digits[country.end() :]
    found = _short(behind, plan) or _local(behind, plan)
    if found is None or found.kind is NumberKind.UNKNOWN:
        return None
    found, second = found.after(step("access", country[0])), _complete(digits.lstrip("0"), plan)
    return _with_second(found, second) if second else found


def _in_own_area(number: str, plan: NumberPlan) -> FoundSubscriber | None:
    if is_special(number):
        return special(number)
    found = subscriber(plan.area_code or "11", number)
    if found and plan.area_code is None:
        return _unknown(number, _NO_AREA)
    return found.after(_OWN_AREA[found.national[:2]]) if found else None


# Numbers abroad, and numbers behind zeros too many ------------------------------------------------


def _abroad(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    return _foreign(digits.lstrip("0"), _DIRECT) if digits[:2] == "00" else None


def _abroad_by_operator(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    number = digits.lstrip("0")
    return _foreign(number[2:], step("foreign-operator", number[:2])) if digits[:2] == "00" else None


def _zeros_before_trunk(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Read 00 15 11 98765-4321: who dials 0 for a line dials it before the 0 and operator of the number, too."""
    found = _complete("0" + digits.lstrip("0"), plan) if digits[:2] == "00" else None
    return found.after(_STRAY_ZEROS) if found else None


def _foreign(number: str, step: ReadingStep) -> FoundSubscriber | None:
    e164 = valid_abroad(number)
    if e164 is None:
        return None
    national = "00" + e164[1:]
    return FoundSubscriber(NumberKind.FOREIGN, national, (step,), e164, (national,))


def _stray_zeros(digits: str, plan: NumberPlan) -> FoundSubscriber | None:
    """Read a number behind zeros: some exchanges put 00 or + before whatever they have, and some users a
    0 before a 0.
    """
    if digits[:2] != "00":
        return None
    found = _first(RULES, digits.lstrip("0"), plan)
    return found.after(_STRAY_ZEROS) if found else None


# An extension comes before all else, and Brazil before abroad: 00 + operator + 55 + number is a call to
# Brazil, and 00 11 98765-4321 a number behind zeros too many rather than operator 11 and a number in Iran.
RULES: tuple[_Rule, ...] = (
    _extension,
    _short,
    _toll_free,
    _complete,
    _local,
    _country_before_local,
    _short_behind_head,
    _abroad,
    _stray_zeros,
)
# Tried when those found nothing, and never behind a +, which no operator's code can follow.
_BEHIND_OPERATOR: tuple[_Rule, ...] = (_abroad_by_operator, _zeros_before_trunk)


# The steps, made once -----------------------------------------------------------------------------

_EXTENSION = (step("extension"),)
_FEATURE_CODE = (step("feature-code"),)
_SHORT = (step("short"),)
_UNEXPLAINED = (step("unexplained"),)
_NO_AREA = (step("no-area-code"),)
_WITHHELD = FoundSubscriber(NumberKind.WITHHELD, "", (step("withheld"),))

_EMBEDDED = step("embedded")
_TWO_READINGS = step("two-readings")
_DIRECT = step("foreign")
_STRAY_ZEROS = step("stray-zeros")

_LOCAL_HEADS = {
    "": (),
    "0": (step("trunk", "0"),),
    "9090": (step("collect", "9090"),),
    "09090": (step("trunk", "0"), step("collect", "9090")),
}
_OWN_AREA = {area: step("area-code", area) for area in AREA_CODES}
