"""Take the columns of a line apart."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO

from gateway.domain.patterns import SlowPattern, search
from gateway.events.lines.description import FIELD, LineShape, columns_of

PATTERN_S = 0.02
LONGEST_FIELD = 512


@dataclass(frozen=True, slots=True)
class Matched:
    """A line that a shape fits, with its fields as texts, trimmed."""

    shape: LineShape
    fields: Mapping[str, str] = field(default_factory=dict)


def found_in(pattern: str, text: str) -> bool:
    """Return whether ``pattern`` is found in ``text``; one that takes too long is not."""
    try:
        return search(pattern, text, time_s=PATTERN_S) is not None
    except SlowPattern:
        return False


def match(shape: LineShape, text: str, titles: tuple[str, ...] = ()) -> Matched | None:
    """Return ``text`` taken apart as ``shape`` says, None where it does not fit; ``titles`` are those that came."""
    if not _fits(shape, text):
        return None
    if shape.is_title or (shape.ignore and not shape.pattern):
        return Matched(shape)
    if shape.columns:
        return Matched(shape, {name: _column(text, where) for name, where in shape.columns.items()})
    if shape.pattern:
        groups = _groups(shape.pattern, text)
        return None if groups is None else Matched(shape, groups)
    return _separated(shape, text, titles)


def titles_in(shape: LineShape, text: str) -> tuple[str, ...]:
    """Return the titles in a line of titles, as names of fields."""
    return tuple(_as_name(title) for title in parts_of(shape, text))


def _as_name(title: str) -> str:
    name = "".join(letter if FIELD.fullmatch(letter) or letter.isdigit() else "_" for letter in title.strip())
    return name if FIELD.fullmatch(name) else f"_{name}"


def _fits(shape: LineShape, text: str) -> bool:
    if shape.length and len(text) not in shape.length:
        return False
    if shape.begins and not text.startswith(shape.begins):
        return False
    return shape.found is None or found_in(shape.found, text)


def _column(text: str, where: str) -> str:
    begin, end = columns_of(where)
    return text[begin - 1 : end].strip()[:LONGEST_FIELD]


def _groups(pattern: str, text: str) -> dict[str, str] | None:
    try:
        found = search(rf"^(?:{pattern})\s*$", text, time_s=PATTERN_S)
    except SlowPattern:
        return None
    if found is None:
        return None
    return {name: (value or "").strip()[:LONGEST_FIELD] for name, value in found.groupdict().items()}


def _separated(shape: LineShape, text: str, titles: tuple[str, ...]) -> Matched | None:
    names = titles if shape.titles and titles else shape.names
    parts = parts_of(shape, text)
    if not names or len(parts) < shape.least:
        return None
    named = zip(names, parts, strict=False)
    return Matched(shape, {name: part.strip()[:LONGEST_FIELD] for name, part in named if name != "_"})


def parts_of(shape: LineShape, text: str) -> list[str]:
    """Return what stands between the separators of ``text``."""
    if shape.separator == " " and not shape.quote:
        return text.split()
    if shape.separator == " ":
        text = " ".join(text.split())
    if not shape.quote or shape.quote not in text:
        return text.split(shape.separator)
    reader = csv.reader(StringIO(text), delimiter=shape.separator, quotechar=shape.quote, skipinitialspace=True)
    try:
        return next(reader, [])
    except csv.Error:
        return text.split(shape.separator)
