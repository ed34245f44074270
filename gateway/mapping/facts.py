"""Read the values of one event: texts as the mapping finds them, then times, lengths of time, sides of the call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.messages import Direction
from gateway.mapping.moments import read_moment, read_seconds
from gateway.mapping.schema import CallValues, MappedValue, WebhookMapping
from gateway.mapping.sides import as_extension, began_here, direction_of, sides_of
from gateway.mapping.values import TakenValue, ValueReader
from gateway.texts.text import Text, problem_of

MOMENTS = ("at", "started_at", "answered_at", "ended_at")
LENGTHS = ("waited", "duration")
FLAGS = ("attended", "abandoned")
LISTS = ("also_known_as", "rang")
SIDES = ("origin", "destination", "extension", "number", "to")
TRUE = ("true", "1", "yes", "on", "sim", "y")
FALSE = ("false", "0", "no", "off", "nao", "não", "n")
LONGEST_TEXT = 255


@dataclass(frozen=True)
class MappingSource:
    """What a mapping needs to know of the source: its zone, and what it calls extensions by (in small letters)."""

    zone: tzinfo
    extensions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """The extensions by what the source calls them, case-folded."""
        return {name.casefold(): extension for name, extension in self.extensions.items()}


class EventReader:
    """Reads the values of one event. ``notes`` tells of those that could not be read."""

    def __init__(
        self, mapping: WebhookMapping, own: CallValues | None, reader: ValueReader, source: MappingSource, zone: tzinfo
    ) -> None:
        self._mapping = mapping
        self._own = own
        self._reader = reader
        self._source = source
        self._zone = zone
        self.taken: dict[str, TakenValue] = {}
        self.notes: list[Text] = []

    def read(self) -> dict[str, Any]:
        """Return the event's values by name. Raises ``RequestTooSlow``."""
        direction = self._direction()
        self._reader = ValueReader(self._reader.scope, self._reader.budget, direction)
        texts = {name: self._text(name) for name in CallValues.model_fields if name not in ("direction", *LISTS)}
        values: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
        values |= self._read_texts(values)
        values |= {name: self._list(name) for name in LISTS}
        values["direction"] = direction
        values |= self._sides(values, direction) | {"fields": self._free_fields()}
        return values | {"missing": tuple(name for name in self._looked_for() if name not in self.taken)}

    def _looked_for(self) -> list[str]:
        named = [name for name in CallValues.model_fields if self._value(name) is not None]
        return [*named, *(f"fields.{name}" for name in self._mapping.fields)]

    def _value(self, name: str) -> MappedValue | None:
        own = getattr(self._own, name) if self._own is not None else None
        found: MappedValue | None = own if own is not None else getattr(self._mapping.values, name)
        return found

    def _text(self, name: str) -> str | None:
        taken = self._reader.take(self._value(name))
        if taken is None:
            return None
        self.taken[name] = taken
        return taken.text if name in ("recording", "transcript") else taken.text[:LONGEST_TEXT]

    def _list(self, name: str) -> tuple[str, ...]:
        found = list(self._reader.take_all(self._value(name)))
        if found:
            self.taken[name] = found[0]._replace(text=", ".join(taken.text for taken in found))
        texts = (taken.text[:LONGEST_TEXT] for taken in found)
        if name == "rang":
            texts = (as_extension(text, self._source.folded) for text in texts)
        return tuple(dict.fromkeys(texts))

    def _direction(self) -> Direction | None:
        text = self._text("direction")
        found = direction_of(text) if text is not None else None
        if text is not None and found is None:
            self.notes.append(Text("direction: {text!r} is none of incoming, outgoing, internal", text=text[:80]))
        return found

    def _read_texts(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the values that are no texts, read; None where one could not be."""
        read: dict[str, Any] = {}
        for name, text in texts.items():
            if name in (*MOMENTS, *LENGTHS, *FLAGS, "sequence"):
                try:
                    read[name] = self._as(name, text)
                except ValueError as error:
                    read[name] = None
                    self.notes.append(Text("{name}: {problem}", name=name, problem=problem_of(error)))
        return read

    def _as(self, name: str, text: str) -> Any:
        if name in MOMENTS and not text.strip("0-:. TZ"):
            return None
        written = self.taken[name].written_as
        unit, form = (written.unit or "", written.format or "") if written else ("", "")
        if name in MOMENTS:
            zone = ZoneInfo(written.timezone) if written and written.timezone else self._zone
            return read_moment(text, zone, unit=unit, form=form)
        if name in LENGTHS:
            return read_seconds(text, unit=unit)
        return _flag(text) if name in FLAGS else _whole_number(text)

    def _sides(self, values: Mapping[str, Any], direction: Direction | None) -> dict[str, Any]:
        texts = {name: self._side(name, values.get(name)) for name in SIDES}
        if not texts["extension"]:
            named = self._source.folded.get((values.get("agent") or "").casefold())
            texts["extension"] = values["rang"][0] if values["rang"] else named
        origin, destination, extension, number = (texts[name] or "" for name in SIDES[:4])
        sides = sides_of(origin, destination, extension, number, direction)
        found: dict[str, Any] = {"extension": sides.extension or None, "number": sides.number or None}
        if direction is None and not number and destination and began_here(origin, extension):
            found["direction"] = Direction.OUTGOING
        if "line" not in values and sides.line and self._mapping.values.destination is not None:
            found["line"] = sides.line
        return texts | found

    def _side(self, name: str, text: str | None) -> str | None:
        if text is None:
            return None
        known = self._source.folded
        if name in ("extension", "to"):
            return as_extension(text, known)
        return known.get(text.casefold(), text)

    def _free_fields(self) -> dict[str, str]:
        found = {name: self._reader.take(value) for name, value in self._mapping.fields.items()}
        self.taken |= {f"fields.{name}": taken for name, taken in found.items() if taken}
        return {name: taken.text for name, taken in found.items() if taken}


def _flag(text: str) -> bool:
    folded = text.casefold()
    if folded not in (*TRUE, *FALSE):
        raise ValueError(Text("{text!r} is neither true nor false", text=text[:80]))
    return folded in TRUE


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(Text("{text!r} is no whole number", text=text[:80]))
    return int(text)
