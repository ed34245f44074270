"""A bounded pool of threads on which the application is called."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

log = structlog.get_logger()

Job = Callable[[], None]


class CallThreads:
    """At most ``size`` threads, started when there is work for them; they never keep the process from ending.

    ``concurrent.futures`` would: its threads are joined at exit, also one that waits for an appliance.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._started = 0

    def run(self, job: Job) -> None:
        """Have ``job`` done as soon as a thread is free."""
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False):
            self._start_one()

    def _start_one(self) -> None:
        with self._lock:
            if self._started >= self._size:
                return
            self._started += 1
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError as error:  # no more threads: those that run do the job, the next request tries again
            log.error("thread_not_started", threads=self._started, error=str(error))
            with self._lock:
                self._started -= 1

    def _work(self) -> None:
        while True:
            self._do(self._jobs.get())
            self._idle.release()

    @staticmethod
    def _do(job: Job) -> None:
        try:
            job()
        except BaseException as error:
            log.error("request_job_failed", exc_info=error)
