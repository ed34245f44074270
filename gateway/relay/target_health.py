"""The breaker of one target: after failures in a row only now and then a letter is tried, until one is answered.

Not the breaker of appliances (``orders/circuit_breaker.py``): there somebody waits for the order, and what is refused
is lost; here everything waits, and what comes first after the pause is tried. All processes share one value for each
target, and the clock that its times are of.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

FAILURES = 3
"""So many in a row close the way."""
FIRST_MS = 600_000
SHORT_PAUSE_MS = 10_000
"""The longest pause of the first ten minutes: who waits at a screen for a call must not wait for us."""
LONG_PAUSE_MS = 60_000
LONGEST_ASKED_MS = 600_000
"""A pause that the target asked for (``Retry-After``) is kept up to that."""
JITTER = 0.2
CLOCK_DIFFERENCE_MS = 2_000
"""By so much the clocks of processes may differ; a pause that begins later is from before the clock was set back."""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How a target is doing. Times are milliseconds; ``retry_at`` 0: letters go there freely."""

    CALLED: ClassVar[str] = "forward_state"

    failures: int = 0
    failing_since: int = 0
    paused_at: int = 0
    retry_at: int = 0

    @property
    def is_open(self) -> bool:
        """Whether only single letters are tried, as the way back is looked for."""
        return bool(self.retry_at)

    def is_paused(self, now: int) -> bool:
        """Return whether nothing is tried now; false of a pause that is over, or from before the clock was set back."""
        return self.is_open and self.paused_at - CLOCK_DIFFERENCE_MS <= now < self.retry_at


def slots(health: TargetHealth, now: int, free: int) -> int:
    """Return how many letters may be tried now, where ``free`` more could be."""
    if not health.is_open:
        return free
    return 0 if health.is_paused(now) else min(free, 1)


def admit(health: TargetHealth, now: int) -> tuple[TargetHealth, bool]:
    """Return the health, and whether a letter may be sent. One that is tried at the end of a pause begins another, in
    which no process tries a second: until this one is answered, or for good if it hangs.
    """
    if not health.is_open:
        return health, True
    if health.is_paused(now):
        return health, False
    return replace(health, paused_at=now, retry_at=now + _pause_ms(health, now)), True


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
