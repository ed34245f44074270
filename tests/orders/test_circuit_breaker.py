"""An appliance that does not answer is left alone for a while: every step of the rules, without any clock."""

import pytest

from gateway.adapter import Outcome
from gateway.orders.appliance_queue import STOPPING
from gateway.orders.circuit_breaker import (
    REASON_LIMIT,
    BreakerState,
    Condition,
    Rules,
    admit,
    reason_of,
    record,
    reserve_slot,
    state_of,
    try_now,
)
from gateway.texts.text import Text, verbatim

RULES = Rules(failures=3, pause_s=30)
NO_ANSWER = Text("no answer")


def after(*outcomes: Outcome, rules: Rules = RULES, now: float = 100) -> Condition:
    condition = Condition()
    for outcome in outcomes:
        condition = record(condition, outcome, NO_ANSWER, now, rules)
    return condition


DEAD = after(*[Outcome.UNREACHABLE] * 3)


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ((), BreakerState.CLOSED),
        ((Outcome.UNKNOWN, Outcome.UNREACHABLE), BreakerState.CLOSED),
        ((Outcome.UNKNOWN, Outcome.UNREACHABLE, Outcome.UNKNOWN), BreakerState.OPEN),
        ((Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.REFUSED, Outcome.UNKNOWN), BreakerState.CLOSED),
        ((Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.UNKNOWN), BreakerState.CLOSED),
        ((*[Outcome.UNKNOWN] * 4, Outcome.ACCEPTED), BreakerState.CLOSED),
    ],
)
def test_so_many_in_a_row_without_an_answer_and_it_is_left_alone_and_any_answer_ends_that(
    outcomes: tuple[Outcome, ...], state: BreakerState
) -> None:
    assert state_of(after(*outcomes), 101) is state


def test_zero_failures_never_leaves_it_alone() -> None:
    assert state_of(after(*[Outcome.UNKNOWN] * 50, rules=Rules(failures=0)), 101) is BreakerState.CLOSED


def test_the_reason_and_the_time_of_the_next_attempt_are_known() -> None:
    assert (reason_of(DEAD), DEAD.retry_at) == (NO_ANSWER, 130)


def test_a_reason_that_version_0_1_0_wrote_stays_as_it_is() -> None:
    assert reason_of(Condition(reason="A central 'pabx' não foi alcançada.")) == verbatim(
        "A central 'pabx' não foi alcançada."
    )
    assert reason_of(Condition()) is None


def test_a_reason_without_end_is_cut() -> None:
    long = record(Condition(failures=2), Outcome.UNKNOWN, verbatim("x" * 10_000), 100, RULES)
    assert reason_of(long) == verbatim("x" * REASON_LIMIT)


def test_orders_that_were_under_way_do_not_make_the_pause_longer() -> None:
    assert record(DEAD, Outcome.UNKNOWN, Text("late"), 120, RULES).retry_at == 130


def test_after_the_pause_one_order_is_the_trial_and_the_others_still_wait() -> None:
    trying, state = admit(DEAD, 130)
    assert state is BreakerState.HALF_OPEN
    assert admit(trying, 131) == (trying, BreakerState.OPEN)


def test_a_trial_that_fails_starts_the_pause_anew_and_one_that_is_answered_ends_it() -> None:
    trying, _ = admit(DEAD, 130)
    again = record(trying, Outcome.UNREACHABLE, STOPPING.text, 131, RULES)
    assert (state_of(again, 132), again.retry_at, reason_of(again)) == (BreakerState.OPEN, 161, STOPPING.text)
    assert record(trying, Outcome.REFUSED, Text("busy"), 131, RULES) == Condition()


def test_a_trial_whose_process_died_is_forgotten_after_a_minute() -> None:
    trying, _ = admit(DEAD, 130)
    assert admit(trying, 191)[1] is BreakerState.HALF_OPEN


def test_a_good_probe_ends_the_pause() -> None:
    assert admit(try_now(DEAD, 105), 105)[1] is BreakerState.HALF_OPEN
    assert try_now(Condition(), 105) == Condition()


def waits(per_s: float, *at: float, patience_s: float = 10) -> list[float | None]:
    condition, found = Condition(), []
    for now in at:
        condition, wait_s = reserve_slot(condition, now, Rules(orders_per_s=per_s), patience_s)
        found.append(wait_s)
    return found


def test_three_a_second_are_three_at_once_and_then_three_more_a_second_later() -> None:
    assert waits(3, *[100.0] * 7) == [0, 0, 0, 1, 1, 1, 2]
    assert waits(3, 100, 100.5, 100.9, 101.0, 101.2) == pytest.approx([0, 0, 0, 0, 0.3])


def test_less_than_one_a_second_is_one_at_a_time() -> None:
    assert waits(0.5, 100, 100, 103.5) == [0, 2, 0.5]


def test_who_would_wait_too_long_takes_nobody_s_turn() -> None:
    assert waits(1, 100, 100, 100, 100.5, patience_s=1) == [0, 1, None, None]
    assert waits(1, 100, 100, 101.0, patience_s=1) == [0, 1, 1]


@pytest.mark.parametrize("back_s", [5, 50, 1_000_000])
def test_a_clock_put_back_blocks_nobody_for_long(back_s: float) -> None:
    assert waits(1, 1_000_000, 1_000_000 - back_s) == [0, 0]


def test_a_process_whose_clock_is_a_little_behind_keeps_the_pause_and_the_trial_of_another() -> None:
    assert state_of(DEAD, 99.95) is BreakerState.OPEN, "the pause began at 100"
    trying, _ = admit(DEAD, 140)
    assert admit(trying, 139.95) == (trying, BreakerState.OPEN), "one trial at a time"


@pytest.mark.parametrize("step_s", [-86_400, -50, 86_400])
def test_an_appliance_that_is_left_alone_is_tried_again_when_the_clock_was_set(step_s: float) -> None:
    dead = after(*[Outcome.UNREACHABLE] * 3, now=1_000_000)
    assert state_of(dead, 1_000_010) is BreakerState.OPEN
    now = 1_000_010 + step_s
    trial, state = admit(dead, now)
    assert state is BreakerState.HALF_OPEN
    assert admit(trial, now + 1)[1] is BreakerState.OPEN, "one trial at a time"
    assert admit(trial, now - 90_000)[1] is BreakerState.HALF_OPEN, "a trial from the future is over"
    again = record(trial, Outcome.UNREACHABLE, NO_ANSWER, now + 1, RULES)
    assert state_of(again, now + 2) is BreakerState.OPEN
    assert state_of(again, now + 32) is BreakerState.HALF_OPEN
