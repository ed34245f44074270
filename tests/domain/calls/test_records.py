"""One call that two sources tell of is one call, in whatever order their tellings come."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.domain.calls.states import State
from tests.domain.calls.ledger import Ledger
from tests.domain.calls.pairing_cases import T0

NUMBERS = ("4732100123", "4732100124", "47999990001")
EXTENSIONS = ("3501", "3502")


class RealCall(NamedTuple):
    """What really happened, in seconds: the call after the last one of its extension and number."""

    extension: str
    number: str
    began: int
    rang: int
    talked: int

    @property
    def ended(self) -> int:
        return self.began + self.rang + self.talked


class Telling(NamedTuple):
    """What is heard at a moment (seconds) of a call."""

    at: float
    what: str
    call: RealCall
    ref: str | None


@some.composite
def real_calls(draw: some.DrawFn) -> list[RealCall]:
    """Calls of which those of one pair follow each other by at least 15 s."""
    free: dict[tuple[str, str], int] = {}
    made = []
    for _ in range(draw(some.integers(1, 6))):
        pair = draw(some.sampled_from(EXTENSIONS)), draw(some.sampled_from(NUMBERS))
        began = free.get(pair, 0) + draw(some.integers(15, 400))
        made.append(RealCall(*pair, began, draw(some.integers(1, 40)), draw(some.integers(0, 300))))
        free[pair] = made[-1].ended
    return made


def as_it_goes_on(call: RealCall, ref: str | None) -> list[Telling]:
    told = [Telling(call.began, "start", call, ref), Telling(call.ended, "end", call, ref)]
    return [*told, Telling(call.began + call.rang, "answer", call, ref)] if call.talked else told


def play(ledger: Ledger, telling: Telling, *, says_when: bool) -> None:
    at, call = T0 + round(telling.at * 1000), telling.call
    when = {"start": call.began, "answer": call.began + call.rang}.get(telling.what, call.ended)
    said = {"occurred_at": T0 + when * 1000} if says_when or telling.what == "record" else {}
    if telling.what == "record":
        result = "ANSWERED" if call.talked else "NO ANSWER"
        more = {"started_at": T0 + call.began * 1000, "duration_s": call.talked, "result": result}
        ledger.end(call.extension, call.number, at, call_ref=telling.ref, **said, **more)
    else:
        getattr(ledger, telling.what)(call.extension, call.number, at, call_ref=telling.ref, **said)


def check(ledger: Ledger, calls: list[RealCall]) -> None:
    """Check that each real call is one call, over, where it was, and with its beginning."""
    found = sorted((call.number, call.extension, call.started_at or 0) for call in ledger.calls.values())
    wanted = sorted((call.number, call.extension, T0 + call.began * 1000) for call in calls)
    assert [each[:2] for each in found] == [each[:2] for each in wanted]
    assert all(abs(mine[2] - real[2]) <= 2000 for mine, real in zip(found, wanted, strict=True))
    assert {call.state for call in ledger.calls.values()} == {State.ENDED}


@given(some.data())
@settings(max_examples=150, deadline=None)
def test_listeners_without_ids_and_a_table(data: some.DataObject) -> None:
    """Events are heard as they happen, records from the end on, hours later, too, in any order."""
    calls = data.draw(real_calls())
    tellings = [each for call in calls for each in as_it_goes_on(call, None)]
    for number, call in enumerate(calls):
        delay_s = data.draw(some.sampled_from((0.5, 3, 20, 90, 700, 20_000)))
        tellings.append(
            Telling(call.ended + delay_s, "record", call, data.draw(some.sampled_from((None, f"r{number}"))))
        )
    ledger = Ledger()
    for telling in sorted(tellings, key=lambda each: each.at):
        play(ledger, telling, says_when=False)
    check(ledger, calls)


@given(some.data())
@settings(max_examples=150, deadline=None)
def test_a_manager_interface_and_a_table_with_the_same_ids(data: some.DataObject) -> None:
    """With ids of the exchange each telling may come at any time."""
    calls = data.draw(real_calls())
    tellings = []
    for number, call in enumerate(calls):
        tellings += [*as_it_goes_on(call, f"c{number}"), Telling(call.ended, "record", call, f"c{number}")]
    ledger = Ledger()
    delays = some.sampled_from((0, 0.2, 2, 30, 400))
    late = [each._replace(at=each.at + data.draw(delays)) for each in tellings]
    for telling in sorted(late, key=lambda each: each.at):
        play(ledger, telling, says_when=True)
    check(ledger, calls)


@given(some.data())
@settings(max_examples=100, deadline=None)
def test_a_table_alone_some_of_whose_rows_come_twice(data: some.DataObject) -> None:
    """A row that is told again, or was changed, is no other call."""
    calls = data.draw(real_calls())
    tellings = []
    for call in calls:
        delays = data.draw(some.lists(some.integers(1, 30_000), min_size=1, max_size=3))
        tellings += [Telling(call.ended + delay_s, "record", call, None) for delay_s in delays]
    ledger = Ledger()
    for telling in sorted(tellings, key=lambda each: each.at):
        play(ledger, telling, says_when=True)
    check(ledger, calls)


@pytest.mark.parametrize("ahead_s", [-60, 0, 60])
def test_the_answer_of_a_record_is_put_on_the_clock_of_what_was_heard(ahead_s: int) -> None:
    """The exchange said nothing of the answer; the seconds of talk are the record's, whatever its clock is."""
    ledger = Ledger()
    ledger.start("3501", "4732100123", T0)
    ledger.end("3501", "4732100123", T0 + 60_000)
    shift = T0 + ahead_s * 1000
    moments = {"started_at": shift, "answered_at": shift + 10_000, "occurred_at": shift + 60_000}
    ledger.end("3501", "4732100123", T0 + 900_000, result="ANSWERED", duration_s=50, **moments)
    (call,) = ledger.calls.values()
    assert (call.ring_s, call.talk_s, call.answered_at) == (10, 50, T0 + 10_000)


