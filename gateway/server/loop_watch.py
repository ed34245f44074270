"""Says when a request has kept the event loop from all others: then something in it blocks, or takes very long."""

import time
from collections.abc import Callable

import structlog
from prometheus_client import Counter

log = structlog.get_logger()

LONG_S = 0.1
"""A whole batch of events takes a tenth of it; shorter ones a busy machine makes by itself."""
SAY_EVERY_S = 10.0
BLOCKED = Counter("cti_loop_blocked_total", "Requests that kept the event loop of this worker for 0.1 s or more")


class LoopWatch:
    """Hears of each stretch that a request ran on the loop's thread without a break.

    It goes by the clock: it counts sleeping, waiting for a lock, a file or a socket, and working; also what is nobody's
    fault here, that another thread held the interpreter, or that the machine gave this thread no processor. So
    ``tests/server/test_loop_blocked.py`` does not go by it, but looks where the thread stands.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at = float("-inf")
        self._unsaid = 0

    def kept(self, seconds: float, client: str) -> None:
        """Count a stretch of ``seconds``, longer than ``LONG_S``, and log it unless one was logged a moment ago."""
        BLOCKED.inc()
        now = self._clock()
        if now - self._said_at < SAY_EVERY_S:
            self._unsaid += 1
            return
        self._said_at, unsaid, self._unsaid = now, self._unsaid, 0
        log.warning("loop_blocked", ms=round(seconds * 1000), client=client, others_unsaid=unsaid)
