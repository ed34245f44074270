"""Learn from captured lines how an exchange writes: a ruler, which preset fits, a description to start from.

A guess is for a person to read and put right; it is never used by itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.events.lines import catalogue
from gateway.events.lines.description import Framing
from gateway.events.lines.framing import LineCutter
from gateway.events.lines.interpreting import LineInterpreter
from gateway.events.lines.trials import read_text
from gateway.mapping.facts import MappingSource

LINES = 50
SEPARATORS = (";", "|", "\t", ",")
TEMPLATES = ("generic-csv", "generic-fixed", "generic-regex")
_HAS_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_DATE = re.compile(r"[0-9]{1,4}[/.\-][0-9]{1,2}(?:[/.\-][0-9]{2,4})?")
_WHOLE_MOMENT = re.compile(r"[0-9]{1,4}[/.\-][0-9]{1,2}[/.\-][0-9]{2,4}[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?.*")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\s?(?:[AaPp][Mm]?)?")
_LENGTH = re.compile(r"(?:[0-9]{1,4}:)?[0-9]{1,2}[:'][0-9]{2}(?:\.[0-9])?")
_SECONDS = re.compile(r"[0-9]{1,4}")
_EXTENSION = re.compile(r"[0-9]{2,5}")
_NUMBER = re.compile(r"[+*#]?[0-9][0-9*# .()-]{6,24}")
_WAY = re.compile(r"(?i)in|out|i|o|e|s|r|entrada|sa[ií]da|incoming|outgoing|inbound|outbound|ent|sai|-->|<--")
_WORDS = re.compile(r"[^\W\d_].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it was found: where it is, what stands in it, what it may be (``""``: nobody knows)."""

    where: str
    values: tuple[str, ...]
    field: str


