"""What a mapping makes of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from gateway.domain.messages import Direction
from gateway.mapping.values import TakenValue
from gateway.texts.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedEvent:
    """One event of a call. Times are milliseconds since 1970 UTC, lengths of time seconds.

    ``taken`` says for each value which text it was made of and where that stood.
    """

    kind: str
    id: str | None = None
    also_known_as: tuple[str, ...] = ()
    event_id: str | None = None
    sequence: int | None = None
    sequence_of: str | None = None
    at: int | None = None
    started_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    direction: Direction | None = None
    origin: str | None = None
    destination: str | None = None
    extension: str | None = None
    number: str | None = None
    rang: tuple[str, ...] = ()
    to: str | None = None
    attended: bool | None = None
    joined_to: str | None = None
    line: str | None = None
    queue: str | None = None
    waited: int | None = None
    abandoned: bool | None = None
    caller_name: str | None = None
    result: str | None = None
    cause: str | None = None
    duration: int | None = None
    hung_up_by: str | None = None
    recording: str | None = None
    transcript: str | None = None
    cost: str | None = None
    agent: str | None = None
    state: str | None = None
    reason: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, TakenValue] = field(default_factory=dict, repr=False, compare=False)
    missing: tuple[str, ...] = field(default=(), compare=False)
    """What the mapping looked for and did not find."""

    def shown(self) -> dict[str, Any]:
        """Return what is known, for people and tests: times in ISO 8601 in UTC."""
        told = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("taken", "missing")}
        return {name: _shown(name, value) for name, value in told.items() if value not in (None, (), {})}


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What was made of one request: ``events`` to handle, ``ignored`` events of which nothing is wanted, ``problems``
    that kept an event from being made, and ``notes`` on values that could not be read.

    ``document`` is the body as it was read, None where that failed.
    """

    events: tuple[MappedEvent, ...] = ()
    ignored: int = 0
    problems: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    document: Any = None
    name: str | None = None


def _shown(name: str, value: Any) -> Any:
    if name in ("at", "started_at", "answered_at", "ended_at"):
        return iso(value)
    if isinstance(value, Direction):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def iso(at: int) -> str:
    """Return a moment in ISO 8601, with milliseconds where it has some."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if at % 1000 else "seconds").replace("+00:00", "Z")
