"""A source's clock is measured by what it tells, and its times are put right."""

from collections.abc import Callable
from itertools import count

import pytest

from gateway.domain.messages import CallAnswered, CallEnded, CallStarted, Origin
from gateway.domain.tenant import Tenant
from gateway.events.clock import ClockWatch, SourceClock
from gateway.handlers import Core
from tests.events.reports import place
from tests.store.conftest import PLAN, Store

NOON = 1_796_050_800_000
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
LATE = (0, 31, 7, 58, 12, 44, 23, 39, 3, 51, 17, 28, 49, 9, 35)
"""Seconds, as calls end within a minute."""


def measured(tell: Callable[[int, int], tuple[int, int]], calls: int = 15) -> int | None:
    """Return how far the clock is found to be, ahead by seconds: ``tell(place, moment)`` gives told and heard."""
    watch = ClockWatch()
    for number in range(calls):
        watch.note(*tell(number, NOON + number * 5 * MINUTE + LATE[number % 15] * SECOND))
    ahead = watch.ahead()
    return None if ahead is None else round(ahead / 1000)


def test_the_smallest_delays_show_the_clock() -> None:
    assert measured(lambda number, at: (at + 7 * MINUTE, at + LATE[number] * 300)) == pytest.approx(420, abs=3)
    assert measured(lambda _, at: (at - 3 * HOUR, at)) == -3 * 3600
    assert measured(lambda _, at: (at, at + 200)) == 0


