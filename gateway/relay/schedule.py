"""When a letter is tried again. The table is published in docs/forwards.md."""

from collections.abc import Callable

WAITS_S = (5, 15, 60, 300, 900, 3600)
"""What is waited after the first, the second ... attempt; after all further ones, the last."""
JITTER = 0.2
"""Each wait is up to so much shorter or longer, so that what failed together does not come back together."""
LONGEST_RETRY_AFTER_S = 3600.0
"""A peer that asks for more is asked again after that."""


def wait_ms(attempts: int, random: Callable[[], float], retry_after_s: float = 0) -> int:
    """Return the milliseconds to wait after ``attempts`` attempts, at least as long as the peer asked for.

    ``random`` gives a number from 0 up to 1.
    """
    usual = WAITS_S[min(max(attempts, 1), len(WAITS_S)) - 1]
    spread = usual * (1 + JITTER * (2 * random() - 1))
    return round(max(spread, min(retry_after_s, LONGEST_RETRY_AFTER_S)) * 1000)
