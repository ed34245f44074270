"""Plays recordings of AMI to the interpreter, by their own times, and shows what it tells in short lines."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.domain.calls.legs import Leg
from gateway.domain.messages import AgentStateChanged
from gateway.events.ami.interpreter import AmiInterpreter
from gateway.events.ami.settings import InterpreterSettings
from gateway.events.ami.stream import AmiBlock, AmiStream
from gateway.events.ami.telling import Told
from gateway.store.calls import LoggedCall
from tests.events.ami.sequences import Builder, sequences

RECORDINGS = Path(__file__).parents[2] / "recordings" / "ami"
BUILT = sequences()
NAMES = sorted([*(path.stem for path in RECORDINGS.glob("*.ami")), *BUILT])
BASE = 1_796_007_000_000
"""When the first event of a recording is heard, in milliseconds since 1970 UTC."""
SETTINGS = InterpreterSettings("acme", "pbx", "192.0.2.1:5038", recording_url="http://pbx/{{ name }}")
_TIME = re.compile(r"; \+(\d+) ms")
SHOWN = ("queue", "line", "to", "attended", "abandoned", "result", "cause", "goes_on", "joined_to", "hung_up_by")
SHOWN += ("recording_url",)


@dataclass(frozen=True)
class Timed:
    """A block, and how many milliseconds after the first of its recording it came."""

    block: AmiBlock
    after_ms: int


@cache
def recorded(name: str) -> Sequence[Timed]:
    """The blocks of a recording, in their order; of one that is not here, built of what was noted of it."""
    if name in BUILT:
        return [Timed(block, after_ms) for after_ms, block in Builder().built(BUILT[name])]
    return list(read(RECORDINGS / f"{name}.ami"))


def read(path: Path) -> Iterator[Timed]:
    after_ms, stream = 0, AmiStream()
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _TIME.match(line):
            after_ms = max(after_ms, int(found[1]))
        elif not line.startswith(";"):
            yield from (Timed(block, after_ms) for block in stream.feed(f"{line}\r\n".encode()))
    yield from (Timed(block, after_ms) for block in stream.feed(b"\r\n"))


def play(events: Iterable[Timed], interpreter: AmiInterpreter | None = None, *, base: int = BASE) -> list[Told]:
    """Return what the interpreter tells of ``events``, each at its time, with its ticks between them and after."""
    interpreter = interpreter or AmiInterpreter(SETTINGS)
    told: list[Told] = []
    for each in events:
        told += ticks(interpreter, base + each.after_ms)
        told += interpreter.feed(each.block, base + each.after_ms)
    return told + settle(interpreter)


def ticks(interpreter: AmiInterpreter, until: int) -> list[Told]:
    told: list[Told] = []
    while (due := interpreter.next_tick()) is not None and due <= until:
        told += interpreter.tick(due)
    return told


def settle(interpreter: AmiInterpreter) -> list[Told]:
    """Return what is still due within a few seconds after the last event."""
    told: list[Told] = []
    for _ in range(50):
        due = interpreter.next_tick()
        if due is None or not interpreter.open_calls:
            break
        told += interpreter.tick(due)
    return told


def shown(message: Told, *, base: int = BASE) -> str:
    """A message as one line: when it was told, what, where, with whom; and what else it says."""
    after = f"+{message.received_at - base}"
    kind = type(message).__name__
    if isinstance(message, AgentStateChanged):
        words = (message.ramal, message.agent, message.state.value, message.queue, message.reason)
        return " ".join(word for word in (after, kind, *words) if word)
    facts = {name: getattr(message, name, None) for name in SHOWN}
    more = [f"{name}={value}" for name, value in facts.items() if value is not None]
    return " ".join([after, kind, message.ramal or "-", message.telefone, str(message.direction), *more])


def logged(call: LoggedCall) -> str:
    """A call of the log as one line: as people see it."""
    facts = {
        "rang": call.ring_s,
        "talked": call.talk_s,
        "waited": call.waited_s,
        "by": call.answered_by,
        "queue": call.queue,
        "line": call.line,
        "rec": call.recording_url,
        "hung_up_by": call.hung_up_by,
        "cause": call.cause,
    }
    more = [f"{name}={value}" for name, value in facts.items() if value is not None]
    missed = ["missed"] if call.missed else ["consultation"] if call.consultation_for else []
    legs = [shown_leg(leg) for leg in call.legs]
    words = (call.direction, call.extension or "-", call.number or "?", call.status, call.result or "-")
    return " ".join(["=", *words, *missed, *more, *legs])


def shown_leg(leg: Leg) -> str:
    to = f">{leg.transferred_to}({leg.transfer})" if leg.transferred_to else ""
    return f"[{leg.extension} {'talked ' if leg.answered_at else ''}{leg.result}{to}]"
