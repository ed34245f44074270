"""Evaluate one value of a mapping: find it, shape it, and remember where it came from."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.domain.messages import Direction
from gateway.mapping.budget import Budget
from gateway.mapping.paths import PathScope, find, find_all, path_of, text_of
from gateway.mapping.schema import MappedValue, MappingCondition

LONGEST = 4096
"""Characters of a value that are kept."""
MOST_LISTED = 50
NOBODY = ("", "null", "none", "undefined")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNFILLED = re.compile(r"\[[\w .-]{1,40}\]|\{\{?[^{}]{1,60}\}\}?|%\w{1,40}%|\$\{[^{}]{1,60}\}")
"""What a sender leaves of its own template where it had nothing to put in: 3CX leaves [Name]."""


class TakenValue(NamedTuple):
    """A value as text, and the place that it came from: a path, or what the mapping itself says."""

    text: str
    place: str
    written_as: MappedValue | None = None
    """Says the unit, format and zone of a time."""


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Reads values in one scope. ``direction`` is known once its own value was read."""

    scope: PathScope
    budget: Budget
    direction: Direction | None = None

    def take(self, value: MappedValue | None) -> TakenValue | None:
        """Return what ``value`` gives, or None. Raises ``RequestTooSlow``."""
        return next(self.take_all(value), None)

    def take_all(self, value: MappedValue | None) -> Iterator[TakenValue]:
        """Yield everything that ``value`` gives: several where its path leads to a list. Raises ``RequestTooSlow``."""
        if value is None:
            return
        nothing = True
        if value.when is None or self.holds(value.when):
            for taken in self._found(value):
                shaped = self._shaped(value, taken)
                if shaped is not None:
                    nothing = False
                    yield shaped
        if nothing and value.default is not None:
            yield TakenValue(value.default, "default")

    def _found(self, value: MappedValue) -> Iterator[TakenValue]:
        if value.path:
            yield from self._at_paths(value.path)
        elif value.template is not None:
            yield from self._filled(value.template)
        elif value.value is not None:
            yield TakenValue(value.value, "value")
        elif value.first:
            yield from self._first(value.first)
        else:
            yield from self.take_all(self._side(value))

    def _at_paths(self, paths: Sequence[str]) -> Iterator[TakenValue]:
        """Yield what stands at the first path that has something there."""
        for written in paths:
            found = [TakenValue(text, written) for text in self._texts_at(written)]
            if found:
                yield from found
                return

    def _texts_at(self, written: str) -> Iterator[str]:
        for found in find_all(path_of(written), self.scope, self.budget):
            for each in found[:MOST_LISTED] if isinstance(found, list) else [found]:
                text = text_of(each)[:LONGEST]
                if text and text.lower() not in NOBODY and not _UNFILLED.fullmatch(text):
                    yield text

    def _filled(self, template: str) -> Iterator[TakenValue]:
        texts = {name: next(self._texts_at(name), None) for name in _PLACEHOLDER.findall(template)}
        if all(text is not None for text in texts.values()):
            filled = _PLACEHOLDER.sub(lambda found: texts[found[1]] or "", template)
            yield TakenValue(filled[:LONGEST], " + ".join(texts))

    def _first(self, values: Sequence[MappedValue]) -> Iterator[TakenValue]:
        for value in values:
            found = list(self.take_all(value))
            if found:
                yield from found
                return

    def _side(self, value: MappedValue) -> MappedValue | None:
        if self.direction is Direction.OUTGOING:
            return value.outgoing
        if self.direction is Direction.INTERNAL:
            return value.internal or value.incoming
        return value.incoming

    def _shaped(self, value: MappedValue, taken: TakenValue) -> TakenValue | None:
        text = taken.text
        if value.match is not None:
            found = self.budget.search(value.match, text)
            text = ((found[1] if found.re.groups else found[0]) or "") if found else ""
        if not text:
            return None
        if value.table:
            text = looked_up(value.table, text, value.other)
        if value.e164 and text.isascii() and text.isdigit() and not text.startswith("0"):
            text = f"+{text}"
        return TakenValue(text, taken.place, taken.written_as or (value if is_time(value) else None))

    # conditions

    def holds(self, condition: MappingCondition) -> bool:
        """Return whether all of ``condition`` does. Raises ``RequestTooSlow``."""
        return (
            all(self._is_there(path) for path in condition.present)
            and not any(self._is_there(path) for path in condition.absent)
            and all(self._is_one_of(path, texts) for path, texts in condition.equals.items())
            and not any(self._is_one_of(path, texts) for path, texts in condition.differs.items())
            and all(self._matches(path, pattern) for path, pattern in condition.matches.items())
        )

    def _is_there(self, path: str) -> bool:
        return find(path_of(path), self.scope, self.budget) is not None

    def _is_one_of(self, path: str, texts: Sequence[str]) -> bool:
        wanted = {text.casefold() for text in texts}
        return any(text_of(found).casefold() in wanted for found in find_all(path_of(path), self.scope, self.budget))

    def _matches(self, path: str, pattern: str) -> bool:
        found = find_all(path_of(path), self.scope, self.budget)
        return any(self.budget.search(pattern, text_of(each)) is not None for each in found)


def is_time(value: MappedValue) -> bool:
    """Return whether ``value`` says how a time is written."""
    return value.unit is not None or value.format is not None or value.timezone is not None


def looked_up(table: Mapping[str, str], text: str, other: str | None = None) -> str:
    """Return what ``text`` means in ``table``: by its very text, in any letter case, by a key with ``*``; else
    ``other``, else the text itself.
    """
    key = key_in(table, text)
    return table[key] if key is not None else text if other is None else other


def key_in(table: Mapping[str, Any], text: str) -> str | None:
    """Return the key that stands for ``text``, or None."""
    if text in table:
        return text
    folded = text.casefold()
    plain = next((key for key in table if key.casefold() == folded), None)
    return plain if plain is not None else next((key for key in table if is_like(key, folded)), None)


def is_like(pattern: str, folded: str) -> bool:
    """Return whether ``pattern`` has a ``*`` and stands for the text, which is case-folded."""
    first, *parts = pattern.casefold().split("*")
    if not parts or not folded.startswith(first):
        return False
    at = len(first)
    for part in parts[:-1]:
        at = folded.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(folded) - len(parts[-1]) >= at and folded.endswith(parts[-1])
