"""The breaker of one target: after failures in a row only now and then a letter is tried, until one is answered.

Not the breaker of appliances (``orders/circuit_breaker.py``): there somebody waits for the order, and what is refused
is lost; here everything waits, and what comes first after the pause is tried.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

FAILURES = 3
"""So many in a row close the way."""
FIRST_MS = 600_000
SHORT_PAUSE_MS = 10_000
"""The longest pause of the first ten minutes: who waits at a screen for a call must not wait for us."""
LONG_PAUSE_MS = 60_000
LONGEST_ASKED_MS = 600_000
"""A pause that the target asked for (``Retry-After``) is kept up to that."""
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How a target is doing. Times are milliseconds; ``retry_at`` 0: letters go there freely."""

    failures: int = 0
    failing_since: int = 0
    paused_at: int = 0
    retry_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether only single letters are tried, as the way back is looked for."""
        return bool(self.retry_at)


def slots(health: TargetHealth, now: int, free: int) -> int:
    """Return how many letters may be tried now, where ``free`` more could be."""
    if not health.is_open:
        return free
    is_over = not health.paused_at <= now < health.retry_at  # also when the clock was set back
    return min(free, 1) if is_over else 0


def trial_begun(health: TargetHealth, now: int) -> TargetHealth:
    """Return the health while one letter is tried: the next may be after another pause, if that one hangs."""
    return replace(health, paused_at=now, retry_at=now + _pause_ms(health, now)) if health.is_open else health


def record(
    health: TargetHealth, *, answers: bool, now: int, random: Callable[[], float], retry_after_s: float | None = None
) -> TargetHealth:
    """Return the health after an attempt; ``random`` gives a number from 0 up to 1."""
    if answers:
        return TargetHealth()
    since = health.failing_since if health.failures and health.failing_since <= now else now
    after = replace(health, failures=health.failures + 1, failing_since=since)
    if after.failures < FAILURES and not retry_after_s:
        return after
    asked_ms = min((retry_after_s or 0) * 1000, LONGEST_ASKED_MS)
    wait_ms = max(_pause_ms(after, now) * (1 - JITTER * random()), asked_ms)
    return replace(after, paused_at=now, retry_at=now + round(wait_ms))


def _pause_ms(health: TargetHealth, now: int) -> int:
    return SHORT_PAUSE_MS if now - health.failing_since < FIRST_MS else LONG_PAUSE_MS
