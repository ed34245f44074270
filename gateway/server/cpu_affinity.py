"""A busy worker keeps to one processor; a calm one goes where there is room.

Its threads take turns at the interpreter lock, and handing that from one processor to another costs more than running
side by side wins: measured with 32 exchanges on two processors, one worker took 1.5 to 1.7 times the events when it
kept to one. A single order has nobody to take turns with, and loses 0.1 to 0.4 ms behind whoever else runs there.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress

LOOK_EVERY_S = 0.25
BUSY, CALM = 0.5, 0.25
"""Of one processor: from the first on a worker is busy, below the second calm, and in between it stays what it was."""


def share(number: int, allowed: Collection[int]) -> int:
    """Return the processor of the worker that was started as the ``number``-th."""
    return sorted(allowed)[(number - 1) % len(allowed)]


def is_busy(load: float, before: bool) -> bool:
    """Return whether a worker that used ``load`` of a processor counts as busy; ``before`` says whether it did until
    now.
    """
    return load >= (CALM if before else BUSY)


class Keeper:
    """Moves this process's threads between all processors that it may use and its own one, by how busy it is."""

    def __init__(self, number: int, *, used_s: Callable[[], float] = time.process_time) -> None:
        self._all = os.sched_getaffinity(0)
        self._own = {share(number, self._all)}
        self._used_s = used_s
        self._busy = False
        self._used, self._at = used_s(), time.monotonic()

    def start(self) -> None:
        threading.Thread(target=self._run, name="processors", daemon=True).start()

    def look(self) -> None:
        """Move the threads if the load since the last look asks for it."""
        used, at = self._used_s(), time.monotonic()
        load = (used - self._used) / max(at - self._at, 0.001)
        self._used, self._at = used, at
        busy = is_busy(load, self._busy)
        if busy != self._busy:
            move(self._own if busy else self._all)
            self._busy = busy  # not before: a move that failed is tried again

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            with suppress(OSError):  # no file left to open: that passes
                self.look()


def move(processors: Collection[int]) -> None:
    """Let all threads of this process run on ``processors``; what they start later does, too. A thread that has ended,
    or may not go there any more, is passed over.
    """
    for thread in os.listdir("/proc/self/task"):
        with suppress(OSError):
            os.sched_setaffinity(int(thread), processors)


def can_move() -> bool:
    """Return whether this system lets a process choose its processors, and shows its threads."""
    return hasattr(os, "sched_setaffinity") and os.path.isdir("/proc/self/task")
