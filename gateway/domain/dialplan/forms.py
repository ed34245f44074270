"""How a number is written for an exchange, and the patterns that numbers are picked by, both as configured."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.numbering.extensions import LONGEST
from gateway.domain.numbering.reading import NumberKind
from gateway.domain.patterns import Pattern
from gateway.texts.text import Listing, Text

_FORM = re.compile(r"(\+?[0-9*#]*)\{(national|local|international)\}([*#]*)")
_PATTERN = re.compile(r"(?:\+|[0-9])?[0-9xX]*\*?")


@dataclass(frozen=True, slots=True)
class Subject:
    """A number about to be dialled: its kind and its forms, None where it has no such form.

    ``national`` is what the rules' patterns are held against: area code and number, 00 and country for abroad,
    all others as they are. ``dialled`` is the same with the operator's code for abroad that was written.
    """

    kind: NumberKind
    national: str
    dialled: str
    local: str | None = None
    international: str | None = None

    @property
    def area(self) -> str | None:
        """The area code of a fixed line or a mobile."""
        return self.national[:2] if self.local else None


@dataclass(frozen=True, slots=True)
class DialForm:
    """``before``, one form of a number, ``after``: made by `parse` from a text such as ``0{national}``."""

    before: str
    name: str
    after: str

    @classmethod
    def parse(cls, text: str) -> "DialForm":
        """Read a form such as ``0{national}``. Raises ``ValueError``, which says what is expected."""
        match = _FORM.fullmatch(text.replace(" ", ""))
        if match is None:
            raise ValueError(
                Text(
                    "{text!r} cannot be dialled: expected one of {forms}, with digits, * or # before it and * or # "
                    "behind it, as in {first!r} or {second!r}",
                    text=text,
                    forms=Listing(("{national}", "{local}", "{international}")),
                    first="0{national}",
                    second="+{international}",
                )
            )
        return cls(*match.groups())

    def __str__(self) -> str:
        return f"{self.before}{{{self.name}}}{self.after}"

    def write(self, subject: Subject) -> str:
        """Return ``subject`` in this form; in its national one when it has none such, which no rule asks for."""
        value = {
            "national": subject.dialled,
            "local": subject.local,
            "international": subject.international,
        }[self.name] or subject.dialled
        # An operator's code for abroad (0015) that was written already stands at the front of the number itself.
        there = self.before.startswith("00") and value.startswith(self.before)
        return ("" if there else self.before) + value + self.after


def pattern(text: str) -> Pattern:
    """Return what ``0900*``, ``11xxxxxxxx``, ``+1*`` or ``/regular expression/`` matches, held against a whole number.

    Raises ``ValueError``, which says what is expected.
    """
    if len(text) > 2 and text[0] == text[-1] == "/":
        return _regular_expression(text)
    plain = text.replace(" ", "")
    if not plain or plain in ("*", "+") or not _PATTERN.fullmatch(plain):
        raise ValueError(
            Text(
                "number pattern {text!r} is not understood: expected digits, x for any digit, * at the end for any "
                "further ones, as in '0900*' or '47xxxxxxxx', or a /regular expression/",
                text=text,
            )
        )
    digits = plain.replace("+", "00").lower().replace("x", "[0-9]")
    return Pattern(digits.replace("*", ".*"))


def patterns(texts: Iterable[str]) -> tuple[tuple[str, Pattern], ...]:
    """Return each text, once, with the `pattern` that it is."""
    return tuple((text, pattern(text)) for text in dict.fromkeys(texts))


def matches(patterns: tuple[Pattern, ...], number: str) -> bool:
    """Return whether one of ``patterns`` matches ``number``; no text longer than a number is matched against them.

    Raises ``SlowPattern`` when a pattern takes too long for it.
    """
    return len(number) <= LONGEST and any(each.fullmatch(number) for each in patterns)


def _regular_expression(text: str) -> Pattern:
    try:
        return Pattern(text[1:-1])
    except re.error as error:
        told = Text("number pattern {text!r} is no regular expression ({reason})", text=text, reason=str(error))
        raise ValueError(told) from None
