"""Processor time in small loops, which is the same number on a slow machine and in its slow moments.

Limits by the clock, and even by processor time, fail whenever caches are emptied or the processor slows down.
"""

from collections.abc import Callable
from time import thread_time

TRIES = 5


def cpu_s(work: Callable[[], object]) -> float:
    """Seconds of this thread's processor time that ``work`` takes."""
    began = thread_time()
    work()
    return thread_time() - began


def small_loop() -> None:
    """What is the same everywhere: about 2.5 ms on a usual machine of 2023."""
    total = 0
    for number in range(100_000):
        total += number


def loops(cost_s: Callable[[], float], *, most: float) -> float:
    """How many small loops something costs that takes ``cost_s()`` seconds: the least of a few tries, no more of them
    than are needed to be below ``most``.
    """
    least = float("inf")
    for _ in range(TRIES):
        beside = max(cpu_s(small_loop), cpu_s(small_loop))
        least = min(least, cost_s() / beside)
        if least < most:
            break
    return least
