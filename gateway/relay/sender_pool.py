"""Threads that send letters: begun when they are needed, kept, and not waited for when the process ends."""

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class SenderPool:
    """Runs jobs on at most ``most`` threads. Daemons, since an adapter may hang: its letter is judged afterwards as one
    whose gateway died.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._busy = 0

    def submit(self, job: Job) -> None:
        """Have ``job`` run, at once where a thread is free or may be begun."""
        with self._lock:
            self._busy += 1
            if self._busy > len(self._threads) and len(self._threads) < self._most:
                thread = threading.Thread(target=self._run, name=f"outbox-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._jobs.put(job)

    def busy(self) -> int:
        """Return how many jobs are not done."""
        return self._busy

    def close(self) -> None:
        """End the threads that have nothing to do."""
        with self._lock:
            threads = list(self._threads)
        for _thread in threads:
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            finally:
                with self._lock:
                    self._busy -= 1
