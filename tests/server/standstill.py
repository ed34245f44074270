"""Where a thread stands, and for how long: what the kernel says of it, so that a busy machine does not count.

A thread of an event loop may wait for events, for the interpreter lock and for a processor. What it must not do is
stand in any other call of the system: a sleep, a lock, a file, a socket. Linux only.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from time import monotonic, sleep

LOOK_EVERY_S = 0.001
WAITS_FOR_EVENTS = {"epoll_wait": "232", "epoll_pwait": "281", "epoll_pwait on arm64": "22"}
FUTEX = {"202", "98"}
NEAR = 1024
"""Bytes within which the interpreter lock has all that its threads wait on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a thread is: the number of its call and what that waits on ("" where it runs), and how often it has run."""

    call: str
    address: int
    runs: str


class Task:
    """A thread of this process, as the kernel sees it; its files stay open, so that a look takes little."""

    def __init__(self, native_id: int) -> None:
        folder = f"/proc/self/task/{native_id}"
        self._files = [os.open(f"{folder}/{name}", os.O_RDONLY) for name in ("schedstat", "syscall")]

    def look(self) -> Seen:
        runs, at = (os.pread(file, 256, 0).decode() for file in self._files)
        call, *others = at.split()
        is_running = not call.isdigit()
        return Seen("" if is_running else call, int(others[0], 16) if others and not is_running else 0, runs)

    def close(self) -> None:
        for file in self._files:
            os.close(file)


class Watch:
    """Looks at one thread again and again until it is stopped."""

    def __init__(self, native_id: int) -> None:
        self._task = Task(native_id)
        self._interpreter = address_of_interpreter_lock()
        self._stopped = threading.Event()
        self.longest_s = 0.0
        self.looks = 0
        self.stood_in = ""
        """The call of the system in which it stood longest."""

    def run(self) -> None:
        before, since = self._task.look(), monotonic()
        while not self._stopped.is_set():
            sleep(LOOK_EVERY_S)
            now = self._task.look()
            self.looks += 1
            if now != before or self._may_wait(now):
                before, since = now, monotonic()
            elif monotonic() - since > self.longest_s:
                self.longest_s, self.stood_in = monotonic() - since, now.call

    def _may_wait(self, now: Seen) -> bool:
        if not now.call or now.call in WAITS_FOR_EVENTS.values():
            return True
        return now.call in FUTEX and abs(now.address - self._interpreter) < NEAR

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        self._task.close()


@cache
def address_of_interpreter_lock() -> int:
    """Return on what a thread waits that wants to run while another one does."""
    enough = threading.Event()

    def spin() -> None:
        while not enough.is_set():
            pass

    others = [threading.Thread(target=spin, daemon=True) for _ in range(2)]
    for other in others:
        other.start()
    tasks = [Task(other.native_id or 0) for other in others]
    found: Counter[int] = Counter()
    while found.total() < 5:
        found.update(look.address for look in (task.look() for task in tasks) if look.call in FUTEX)
    enough.set()
    for other, task in zip(others, tasks, strict=True):
        other.join()
        task.close()
    return found.most_common(1)[0][0]


@contextmanager
def watched(native_id: int) -> Iterator[Watch]:
    """Watch a thread for the length of a block."""
    watch = Watch(native_id)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
        watch.close()
