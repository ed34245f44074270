"""Events of one call find each other: by an id, by a trunk, as parts that are told one by one."""

import hashlib
from typing import Any

from gateway.events.lines import calls
from gateway.events.lines.calls import LONGEST_CALL_MS, CallJoiner
from gateway.events.lines.interpreting import LineEvent
from gateway.mapping.events import MappedEvent

T0 = 1_772_705_002_000


def told(kind: str, *, key: str | None = None, more_follows: bool = False, **values: Any) -> LineEvent:
    identity = hashlib.sha256(f"{kind} {values} {key}".encode()).hexdigest()
    return LineEvent(MappedEvent(kind=kind, **values), identity, key, more_follows)


def take(joiner: CallJoiner, *events: LineEvent, now: int = T0) -> list[MappedEvent]:
    return [each.event for event in events for each in joiner.take(event, now)]


def test_events_of_one_trunk_are_of_one_call_from_its_start_to_its_end() -> None:
    joiner = CallJoiner()
    first = take(
        joiner,
        told("started", key="19", at=T0, extension="201"),
        told("started", key="19", at=T0 + 500, extension="202"),
        told("answered", key="19", at=T0 + 9000, extension="202"),
        told("ended", key="19", at=T0 + 60_000),
    )
    assert len({event.id for event in first}) == 1
    second = take(joiner, told("started", key="19", at=T0 + 90_000), told("started", key="20", at=T0 + 90_000))
    assert len({event.id for event in (*first, *second)}) == 3


def test_a_start_on_a_trunk_whose_end_was_lost_is_a_new_call() -> None:
    joiner = CallJoiner()
    first, second = take(joiner, told("started", key="19", at=T0), told("started", key="19", at=T0 + 600_000))
    assert first.id != second.id


def test_the_end_of_a_call_that_nobody_heard_the_beginning_of_has_no_id_of_ours() -> None:
    assert take(CallJoiner(), told("ended", key="19", at=T0))[0].id is None


def test_the_same_lines_give_the_same_id_after_a_restart() -> None:
    one, other = (take(CallJoiner(), told("started", key="19", at=T0))[0].id for _ in range(2))
    assert one == other


def test_parts_are_told_as_one_call_when_the_last_one_came() -> None:
    joiner = CallJoiner()
    part = {"id": "7", "started_at": T0}
    assert take(joiner, told("ended", more_follows=True, extension="201", duration=20, ended_at=T0 + 20, **part)) == []
    assert joiner.waits
    (whole,) = take(joiner, told("ended", extension="202", duration=100, ended_at=T0 + 130, at=T0 + 130, **part))
    assert (whole.extension, whole.duration, whole.started_at, whole.ended_at) == ("201", 120, T0, T0 + 130)
    assert whole.fields == {"ramais": "201 (20 s), 202 (100 s)"}
    assert not joiner.waits


def test_parts_whose_last_one_never_comes_are_told_after_a_day() -> None:
    joiner = CallJoiner()
    assert take(joiner, told("ended", more_follows=True, id="7", extension="201")) == []
    other = told("ended", id="8", extension="202")
    assert [event.id for event in take(joiner, other, now=T0 + LONGEST_CALL_MS + 1)] == ["7", "8"]


def test_records_that_come_together_are_one_call_of_which_the_answered_one_counts() -> None:
    joiner = CallJoiner(together_ms=1500)
    rang = told("ended", id="7", extension="201", result="NO ANSWER")
    taken = told("ended", id="7", extension="202", result="ANSWERED", duration=10)
    assert take(joiner, rang, taken) == []
    (whole,) = take(joiner, told("started", id="9"), now=T0 + 1501)[:1]
    assert (whole.extension, whole.result) == ("202", "ANSWERED")


def test_what_it_remembers_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(calls, "MOST_OPEN", 3)
    joiner = CallJoiner()
    events = [told("ended", more_follows=True, id=str(number), extension="201") for number in range(5)]
    assert [event.id for event in take(joiner, *events)] == ["0", "1"]
    for number in range(5):
        take(joiner, told("started", key=str(number), at=T0))
    assert take(joiner, told("ended", key="0", at=T0))[0].id is None
    assert take(joiner, told("ended", key="4", at=T0))[0].id is not None
