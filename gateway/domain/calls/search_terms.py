"""What of a call can be found by words, and by which small tokens an index finds it.

An index that holds the tokens of a call leads to every call that a term matches, and to some others: what it found is
looked at by ``matches``. So tokens of what a call said before do no harm, and an index need never forget any.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache, partial
from typing import NamedTuple

SHORTEST = 2
"""Of how many letters a word has a token: its beginning."""
GRAM = 3
DIGITS = 4
"""Numbers are long and much alike, so that they are found by more of their digits at once."""
LONGEST_TEXT = 16_000
"""Characters of one text that are looked at."""
SHORT = 64
"""A longer text is no number or code, and hardly comes twice."""
WORDS = re.compile(r"[^\W_]+")
RUNS = re.compile(r"[0-9]{4,}")
NUMBER_LIKE = re.compile(r"[\d\s()+./*#-]*\d[\d\s()+./*#-]*", re.ASCII)


class Field(StrEnum):
    """Where a term is looked for; ``ANY`` is everywhere."""

    ANY = "any"
    NAME = "name"
    NUMBER = "number"
    ENDING = "ending"
    CODE = "code"
    NOTE = "note"
    WHO = "who"
    QUEUE = "queue"
    LINE = "line"


class Term(NamedTuple):
    """A text that has to stand in a call, folded, in one field or anywhere."""

    field: Field
    text: str


class Line(NamedTuple):
    """One text of a call, folded. ``digits`` are those of a number or code without what stands between them."""

    field: Field
    text: str
    digits: str = ""


def folded(text: str) -> str:
    """Return ``text`` without case and accents: ``São João`` as ``sao joao``."""
    return text.lower() if text.isascii() else _folded(text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(each for each in plain if not unicodedata.combining(each))).casefold()


def digits_of(text: str) -> str:
    """Return ``(47) 3210-0123`` as ``4732100123``; empty where other things than a number stand there."""
    return re.sub(r"\D", "", text, flags=re.ASCII) if NUMBER_LIKE.fullmatch(text) else ""


def line_of(field: Field, text: str | None) -> Sequence[Line]:
    """Return ``text`` as it is looked through, nothing of an empty one."""
    if not text:
        return ()
    return _short_line(field, text) if len(text) <= SHORT else (Line(field, folded(text[:LONGEST_TEXT])),)


@lru_cache(maxsize=8192)
def _short_line(field: Field, text: str) -> Sequence[Line]:
    return (Line(field, folded(text), digits_of(text)),)


def term_of(field: Field, text: str) -> Term | None:
    """Return what to look for, None where nothing is left of ``text``."""
    found = folded(text.strip())
    if field in (Field.NUMBER, Field.ENDING):
        found = re.sub(r"\D", "", found, flags=re.ASCII) or found
    return Term(field, found) if found else None


def matches(term: Term, lines: Iterable[Line]) -> bool:
    """Return whether ``term`` stands in any of ``lines``; of one or two characters, whether a word begins so."""
    return matcher(term)(lines)


def matcher(term: Term) -> Callable[[Iterable[Line]], bool]:
    """Return what says so of many calls: all that is to be found out of the term alone is found out once."""
    digits = digits_of(term.text)
    stands_in = _line_test(term.text, digits)
    if term.field is Field.ENDING:
        ending = digits or "?"
        return lambda lines: any(line.field is Field.NUMBER and line.digits.endswith(ending) for line in lines)
    if term.field is Field.ANY:
        return lambda lines: any(map(stands_in, lines))
    field = term.field
    return lambda lines: any(line.field is field and stands_in(line) for line in lines)


def rules_out(terms: Iterable[Term]) -> Callable[[str], bool]:
    """Return what says of all texts of a call, one behind the other with line ends between, whether one of ``terms``
    surely stands in none of them. To ask so takes a tenth of the time of making lines; what is left is for ``matches``.
    """
    tests = [test for term in terms if (test := _missing(term))]

    def is_ruled_out(texts: str) -> bool:
        plain = folded(texts)
        return any(test(plain) for test in tests)

    return is_ruled_out if tests else lambda _texts: False


def _missing(term: Term) -> Callable[[str], bool] | None:
    """Return what says whether ``term`` surely does not stand in a folded text, None where only lines tell: of digits,
    which may have something between them there.
    """
    if term.field is Field.ENDING:
        return None
    if len(term.text) < GRAM:  # the digits of a number begin where its first word does
        begins = re.compile(rf"(?:^|[\W_]){re.escape(term.text[0])}")
        return lambda text: begins.search(text) is None
    return None if digits_of(term.text) else lambda text: term.text not in text


def _line_test(text: str, digits: str) -> Callable[[Line], bool]:
    if len(text) < GRAM:
        return partial(_begins_in, text)
    if not digits:
        return lambda line: text in line.text
    if digits != text:
        return lambda line: digits in line.digits
    return lambda line: text in line.text or digits in line.digits


def _begins_in(text: str, line: Line) -> bool:
    if line.digits.startswith(text):
        return True
    return text in line.text and any(word.startswith(text) for word in WORDS.findall(line.text))


def tokens_of_lines(lines: Iterable[Line]) -> set[str]:
    """Return the tokens by which the terms that match ``lines`` are found."""
    found: set[str] = set()
    for line in lines:
        for word in dict.fromkeys((*WORDS.findall(line.text), line.digits)):
            found |= _tokens_of_word(word)
        if line.digits and line.field is Field.NUMBER:
            found.add("$" + line.digits[-DIGITS:])
    return found


def tokens_of_term(term: Term) -> frozenset[str]:
    """Return tokens that each call has which ``term`` matches; none where it is too short to narrow anything."""
    digits = digits_of(term.text)
    if term.field is Field.ENDING and len(digits) == DIGITS:
        return frozenset(("$" + digits,))
    if len(term.text) < GRAM:
        return _beginning(digits or term.text)
    if digits:
        return frozenset(_grams(digits, DIGITS if len(digits) >= DIGITS else GRAM))
    return frozenset().union(*(_inner_tokens(word) for word in WORDS.finditer(term.text)))


def _inner_tokens(word: re.Match[str]) -> frozenset[str]:
    """Return what a word of a text is found by: its first letters are those of a word there unless it stands first."""
    runs = (_grams(run, DIGITS) for run in RUNS.findall(word[0]))
    found = frozenset(_grams(word[0], GRAM)).union(*runs)
    return found or (_beginning(word[0]) if word.start() else frozenset())


def _beginning(word: str) -> frozenset[str]:
    return frozenset(("^" + word[:SHORTEST],)) if len(word) >= SHORTEST and WORDS.fullmatch(word) else frozenset()


def _tokens_of_word(word: str) -> set[str]:
    found = set(_grams(word, GRAM))
    found |= _beginning(word)
    for run in RUNS.findall(word):
        found.update(_grams(run, DIGITS))
    return found


def _grams(text: str, size: int) -> Iterable[str]:
    return (text[start : start + size] for start in range(len(text) - size + 1))


def facet_tokens(facets: Mapping[str, Iterable[str]]) -> set[str]:
    """Return tokens of what is chosen, not searched: ``{"result": ["busy"]}`` as ``=result:busy``."""
    return {facet_token(name, value) for name, values in facets.items() for value in values}


def facet_token(name: str, value: str) -> str:
    """Return the token of one value of a facet."""
    return f"={name}:{value}"
