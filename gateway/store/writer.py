"""Group commit: many threads hand in work, one thread writes all that is waiting in one transaction.

Each producer waits until the transaction that holds its work is durable, so that nothing is acknowledged
early; under load one fsync serves hundreds of them.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import GatewayError, InternalError, QueueFull, Stopping, StoreUnavailable

Job = TypeVar("Job")
Result = TypeVar("Result")

log = structlog.get_logger()


class GroupCommit(Generic[Job, Result]):
    """Writes jobs with ``apply(connection, jobs) -> results`` (one for each job, in order).

    When ``apply`` fails for a batch, the batch is rolled back and each job is tried by itself inside a
    savepoint, so that an error hurts only the job that causes it. ``lock`` is held around each transaction
    (a file lock between processes). ``after_commit`` is called on the writer thread with the results of each
    durable batch.
    """

    def __init__(
        self,
        engine: Engine,
        apply: Callable[[Connection, Sequence[Job]], Sequence[Result]],
        *,
        lock: AbstractContextManager[None] | None = None,
        queue_limit: int = 4096,
        batch_limit: int = 256,
        after_commit: Callable[[Sequence[Result]], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._lock = lock or nullcontext()
        self._queue: queue.Queue[tuple[Job, Future[Result]] | None] = queue.Queue(queue_limit)
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._after_commit = after_commit
        self._stopping = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, job: Job, *, timeout_s: float = 30) -> Result:
        """Wait until ``job`` is durable and return its result.

        Raises ``QueueFull`` or ``Stopping`` (nothing was stored), ``StoreUnavailable`` when the database refused
        or took longer than ``timeout_s``, and whatever ``apply`` raised for this job on purpose (a ``GatewayError``).
        """
        future = self.submit(job)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise StoreUnavailable from None

    def submit(self, job: Job) -> "Future[Result]":
        """Hand in ``job`` without waiting. Raises ``QueueFull`` or ``Stopping``."""
        future: Future[Result] = Future()
        with self._gate:
            if self._stopping:
                raise Stopping
            try:
                self._queue.put_nowait((job, future))
            except queue.Full:
                raise QueueFull(self._queue_limit) from None
        return future

    def waiting(self) -> int:
        """How many jobs wait to be written."""
        return self._queue.qsize()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, *, timeout_s: float = 30) -> None:
        """Take no more jobs, write what is waiting, end the thread. Safe to call again."""
        with self._gate:
            first, self._stopping = not self._stopping, True
        if first and self._thread.is_alive():
            self._queue.put(None, timeout=timeout_s)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            claimed = [(job, future) for job, future in batch if future.set_running_or_notify_cancel()]
            if claimed:
                self._write(claimed)

    def _take(self) -> tuple[list[tuple[Job, "Future[Result]"]], bool]:
        """Wait for a first job, then take all that is there. False as second value: stop after this batch."""
        batch: list[tuple[Job, Future[Result]]] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) >= self._batch_limit:
                return batch, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, batch: list[tuple[Job, "Future[Result]"]]) -> None:
        jobs = [job for job, _ in batch]
        try:
            with self._lock:
                outcomes = self._commit(jobs)
        except Exception as error:
            log.error("write_failed", jobs=len(jobs), error=type(error).__name__, exc_info=error)
            outcomes = [StoreUnavailable() for _ in jobs]
        self._answer(batch, outcomes)

    def _commit(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        try:
            with self._transaction() as connection:
                return self._apply(connection, jobs)
        except Exception as error:
            if len(jobs) == 1 and not isinstance(error, SQLAlchemyError):
                return [_told(error)]
            log.warning("batch_retried_singly", jobs=len(jobs), error=type(error).__name__)
        with self._transaction() as connection:
            return [self._alone(connection, job) for job in jobs]

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self._engine.execution_options(begin="IMMEDIATE").begin()

    def _alone(self, connection: Connection, job: Job) -> Result | GatewayError:
        try:
            with connection.begin_nested():
                return self._apply(connection, [job])[0]
        except Exception as error:
            return _told(error)

    def _answer(self, batch: list[tuple[Job, "Future[Result]"]], outcomes: Sequence[Result | GatewayError]) -> None:
        done = []
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, GatewayError):
                future.set_exception(outcome)
            else:
                done.append(outcome)
                future.set_result(outcome)
        if done:
            self._after_commit(done)


def _told(error: Exception) -> GatewayError:
    """What a producer is told: errors raised on purpose as they are, a defect as an incident the log can explain."""
    if isinstance(error, GatewayError):
        return error
    incident = f"write-{id(error):x}"
    log.error("job_failed", incident=incident, exc_info=error)
    return InternalError(incident)
