"""How a telephone number is read, wherever it came from: exchange, CRM, register or keyboard.

`read` tries the rules of `RULES` in turn on the digits of a text; the first that understands them decides.
Sources: Anatel's numbering plan (area codes, ninth digit, operator codes, collect calls), and what exchanges
really send.
Foreign numbers are left to the library phonenumbers, which must call them valid.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from unicodedata import combining, normalize

import phonenumbers

from gateway.domain.extensions import Extensions
from gateway.domain.number_text import Typed, typed
from gateway.domain.reading import Kind, Reading, Step

__all__ = ["AREA_CODES", "Extensions", "Kind", "NumberPlan", "Reading", "Step", "read"]

_UNITS_BY_TENS = {
    "1": "123456789", "2": "12478", "3": "1234578", "4": "123456789", "5": "1345",
    "6": "123456789", "7": "134579", "8": "123456789", "9": "123456789",
}  # fmt: skip
AREA_CODES = frozenset(tens + unit for tens, units in _UNITS_BY_TENS.items() for unit in units)


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What a tenant's own numbers look like: the area code (DDD) it sits in, if known, and its extensions.

    :raises ValueError: ``area_code`` is none of the 67 in `AREA_CODES`.
    """

    area_code: str | None = None
    extensions: Extensions = field(default_factory=Extensions.guess)

    def __post_init__(self) -> None:
        if self.area_code is not None and self.area_code not in AREA_CODES:
            raise ValueError(f"Area code {self.area_code!r} does not exist: expected such as 11 or 47.")


@lru_cache(maxsize=8192)
def read(raw: str, plan: NumberPlan) -> Reading:
    """What ``raw`` is, seen from a tenant with ``plan``. Never raises; a text that says nothing is *unknown*.

    >>> read("0 15 (11) 8765-4321", NumberPlan()).national
    '11987654321'
    """
    return _read_plain(raw, plan) or _read_text(raw, plan)


# What a rule found --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    kind: Kind
    national: str
    steps: tuple[Step, ...]
    e164: str | None = None
    candidates: tuple[str, ...] = ()
    collect: bool = False

    def after(self, *steps: Step, collect: bool = False) -> "_Found":
        """The same, with what was done before it was found."""
        steps += self.steps
        return _Found(self.kind, self.national, steps, self.e164, self.candidates, self.collect or collect)

    def reading(self, raw: str, steps: tuple[Step, ...]) -> Reading:
        steps += self.steps
        return Reading(raw, self.kind, self.national, self.e164, self.candidates, self.collect, steps)


_Rule = Callable[[str, NumberPlan], _Found | None]


def _first(rules: tuple[_Rule, ...], digits: str, plan: NumberPlan) -> _Found | None:
    for rule in rules:
        if found := rule(digits, plan):
            return found
    return None


# The way of most numbers: digits only, nothing to take off ----------------------------------------


def _read_plain(raw: str, plan: NumberPlan) -> Reading | None:
    if not (raw.isascii() and raw.isdigit()):
        return None
    if plan.extensions.matches(raw):
        return Reading(raw, Kind.EXTENSION, raw, None, (raw,), False, _EXTENSION)
    if len(raw) == 11 and raw[2] == "9" and raw[:2] in AREA_CODES:
        return Reading(raw, Kind.MOBILE, raw, "+55" + raw, _both_forms(raw), False, _MOBILE[raw[:2]])
    if len(raw) == 10 and raw[2] in "2345" and raw[:2] in AREA_CODES and not _two_ways(raw):
        return Reading(raw, Kind.FIXED, raw, "+55" + raw, (raw,), False, _FIXED[raw[:2]])
    return None


def _two_ways(national: str) -> bool:
    return national[:2] == "55" or _is_special(national[2:])


def _read_text(raw: str, plan: NumberPlan) -> Reading:
    text = typed(raw)
    found = _nobody(text) or _feature_code(text) or _by_rules(text, plan) or _unexplained(text)
    return found.reading(raw, text.steps)


def _by_rules(text: Typed, plan: NumberPlan) -> _Found | None:
    found = _first(RULES, text.dialled, plan)
    return found if found or text.international else _abroad_by_operator(text.digits, plan)


