"""When which open screen is due for a heart-beat."""

import threading
import time
from collections.abc import Callable
from math import floor, inf
from random import random
from typing import Generic, Protocol, TypeVar

SLOT_S = 0.05
"""Screens that are due within so long are dealt with together: at ten thousand, about a hundred."""


class Beating(Protocol):
    """A screen, as far as its heart-beats are concerned; times by the steady clock."""

    quiet_since: float
    until: float
    is_over: bool


def early(seconds: float) -> float:
    """Return ``seconds`` or up to a fifth less, at random: what began together does not go on together."""
    return seconds * (0.8 + 0.2 * random())  # noqa: S311 - not for security


B = TypeVar("B", bound=Beating)


class HeartBeats(Generic[B]):
    """Keeps screens by when they are due: about ``every_s`` after they were sent something, and when their time is
    over. For any thread.
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._slot_s = min(SLOT_S, every_s / 4)
        self._clock = clock
        self._slots: dict[int, list[B]] = {}
        self._changed = threading.Condition()
        self._stopping = False

    def add(self, screen: B) -> None:
        """Have ``screen`` beat from now on, until it is over."""
        with self._changed:
            if not self._slots:
                self._changed.notify()
            self._put(screen, self._clock() + early(self._every_s))

    def wait(self) -> bool:
        """Wait until screens may be due; False when it was stopped."""
        with self._changed:
            while not self._stopping:
                first = (min(self._slots) + 1) * self._slot_s if self._slots else inf
                left_s = first - self._clock()
                if left_s <= 0:
                    return True
                self._changed.wait(None if left_s == inf else left_s)
        return False

    def due(self) -> list[B]:
        """Return the screens that are due, each of which is due again ``every_s`` later at the latest."""
        now, found = self._clock(), list[B]()
        with self._changed:
            for slot in [slot for slot in self._slots if (slot + 1) * self._slot_s <= now]:
                for screen in self._slots.pop(slot):
                    if not screen.is_over:
                        self._put_again(screen, now, found)
        return found

    def stop(self) -> None:
        """Have ``wait`` return at once, now and later."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _put_again(self, screen: B, now: float, found: list[B]) -> None:
        next_at = screen.quiet_since + early(self._every_s)
        if next_at <= now + self._slot_s or screen.until <= now:
            found.append(screen)
            next_at = now + early(self._every_s)
        self._put(screen, next_at)

    def _put(self, screen: B, at: float) -> None:
        self._slots.setdefault(floor(min(at, screen.until) / self._slot_s), []).append(screen)
