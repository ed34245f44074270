"""From the bytes of a stream to messages: all the steps of a line, with what a source remembers between them."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gateway.domain.messages import AgentStateChanged, CallMessage
from gateway.event_source import Report, SourcePlace
from gateway.events.lines.calls import CallJoiner
from gateway.events.lines.description import LineDescription
from gateway.events.lines.framing import LineCutter, RawLine
from gateway.events.lines.interpreting import LineEvent, LineInterpreter
from gateway.events.lines.records import Read, RecordReader, Unread
from gateway.mapping.messages import mark_of, message_of
from gateway.texts.text import Text

MOST_REPEATS = 20_000
"""Records of a connection that are remembered, to tell apart two that are alike."""
UNREAD = Text("no kind of line of the description fits it")
CUT = Text("the line is too long: its end was left out")
HALF = Text("the connection ended in the midst of a line")
PROBLEMS_AT_ONCE = 20
PROBLEMS_EACH_MS = 60_000


class LineReading:
    """What the streams of one source have in common; for one thread."""

    def __init__(
        self, description: LineDescription, interpreter: LineInterpreter, place: SourcePlace, report: Report
    ) -> None:
        self.description = description
        self.place = place
        self._interpreter = interpreter
        self._report = report
        self._joiner = CallJoiner(description.together_ms)
        self._problems: list[int] = []

    def told_to(self, stream: str, position: int) -> int:
        """Return up to where all of ``stream`` was told: ``position``, unless parts of a call are held."""
        held = self._joiner.held_from(stream)
        return position if held is None else min(held, position)

    def heard(self, text: str) -> None:
        """Have a line kept in the traffic log."""
        self._report.heard(f"{text}\n".encode())

    def stream(
        self, peer: str, name: str = "", offset: int = 0, memory: Mapping[str, Any] | None = None
    ) -> "LineStream":
        """Return a stream of ``peer``. One with a ``name`` can be read again from any offset: a file; its records are
        told apart by where they stand, those of a connection by their text.
        """
        return LineStream(self, peer, name, offset, memory)

    def tick(self, peer: str) -> None:
        """Tell the calls whose further parts were waited for long enough."""
        now = self.place.clock()
        self._tell(self._joiner.tick(now), peer, now)

    def problem(self, problem: Text, text: str) -> None:
        """Tell people that a line was not understood; of very many in a minute only the first are told."""
        now = self.place.clock()
        self._problems = [at for at in self._problems if now - at < PROBLEMS_EACH_MS]
        if len(self._problems) < PROBLEMS_AT_ONCE:
            self._problems.append(now)
            self._report.problem(problem, text.encode())

    def take(self, found: Read, peer: str, stream: "LineStream") -> None:
        """Tell the events of a record."""
        if isinstance(found, Unread):
            self.problem(UNREAD, found.text)
            return
        now = self.place.clock()
        made = self._interpreter.understand(found, now)
        for problem in made.problems[:1]:
            self.problem(problem, found.text)
        for event in made.events:
            self._tell(self._joiner.take(stream.identified(event, found.offset), now), peer, now)

    def _tell(self, events: Iterator[LineEvent], peer: str, now: int) -> None:
        for told in events:
            self._report.message(self._message(told, peer, now))

    def _message(self, told: LineEvent, peer: str, now: int) -> CallMessage | AgentStateChanged:
        event = told.event
        if event.event_id is None:
            event = replace(event, event_id=told.identity)
        origin = self.place.origin(peer, mark_of(event, self.place.exchange))
        return message_of(event, self.place.tenant, origin, now)


class LineStream:
    """One connection, or one file."""

    def __init__(
        self, reading: LineReading, peer: str, name: str, offset: int, memory: Mapping[str, Any] | None
    ) -> None:
        self._reading, self._peer, self._name = reading, peer, name
        self._cutter = LineCutter(reading.description.framing, offset)
        self._records = RecordReader(reading.description, memory)
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._read_to = offset

    @property
    def position(self) -> int:
        """Where the first line or record begins that is not complete."""
        return self._read_to if self._records.begun_at is None else self._records.begun_at

    @property
    def told_to(self) -> int:
        """Where to begin again after a restart: where parts of a call are held, they are read again."""
        return self._reading.told_to(self._name, self.position)

    @property
    def memory(self) -> Mapping[str, Any]:
        """What header lines said."""
        return self._records.memory

    @property
    def waits(self) -> bool:
        """Whether a line or a record may be complete though nothing more comes."""
        return self._cutter.holds or self._records.waits

    def feed(self, data: bytes) -> list[str]:
        """Read ``data`` and return the lines in it."""
        return [self._line(line) for line in self._cutter.feed(data)]

    def idle(self, quiet_ms: float, *, is_over: bool = False) -> None:
        """Read what waited for more, when nothing came for so long, or nothing more can come."""
        framing, record = self._reading.description.framing, self._reading.description.record
        if self._cutter.holds and (is_over or 0 < framing.flush_ms <= quiet_ms):
            for line in self._cutter.flush():
                self._line(line)
        if self._records.waits and (is_over or (record is not None and quiet_ms >= record.wait_ms)):
            for found in self._records.flush():
                self._reading.take(found, self._peer, self)

    def ended(self) -> None:
        """Read the record whose lines were coming, for the connection ended; half a line may say what is not so."""
        if self._cutter.holds:
            self._reading.problem(HALF, self._cutter.held)
        for found in self._records.flush():
            self._reading.take(found, self._peer, self)

    def identified(self, event: LineEvent, offset: int) -> LineEvent:
        """Return ``event`` with what tells its record apart from others with the same text.

        Of a file that is where it stands; of a connection how many alike came before on it: what an exchange sends
        again after a new connection is counted anew, and so known.
        """
        if self._name:
            identity = _digest(f"{self._name} {offset} {event.identity}")
            return replace(event, identity=identity, stream=self._name, offset=offset)
        count = self._seen.pop(event.identity, 0) + 1
        self._seen[event.identity] = count
        if len(self._seen) > MOST_REPEATS:
            self._seen.popitem(last=False)
        return replace(event, identity=f"{event.identity}-{count}")

    def _line(self, line: RawLine) -> str:
        self._reading.heard(line.text)
        if line.cut:
            self._reading.problem(CUT, line.text)
        for found in self._records.take(line):
            self._reading.take(found, self._peer, self)
        self._read_to = line.after
        return line.text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