# Texts without a number ---------------------------------------------------------------------------

# What exchanges and operators write in place of a number; s, h, i and t are Asterisk's special extensions.
_NOBODY = frozenset(("", "s", "h", "i", "t", "null", "none", "nil", "undefined", "nan", "na", "semnumero"))
_NOBODY_PARTS = (
    "anonym", "anonim", "unknown", "desconhec", "restrict", "restrit", "privat", "privad", "confiden",
    "identificad", "indispon", "availab", "withheld", "blocked", "bloquead", "ocult", "asterisk",
)  # fmt: skip


def _nobody(text: Typed) -> _Found | None:
    if text.core == "-1" or (text.digits and not text.digits.strip("0")):
        return None if text.feature_code else _WITHHELD
    if text.digits:
        return None
    word = _letters(text.core)
    if word in _NOBODY or any(part in word for part in _NOBODY_PARTS):
        return _WITHHELD
    return _unexplained(text)


def _letters(text: str) -> str:
    plain = (sign for sign in normalize("NFKD", text.casefold()) if not combining(sign))
    return "".join(filter(str.isalpha, plain))


def _feature_code(text: Typed) -> _Found | None:
    code = text.feature_code
    return _Found(Kind.EXTENSION, code, _FEATURE_CODE, candidates=(code,)) if code else None


def _unexplained(text: Typed) -> _Found:
    return _unknown(text.digits or text.text, _UNEXPLAINED)


def _unknown(national: str, steps: tuple[Step, ...]) -> _Found:
    return _Found(Kind.UNKNOWN, national, steps, candidates=(national,))


# Numbers without an area code ---------------------------------------------------------------------

_SHORT_CODE = re.compile(r"1[0-9]{2}|10[0-9]{3}")
# 0800 and its like keep their 0 in Brazil, and lose it behind +55 and in spreadsheets. No area code
# is 30, 50, 80 or 90, so these digits can be nothing else. An area code in front was put there by rule.
_TOLL_FREE = re.compile(r"(?:0*55)?(?:0*|0?(?P<area>[1-9][1-9])0)(?P<number>(?:[358]00|303)[0-9]{6,7}|900[0-9]{7})")


def _extension(digits: str, plan: NumberPlan) -> _Found | None:
    if not plan.extensions.matches(digits):
        return None
    return _Found(Kind.EXTENSION, digits, _EXTENSION, candidates=(digits,))


def _short(digits: str, plan: NumberPlan) -> _Found | None:
    if not _SHORT_CODE.fullmatch(digits):
        return None
    return _Found(Kind.SHORT, digits, _SHORT, candidates=(digits,))


def _toll_free(digits: str, plan: NumberPlan) -> _Found | None:
    match = _TOLL_FREE.fullmatch(digits)
    if match is None or (match["area"] and match["area"] not in AREA_CODES):
        return None
    number = "0" + match["number"]
    return _Found(Kind.SPECIAL, number, _SPECIAL, "+55" + number[1:], (number,))


def _is_special(number: str) -> bool:
    return len(number) == 8 and number[:3] in ("400", "300")


def _special(number: str, *also: str) -> _Found:
    return _Found(Kind.SPECIAL, number, _SPECIAL, "+55" + number, (number, *also))


# Area code and number -----------------------------------------------------------------------------


def _subscriber(area: str, number: str) -> _Found | None:
    """``number`` of 8 or 9 digits in an existing ``area``, or None if no such number can be."""
    if len(number) == 9:
        return _mobile(area, number) if number[0] == "9" else None
    if _is_special(number):
        return _special(number, area + number).after(_NEEDLESS_AREA)
    if number[0] in "2345":
        return _fixed(area + number)
    return _mobile(area, "9" + number).after(_NINTH) if number[0] in "6789" else None


def _fixed(national: str) -> _Found:
    return _Found(Kind.FIXED, national, _FIXED[national[:2]], "+55" + national, (national,))


def _mobile(area: str, number: str) -> _Found:
    national = area + number
    return _Found(Kind.MOBILE, national, _MOBILE[area], "+55" + national, _both_forms(national))


