"""The search box: words, parts of numbers, days and ``name:value`` in one line, in three languages.

Any text is a search: what is no date, number or known name is a word that has to stand somewhere in the call. What was
understood comes back in parts, each with the piece of the line it was read from, so that a page can take it away.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.desk.formats import date_text, day_start
from gateway.desk.search_words import ALONE, DAYS, DIRECTIONS, FIELDS, MISSED_WORDS, RESULTS, STATUSES, Key
from gateway.domain.calls.search_terms import Field, folded, term_of
from gateway.store.calls import MISSED, CallFilter
from gateway.texts.languages import Language
from gateway.texts.text import Text

LONGEST = 200
MOST_PARTS = 12
PIECES = re.compile(r'(?:([^\s":]{1,20}):)?"([^"]*)"?|(\S+)')
NUMBER = re.compile(r"[+(]?[\d()./-]*\d[\d()./-]*", re.ASCII)
NUMBER_LINE = re.compile(r"[+0(](?:[\s()./-]*\d){10,15}", re.ASCII)
FOREIGN = re.compile(r"^(?:\+\s*55|[(\s]*0+)", re.ASCII)
ENDING = re.compile(r"(?:\*|\.\.\.?|…)(\d{2,})", re.ASCII)
SHORT_DAY = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?", re.ASCII)
LONG_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
BETWEEN = ("..", "\u2013", "-")
"""What stands between two days; the last one not between ISO days, which hold it."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SearchPart:
    """One thing that was understood: what it is called, its value, and the ``source`` in the line.

    ``wanted`` are the fields of a filter that it sets; none where it was not understood.
    """

    name: Text
    value: Text | str
    source: str
    wanted: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Understood:
    """A whole line."""

    parts: Sequence[SearchPart] = ()

    def narrowed(self, wanted: CallFilter) -> CallFilter:
        """Return ``wanted`` with all that the line says."""
        for part in self.parts:
            terms = (*wanted.terms, *part.wanted.get("terms", ()))
            wanted = replace(wanted, **{**part.wanted, "terms": terms})
        return wanted

    def without(self, part: SearchPart) -> str:
        """Return the line without one part."""
        return " ".join(each.source for each in self.parts if each is not part)


@dataclass(frozen=True, slots=True)
class SearchReader:
    """Who asks: dates are read as their language writes them, days are those of their company."""

    zone: ZoneInfo
    today: date
    language: Language

    def understand(self, line: str) -> Understood:
        """Return what ``line`` says; never raises."""
        pieces = list(_pieces(line[:LONGEST]))
        return Understood([part for piece in pieces[:MOST_PARTS] if (part := self._part(*piece))])

    def _part(self, key: str, value: str, source: str, quoted: bool) -> SearchPart | None:
        known = FIELDS.get(folded(key)) if key else None
        if known is not None:
            return self._named(known, value, source)
        if quoted:
            return _words(Field.ANY, f"{key}:{value}" if key else value, source)
        return self._unnamed(value, source)

    def _named(self, key: Key, value: str, source: str) -> SearchPart | None:
        if not value.strip():
            return SearchPart(key.name, "…", source, {})
        if key.field is not None:
            return _words(key.field, value, source, key.name)
        return READ[key.kind](self, key, value, source) or SearchPart(key.name, value, source, {})

    def _unnamed(self, value: str, source: str) -> SearchPart | None:
        word = folded(value)
        if (word in ALONE or word not in DAYS) and (period := self._days(value)):
            return self._period(FIELDS["dia"].name, period, source)
        if word in MISSED_WORDS:
            return SearchPart(FIELDS["resultado"].name, Text("missed"), source, {"missed": True})
        if ending := ENDING.fullmatch(value):
            return _words(Field.ENDING, ending[1], source, FIELDS["final"].name)
        return _words(Field.ANY, value, source)

    def extension(self, key: Key, value: str, source: str) -> SearchPart:
        return SearchPart(key.name, value, source, {"extension": value.strip()[:32]})

    def result(self, key: Key, value: str, source: str) -> SearchPart | None:
        word = _plain(value)
        if word in MISSED_WORDS:
            return SearchPart(key.name, Text("missed"), source, {"missed": True})
        found = RESULTS.get(word)
        return SearchPart(key.name, found[1], source, {"results": (found[0],)}) if found else None

    def status(self, key: Key, value: str, source: str) -> SearchPart | None:
        word = _plain(value)
        if word in MISSED_WORDS:
            return SearchPart(key.name, Text("missed"), source, {"statuses": (MISSED,)})
        found = STATUSES.get(word)
        return SearchPart(key.name, found[1], source, {"statuses": found[0]}) if found else None

    def direction(self, key: Key, value: str, source: str) -> SearchPart | None:
        found = DIRECTIONS.get(_plain(value))
        return SearchPart(key.name, found[1], source, {"direction": found[0]}) if found else None

    def day(self, key: Key, value: str, source: str) -> SearchPart | None:
        period = self._days(value)
        return self._period(key.name, period, source) if period else None

    def since(self, key: Key, value: str, source: str) -> SearchPart | None:
        period = self._days(value)
        if period is None:
            return None
        return SearchPart(key.name, self._said(period[0]), source, {"since": day_start(period[0], self.zone)})

    def until(self, key: Key, value: str, source: str) -> SearchPart | None:
        period = self._days(value)
        if period is None:
            return None
        return SearchPart(key.name, self._said(period[1]), source, {"until": day_start(period[1], self.zone, after=1)})

    def _period(self, name: Text, period: tuple[date, date], source: str) -> SearchPart:
        first, last = period
        said = self._said(first) if first == last else f"{self._said(first)} \u2013 {self._said(last)}"
        between = {"since": day_start(first, self.zone), "until": day_start(last, self.zone, after=1)}
        return SearchPart(name, said, source, between)

    def _said(self, day: date) -> str:
        return date_text(day_start(day, self.zone), self.zone, self.language)

    def _days(self, text: str) -> tuple[date, date] | None:
        """Return the first and last day that ``text`` names: a day, a word for one or several, or two days."""
        word = folded(text.strip())
        if word in DAYS:
            return DAYS[word](self.today)
        if one := self._one_day(word):
            return one, one
        for sign in BETWEEN:
            first, _, last = word.partition(sign)
            begin, end = self._one_day(first), self._one_day(last)
            if begin and end:
                return min(begin, end), max(begin, end)
        return None

    def _one_day(self, text: str) -> date | None:
        if text in DAYS and (period := DAYS[text](self.today))[0] == period[1]:
            return period[0]
        if found := LONG_DAY.fullmatch(text):
            return _date(int(found[1]), int(found[2]), int(found[3]))
        return self._short_day(text)

    def _short_day(self, text: str) -> date | None:
        """Read ``12/11`` or ``12/11/26``, in English the month first; without a year the last one that was, or is."""
        found = SHORT_DAY.fullmatch(text)
        if found is None:
            return None
        day, month = (int(found[2]), int(found[1])) if self.language == "en" else (int(found[1]), int(found[2]))
        if found[3]:
            return _date(int(found[3]) + (2000 if len(found[3]) < len("2026") else 0), month, day)
        this_year = _date(self.today.year, month, day)
        return this_year if this_year and this_year <= self.today else _date(self.today.year - 1, month, day)


