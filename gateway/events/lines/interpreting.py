"""From a record to the events that it tells of."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from gateway.events.lines.description import LineDescription
from gateway.events.lines.lengths import read_length
from gateway.events.lines.moments import DateOrder, ReadMoment, read_moment
from gateway.events.lines.records import LineRecord
from gateway.mapping.budget import Budget, RequestTooSlow
from gateway.mapping.engine import interpret_document
from gateway.mapping.events import MappedEvent
from gateway.mapping.facts import MappingSource
from gateway.mapping.paths import PathScope
from gateway.mapping.schema import MappingCondition, Value
from gateway.mapping.values import ValueReader
from gateway.texts.text import Text, problem_of

MINUTE_MS = 60_000
ANSWERED, NO_ANSWER = "answered", "no answer"


@dataclass(frozen=True, slots=True)
class LineEvent:
    """An event that a record tells of. ``key`` joins those of a call without an id, ``more_follows`` says that a later
    record has the call's end; ``identity`` is the same whenever the same record is read again; ``stream`` and
    ``offset`` say where it stands, where that can be read again.
    """

    event: MappedEvent
    identity: str
    key: str | None = None
    more_follows: bool = False
    stream: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """What was made of one record; ``problems`` say what was not."""

    events: tuple[LineEvent, ...] = ()
    problems: tuple[Text, ...] = ()


class CallTimes(NamedTuple):
    """The moments and lengths of a record, each None where it is not told. Milliseconds since 1970 UTC, and seconds."""

    at: ReadMoment | None = None
    start: ReadMoment | None = None
    answer: ReadMoment | None = None
    end: ReadMoment | None = None
    ring_s: float | None = None
    talk_s: float | None = None
    whole_s: float | None = None


class LineInterpreter:
    """Makes events of records as a description says. Has no clock of its own and remembers nothing."""

    def __init__(self, description: LineDescription, source: MappingSource, order: DateOrder | None = None) -> None:
        self._description = description
        self._source = source
        self._order = order or description.times.order

    def understand(self, record: LineRecord, now: int) -> ReadRecord:
        """Return what ``record``, which came at ``now``, tells of. Never raises for what it holds."""
        times, problems = self._times(record.fields, now)
        answered = self._is_answered(record.fields, times)
        identity = _identity(record, times)
        document = {**record.fields, **dict(_computed(times, answered)), "identity": identity}
        made = interpret_document(self._description.mapping, document, self._source)
        events = tuple(
            LineEvent(
                self._placed(event, times, answered, now),
                f"{identity}-{place}" if place else identity,
                self._take(self._description.key, document),
                self._holds(self._description.more_follows, document),
            )
            for place, event in enumerate(made.events)
        )
        return ReadRecord(events, (*problems, *made.problems, *made.notes))

    # times

    def _times(self, fields: Mapping[str, str], now: int) -> tuple[CallTimes, list[Text]]:
        rules, problems = self._description.times, list[Text]()
        found: dict[str, object] = {}
        for name, places in rules.moments.items():
            text = " ".join(filter(None, (fields.get(place, "") for place in places)))
            try:
                found[name] = read_moment(text, self._source.zone, self._order, now) if text else None
            except ValueError as error:
                problems.append(Text("{name}: {problem}", name=", ".join(places), problem=problem_of(error)))
        for name, places in (("ring_s", rules.ring), ("talk_s", rules.talk), ("whole_s", rules.whole)):
            for place in [place for place in places if fields.get(place, "").strip("*?- ")][:1]:
                try:
                    found[name] = read_length(fields[place], rules.shapes.get(place, "auto"))
                except ValueError as error:
                    problems.append(Text("{name}: {problem}", name=place, problem=problem_of(error)))
        return _measured(CallTimes(**found)), problems  # type: ignore[arg-type]

    def _placed(self, event: MappedEvent, times: CallTimes, answered: bool, now: int) -> MappedEvent:
        """Return ``event`` with the moments of its record."""
        if event.kind != "ended":
            moment = times.answer if event.kind == "answered" and times.answer else times.at or times.start
            return replace(event, at=_near(moment, now) if event.at is None else event.at)
        told = _of_call(times, self._description.times.means, answered, now)
        result = event.result if event.result or event.cause else ANSWERED if answered else NO_ANSWER
        talk_s = int(times.talk_s) if times.talk_s is not None and answered else None
        if not answered and event.cause and not event.result:
            talk_s = 0  # a cleared line with no talk was not answered
        return replace(
            event,
            started_at=event.started_at or told.start,
            answered_at=event.answered_at or told.answer,
            ended_at=event.ended_at or told.end,
            at=event.at or told.end,
            duration=event.duration if event.duration is not None else talk_s,
            result=result,
        )

    def _is_answered(self, fields: Mapping[str, str], times: CallTimes) -> bool:
        """Tell whether somebody answered: as the description says, else by seconds of talk or the answer's moment."""
        if self._description.unanswered is not None:
            return not self._holds(self._description.unanswered, fields)
        if self._description.times.talk or self._description.times.whole:
            return bool(times.talk_s)
        return times.answer is not None

    # values

    def _reader(self, document: Mapping[str, str]) -> ValueReader:
        return ValueReader(PathScope(document, document, {}), Budget())

    def _holds(self, condition: MappingCondition | None, document: Mapping[str, str]) -> bool:
        try:
            return condition is not None and self._reader(document).holds(condition)
        except RequestTooSlow:
            return False

    def _take(self, value: Value | None, document: Mapping[str, str]) -> str | None:
        try:
            taken = self._reader(document).take(value)
        except RequestTooSlow:
            return None
        return taken.text if taken else None