@pytest.mark.parametrize("calls", [5, 15])
def test_times_by_the_minute_are_taken_for_its_middle(calls: int) -> None:
    found = measured(lambda _, at: ((at + 7 * MINUTE) // MINUTE * MINUTE, at), calls)
    assert found == pytest.approx(420, abs=20)


def test_a_clock_is_not_known_by_few_moments_or_delays_that_differ() -> None:
    assert measured(lambda _, at: (at + 7 * MINUTE, at), calls=4) is None
    assert measured(lambda number, at: (at, at + number * 10 * MINUTE)) is None


def test_what_was_held_back_and_comes_at_once_counts_once() -> None:
    """A file with yesterday's calls: read in a second, it says nothing of the clock."""
    watch = ClockWatch()
    for number in range(1000):
        watch.note(NOON - 24 * HOUR + number, NOON + number)
    assert watch.ahead() is None


def test_some_wrong_times_change_nothing() -> None:
    found = measured(lambda number, at: (at + (9 * HOUR if number % 7 == 3 else -8 * HOUR if number == 5 else 0), at))
    assert found == 0


class Telling:
    """Records with a clock that is ``ahead``, each of a call that begins, all heard a moment after their end."""

    def __init__(
        self, ahead: int, *, configured: int | None = None, at_once: bool = True, corrected: int = 0, late: int = 300
    ) -> None:
        self.ahead, self.late, self.now, self.changes = ahead, late, NOON, list[int]()
        self.clock = SourceClock(configured, corrected, tells_at_once=at_once, changed=self.changes.append)
        self._numbers = count()

    def record(self) -> CallEnded:
        """Return the next one, put right; its call ended at ``now``."""
        self.now += 5 * MINUTE + 7 * SECOND
        number = f"4799990{next(self._numbers):04}"
        origin = place("cdr").origin("table")
        times = {"occurred_at": self.now + self.ahead, "started_at": self.now - 30_000 + self.ahead}
        told = CallEnded("acme", "3501", number, origin, self.now + self.late, duration_s=30, **times)
        right = self.clock.put_right(told)
        assert isinstance(right, CallEnded)
        return right

    def off(self, calls: int = 8) -> list[int]:
        """Return how far the times of so many calls are off, in seconds."""
        return [round(((each.occurred_at or 0) - self.now) / 1000) for _ in range(calls) for each in [self.record()]]


def test_a_wrong_clock_is_put_right_once_it_is_known() -> None:
    telling = Telling(-7 * MINUTE)
    assert telling.off() == [-420, -420, -420, -420, 0, 0, 0, 0]
    assert telling.changes == [-7 * MINUTE - 300]
    assert telling.clock.ahead == -7 * MINUTE - 300


@pytest.mark.parametrize("late_s", [0, 20])
def test_what_is_told_before_it_happens_is_put_right_at_once(late_s: int) -> None:
    """From the first call on: no clock that is right tells of the future."""
    telling = Telling(7 * MINUTE, late=late_s * SECOND)
    assert telling.off(1) == [late_s]
    assert telling.changes == []
    assert set(telling.off()) == {late_s}
    assert telling.changes == [(7 * MINUTE) - late_s * SECOND]


def test_one_moment_in_the_future_says_nothing_of_the_next_call() -> None:
    telling = Telling(0)
    telling.ahead = 9 * HOUR
    assert telling.off(1) == [0]
    telling.ahead = 0
    assert set(telling.off()) == {0}
    assert telling.changes == []


def test_both_moments_of_a_record_are_put_right() -> None:
    telling = Telling(7 * MINUTE, corrected=7 * MINUTE)
    record = telling.record()
    assert (record.occurred_at or 0) - (record.started_at or 0) == 30_000
    assert record.occurred_at == telling.now


def test_a_time_zone_is_put_right_by_whole_half_hours() -> None:
    assert Telling(-3 * HOUR, at_once=False).off()[-1] == 0
    assert Telling(5 * HOUR + 30 * MINUTE).off()[-1] == 0


def test_what_may_come_late_is_not_taken_for_a_clock_that_is_behind() -> None:
    late = Telling(-10 * MINUTE, at_once=False)
    assert set(late.off()) == {-600}
    assert late.clock.ahead is None
    assert Telling(-10 * MINUTE).off()[-1] == 0


def test_a_clock_that_is_off_by_little_is_left_alone() -> None:
    telling = Telling(20 * SECOND)
    assert set(telling.off()) == {20}
    assert telling.changes == []


def test_what_an_administrator_says_counts() -> None:
    assert set(Telling(7 * MINUTE, configured=7 * MINUTE).off()) == {0}
    left = Telling(7 * MINUTE, configured=0)
    assert set(left.off()) == {420}
    assert left.clock.ahead == 7 * MINUTE - 300


def test_a_clock_that_somebody_put_right_is_taken_as_it_is_again() -> None:
    telling = Telling(7 * MINUTE)
    telling.off()
    telling.ahead = 0
    assert telling.off(20)[-1] == 0
    assert telling.changes == [7 * MINUTE - 300, 0]


def test_all_that_is_told_of_a_call_is_put_right_alike() -> None:
    telling = Telling(7 * MINUTE)
    origin = place("ami").origin("central")
    ring = CallStarted("acme", "3501", "47911110000", origin, NOON, call_ref="1.7", occurred_at=NOON + 7 * MINUTE)
    end = CallEnded("acme", "3501", "47911110000", origin, NOON, call_ref="1.7", occurred_at=NOON + 8 * MINUTE)
    before = telling.clock.put_right(ring)
    telling.off()
    after = telling.clock.put_right(end)
    assert (after.occurred_at or 0) - (before.occurred_at or 0) == MINUTE


# With other sources.


class Company:
    """A company whose exchange calls a listener as calls go on, and whose records come from a table."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.core = Core({"acme": Tenant("acme", PLAN)}, store.journal, None)  # type: ignore[arg-type]

    def call_and_record(self, telling: Telling) -> int:
        """Have a call told by both; return how many calls there are afterwards."""
        record = telling.record()
        here, number = Origin("get", "192.0.2.7"), record.telefone
        ended = telling.now
        for message in (
            CallStarted("acme", "3501", number, here, ended - 40_000),
            CallAnswered("acme", "3501", number, here, ended - 30_000),
            CallEnded("acme", "3501", number, here, ended),
            record,
        ):
            self.core.handle(message)
        return len({event.call_id for event in self.store.events.after(0)})


@pytest.fixture
def company(store: Store) -> Company:
    return Company(store)


def test_records_of_a_clock_that_is_behind_find_their_calls_once_it_is_known(company: Company) -> None:
    telling = Telling(-3 * HOUR, at_once=False, late=75 * SECOND)
    there = [company.call_and_record(telling) for _ in range(8)]
    assert there == [2, 4, 6, 8, 9, 10, 11, 12]


@pytest.mark.parametrize("ahead", [7 * MINUTE, HOUR])
def test_records_of_a_clock_that_is_ahead_find_their_calls_from_the_first_on(company: Company, ahead: int) -> None:
    telling = Telling(ahead, at_once=False, late=75 * SECOND)
    assert [company.call_and_record(telling) for _ in range(8)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_without_that_each_would_be_a_call_of_its_own(company: Company) -> None:
    """The control of the test above: it would fail."""
    telling = Telling(7 * MINUTE, configured=0, late=75 * SECOND)
    assert [company.call_and_record(telling) for _ in range(6)] == [2, 4, 6, 8, 10, 12]
