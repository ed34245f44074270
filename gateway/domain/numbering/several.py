"""Several numbers in one text, as directories have them in one cell: each as a text of its own, which reads alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from gateway.domain.numbering.numbers import NumberPlan, read
from gateway.domain.numbering.reading import NumberKind, Reading
from gateway.domain.numbering.spreadsheet import cell

MOST = 250
"""Numbers that are looked for in one text, which is more than a cell of the longest size has room for."""
_COMPLETE = 8
_NUMBERS = (NumberKind.FIXED, NumberKind.MOBILE, NumberKind.SPECIAL, NumberKind.FOREIGN)
_OF_AN_AREA = (NumberKind.FIXED, NumberKind.MOBILE)
# Steps that leave digits of the text out.
_LEFT_OUT = {"embedded", "second-number", "their-extension", "display-name"}
_MAY_BE_SEVERAL = re.compile(r"[/\\,;|\n]|\b(?:e|ou|or|and)\b", re.IGNORECASE)
_FEWEST_OF_TWO = 14

_TOKEN = re.compile(r"[+(]*[0-9](?:[0-9).+*-]|[xX]{1,2}(?=[0-9(]))*")
# A dash between two runs of as many digits as a whole number has stands between two numbers.
_DASHES = re.compile(r"[0-9]-(?=[+(]?[0-9])")
# What may stand inside a number: signs at any place, a stroke or a dash with spaces only before its last eight digits.
_SPACE = re.compile(r"[ \t\u00a0]?(?:xx|XX|\*\*)?[ \t\u00a0]?")
_BREAK = re.compile(r"[ \t/\\,.:()\u2010-\u2015-]*")
_TAIL = re.compile(r"\s*(?:/|\\|\b(?:e|ou|or|and)\b)\s*", re.IGNORECASE)
_NEXT = re.compile(r"\s*(?:[/\\;|\n]|\b(?:e|ou|or|and)\b)\s*", re.IGNORECASE)
_WORDS = re.compile(r"[/;|\n]")
_A_TAIL = 4
_FAR = {1: 10, 2: 100, 3: 100, _A_TAIL: 1000}
"""How far the replaced end of a number may be from the one before, by its digits."""
_MOST_TOKENS = 8


@dataclass(frozen=True)
class _Text:
    """A text with its runs of digits, each as (begin, end)."""

    text: str
    plan: NumberPlan

    @cached_property
    def tokens(self) -> Sequence[tuple[int, int]]:
        found = (span for token in _TOKEN.finditer(self.text) for span in _apart(self.text, *token.span()))
        return list(islice(found, MOST * _MOST_TOKENS))

    def words(self, first: int, last: int) -> str:
        """Return what is written from one token to the end of another."""
        return self.text[self.tokens[first][0] : self.tokens[last][1]].rstrip(".-+*(")

    def gap(self, token: int) -> str:
        """Return what is written between ``token`` and the one before it."""
        return self.text[self.tokens[token - 1][1] : self.tokens[token][0]]

    def digits(self, first: int, last: int) -> int:
        return _count(self.words(first, last))

    def is_number(self, first: int, last: int) -> bool:
        """Return whether the tokens from ``first`` to ``last`` are one number, with all of their digits."""
        for token in range(first + 1, last + 1):
            before = self.digits(first, token - 1)
            if not (_SPACE.fullmatch(self.gap(token)) or (before < _COMPLETE and _BREAK.fullmatch(self.gap(token)))):
                return False
        return self.digits(first, last) >= _COMPLETE and _whole(read(self.words(first, last), self.plan))


def numbers_in(text: str, plan: NumberPlan) -> tuple[str, ...]:
    """Return the numbers that ``text`` holds, each as it is written there; ``(text,)`` when there is one, or none.

    A number without area code behind one that has it is of the same area: "(11) 3210-0123 / 3210-0124". What is shorter
    replaces the end of the number before.

    >>> numbers_in("(47) 3210-0123/0124", NumberPlan("47"))
    ('(47) 3210-0123', '(47) 3210-0124')
    """
    digits = _count(text)
    if digits <= _COMPLETE or (digits < _FEWEST_OF_TWO and not _MAY_BE_SEVERAL.search(text)) or cell(text.strip()):
        return (text,)
    found = list(dict.fromkeys((*_pieces(_Text(text, plan)), *_without_digits(text))))
    return tuple(found) if len(found) > 1 else (text,)


def _count(text: str) -> int:
    return sum(map(str.isdigit, text))


def _apart(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield one run of digits as (begin, end), or several: a dash may stand between two whole numbers."""
    for dash in _DASHES.finditer(text, begin, end):
        after = dash.end()
        if min(_count(text[begin:after]), _count(text[after:end])) >= _COMPLETE:
            yield begin, after - 1
            begin = after
    yield begin, end


def _whole(reading: Reading) -> bool:
    return reading.kind in _NUMBERS and not any(done.rule in _LEFT_OUT for done in reading.steps)


def _pieces(text: _Text) -> Iterator[str]:
    """Yield the numbers, and what is as long as one and reads as none, so that it is refused with its own words."""
    area = before = ""
    for first, last, number in _cut(text):
        words = text.words(first, last)
        if number:
            reading = read(words, text.plan)
            before = _in_area(words, reading, area)
            area = _area_of(reading) or area
            yield before
        elif before and (tail := _with_tail(before, words, text.gap(first), text.plan)):
            yield tail
        elif _count(words) >= _COMPLETE - 2 or (before and _NEXT.fullmatch(text.gap(first))):
            yield words


def _cut(text: _Text) -> list[tuple[int, int, bool]]:
    """Group the tokens so that the fewest digits belong to no number: (first, last, whether it is one)."""
    best: list[tuple[tuple[int, int], list[tuple[int, int, bool]]]] = [((0, 0), [])]
    for last in range(len(text.tokens)):
        (lost, pieces), cut = best[last]
        choices = [((lost + text.digits(last, last), pieces), [*cut, (last, last, False)])]
        for first in range(max(0, last - _MOST_TOKENS + 1), last + 1):
            if text.is_number(first, last):
                (lost, pieces), cut = best[first]
                choices.append(((lost, pieces + 1), [*cut, (first, last, True)]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return best[-1][1]


def _in_area(words: str, reading: Reading, area: str) -> str:
    """Return ``words`` with the area code of the number before, where it has none itself."""
    local = reading.kind in _OF_AN_AREA and any(done.rule == "area-code" for done in reading.steps)
    return f"({area}) {words}" if area and local else words


def _area_of(reading: Reading) -> str:
    """Return the area code that a number was written with."""
    told = reading.kind in _OF_AN_AREA and all(done.rule != "area-code" for done in reading.steps)
    return reading.national[:2] if told else ""


def _with_tail(number: str, tail: str, gap: str, plan: NumberPlan) -> str:
    """Return ``number`` with its end replaced by ``tail``, up to four digits that count on from its last ones; else
    ``""``.
    """
    size = len(tail)
    if not (tail.isdigit() and size in _FAR and _TAIL.fullmatch(gap) and number[-size:].isdigit()):
        return ""
    listed = not plan.extensions.guessed and plan.extensions.matches(tail)
    counts_on = 0 < int(tail) - int(number[-size:]) < _FAR[size]
    return number[:-size] + tail if counts_on and not listed else ""


def _without_digits(text: str) -> Iterator[str]:
    """Return what stands in a number's place and has no digits: 'sem telefone'."""
    parts = (part.strip() for part in _WORDS.split(text))
    return (part for part in parts if part and not _count(part) and any(map(str.isalpha, part)))
