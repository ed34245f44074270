"""What a mapping makes of a request, as rows for people: each value, where it came from, what stood there."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.mapping.events import MappedEvent
from gateway.mapping.values import TakenValue


class ValueRow(NamedTuple):
    """A value of an event. ``place`` is the path that it came from, ``raw`` what stood there where that is not it."""

    name: str
    value: str
    place: str = ""
    raw: str = ""

    @property
    def origin(self) -> str:
        """The place, and what stood there."""
        return f"{self.place}: {self.raw}" if self.raw else self.place


def rows(event: MappedEvent) -> Iterator[ValueRow]:
    """Yield the values of ``event`` in their order, those that follow from others without a place."""
    shown = event.shown()
    fields = shown.pop("fields", {})
    del shown["kind"]
    hidden = {"origin", "destination"} if event.number or event.extension else set()
    for name, value in shown.items():
        if name not in hidden:
            yield _row(name, value, event.taken.get(name) or _taken_elsewhere(name, event))
    for name, value in fields.items():
        yield _row(f"fields.{name}", value, event.taken.get(f"fields.{name}"))


def _row(name: str, value: Any, taken: TakenValue | None) -> ValueRow:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    if taken is None:
        return ValueRow(name, text)
    return ValueRow(name, text, taken.place, "" if taken.text == text else taken.text)


def _taken_elsewhere(name: str, event: MappedEvent) -> TakenValue | None:
    """Return what a value was made of that no path of its own led to: a side of the call, a moment of its own."""
    for other in _OTHERS.get(name, ()):
        taken = event.taken.get(other)
        if taken is not None and getattr(event, other, None) == getattr(event, name):
            return taken
    return None


_OTHERS = {
    "at": ("started_at", "answered_at", "ended_at"),
    "number": ("origin", "destination"),
    "extension": ("destination", "origin", "rang"),
    "line": ("destination",),
}
