"""A bounded pool of threads on which the application is called."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog

log = structlog.get_logger()

Job = Callable[[], None]


class CallThreads:
    """At most ``size`` threads, started when there is work for them; they never keep the process from ending.

    ``concurrent.futures`` would: its threads are joined at exit, also one that waits for an appliance. ``run`` is
    called on one thread only.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        # One token for each thread without work: a queue in C costs less than a semaphore in Python.
        self._idle: SimpleQueue[None] = SimpleQueue()
        self._started = 0

    def run(self, job: Job) -> None:
        """Have ``job`` done as soon as a thread is free."""
        self._jobs.put(job)
        if self._started < self._size and not self._has_idle():
            self._start_one()

    def _has_idle(self) -> bool:
        try:
            self._idle.get_nowait()
        except Empty:
            return False
        return True

    def _start_one(self) -> None:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
            self._started += 1
        except RuntimeError as error:  # no more threads: those that run do the job, the next request tries again
            log.error("thread_not_started", threads=self._started, error=str(error))

    def _work(self) -> None:
        while True:
            self._do(self._jobs.get())
            if self._started < self._size:
                self._idle.put(None)

    @staticmethod
    def _do(job: Job) -> None:
        try:
            job()
        except BaseException as error:
            log.error("request_job_failed", exc_info=error)