def _both_forms(mobile: str) -> tuple[str, ...]:
    """With and without the ninth digit, if the number can be old enough to have been used without."""
    return (mobile, mobile[:2] + mobile[3:]) if mobile[3] in "6789" else (mobile,)


# What may stand before area code and number: country, trunk 0 and operator, or the call for collect. An
# operator's code is any two digits, as many existed; 00 + operator + 55 is Brazil called from Brazil.
_HEAD = re.compile(
    r"(?:(?P<access>0{2,}(?P<carrier>[1-9][0-9])?55)|(?P<country>0?55))?"
    r"(?P<trunk>0(?P<operator>[1-9][0-9])?)?|(?P<collect>90(?:[1-9][0-9])?)"
)


def _complete(digits: str, plan: NumberPlan) -> _Found | None:
    """Area code and number, whatever may stand before them."""
    found = next(_behind_heads(digits), None)
    second = _other_country_55(digits, plan) if found else None
    return _with_second(found, second) if found and second else found


def _behind_heads(digits: str) -> Iterator[_Found]:
    for size in (11, 10):
        head, area, number = digits[:-size], digits[-size : 2 - size], digits[2 - size :]
        if len(digits) < size or area not in AREA_CODES or (steps := _head_steps(head)) is None:
            continue
        if found := _subscriber(area, number):
            yield found.after(*steps, collect=head.startswith("90"))


@lru_cache(maxsize=1024)
def _head_steps(head: str) -> tuple[Step, ...] | None:
    match = _HEAD.fullmatch(head)
    if match is None:
        return None
    return tuple(Step(rule, text.format(match[rule])) for rule, text in _HEAD_TEXTS.items() if match[rule])


def _other_country_55(digits: str, plan: NumberPlan) -> _Found | None:
    """5587654321 may be area code 55, or the country's code before a number of the tenant's own area."""
    if len(digits) != 10 or digits[:2] != "55" or plan.area_code in (None, "55") or _is_special(digits[2:]):
        return None
    return _local(digits[2:], plan)


def _with_second(found: _Found, second: _Found) -> _Found:
    candidates = tuple(dict.fromkeys(found.candidates + second.candidates))
    return _Found(found.kind, found.national, (*found.steps, _TWO_READINGS), found.e164, candidates, found.collect)


def _local(digits: str, plan: NumberPlan) -> _Found | None:
    """A number of the tenant's own area, sent without the area code."""
    for size in (9, 8):
        head, number = digits[:-size], digits[-size:]
        if len(digits) >= size and head in _LOCAL_HEADS and (found := _in_own_area(number, plan)):
            return found.after(*_LOCAL_HEADS[head], collect=head == "9090")
    return None


def _country_before_local(digits: str, plan: NumberPlan) -> _Found | None:
    """+55 and a number without area code; or area code 55 behind a + that does not belong there."""
    if digits[:4] != "0055":
        return None
    found = _short(digits[4:], plan) or _local(digits[4:], plan)
    if found is None or found.kind is Kind.UNKNOWN:
        return None
    found, second = found.after(_COUNTRY), _complete(digits[2:], plan)
    return _with_second(found, second) if second else found


def _in_own_area(number: str, plan: NumberPlan) -> _Found | None:
    if _is_special(number):
        return _special(number)
    found = _subscriber(plan.area_code or "11", number)
    if found and plan.area_code is None:
        return _unknown(number, _NO_AREA)
    return found.after(_own_area(found.national[:2])) if found else None


# Numbers abroad, and numbers behind zeros too many ------------------------------------------------

_COUNTRIES = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
_REWRITTEN = re.compile(r"0|(?<=54)")


def _abroad(digits: str, plan: NumberPlan) -> _Found | None:
    return _foreign(digits.lstrip("0"), _DIRECT) if digits[:2] == "00" else None


def _abroad_by_operator(digits: str, plan: NumberPlan) -> _Found | None:
    """00, operator and country. Tried last, and never behind a +, which no operator's code can follow."""
    return _foreign(digits.lstrip("0")[2:], _BY_OPERATOR) if digits[:2] == "00" else None


