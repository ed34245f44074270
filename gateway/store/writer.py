"""Group commit: many threads hand in work, one thread writes all that is waiting in one transaction.

Each producer waits until the transaction that holds its work is durable, so that nothing is acknowledged
early; under load one fsync serves hundreds of them.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Generic, TypeVar, cast

import structlog
from sqlalchemy import Connection, Engine

from gateway.errors import GatewayError, InternalError, QueueFull, Stopping, StoreUnavailable

Job = TypeVar("Job")
Result = TypeVar("Result")

log = structlog.get_logger()

UNHURRIED_S = 0.005


class Ticket(Generic[Job, Result]):
    """A job on its way, and where its producer waits. Lighter than a Future, of which each costs two locks."""

    __slots__ = ("_done", "_error", "_result", "abandoned", "job", "unhurried")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.abandoned = False
        self.unhurried = False
        self._error: Exception | None = None
        self._result: Result | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def settle(self, outcome: Result | GatewayError) -> None:
        """Let the producer go on, with a result or an error."""
        if isinstance(outcome, GatewayError):
            self._error = outcome
        else:
            self._result = outcome
        self._done.release()

    def result(self, timeout_s: float) -> Result:
        """Wait for the outcome once. Raises it if it is an error, and ``TimeoutError``."""
        if not self._done.acquire(timeout=timeout_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return cast(Result, self._result)


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
        self._engine = engine.execution_options(begin="IMMEDIATE")
        self._apply = apply
        self._lock = lock or nullcontext()
        self._queue: queue.SimpleQueue[Ticket[Job, Result] | None] = queue.SimpleQueue()
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._after_commit = after_commit
        self._stopping = False
        self._connection: Connection | None = None
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, job: Job, *, timeout_s: float = 30) -> Result:
        """Wait until ``job`` is durable and return its result.

        Raises ``QueueFull`` or ``Stopping`` (nothing was stored), ``StoreUnavailable`` when the database refused
        or took longer than ``timeout_s``, and whatever ``apply`` raised for this job on purpose (a ``GatewayError``).
        """
        ticket = self.submit(job)
        try:
            return ticket.result(timeout_s)
        except TimeoutError:
            ticket.abandoned = True
            raise StoreUnavailable from None

    def submit(self, job: Job, *, unhurried: bool = False) -> Ticket[Job, Result]:
        """Hand in ``job`` without waiting. Raises ``QueueFull`` or ``Stopping``.

        An ``unhurried`` one lets a few milliseconds pass first, unless another one comes: what its producer still
        has to do, such as answering, is done before this thread takes the interpreter away from it.
        """
        ticket: Ticket[Job, Result] = Ticket(job)
        ticket.unhurried = unhurried
        with self._gate:
            if self._stopping:
                raise Stopping
            if self._queue.qsize() >= self._queue_limit:
                raise QueueFull(self._queue_limit)
            self._queue.put(ticket)
        return ticket

    def waiting(self) -> int:
        """How many jobs wait to be written."""
        return self._queue.qsize()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, *, timeout_s: float = 30) -> None:
        """Take no more jobs, write what is waiting, end the thread. Safe to call again."""
        with self._gate:
            first, self._stopping = not self._stopping, True
            if first:
                self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        going = True
        while going:
            first = self._queue.get()
            going = first is not None and self._write(self._begun(first))
        self._let_go()

    def _begun(self, first: Ticket[Job, Result]) -> list[Ticket[Job, Result] | None]:
        """``first``, and where it is in no hurry the next one, if that comes within moments."""
        if first.unhurried:
            try:
                return [first, self._queue.get(timeout=UNHURRIED_S)]
            except queue.Empty:
                pass
        return [first]

    def _write(self, begun: Sequence[Ticket[Job, Result] | None]) -> bool:
        """Write what has ``begun`` and all that waits behind it; False when that was the end.

        The rest is taken when the lock is ours: what comes in while another process writes joins this transaction.
        """
        tickets, going = [ticket for ticket in begun if ticket], None not in begun
        try:
            with self._lock:
                if going:
                    tickets, going = self._take(tickets)
                outcomes = self._commit([ticket.job for ticket in tickets]) if tickets else []
        except Exception as error:
            log.error("write_failed", jobs=len(tickets), error=type(error).__name__, exc_info=error)
            outcomes = [StoreUnavailable() for _ in tickets]
        self._answer(tickets, outcomes)
        return going

    def _take(self, begun: Sequence[Ticket[Job, Result]]) -> tuple[list[Ticket[Job, Result]], bool]:
        """``begun`` and all that is waiting, without what nobody waits for any more. False: stop after this batch."""
        tickets, going = list(begun), True
        while len(tickets) < self._batch_limit and not self._queue.empty():
            ticket = self._queue.get()
            if ticket is None:
                going = False
                break
            tickets.append(ticket)
        return [ticket for ticket in tickets if not ticket.abandoned], going

    def _commit(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        try:
            with self._transaction() as connection:
                return self._apply(connection, jobs)
        except Exception as error:
            if len(jobs) == 1 and isinstance(error, GatewayError):
                return [error]
            log.warning("batch_retried_singly", jobs=len(jobs), error=type(error).__name__)
        with self._transaction() as connection:
            return [self._alone(connection, job) for job in jobs]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction on the writer's own connection, which is given up after any error."""
        connection = self._connection = self._connection or self._engine.connect()
        try:
            with connection.begin():
                yield connection
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _alone(self, connection: Connection, job: Job) -> Result | GatewayError:
        try:
            with connection.begin_nested():
                return self._apply(connection, [job])[0]
        except Exception as error:
            return _told(error)

    def _answer(self, tickets: list[Ticket[Job, Result]], outcomes: Sequence[Result | GatewayError]) -> None:
        self._ring([outcome for outcome in outcomes if not isinstance(outcome, GatewayError)])
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            ticket.settle(outcome)

    def _ring(self, done: Sequence[Result]) -> None:
        """Tell who wants to know; what goes wrong there must not keep producers waiting, nor end this thread."""
        try:
            if done:
                self._after_commit(done)
        except Exception as error:
            log.error("doorbell_failed", error=type(error).__name__, exc_info=error)


def _told(error: Exception) -> GatewayError:
    """What a producer is told: errors raised on purpose as they are, a defect as an incident the log can explain."""
    if isinstance(error, GatewayError):
        return error
    incident = f"write-{id(error):x}"
    log.error("job_failed", incident=incident, exc_info=error)
    return InternalError(incident)