READ: Mapping[str, Callable[[SearchReader, Key, str, str], SearchPart | None]] = {
    "extension": SearchReader.extension,
    "result": SearchReader.result,
    "status": SearchReader.status,
    "direction": SearchReader.direction,
    "day": SearchReader.day,
    "since": SearchReader.since,
    "until": SearchReader.until,
}


def _pieces(line: str) -> Iterator[tuple[str, str, str, bool]]:
    """Yield name, value and source of each piece, and whether it was quoted; the parts of one number as one."""
    number: list[str] = []
    for found in PIECES.finditer(line):
        key, quoted, plain = found.groups()
        if plain and _goes_on(number, plain):
            number.append(plain)
            continue
        yield from _joined(number)
        number = [plain] if plain and _begins_number(plain) else []
        if number:
            continue
        if plain is None:
            yield key or "", quoted, found[0], True
        else:
            name, colon, value = plain.partition(":")
            known = bool(colon) and folded(name) in FIELDS
            yield (name, value, plain, False) if known else ("", plain, plain, False)
    yield from _joined(number)


def _begins_number(piece: str) -> bool:
    """Return whether ``piece`` is the beginning of a number that goes on behind a space: ``(47)``, ``+55``."""
    return piece[0] in "(+" and bool(NUMBER.fullmatch(piece))


def _goes_on(number: Sequence[str], piece: str) -> bool:
    return bool(number) and bool(NUMBER.fullmatch(piece)) and "/" not in piece


def _joined(number: Sequence[str]) -> Iterator[tuple[str, str, str, bool]]:
    if number:
        yield "", " ".join(number), " ".join(number), False


def _words(field: Field, text: str, source: str, name: Text | None = None) -> SearchPart | None:
    term = term_of(field, _national(text))
    return SearchPart(name or Text("Text"), text.strip(), source, {"terms": (term,)}) if term else None


def _national(text: str) -> str:
    """Return a whole number without what is dialled in front of it at home: ``+55``, zeros."""
    return FOREIGN.sub("", text.strip()) if NUMBER_LINE.fullmatch(text.strip()) else text


def _plain(value: str) -> str:
    return re.sub(r"[\s_-]+", " ", folded(value)).strip()


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1971 <= year < 9000 else None
    except ValueError:
        return None
