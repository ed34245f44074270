"""Run the tests that stand in a line description: are these the events that are made of its lines?"""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.events.lines.calls import CallJoiner
from gateway.events.lines.description import LineDescription, LineTrial
from gateway.events.lines.framing import LineCutter
from gateway.events.lines.interpreting import LineEvent, LineInterpreter
from gateway.events.lines.records import RecordReader, Unread
from gateway.mapping.events import Interpretation
from gateway.mapping.facts import MappingSource
from gateway.mapping.moments import read_moment
from gateway.mapping.trials import miscounted, unlike
from gateway.texts.text import Text


@dataclass(frozen=True, slots=True)
class ReadText:
    """What was made of a text of lines: events, lines that no shape fits, problems."""

    events: tuple[LineEvent, ...]
    unread: tuple[str, ...]
    problems: tuple[Text, ...]


def trials(description: LineDescription) -> Iterator[tuple[str, list[Text]]]:
    """Yield the name of each test in ``description``, and what does not hold."""
    return ((trial.name, failures(description, trial)) for trial in description.tests)


def failures(description: LineDescription, trial: LineTrial) -> list[Text]:
    """Run ``trial`` and return what does not hold, as sentences; empty when all does."""
    source = MappingSource(ZoneInfo(trial.timezone), trial.extensions)
    now = read_moment(trial.now, ZoneInfo("UTC"))
    made = read_text(description, trial.lines.encode(), LineInterpreter(description, source, trial.order), now)
    if len(made.unread) != trial.unread:
        return [Text("not understood: {lines}, expected {count}", lines=repr(made.unread), count=trial.unread)]
    events = [each.event for each in made.events]
    if len(events) != len(trial.events):
        return [miscounted(Interpretation(tuple(events), problems=made.problems), len(trial.events))]
    return [
        problem
        for place, (event, expected) in enumerate(zip(events, trial.events, strict=True), start=1)
        for problem in unlike(place, event.shown(), expected)
    ]


def read_text(description: LineDescription, data: bytes, interpreter: LineInterpreter, now: int) -> ReadText:
    """Return what is made of ``data``, as if it came at ``now`` and nothing came after it."""
    cutter, reader, joiner = (
        LineCutter(description.framing),
        RecordReader(description),
        CallJoiner(description.together_ms),
    )
    events, unread, problems = list[LineEvent](), list[str](), list[Text]()
    lines = [*cutter.feed(data), *cutter.flush()]
    for record in (*(each for line in lines for each in reader.take(line)), *reader.flush()):
        if isinstance(record, Unread):
            unread.append(record.text)
            continue
        understood = interpreter.understand(record, now)
        problems += understood.problems
        for event in understood.events:
            events += joiner.take(event, now)
    events += joiner.flush(now)
    return ReadText(tuple(events), tuple(unread), tuple(problems))
