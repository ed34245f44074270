"""A record becomes events with the moments that its line means."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.events.lines.catalogue import made
from gateway.events.lines.framing import RawLine
from gateway.events.lines.interpreting import LineInterpreter, ReadRecord
from gateway.events.lines.records import LineRecord, RecordReader
from gateway.mapping.events import MappedEvent
from gateway.mapping.facts import MappingSource
from gateway.texts.rendering import render

NAMES = ["at", "ring", "talk", "ext", "number", "start", "answer", "end", "whole"]


def ms(clock: str) -> int:
    return int(datetime.fromisoformat(f"2026-03-05T{clock}").replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("10:10:00")


def understand(line: str, *, now: int = NOW, **tables: Any) -> ReadRecord:
    raw = {"lines": [{"names": NAMES}], "call": {"extension": "ext", "number": "number"}, **tables}
    description = made(raw, "test")
    (record,) = RecordReader(description).take(RawLine(line, 0, 0))
    assert isinstance(record, LineRecord)
    return LineInterpreter(description, MappingSource(ZoneInfo("UTC"))).understand(record, now)


def event(line: str, **tables: Any) -> MappedEvent:
    made_of = understand(line, **tables)
    assert made_of.problems == ()
    return made_of.events[0].event


def clocks(told: MappedEvent) -> list[str | None]:
    moments = (told.started_at, told.answered_at, told.ended_at)
    return [None if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S") for at in moments]


@pytest.mark.parametrize(
    ("line", "times", "expected"),
    [
        ("10:06:15,12,161", {"means": "end"}, ["10:03:22", "10:03:34", "10:06:15"]),
        ("10:03:22,12,161", {"means": "start"}, ["10:03:22", "10:03:34", "10:06:15"]),
        ("10:03:34,12,161", {"means": "answer"}, ["10:03:22", "10:03:34", "10:06:15"]),
        ("10:06:15,,161", {"means": "end"}, [None, None, "10:06:15"]),
        ("10:03:22,,161", {"means": "start"}, ["10:03:22", None, "10:06:03"]),
        ("10:20:45,45,0", {"means": "end"}, ["10:20:00", None, "10:20:45"]),
        ("10:20:00,45,0", {"means": "start"}, ["10:20:00", None, "10:20:45"]),
        ("10:20:00,45,", {"means": "start"}, ["10:20:00", None, "10:20:45"]),
    ],
)
def test_what_the_moment_of_a_line_means(line: str, times: dict[str, Any], expected: list[str | None]) -> None:
    tables = {"times": {"at": "at", "ring": "ring", "talk": "talk", **times}}
    assert clocks(event(f"{line},,201,1133334444".replace(",,201", ",201"), **tables)) == expected


def test_three_moments_need_no_lengths() -> None:
    told = event(
        ",,,201,1133334444,10:03:22,10:03:34,10:06:15",
        times={"start": "start", "answer": "answer", "end": "end"},
    )
    assert clocks(told) == ["10:03:22", "10:03:34", "10:06:15"]
    assert (told.duration, told.result) == (161, "answered")


def test_a_length_may_hold_the_ring() -> None:
    tables = {"times": {"at": "at", "means": "start", "ring": "ring", "whole": "whole"}}
    told = event("10:03:22,12,,201,1133334444,,,,173", **tables)
    assert clocks(told) == ["10:03:22", "10:03:34", "10:06:15"]
    assert told.duration == 161


def test_nobody_answered_where_the_description_says_so() -> None:
    tables = {"times": {"at": "at", "means": "start", "talk": "talk"}, "unanswered": {"equals": {"ring": "NA"}}}
    told = event("10:20:00,NA,45,203,1133334444", **tables)
    assert (told.result, told.duration, clocks(told)) == ("no answer", None, ["10:20:00", None, "10:20:45"])


def test_a_minute_is_told_as_what_of_it_is_nearest_to_now() -> None:
    tables = {"times": {"at": "at"}, "events": [{"when": {"present": "at"}, "kind": "started"}]}
    during, later, earlier = (
        understand("10:03,,,201,1133334444", now=now, **tables).events[0].event.at
        for now in (ms("10:03:42"), ms("10:07:00"), ms("09:59:00"))
    )
    assert (during, later, earlier) == (ms("10:03:42"), ms("10:04:00") - 1, ms("10:03:00"))


def test_what_cannot_be_read_is_told_and_the_rest_counts() -> None:
    made_of = understand("never,12,161,201,1133334444", times={"at": "at", "talk": "talk", "ring": "ring"})
    assert [render(problem, "en") for problem in made_of.problems] == ["at: 'never' is no time"]
    assert made_of.events[0].event.duration == 161


def test_a_record_is_the_same_whenever_it_is_read() -> None:
    tables = {"times": {"at": "at"}}
    one, again, other = (
        understand(line, now=now, **tables).events[0].identity
        for line, now in (
            ("10:03,,,201,1133334444", ms("10:03:42")),
            ("10:03,,,201,1133334444", ms("10:59:00")),
            ("10:04,,,201,1133334444", ms("10:04:42")),
        )
    )
    assert one == again != other
    tomorrow = understand("10:03,,,201,1133334444", now=NOW + 24 * 3_600_000, **tables).events[0].identity
    assert tomorrow != one
