"""From the rows of a table to messages: each row once, those of one call together."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gateway.domain.messages import AgentStateChanged, CallMessage
from gateway.event_source import SourcePlace
from gateway.events.cdr import position
from gateway.events.cdr.description import TableDescription
from gateway.events.cdr.settings import LONGEST_LATE_S
from gateway.events.lines.calls import whole
from gateway.events.lines.interpreting import LineEvent, LineInterpreter
from gateway.events.lines.records import LineRecord
from gateway.mapping.budget import Budget, RequestTooSlow
from gateway.mapping.events import MappedEvent
from gateway.mapping.facts import MappingSource
from gateway.mapping.messages import mark_of, message_of
from gateway.mapping.paths import PathScope
from gateway.mapping.schema import MappingCondition
from gateway.mapping.values import ValueReader
from gateway.texts.text import Text

MOST_KNOWN = 100_000
"""Rows that are remembered as told; those of a longer look back are told again, and count once all the same."""
MOST_CALLS = 5_000
"""Calls whose rows are kept, so that a row that comes later completes them; where more wait for theirs, the oldest are
told as they are.
"""
MOST_ROWS = 200
"""Rows of one call that are kept one by one; where more come, those before are kept as one from then on."""
MANY_ROWS = Text(
    "the call {id} has more than {most} rows: of those before, only what they come to together is kept; if they are "
    "several calls, another column has the call's id"
)
MOST_CELL = 1_000
DATE_PATH = "date_path"
"""Field with the date in the column that grows as a folder, ``2026/03/05``: Asterisk files recordings so."""
LONGEST_LATE_MS = LONGEST_LATE_S * 1000


class RowEvent(NamedTuple):
    """What one row says of a call, its text, and the value of the column that grows."""

    told: LineEvent
    text: str
    grown: Any


@dataclass
class _RowsOfCall:
    """The rows of one call; it is told anew ``due`` (milliseconds since 1970), None while nothing is new."""

    rows: list[RowEvent] = field(default_factory=list)
    due: int | None = None
    is_too_long: bool = False


class ToldCall(NamedTuple):
    """A message, with the rows that it was made of, for the traffic log."""

    message: CallMessage | AgentStateChanged
    text: str


class TableReading:
    """What is remembered of the rows of one table, for one thread."""

    def __init__(
        self,
        description: TableDescription,
        place: SourcePlace,
        peer: str,
        *,
        column_of: Mapping[str, str],
        settle_ms: int,
    ) -> None:
        self._description, self._place, self._peer = description, place, peer
        self._column_of, self._settle_ms = column_of, settle_ms
        self._interpreter = LineInterpreter(description.as_lines, MappingSource(place.zone))
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._calls: OrderedDict[str, _RowsOfCall] = OrderedDict()
        self._alone: list[RowEvent] = []

    def take(
        self, names: Sequence[str], row: Sequence[Any], grown: Any, *, was_passed: bool = False
    ) -> Iterator[tuple[Text, str]]:
        """Take a row, unless it is known as it is, or ``was_passed`` so long ago that nobody knows any more what was
        told of it. Yields what of it was not understood, with its text.
        """
        fields = {name.lower(): position.cell_text(value) for name, value in zip(names, row, strict=True)}
        text = " ".join(f"{name}={value[:MOST_CELL]!r}" for name, value in fields.items() if value)
        digest = hashlib.sha256(repr(sorted(fields.items())).encode("utf-8", "replace")).digest()[:12]
        if self._is_known(digest) or self._is_unfinished(fields):
            return
        self._know(digest)
        document = {
            **fields,
            DATE_PATH: position.date_path(grown),
            **{name: fields.get(column, "") for name, column in self._column_of.items()},
        }
        now = self._place.clock()
        made = self._interpreter.understand(LineRecord(document, digest.hex(), ("row",), 0), now)
        for problem in made.problems[:1]:
            yield problem, text
        first = now - LONGEST_LATE_MS if was_passed else 0
        for told in (each for each in made.events if (each.event.at or now) >= first):
            yield from self._keep(RowEvent(replace(told, event=replace(told.event, taken={})), text, grown))

    def due(self, *, all_of_them: bool = False) -> Iterator[ToldCall]:
        """Yield the calls whose further rows were waited for long enough, and those that are too many."""
        now, too_many = self._place.clock(), len(self._calls) - MOST_CALLS
        alone, self._alone = self._alone, []
        for row in alone:
            yield self._told([row], now)
        for place, call in enumerate(self._calls.values()):
            if call.due is not None and (all_of_them or call.due <= now or place < too_many):
                call.due = None
                yield self._told(call.rows, now)
        for _ in range(too_many):
            self._calls.popitem(last=False)

    def held_from(self) -> Any:
        """Return the least value of the column that grows among rows whose call was not told yet; None for none."""
        return _least([row for call in self._calls.values() if call.due is not None for row in call.rows])

    def _keep(self, row: RowEvent) -> Iterator[tuple[Text, str]]:
        """Keep a row with those of its call; say where they are too many."""
        name = row.told.event.id
        if name is None:
            self._alone.append(row)
            return
        call = self._calls.setdefault(name, _RowsOfCall())
        self._calls.move_to_end(name)
        if len(call.rows) >= MOST_ROWS:
            call.rows = [_as_one(call.rows)]
            if not call.is_too_long:
                call.is_too_long = True
                yield Text(MANY_ROWS.id, id=name[:80], most=MOST_ROWS), row.text
        call.rows.append(row)
        call.due = self._place.clock() + self._settle_ms

    def _is_known(self, digest: bytes) -> bool:
        if digest in self._known:
            self._known.move_to_end(digest)
            return True
        return False

    def _know(self, digest: bytes) -> None:
        self._known[digest] = None
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _is_unfinished(self, fields: Mapping[str, str]) -> bool:
        condition = self._description.unfinished
        return condition is not None and _holds(condition, fields)

    def _told(self, rows: Sequence[RowEvent], now: int) -> ToldCall:
        event = self._event([row.told for row in rows])
        origin = self._place.origin(self._peer, mark_of(event, self._place.exchange))
        message = message_of(event, self._place.tenant, origin, now)
        return ToldCall(message, "\n".join(row.text for row in rows))

    def _event(self, parts: Sequence[LineEvent]) -> MappedEvent:
        """Return the event that the rows of a call are, with an id by which it counts once however often it is told."""
        event = whole(parts).event
        return replace(event, event_id=event.event_id or f"row-{_identity(parts)}", also_known_as=_names(parts))


def _as_one(rows: Sequence[RowEvent]) -> RowEvent:
    """Return what the rows of a call come to so far, in the place of all of them."""
    parts = [row.told for row in rows]
    told = whole(parts)
    event = replace(told.event, also_known_as=_names(parts)[-MOST_ROWS:])
    text = f"({len(rows)} rows before, kept as one)"
    return RowEvent(replace(told, event=event, identity=_identity(parts)), text, _least(rows))


def _identity(parts: Sequence[LineEvent]) -> str:
    return hashlib.sha256(" ".join(sorted(part.identity for part in parts)).encode()).hexdigest()[:32]


def _names(parts: Sequence[LineEvent]) -> tuple[str, ...]:
    """Return by which other ids the call of ``parts`` is known."""
    return tuple(dict.fromkeys(name for part in parts for name in part.event.also_known_as))


def _least(rows: Sequence[RowEvent]) -> Any:
    """Return the least value of the column that grows, None where no row has one."""
    return min((row.grown for row in rows if row.grown is not None), default=None)


def _holds(condition: MappingCondition, fields: Mapping[str, str]) -> bool:
    try:
        return ValueReader(PathScope(fields, fields, {}), Budget()).holds(condition)
    except RequestTooSlow:
        return False
