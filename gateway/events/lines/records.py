"""From lines to records: what is passed over, what is kept for later, what belongs together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.events.lines.description import LINE, LineDescription
from gateway.events.lines.framing import RawLine
from gateway.events.lines.matching import Matched, found_in, match, titles_in


@dataclass(frozen=True, slots=True)
class LineRecord:
    """What an exchange says of one call at one moment: ``fields`` by name, the ``text`` of its lines, the names of its
    ``shapes``; ``offset`` is where it begins in its stream.
    """

    fields: Mapping[str, str]
    text: str
    shapes: tuple[str, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that no shape fits."""

    text: str


Read = LineRecord | Unread


@dataclass
class _Open:
    """A record whose lines are still coming."""

    lines: list[RawLine] = field(default_factory=list)
    matched: list[Matched] = field(default_factory=list)


class RecordReader:
    """Reads the records of one stream; remembers what header lines said."""

    def __init__(self, description: LineDescription, known: Mapping[str, Any] | None = None) -> None:
        """Begin; ``known`` is what ``memory`` of another reader of the same stream was."""
        self._description = description
        self._kept: dict[str, str] = dict((known or {}).get("kept", {}))
        self._titles: tuple[str, ...] = tuple((known or {}).get("titles", ()))
        self._open = _Open()

    @property
    def memory(self) -> dict[str, Any]:
        """What header lines said, as JSON."""
        return {"kept": dict(self._kept), "titles": list(self._titles)}

    @property
    def waits(self) -> bool:
        """Whether further lines of a record may come."""
        return bool(self._open.lines)

    @property
    def begun_at(self) -> int | None:
        """Where the record that is not complete yet begins in its stream."""
        return self._open.lines[0].offset if self._open.lines else None

    def take(self, line: RawLine) -> Iterator[Read]:
        """Yield the records that are complete with ``line``."""
        if any(found_in(pattern, line.text) for pattern in self._description.skip):
            return
        rule = self._description.record
        if rule is None:
            yield from self._single(line)
            return
        if found_in(rule.begins, line.text):
            yield from self.flush()
            self._add(line)
        elif self._open.lines and (rule.goes_on is None or found_in(rule.goes_on, line.text)):
            self._add(line)
        else:
            yield from self.flush()
            yield from self._single(line)
        if self._open.lines and self._is_last(line):
            yield from self.flush()

    def flush(self) -> Iterator[Read]:
        """Yield the record whose lines were coming."""
        if not self._open.lines:
            return
        opened, self._open = self._open, _Open()
        fields = {name: text for each in opened.matched for name, text in each.fields.items() if text}
        yield from self._record(opened.lines, [each.shape.name for each in opened.matched], fields)

    def _is_last(self, line: RawLine) -> bool:
        rule = self._description.record
        if rule is None or len(self._open.lines) >= rule.most:
            return True
        return rule.ends is not None and found_in(rule.ends, line.text)

    def _add(self, line: RawLine) -> None:
        """Let ``line`` be one of the open record's; what no shape fits of it is passed over."""
        self._open.lines.append(line)
        if (matched := self._match(line)) is not None and not matched.shape.ignore:
            self._open.matched.append(matched)

    def _single(self, line: RawLine) -> Iterator[Read]:
        matched = self._match(line)
        if matched is None:
            yield Unread(line.text)
        elif matched.shape.is_title:
            self._titles = titles_in(matched.shape, line.text)
        elif matched.shape.keep:
            self._kept.update(matched.fields)
        elif not matched.shape.ignore:
            yield from self._record([line], [matched.shape.name], matched.fields)

    def _match(self, line: RawLine) -> Matched | None:
        tried = (match(shape, line.text, self._titles) for shape in self._description.lines)
        return next((each for each in tried if each is not None), None)

    def _record(self, lines: list[RawLine], shapes: list[str], fields: Mapping[str, str]) -> Iterator[Read]:
        text = "\n".join(line.text for line in lines)
        if not fields:
            yield Unread(text)
            return
        whole = {**self._kept, **fields, LINE: text, "shape": shapes[0]}
        yield LineRecord(whole, text, tuple(shapes), lines[0].offset)