def _foreign(number: str, step: Step) -> _Found | None:
    e164 = _valid_abroad(number)
    if e164 is None:
        return None
    national = "00" + e164[1:]
    return _Found(Kind.FOREIGN, national, (step,), e164, (national,))


def _valid_abroad(number: str) -> str | None:
    """E.164 of ``number`` (country code first) if it is valid in some country other than Brazil."""
    if not 7 <= len(number) <= 16 or number[0] == "0" or number.startswith("55"):
        return None
    country = next((number[:size] for size in (1, 2, 3) if int(number[:size]) in _COUNTRIES), "")
    if not country or (country == "1" and len(number) != 11):
        return None
    if _is_valid_in(country, number[len(country) :]):
        return "+" + number
    return _parsed_abroad(number) if _REWRITTEN.match(number, len(country)) else None


def _is_valid_in(country: str, number: str) -> bool:
    """Asks the library without its parser, which takes most of the time and is built for texts with noise."""
    zeros = len(number) - len(number.lstrip("0"))
    candidate = phonenumbers.PhoneNumber(
        country_code=int(country),
        national_number=int(number),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros or None,
    )
    return bool(phonenumbers.is_valid_number(candidate))


def _parsed_abroad(number: str) -> str | None:
    """For what is written yet not dialled from abroad: the (0) in +44 (0)20, the 15 in +54 11 15."""
    try:
        parsed = phonenumbers.parse("+" + number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _stray_zeros(digits: str, plan: NumberPlan) -> _Found | None:
    """Some exchanges put 00 or + before whatever they have, and some users a 0 before a 0."""
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
    _abroad,
    _stray_zeros,
)


# What the steps say -------------------------------------------------------------------------------

_EXTENSION = (Step("extension", "Is one of the tenant's extensions."),)
_FEATURE_CODE = (Step("feature-code", "Is a code of the exchange itself, used like an extension."),)
_SHORT = (Step("short", "Is a public service or operator code, dialled as it is."),)
_SPECIAL = (Step("special", "Is a special number, which has no area code."),)
_UNEXPLAINED = (Step("unexplained", "No rule explains it, so it stays as it came."),)
_NO_AREA = (Step("no-area-code", "Lacks an area code, and the tenant has none configured."),)
_WITHHELD = _Found(Kind.WITHHELD, "", (Step("withheld", "The caller shows no number."),))

_NINTH = Step("ninth-digit", "Put the 9 in front that every mobile number has had since 2016.")
_NEEDLESS_AREA = Step("needless-prefix", "Took off an area code or 55 that does not belong before it.")
_TWO_READINGS = Step("two-readings", "Kept a second reading: 55 is an area code and the country's code.")
_COUNTRY = Step("access", "Took off Brazil's country code in front of a number without area code.")
_DIRECT = Step("foreign", "Is a valid number in another country.")
_BY_OPERATOR = Step("foreign-operator", "Took off an operator's code; is a valid number in another country.")
_STRAY_ZEROS = Step("stray-zeros", "Took off leading zeros or a + that led nowhere.")

_HEAD_TEXTS = {
    "access": "Took off {}, which leads to Brazil from abroad.",
    "country": "Took off Brazil's country code ({}).",
    "trunk": "Took off {}: the 0 of long-distance calls and the operator's code, if any.",
    "collect": "Took off {}, which asks the called party to pay.",
}
_LOCAL_HEADS = {
    "": (),
    "0": (Step("trunk", "Took off a 0 in front of a local number."),),
    "9090": (Step("collect", "Took off 9090, which asks the called party in the same area to pay."),),
}


def _area_steps(rule: str, text: str) -> dict[str, tuple[Step, ...]]:
    return {area: (Step(rule, text.format(area)),) for area in AREA_CODES}


_FIXED = _area_steps("fixed", "Is a fixed line: area code {} exists, and eight digits from 2 to 5 follow.")
_MOBILE = _area_steps("mobile", "Is a mobile: area code {} exists, and nine digits from 9 on follow.")


@lru_cache(maxsize=len(AREA_CODES))
def _own_area(area: str) -> Step:
    return Step("area-code", f"Put the tenant's area code {area} in front.")
