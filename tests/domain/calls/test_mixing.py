"""Two nodes keep events while their database is away and write them afterwards, each in its own order: the calls are
those of the order of reception, or say that they are a guess.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import CERTAINTY, Certainty, PairingRule
from gateway.domain.calls.direction import tell_sides
from gateway.domain.calls.heard import HeardEvent, heard_answer, heard_end, heard_start, kept_back
from gateway.domain.messages import CallAnswered, CallEnded, CallStarted
from tests.domain.calls.ledger import HERE, PLAN, Ledger
from tests.domain.calls.pairing_cases import T0

HISTORIES = 2000
MOST_UNSAID = 4
"""In so many histories of calls that nobody can tell apart. Where a node that keeps nothing is told of a further answer
or end of a call meanwhile, that leaves no trace in it: three calls, crosswise, of one extension with one number.
"""


class Event(NamedTuple):
    """Something that was told of a call at one of two nodes."""

    kind: str
    extension: str
    number: str
    at: int
    node: int

    def heard(self) -> HeardEvent:
        who = (self.extension, self.number, HERE, self.at)
        sides = tell_sides(self.extension, self.number, PLAN, None)
        if self.kind == "start":
            return heard_start(CallStarted("acme", *who), sides)
        return (
            heard_answer(CallAnswered("acme", *who), sides)
            if self.kind == "answer"
            else heard_end(CallEnded("acme", *who), sides)
        )


def history(chance: random.Random, *, apart: bool) -> list[Event]:
    """Return the events of up to three calls in the order of their reception: of numbers of their own, or of one."""
    events = []
    for place in range(chance.choice([1, 1, 2, 3])):
        extension, number = f"350{place}", f"473210000{place}"
        if not apart:
            extension, number = chance.choice(["3501", "3502"]), "4732100001"
        started = T0 + chance.randrange(60_000)
        answered = started + chance.randrange(1000, 20_000)
        told = [("start", started), ("end", answered + chance.randrange(1000, 120_000))]
        told += [("answer", answered)] if chance.random() < 0.5 else []
        events += [Event(kind, extension, number, at, chance.randrange(2)) for kind, at in told]
    return sorted(events, key=lambda event: event.at)


def written(chance: random.Random, events: Sequence[Event]) -> list[HeardEvent]:
    """Return ``events`` in the order of their writing: the database is away for a while, then each node empties its
    spool, one of them later; what comes to a node until then goes behind that.
    """
    away = T0 + chance.randrange(-5000, 60_000)
    back = away + chance.randrange(2000, 60_000)
    empty = [back + chance.randrange(60_000) for _ in range(2)]
    order = []
    for place, event in enumerate(events):
        if away <= event.at < empty[event.node]:
            order.append((empty[event.node], event.node, place, kept_back(event.heard())))
        else:
            order.append((event.at, 2, place, event.heard()))
    return [heard for *_, heard in sorted(order, key=lambda each: each[:3])]


def played(events: Sequence[HeardEvent]) -> list[Call]:
    ledger = Ledger()
    for event in events:
        ledger.hear(event)
    return list(ledger.calls.values())


def told(calls: Sequence[Call]) -> list[str]:
    return sorted(
        repr([each.extension, each.number, each.status, each.started_at, each.answered_at, each.ended_at, each.result])
        for each in calls
    )


def is_guess(call: Call) -> bool:
    return call.paired_by is not None and CERTAINTY[PairingRule(call.paired_by)] is Certainty.GUESS


@given(some.integers(0, 1 << 32))
def test_calls_that_can_be_told_apart_are_the_same_and_as_sure(seed: int) -> None:
    chance = random.Random(seed)
    events = history(chance, apart=True)
    kept = played(written(chance, events))
    assert told(kept) == told(played([event.heard() for event in events]))
    assert not any(map(is_guess, kept))


def test_calls_of_one_number_are_the_same_or_say_that_they_are_a_guess() -> None:
    unsaid = different = 0
    for seed in range(HISTORIES):
        chance = random.Random(seed)
        events = history(chance, apart=False)
        kept = played(written(chance, events))
        if told(kept) != told(played([event.heard() for event in events])):
            different += 1
            unsaid += not any(map(is_guess, kept))
    assert different > HISTORIES // 20, "nothing was mixed up, so nothing was tested"
    assert unsaid <= MOST_UNSAID


@pytest.mark.parametrize("after_s", [11, 600, 3500])
def test_a_kept_start_belongs_to_the_end_that_was_written_before_it(after_s: int) -> None:
    start = Event("start", "3501", "4732100001", T0, 0).heard()
    end = Event("end", "3501", "4732100001", T0 + after_s * 1000, 1).heard()
    (call,) = played([end, kept_back(start)])
    assert (call.started_at, call.ended_at, call.duration_s) == (T0, T0 + after_s * 1000, after_s)
    assert len(played([end, start])) == 2