HOUR = 3_600_000
TALK = {"started_at": T0, "occurred_at": T0 + 65_000}


def told_as_it_went_on(ledger: Ledger, ref: str | None, *, answered: bool = True) -> None:
    """Have a call of 65 s told, of which 60 s were talk at 3501."""
    ledger.start("3501", NUMBERS[2], T0, call_ref=ref)
    if answered:
        ledger.answer("3501", NUMBERS[2], T0 + 5_000, call_ref=ref)
    ledger.end("3501", NUMBERS[2], T0 + 65_000, call_ref=ref)


@pytest.mark.parametrize(("ref", "extension"), [("c1", "3502"), (None, "3501")])
def test_a_record_that_contradicts_what_was_told_adds_only_what_nobody_said(ref: str | None, extension: str) -> None:
    """It comes an hour later with another extension, length and result, and with what only accounts know."""
    ledger = Ledger()
    told_as_it_went_on(ledger, ref)
    more = {"recording_url": "https://rec.example/1.wav", "line": "4733330000"}
    ledger.end(extension, NUMBERS[2], T0 + HOUR, call_ref=ref, duration_s=20, result="NO ANSWER", **TALK, **more)
    (call,) = ledger.calls.values()
    assert (call.extension, call.answered_by, call.result, bool(call.missed)) == ("3501", "3501", "answered", False)
    assert (call.duration_s, call.ring_s, call.talk_s, call.ended_at) == (65, 5, 60, T0 + 65_000)
    assert (call.recording_url, call.attached[1]) == ("https://rec.example/1.wav", "4733330000")


def test_a_record_says_the_answer_that_nobody_told_of() -> None:
    ledger = Ledger()
    told_as_it_went_on(ledger, "c1", answered=False)
    ledger.end("3501", NUMBERS[2], T0 + HOUR, call_ref="c1", duration_s=40, result="ANSWERED", **TALK)
    (call,) = ledger.calls.values()
    assert (call.result, bool(call.missed), call.duration_s) == ("answered", False, 65)


def test_a_record_is_the_end_that_nobody_told_of_and_takes_no_answer_back() -> None:
    ledger = Ledger()
    ledger.start("3501", NUMBERS[2], T0, call_ref="c1")
    ledger.answer("3501", NUMBERS[2], T0 + 5_000, call_ref="c1")
    ledger.end("3501", NUMBERS[2], T0 + HOUR, call_ref="c1", duration_s=0, result="NO ANSWER", **TALK)
    (call,) = ledger.calls.values()
    assert (call.result, call.answered_by, call.ended_at) == ("answered", "3501", T0 + 65_000)


def test_of_two_records_the_newer_corrects_the_older() -> None:
    ledger = Ledger()
    ledger.end("3501", NUMBERS[2], T0 + 70_000, call_ref="c1", duration_s=60, result="ANSWERED", **TALK)
    ledger.end("3502", NUMBERS[2], T0 + HOUR, call_ref="c1", duration_s=0, result="NO ANSWER", **TALK)
    (call,) = ledger.calls.values()
    assert (call.extension, call.result, call.answered_at) == ("3502", "missed", None)
