"""The wall clock, and what may be concluded from it after it was set.

Rows carry the time of the wall clock, which somebody (or NTP) may set forward or back at any moment. Two rules follow:
a time from the future is a time from before the clock was set back, never a reason to wait; and how long ago something
was is measured with a steady clock as far back as this process can tell.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

STEP_MS = 5_000
"""A difference to the steady clock by which the wall clock was set; less is NTP keeping it right."""
REMEMBERED = 64


def milliseconds() -> int:
    """Return now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def steady_milliseconds() -> int:
    """Return milliseconds of a clock that nobody sets; its zero means nothing."""
    return time.monotonic_ns() // 1_000_000


class Clock:
    """The wall clock in milliseconds since 1970 UTC, which notices when it is set. Safe for many threads."""

    def __init__(self, wall: Callable[[], int] = milliseconds, steady: Callable[[], int] = steady_milliseconds) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._last = (wall(), steady())
        self._steps: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def __call__(self) -> int:
        """Return now."""
        with self._lock:
            now, steady = self._wall(), self._steady()
            expected = self._last[0] + steady - self._last[1]
            if abs(now - expected) > STEP_MS:
                self._steps.append((expected, now))
            self._last = (now, steady)
            return now

    def ago(self, ms: int) -> int:
        """Return what this clock showed ``ms`` ago, before it was set if need be."""
        shown = self()
        for before, after in reversed(list(self._steps)):
            if ms <= shown - after:
                break
            ms -= max(shown - after, 0)
            shown = before
        return shown - ms
