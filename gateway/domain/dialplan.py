"""From a number as somebody wrote it to the digits that an exchange shall dial."""

import re
from dataclasses import dataclass, replace
from enum import IntEnum

from gateway.domain.number_text import typed
from gateway.domain.numbers import NumberPlan, read
from gateway.domain.reading import Kind, Reading, Step
from gateway.domain.sentences import step

_PREFIX = re.compile(r"[0-9*#]*")


class NothingToDial(ValueError):
    """The text holds no number or extension: no digits, or a caller who withheld it."""


@dataclass(frozen=True, slots=True)
class DialPlan:
    """``prefix`` goes before every number that is no extension: 0, an operator's code, anything; "" for none.

    Source: the CRM's manual on click-to-call.

    :raises ValueError: ``prefix`` holds other signs than 0-9, * and #.
    """

    prefix: str = ""

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(f"Dial prefix {self.prefix!r} cannot be dialled: expected only 0-9, * and #.")


@dataclass(frozen=True, slots=True)
class Dialled:
    """``digits`` to send (only 0-9, * and #), the ``reading`` they rest on, and every step on the way."""

    digits: str
    reading: Reading
    steps: tuple[Step, ...]


def dial(raw: str, plan: DialPlan, numbers: NumberPlan) -> Dialled:
    """The digits that call ``raw``: an extension as it is, a number in its national form behind the prefix.

    The CRM may have put the prefix there itself; it is never there twice, and dialling what was dialled
    changes nothing. Yet what came as a complete number has no prefix: with prefix 9, ``91934567890`` is
    a mobile in Pará, not (19) 3456-7890.

    :raises NothingToDial: no digits, or withheld.
    """
    written, reading = _choose(raw, plan.prefix, numbers)
    if reading.kind is Kind.WITHHELD or not typed(raw).digits:
        raise NothingToDial(f"Nothing to dial in {raw[:40]!r}: expected a telephone number or an extension.")
    digits, last = _digits(written, reading, plan, numbers)
    reading = replace(reading, input=raw)
    return Dialled(digits, reading, (*reading.steps, last))


class _Trust(IntEnum):
    """How sure it is that a text is the number it was read as."""

    NONE = 0
    DERIVED = 1  # a number once something was added or taken off
    EXACT = 2  # the very digits of a number


def _trust(written: str, reading: Reading) -> _Trust:
    if reading.kind in (Kind.UNKNOWN, Kind.WITHHELD):
        return _Trust.NONE
    if any(step.rule == "stray-zeros" for step in reading.steps):
        return _Trust.NONE
    if reading.national == written:
        return _Trust.EXACT
    # 0 and 151 is a public service, and just as well the prefix 015 and 1.
    return _Trust.NONE if reading.kind is Kind.SHORT else _Trust.DERIVED


def _choose(raw: str, prefix: str, numbers: NumberPlan) -> tuple[str, Reading]:
    """The text and its reading, without the prefix if that was there already."""
    written, whole = _written(raw), read(raw, numbers)
    if not prefix or not written.startswith(prefix) or typed(raw).international:
        return written, whole
    rest = written[len(prefix) :]
    behind = read(rest, numbers)
    if _was_prefixed(_trust(written, whole), _trust(rest, behind), behind):
        return rest, behind
    return written, whole


def _was_prefixed(whole: _Trust, rest: _Trust, behind: Reading) -> bool:
    if rest is _Trust.EXACT:
        return whole is not _Trust.EXACT
    return whole is _Trust.NONE and behind.kind is not Kind.WITHHELD


def _written(raw: str) -> str:
    """The digits as sent, with * and #, for a prefix may hold these."""
    text = typed(raw)
    if text.international or text.feature_code:
        return text.feature_code or text.dialled
    return re.sub(r"[^0-9*#]", "", text.core).rstrip("*#")


def _digits(written: str, reading: Reading, plan: DialPlan, numbers: NumberPlan) -> tuple[str, Step]:
    if reading.kind is Kind.EXTENSION:
        return reading.national, _UNCHANGED
    if reading.kind is Kind.FOREIGN:
        return _foreign(written, reading, plan.prefix), _behind(plan.prefix)
    if reading.kind is Kind.UNKNOWN and plan.prefix:
        return _unknown(plan.prefix + reading.national, plan, numbers), _behind(plan.prefix)
    return plan.prefix + reading.national, _behind(plan.prefix)


def _foreign(written: str, reading: Reading, prefix: str) -> str:
    """Keeps an operator's code that was written, drops such as the (0) in +44 (0)20."""
    abroad = (reading.e164 or "")[1:]
    digits = re.sub(r"[^0-9]", "", written).lstrip("0")
    own = "00" + digits if digits.endswith(abroad) else reading.national
    return own if prefix.startswith("00") and own.startswith(prefix) else prefix + own


def _unknown(digits: str, plan: DialPlan, numbers: NumberPlan) -> str:
    """The prefix may complete a number: behind 0, 15 11 98765-4321 begins with an operator's code."""
    reading = read(digits, numbers)
    if _trust(digits, reading) is not _Trust.DERIVED:
        return digits
    return _digits(digits, reading, plan, numbers)[0]


_UNCHANGED = step("dial-extension")


def _behind(prefix: str) -> Step:
    return step("dial-prefix", prefix) if prefix else step("dial-number")
