"""What is concluded from a wall clock that was set forward or back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import STEP_MS, Clock
from tests.fakes import SetTime

T0 = 1_780_000_000_000
HOUR = 3600 * 1000
STEPS = st.integers(-(10**12), 10**12).filter(lambda ms: abs(ms) > STEP_MS)


def test_without_a_step_it_is_plain_subtraction() -> None:
    time = SetTime(T0)
    clock = Clock(time.wall, time.steady)
    time.pass_by(HOUR)
    assert (clock(), clock.ago(0), clock.ago(1000)) == (T0 + HOUR, T0 + HOUR, T0 + HOUR - 1000)
    assert clock.ago(5 * HOUR) == T0 - 4 * HOUR


@pytest.mark.parametrize("step", [30 * HOUR, -30 * HOUR])
def test_a_step_is_left_out(step: int) -> None:
    time = SetTime(T0)
    clock = Clock(time.wall, time.steady)
    time.pass_by(HOUR)
    time.step(step)
    clock()
    time.pass_by(HOUR)
    assert clock.ago(HOUR // 2) == T0 + step + HOUR + HOUR // 2, "since the step"
    assert clock.ago(2 * HOUR) == T0, "before it, what was shown then"


def test_a_clock_that_is_kept_right_has_not_been_set() -> None:
    time = SetTime(T0)
    clock = Clock(time.wall, time.steady)
    for _ in range(100):
        time.pass_by(HOUR)
        time.step(-1000)
        clock()
    assert clock.ago(HOUR) == clock() - HOUR


@given(st.lists(st.one_of(st.tuples(st.just("pass"), st.integers(0, 10**10)), st.tuples(st.just("step"), STEPS))))
def test_what_the_clock_showed_is_found_again_whatever_was_done_to_it(events: list[tuple[str, int]]) -> None:
    time = SetTime(T0)
    clock = Clock(time.wall, time.steady)
    seen: list[tuple[int, int]] = []
    for kind, ms in events[:60]:
        time.pass_by(max(ms, 1)) if kind == "pass" else time.step(ms)
        clock()
        time.pass_by(1)  # what it showed at the very moment of a step is both
        seen.append((time.steady(), time.wall()))
        time.pass_by(1)
    for steady, wall in seen:
        assert clock.ago(time.steady() - steady) == wall
