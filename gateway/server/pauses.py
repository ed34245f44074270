"""Keeps short what holds the interpreter from all other threads: its turns, and full collections of garbage.

A full collection walks every container of the process. With five thousand screens one took 0.1 s, every few seconds
while events came in: so what has lived through a long one is not walked again.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

TURN_S = 0.0005
"""How long a thread that works may keep one that waits for the interpreter, while there are screens; Python's own 5 ms
would be all that an event may take to one. A process at its limits pays an eighth of each event for it.
"""
REST_S = 0.0005
"""How long a thread rests within long work, so that those have the interpreter that wait for it: else each of their
statements would wait for a turn.
"""
PIECE = 1000
"""Small things that are done between two rests, in half a millisecond."""
LOOK_EVERY_S = 1.0
YOUNG = 10_000
"""How many more containers are there when the youngest are walked, which takes about a millisecond if all of them are
alive. With Python's own 700 events whose rows wait for the traffic log were walked again and again.
"""
WITH_SCREENS = (2_500, 2, 1)
"""The three thresholds of the collector while there are screens: each of its walks is then of some 15,000 containers at
most. With those of above one in a minute walked for 0.1 s at 5,000 screens.
"""
LONG_S = 0.003
"""A full collection that works longer is long: some twenty thousand containers."""
FULL = 2
"""The oldest generation."""
SOON = 2
"""A full collection comes as soon as so many of what is not quite young have gone before it, instead of ten: it walks
less then. (From Python 3.14 on a full one is walked in pieces, and this changes nothing.)
"""
COUNT_EVERY = 10
"""How many long collections there are to one look at how much is kept, which takes 2 ms for 100,000 containers."""
MUCH_MORE = 2.0


T = TypeVar("T")


def in_pieces(items: Iterable[T], size: int = PIECE) -> Iterator[T]:
    """Yield ``items``, and rest behind each ``size`` of them: for threads that nobody waits for."""
    for count, item in enumerate(items, start=1):
        yield item
        if count % size == 0:
            time.sleep(REST_S)


class LongLived:
    """Has the collector leave alone what has lived through a long collection, until ``MUCH_MORE`` times as much is left
    alone as was alive when all was walked last: then all is walked once, for garbage among it is not found otherwise.
    """

    def __init__(self, *, long_s: float = LONG_S, clock: Callable[[], float] = time.thread_time) -> None:
        self._long_s = long_s
        self._clock = clock
        self._began = 0.0
        self._kept = 0
        self._alive = 0
        """How many containers were left alone when all had been walked; 0: they are walked next."""

    def start(self) -> None:
        """Collect, leave alone what is there, and hear of each collection from now on."""
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(max(young, YOUNG), middle, SOON)
        gc.collect()
        self._leave_alone()
        gc.callbacks.append(self._hear)

    def stop(self) -> None:
        """Hear of no collection any more, and have all walked again."""
        gc.callbacks.remove(self._hear)
        gc.unfreeze()

    def _hear(self, phase: str, info: Mapping[str, Any]) -> None:
        if info["generation"] < FULL:
            return
        if phase == "start":
            self._began = self._clock()
        elif self._clock() - self._began >= self._long_s:
            self._leave_alone()

    def _leave_alone(self) -> None:
        """Leave alone all that is alive; called when a full collection has ended."""
        gc.freeze()
        self._kept += 1
        if not self._alive:
            self._alive = gc.get_freeze_count()
        elif self._kept % COUNT_EVERY == 0 and gc.get_freeze_count() > MUCH_MORE * self._alive:
            self._alive = 0
            gc.unfreeze()


class Turns:
    """Keeps the turns of threads and of the collector short while there are ``screens()``, and as they were else."""

    def __init__(self, screens: Callable[[], int]) -> None:
        self._screens = screens
        self._usual_s, self._usual = sys.getswitchinterval(), gc.get_threshold()

    def look(self) -> None:
        """Have turns be as long as they should be now."""
        wanted_s, wanted = (TURN_S, self._with_screens()) if self._screens() else (self._usual_s, self._usual)
        if abs(sys.getswitchinterval() - wanted_s) > TURN_S / 10:
            sys.setswitchinterval(wanted_s)
            gc.set_threshold(*wanted)

    def _with_screens(self) -> tuple[int, int, int]:
        """Return the thresholds; from Python 3.14 on the second one says how small the pieces of a full walk are."""
        return WITH_SCREENS if sys.version_info < (3, 14) else (WITH_SCREENS[0], *self._usual[1:])

    def start(self) -> None:
        """Look now and then, as long as the process lives."""
        threading.Thread(target=self._run, name="turns", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.look()
            time.sleep(LOOK_EVERY_S)


def shorten(screens: Callable[[], int]) -> LongLived:
    """Keep both short in this process from now on, when it has been built: that lives as long as the process.

    ``screens()`` are those that are open in it.
    """
    long_lived = LongLived()
    long_lived.start()
    Turns(screens).start()
    return long_lived
