"""The pure rules of the relay: what an outcome means, when a letter is tried again, when a target is left alone."""

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.relay.forward_rules import DAY_MS, ForwardRules
from gateway.relay.schedule import LONGEST_RETRY_AFTER_S, WAITS_S, wait_ms
from gateway.relay.target_health import FIRST_MS, TargetHealth, admit, record, slots
from gateway.relay.verdicts import verdict_on
from gateway.store.letters.stored import LetterReason, LetterState

T0 = 1_800_000_000_000


def half() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("outcome", "retry_after_s", "idempotent", "state", "reason"),
    [
        (Outcome.ACCEPTED, None, False, LetterState.DELIVERED, None),
        (Outcome.REFUSED, None, False, LetterState.DEAD, LetterReason.REFUSED),
        (Outcome.REFUSED, None, True, LetterState.DEAD, LetterReason.REFUSED),
        (Outcome.REFUSED, 0, False, None, LetterReason.LATER),
        (Outcome.UNKNOWN, 30, False, None, LetterReason.LATER),
        (Outcome.UNREACHABLE, None, False, None, LetterReason.UNREACHABLE),
        (Outcome.UNKNOWN, None, False, LetterState.DEAD, LetterReason.UNKNOWN),
        (Outcome.UNKNOWN, None, True, None, LetterReason.UNKNOWN),
    ],
)
def test_what_an_outcome_means(
    outcome: Outcome,
    retry_after_s: float | None,
    idempotent: bool,
    state: LetterState | None,
    reason: LetterReason | None,
) -> None:
    verdict = verdict_on(Delivery(outcome, "", retry_after_s=retry_after_s), idempotent=idempotent)
    assert (verdict.state, verdict.reason) == (state, reason)


def test_the_waits_are_those_that_are_published() -> None:
    assert [wait_ms(n, half) // 1000 for n in range(1, 9)] == [*WAITS_S, WAITS_S[-1], WAITS_S[-1]]


@pytest.mark.parametrize(("random", "milliseconds"), [(0.0, 4000), (0.5, 5000), (1.0, 6000)])
def test_waits_are_spread(random: float, milliseconds: int) -> None:
    assert wait_ms(1, lambda: random) == milliseconds


@pytest.mark.parametrize(("asked", "seconds"), [(1, 5), (90, 90), (10**9, LONGEST_RETRY_AFTER_S)])
def test_a_peer_s_wish_is_kept_within_bounds(asked: float, seconds: float) -> None:
    assert wait_ms(1, half, asked) == seconds * 1000


def failed(health: TargetHealth, now: int, times: int = 1, retry_after_s: float | None = None) -> TargetHealth:
    for _ in range(times):
        health = record(health, answers=False, now=now, random=half, retry_after_s=retry_after_s)
    return health


def test_after_three_failures_single_letters_are_tried() -> None:
    assert slots(failed(TargetHealth(), T0, 2), T0, 16) == 16
    health = failed(TargetHealth(), T0, 3)
    assert (health.is_open, slots(health, T0, 16), slots(health, T0 + 10_000, 16)) == (True, 0, 1)


def test_an_answer_opens_the_way() -> None:
    assert record(failed(TargetHealth(), T0, 9), answers=True, now=T0, random=half) == TargetHealth()


def test_something_is_tried_every_ten_seconds_for_ten_minutes_also_where_trials_hang() -> None:
    health, now, tried = failed(TargetHealth(), T0, 3), T0, 0
    while now < T0 + FIRST_MS:
        now += 1000
        if slots(health, now, 16):
            health, is_sent = admit(health, now)
            tried += is_sent
    assert tried >= FIRST_MS // 10_000 - 1


def test_later_the_pauses_are_longer() -> None:
    health = failed(failed(TargetHealth(), T0, 3), T0 + FIRST_MS + 1)
    assert slots(health, T0 + FIRST_MS + 20_000, 16) == 0
    assert slots(health, T0 + FIRST_MS + 60_000, 16) == 1


def test_a_pause_that_the_target_asked_for_is_kept_at_once() -> None:
    health = failed(TargetHealth(), T0, retry_after_s=120)
    assert (slots(health, T0 + 119_000, 16), slots(health, T0 + 120_000, 16)) == (0, 1)
    assert slots(failed(TargetHealth(), T0, retry_after_s=10**9), T0 + FIRST_MS, 16) == 1


def test_a_pause_from_before_the_clock_was_set_back_is_over() -> None:
    assert slots(failed(TargetHealth(), T0, 3), T0 - 3_600_000, 16) == 1


def test_what_is_late_is_delivered_for_three_days_and_the_rest_while_it_is_news() -> None:
    rules = ForwardRules(late=frozenset({"call_started"}))
    assert (rules.late_after_ms("call_started"), rules.lifetime_ms("call_started")) == (20_000, 3 * DAY_MS)
    assert (rules.late_after_ms("call_ended"), rules.lifetime_ms("call_ended")) == (None, 3 * DAY_MS)
    assert ForwardRules().lifetime_ms("call_started") == 20_000
    assert ForwardRules(expires_ms={"call_ended": None}).lifetime_ms("call_ended") is None
