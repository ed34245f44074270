"""Which digits are a tenant's own extensions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.patterns import Pattern, SlowPattern
from gateway.texts.text import Fact, Text

# A longer text is no number, and a tenant's regular expression shall not be run over it.
LONGEST = 32

_RANGE = re.compile(r"([0-9]+)\s*-\s*([0-9]+)")
_WILDCARD = re.compile(r"(?=[0-9]*[xX])[0-9xX]+")
_PUBLIC_SHORT = re.compile(r"0?1[0-9]{2}|10[3-6][0-9]{2}")
_EXPECTED = Text("expected digits (201), a range (3500-3599), x for any digit (2xx) or a /regular expression/")


@dataclass(frozen=True, slots=True)
class Extensions:
    """A tenant's extensions, made by `parse` or, when the tenant lists none, by `guess`.

    ``spans`` are pairs (first, last) of equally many digits, ``patterns`` are matched against the whole text;
    ``guessed`` takes what looks like an extension besides.
    """

    spans: tuple[tuple[str, str], ...] = ()
    patterns: tuple[Pattern, ...] = ()
    guessed: bool = False

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Extensions":
        """Read extensions from settings such as ``["3500-3599", "2xx", "201", "/4[0-3]../"]``; `guess` from none.

        Raises ``ValueError`` for a text that is no such pattern; the message says what came and what is expected.
        """
        if isinstance(texts, str):
            raise ValueError(Text("Extensions came as the one text {text!r}: expected a list of texts.", text=texts))
        if not texts:
            return cls.guess()
        parsed = [_pattern(text.strip()) for text in texts]
        spans = tuple(each for each in parsed if isinstance(each, tuple))
        return cls(spans, tuple(each for each in parsed if isinstance(each, Pattern)))

    @classmethod
    def guess(cls) -> "Extensions":
        """Return the guess without settings: two to five digits, unless they are a public short code (190, 0190, 10315)
        or begin with 00.
        """
        return cls(guessed=True)

    def joined(self, other: "Extensions") -> "Extensions":
        """Return these extensions together with those of ``other``."""
        return Extensions(self.spans + other.spans, self.patterns + other.patterns, self.guessed or other.guessed)

    def matches(self, digits: str) -> bool:
        """Return whether ``digits`` is one of the extensions."""
        if self.guessed and _looks_internal(digits):
            return True
        size = len(digits)
        for first, last in self.spans:
            if len(first) == size and first <= digits <= last:
                return True
        return bool(self.patterns) and size <= LONGEST and self._match_pattern(digits)

    def _match_pattern(self, digits: str) -> bool:
        return any(_matches(pattern, digits) for pattern in self.patterns)


def _matches(pattern: Pattern, digits: str) -> bool:
    """Return whether ``pattern`` matches. What takes too long to tell is no extension: the event is kept
    all the same.
    """
    try:
        return pattern.fullmatch(digits)
    except SlowPattern:
        return False


def _looks_internal(digits: str) -> bool:
    if not 2 <= len(digits) <= 5 or digits[:2] == "00":
        return False
    return _PUBLIC_SHORT.fullmatch(digits) is None


def _pattern(text: str) -> tuple[str, str] | Pattern:
    if len(text) > 2 and text[0] == text[-1] == "/":
        return _regular_expression(text)
    if span := _RANGE.fullmatch(text):
        return _span(text, span[1], span[2])
    if _WILDCARD.fullmatch(text):
        return _wildcard(text.lower())
    if text.isascii() and text.isdigit():
        return text, text
    raise ValueError(Text("Extension pattern {text!r} is not understood: {expected}.", text=text, expected=_EXPECTED))


def _wildcard(text: str) -> tuple[str, str] | Pattern:
    """Return a span where the wildcard is one (2xx), for spans are faster; else (2x0) a regular expression."""
    if "x" in text.rstrip("x"):
        return Pattern(text.replace("x", "[0-9]"))
    return text.replace("x", "0"), text.replace("x", "9")


def _regular_expression(text: str) -> Pattern:
    try:
        return Pattern(text[1:-1])
    except re.error as error:
        facts: dict[str, Fact] = {"text": text, "reason": str(error), "expected": _EXPECTED}
        told = Text("Extension pattern {text!r} is no regular expression ({reason}): {expected}.", **facts)
        raise ValueError(told) from None


def _span(text: str, first: str, last: str) -> tuple[str, str]:
    if len(first) != len(last):
        raise ValueError(
            Text(
                "Extension range {text!r} has ends of {first} and {last} digits: expected as many on both sides, as in "
                "3500-3599.",
                text=text,
                first=len(first),
                last=len(last),
            )
        )
    if first > last:
        facts = {"text": text, "first": first, "last": last}
        raise ValueError(Text("Extension range {text!r} runs backwards: expected {last}-{first}.", **facts))
    return first, last