class Fit(NamedTuple):
    """How many of the lines a preset makes events of, and how many it does not understand."""

    name: str
    events: int
    unread: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt of ``lines``; ``separator`` is empty where columns are fixed."""

    lines: tuple[str, ...]
    separator: str
    columns: tuple[Column, ...]
    fits: tuple[Fit, ...]


def learn(data: bytes, now: int, zone: ZoneInfo) -> Learnt:
    """Return what can be learnt of captured ``data``, of its first fifty lines."""
    cutter = LineCutter(Framing())
    lines = [line.text for line in (*cutter.feed(data), *cutter.flush())][:LINES]
    rows = [line for line in lines if _HAS_TIME.search(line)] or lines
    separator = _separator(rows)
    found = list(_separated(rows, separator) if separator else _fixed(rows))
    return Learnt(tuple(lines), separator, tuple(_named(found)), tuple(_fits(lines, now, zone)))


def ruler(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines below a ruler of their columns, counted from 1."""
    longest = min(max((len(line) for line in lines), default=0), 240)
    tens = "".join(f"{place:<10}" for place in range(0, longest + 1, 10))
    yield tens[1 : longest + 1] if longest else ""
    yield ("1234567890" * (longest // 10 + 1))[:longest]
    yield from lines


def description_of(learnt: Learnt) -> dict[str, Any]:
    """Return a description, as plain data, that reads the columns as they were guessed."""
    shape: dict[str, Any] = {}
    if learnt.separator:
        shape["names"] = [column.field or "_" for column in learnt.columns]
        shape["separator"] = learnt.separator
        shape["least"] = max(1, len(learnt.columns) - 2)
    else:
        shape["columns"] = {column.field: column.where for column in learnt.columns if column.field}
    fields = {column.field for column in learnt.columns}
    titles = [{"name": "titles", "found": r"^\W*[A-Za-z]{3}|^\W*$", "ignore": True}] if _has_titles(learnt) else []
    return {"times": _times(fields, learnt), "lines": [*titles, shape], "call": _call(fields)}


def _has_titles(learnt: Learnt) -> bool:
    return any(not _HAS_TIME.search(line) for line in learnt.lines)


def _times(fields: set[str], learnt: Learnt) -> dict[str, Any]:
    at = [name for name in ("moment", "date", "time") if name in fields]
    times: dict[str, Any] = {"at": at[:1] if at[:1] == ["moment"] else at, "means": "end", "order": _order(learnt)}
    return times | {name: name for name in ("ring", "talk") if name in fields}


def _order(learnt: Learnt) -> str:
    """Return the order of the dates: what is above 12 is no month."""
    dates = [value for column in learnt.columns if column.field in ("date", "moment") for value in column.values]
    parts = [re.split(r"[/.\-]", value.split(" ")[0]) for value in dates]
    if any(len(each[0]) == 4 for each in parts):
        return "ymd"
    return "mdy" if any(len(each) > 1 and each[1].isdigit() and int(each[1]) > 12 for each in parts) else "dmy"


def _call(fields: set[str]) -> dict[str, Any]:
    number = {"path": "number", "default": "anonymous"}
    call: dict[str, Any] = {"extension": {"incoming": "ext", "outgoing": "ext"}}
    call["number"] = {"incoming": number, "outgoing": number}
    if "way" in fields:
        call["direction"] = "way"
    return call


def _separator(rows: Sequence[str]) -> str:
    """Return what stands between the fields of most lines, as often in each of them; empty for fixed columns."""
    for separator in SEPARATORS:
        counts = [row.count(separator) for row in rows]
        usual = median(counts) if counts else 0
        if usual >= 3 and sum(1 for count in counts if abs(count - usual) <= 2) >= 0.7 * len(rows):
            return separator
    return ""


def _separated(rows: Sequence[str], separator: str) -> Iterator[Column]:
    cut = [[part.strip().strip('"') for part in row.split(separator)] for row in rows]
    for place in range(max((len(parts) for parts in cut), default=0)):
        yield Column(str(place + 1), tuple(parts[place] for parts in cut if place < len(parts)), "")


def _fixed(rows: Sequence[str]) -> Iterator[Column]:
    """Yield the columns between which nearly all lines have blanks."""
    width = max((len(row) for row in rows), default=0)
    padded = [row.ljust(width) for row in rows]
    filled = [sum(1 for row in padded if row[place] != " ") > 0.04 * len(rows) for place in range(width)]
    begin = None
    for place, is_filled in enumerate([*filled, False]):
        if is_filled and begin is None:
            begin = place
        elif not is_filled and begin is not None:
            values = tuple(row[begin:place].strip() for row in padded)
            yield Column(f"{begin + 1}-{place}" if place > begin + 1 else str(place), values, "")
            begin = None


def _named(columns: Sequence[Column]) -> Iterator[Column]:
    """Yield the columns with what each may be; no two are the same."""
    named: dict[str, Column] = {}
    for column in columns:
        field = next((name for name in _guesses(column) if name not in named), "")
        named[field or column.where] = replace(column, field=field)
    if "ring" in named and "talk" not in named:
        named["ring"] = replace(named["ring"], field="talk")
    yield from named.values()


def _guesses(column: Column) -> Iterator[str]:
    """Yield what a column may be, the likeliest first."""
    values = [value for value in column.values if value]
    if not values:
        return
    is_long = median(len(value) for value in values) > 6
    usual = Counter(next((name for name, pattern in _KINDS if pattern.fullmatch(value)), "") for value in values)
    kind = usual.most_common(1)[0][0]
    lengths = ("talk", "ring") if is_long else ("ring", "talk")
    yield from (*_FIELDS.get(kind, ()), *(lengths if kind in ("time", "length") else ()))


_KINDS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("moment", _WHOLE_MOMENT),
    ("date", _DATE),
    ("time", _TIME),
    ("length", _LENGTH),
    ("way", _WAY),
    ("extension", _EXTENSION),
    ("number", _NUMBER),
    ("seconds", _SECONDS),
    ("words", _WORDS),
)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "moment": ("moment",),
    "date": ("date",),
    "time": ("time",),
    "way": ("way",),
    "extension": ("ext", "trunk", "talk"),
    "number": ("number",),
    "seconds": ("talk", "ring"),
    "words": ("caller_name",),
}


def _fits(lines: Sequence[str], now: int, zone: ZoneInfo) -> Iterator[Fit]:
    """Yield the presets that understand lines, the best first."""
    data = "\n".join(lines).encode()
    found = []
    for name in catalogue.names():
        if name not in TEMPLATES:
            description = catalogue.description(name)
            made = read_text(description, data, LineInterpreter(description, MappingSource(zone)), now)
            if len(made.events) > len(made.problems):
                found.append(Fit(name, len(made.events), len(made.unread)))
    yield from sorted(found, key=lambda fit: (fit.unread, -fit.events))[:3]
