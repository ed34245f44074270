"""When an appliance does not answer, leave it alone for a while: pure rules over one small record.

An own module, because libraries such as pybreaker count exceptions and hold their lock while a call runs: orders of
one appliance would go one by one, and an outcome is no exception here.

    closed ──(so many times in a row unreachable or unknown)──▶ open ──(the pause is over)──▶ half-open
      ▲                                                          ▲                               │
      └──────────────(accepted or refused: it answers)───────────┼───────(one trial at a time)───┤
                                                                 └───(unreachable or unknown)────┘
"""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import ClassVar

from gateway.adapter import Outcome
from gateway.texts.packing import pack, unpack
from gateway.texts.text import Text

TRIAL_S = 60.0
"""After so long a trial whose process died is forgotten."""
CLOCK_DIFFERENCE_S = 2.0
"""By so much the clocks of processes may differ; what begins later is from before the clock was set back."""
REASON_LIMIT = 4000


class BreakerState(StrEnum):
    """Whether orders may go to the appliance."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Condition:
    """How an appliance is doing. Times are seconds since 1970; ``turns`` are when the last orders began.

    A pause and a trial have a beginning, so that one that begins in the future (by more than ``CLOCK_DIFFERENCE_S``) is
    known to be from before the clock was set back: it is over.
    """

    CALLED: ClassVar[str] = "appliance_state"

    failures: int = 0
    opened_at: float = 0.0
    retry_at: float = 0.0
    trial_at: float = 0.0
    trial_until: float = 0.0
    reason: str = ""
    turns: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How one appliance is treated. ``failures`` 0 never opens; None limits nothing."""

    max_orders: int | None = None
    orders_per_s: float | None = None
    wait_s: float = 3.0
    failures: int = 5
    pause_s: float = 30.0
    zone: tzinfo = UTC
    """In which people are told when it is tried again."""


@dataclass(frozen=True, slots=True)
class Health:
    """How an appliance is doing. ``retry_at`` is in milliseconds since 1970 UTC, None while the gate is closed."""

    gate: BreakerState
    failures: int
    retry_at: int | None
    reason: Text | None


def state_of(condition: Condition, now: float) -> BreakerState:
    """Return the state that people are shown."""
    if not condition.retry_at:
        return BreakerState.CLOSED
    is_open = _has_begun(condition.opened_at, now) and now < condition.retry_at
    return BreakerState.OPEN if is_open else BreakerState.HALF_OPEN


def _has_begun(at: float, now: float) -> bool:
    return at - CLOCK_DIFFERENCE_S <= now


def admit(condition: Condition, now: float) -> tuple[Condition, BreakerState]:
    """Return the condition, and the state by which an order may go: closed yes, half-open as the one trial, open no."""
    state = state_of(condition, now)
    if state is not BreakerState.HALF_OPEN:
        return condition, state
    if _has_begun(condition.trial_at, now) and now < condition.trial_until:
        return condition, BreakerState.OPEN
    return replace(condition, trial_at=now, trial_until=now + TRIAL_S), BreakerState.HALF_OPEN


def record(condition: Condition, outcome: Outcome, reason: Text, now: float, rules: Rules) -> Condition:
    """Return the condition after an attempt ended with ``outcome``."""
    if outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
        return Condition(turns=condition.turns)
    failures = condition.failures + 1
    if not rules.failures or failures < rules.failures:
        return replace(condition, failures=failures)
    if state_of(condition, now) is BreakerState.OPEN:
        return replace(condition, failures=failures)
    after = replace(condition, failures=failures, opened_at=now, retry_at=now + rules.pause_s, trial_until=0.0)
    return replace(after, reason=_kept(reason))


def reason_of(condition: Condition) -> Text | None:
    """Return why the appliance is left alone, None where nothing is known."""
    return unpack(condition.reason, words=condition.reason) if condition.reason else None


def _kept(reason: Text) -> str:
    packed = pack(reason)
    return packed if len(packed) <= REASON_LIMIT else str(reason)[:REASON_LIMIT]


def try_now(condition: Condition, now: float) -> Condition:
    """End the pause: the next order is the trial."""
    return replace(condition, retry_at=min(condition.retry_at, now), trial_until=0.0)


def reserve_slot(condition: Condition, now: float, rules: Rules, patience_s: float) -> tuple[Condition, float | None]:
    """Reserve a slot under ``orders_per_s`` and return the seconds to wait for it; None when that is longer than
    ``patience_s``.

    Whole orders go at once: three at a time for 3/s, one every two seconds for 0.5/s.
    """
    if not rules.orders_per_s:
        return condition, 0.0
    together = max(1, int(rules.orders_per_s))
    # A turn further ahead than anybody waits for one is from before the clock was set back.
    before = [at for at in condition.turns if at <= now + rules.wait_s][-together:]
    at = max(now, before[0] + together / rules.orders_per_s) if len(before) == together else now
    if at - now > patience_s:
        return condition, None
    return replace(condition, turns=(*before, at)[-together:]), at - now