class _Moments(NamedTuple):
    start: int | None = None
    answer: int | None = None
    end: int | None = None


def _measured(times: CallTimes) -> CallTimes:
    """Return ``times`` with the lengths that follow from others and from moments."""
    ring_s, talk_s = times.ring_s, times.talk_s
    if ring_s is None and times.start and times.answer:
        ring_s = max(0, (times.answer.at - times.start.at) / 1000)
    if talk_s is None and times.answer and times.end:
        talk_s = max(0, (times.end.at - times.answer.at) / 1000)
    if talk_s is None and times.whole_s is not None:
        talk_s = max(0, times.whole_s - (ring_s or 0))
    if ring_s is None and talk_s is not None and times.whole_s is not None:
        ring_s = max(0, times.whole_s - talk_s)
    return times._replace(ring_s=ring_s, talk_s=talk_s)


def _of_call(times: CallTimes, means: str, answered: bool, now: int) -> _Moments:
    """Return start, answer and end of a call that is over; None for what would be a guess."""
    known = {"start": times.start, "answer": times.answer, "end": times.end}
    if times.at is not None:
        known[means] = known[means] or times.at
    # Of a call that nobody answered some print how long it rang where others have the seconds of talk.
    ring_s = times.ring_s if answered or times.ring_s is not None else times.talk_s
    ring_ms = None if ring_s is None else round(ring_s * 1000)
    talk_ms = round((times.talk_s or 0) * 1000) if answered else 0
    end = _near(known["end"], now) if known["end"] else None
    answer, start = (each.at if each else None for each in (known["answer"] if answered else None, known["start"]))
    if answered and answer is None:
        answer = _sum(end, -talk_ms) if end is not None and times.talk_s is not None else _sum(start, ring_ms)
    begin = answer if answered else end
    if start is None:
        start = _sum(begin, None if ring_ms is None else -ring_ms)
    if end is None:
        rang_until = answer if answered else _sum(start, ring_ms or 0)
        end = _sum(rang_until if rang_until is not None else start, talk_ms)
    if start is None and answered:
        answer = None  # without its start the domain counts back by the seconds of talk
    return _Moments(start, answer, end)


def _sum(at: int | None, ms: int | None) -> int | None:
    return None if at is None or ms is None else at + ms


def _near(moment: ReadMoment | None, now: int) -> int | None:
    """Return a moment in milliseconds; where it was told to the minute, what of that is nearest to ``now``."""
    if moment is None or moment.to_the_second:
        return moment.at if moment else None
    return min(max(now, moment.at), moment.at + MINUTE_MS - 1)


def _computed(times: CallTimes, answered: bool) -> Iterator[tuple[str, str]]:
    yield "answered", "yes" if answered else "no"
    for name in ("ring_s", "talk_s"):
        seconds = getattr(times, name)
        if seconds is not None:
            yield name, str(int(seconds))


def _identity(record: LineRecord, times: CallTimes) -> str:
    """Return what is the same whenever ``record`` is read: by its text, and by its date where that is not in it."""
    moments = (each.at for each in (times.at, times.start, times.end) if each is not None)
    text = f"{record.text.rstrip()}\n{next(moments, '')}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
