"""Group commit: many threads hand in work, and whoever has the turn writes all that is waiting in one transaction.

Each producer waits until the transaction that holds its work is durable, so that nothing is acknowledged
early; under load one fsync serves hundreds of them. Who finds nobody writing takes the turn and writes its own job
and what else waits, once; what has come meanwhile a thread of the writer's own goes on with. So a single event wakes
no other thread, and no producer works longer for others than for itself.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar, cast

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from gateway.errors import GatewayError, InternalError, QueueFull, Stopping, StoreUnavailable
from gateway.store import engine as sqlite

T = TypeVar("T")
Job = TypeVar("Job")
Result = TypeVar("Result")

log = structlog.get_logger()

UNHURRIED_S = 0.003
FAILURES = Counter("cti_writes_failed_total", "Events, orders and others that the database did not take")


class Lock(Protocol):
    """Held around each transaction, against other processes. ``take`` says whether it is ours, which it always is
    with ``wait``.
    """

    def take(self, *, wait: bool) -> bool: ...

    def give_back(self) -> None: ...


class NoLock:
    """For a database of one process."""

    def take(self, *, wait: bool) -> bool:
        return True

    def give_back(self) -> None: ...


class Ring(Enum):
    """What the writer's thread is told."""

    NOW = auto()
    SOON = auto()
    STOP = auto()


class Ticket(Generic[Job, Result]):
    """A job on its way, and where its producer waits. Lighter than a Future, of which each costs two locks."""

    __slots__ = ("_done", "_error", "_result", "_then", "abandoned", "job")

    def __init__(self, job: Job, then: Callable[[Result | GatewayError], None] | None = None) -> None:
        self.job = job
        self._then = then
        self.abandoned = False
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
        if self._then:
            self._then(outcome)

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
    (a file lock between processes). ``after_commit`` is called with the results of each durable batch, on the thread
    that wrote it, before its producers go on. ``check`` is called before and after each transaction; the
    ``GatewayError`` that it raises is everybody's outcome. ``begin`` and ``commit`` are the database's own.
    """

    def __init__(
        self,
        engine: Engine,
        apply: Callable[[Connection, Sequence[Job]], Sequence[Result]],
        *,
        lock: Lock | None = None,
        queue_limit: int = 4096,
        batch_limit: int = 256,
        after_commit: Callable[[Sequence[Result]], None] = lambda _: None,
        check: Callable[[], None] = lambda: None,
        begin: Callable[[Connection], None] = sqlite.begin,
        commit: Callable[[Connection], None] = sqlite.commit,
    ) -> None:
        self._engine = engine
        self._apply = apply
        self._lock = lock or NoLock()
        self._turn = threading.Lock()
        self._queue: queue.SimpleQueue[Ticket[Job, Result]] = queue.SimpleQueue()
        self._unhurried: queue.SimpleQueue[Ticket[Job, Result]] = queue.SimpleQueue()
        self._bell: queue.SimpleQueue[Ring] = queue.SimpleQueue()
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._after_commit = after_commit
        self._check = check
        self._begin = begin
        self._commit_transaction = commit
        self._stopping = False
        self._connection: Connection | None = None
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, job: Job, *, timeout_s: float = 30, lead: bool = True) -> Result:
        """Wait until ``job`` is durable and return its result.

        Without ``lead`` the writer's thread writes it: who leads is held up by a slow disk, whatever its timeout.
        Raises ``QueueFull`` or ``Stopping`` (nothing was stored), ``StoreUnavailable`` when the database refused
        or took longer than ``timeout_s``, and whatever ``apply`` raised for this job on purpose (a ``GatewayError``).
        """
        ticket: Ticket[Job, Result] = Ticket(job)
        self._enqueue(ticket, self._queue)
        if lead:
            self._try_lead()
        else:
            self._bell.put(Ring.NOW)
        try:
            return ticket.result(timeout_s)
        except TimeoutError:
            ticket.abandoned = True
            raise StoreUnavailable from None

    def submit(self, job: Job, then: Callable[[Result | GatewayError], None] | None = None) -> Ticket[Job, Result]:
        """Hand in ``job`` without waiting; ``then`` is told what came of it. Raises ``QueueFull`` or ``Stopping``."""
        ticket: Ticket[Job, Result] = Ticket(job, then)
        self._enqueue(ticket, self._queue)
        self._bell.put(Ring.NOW)
        return ticket

    def submit_deferred(self, job: Job, then: Callable[[Result | GatewayError], None]) -> None:
        """Have ``job`` written in a moment, by the writer's thread, which then calls ``then`` with what came of it.

        A few milliseconds pass first, unless others have to be written anyway: what its producer still has to do, such
        as answering, is done before that thread takes the interpreter away from it. Raises ``QueueFull``, ``Stopping``.
        """
        self._enqueue(Ticket(job, then), self._unhurried)
        self._bell.put(Ring.SOON)

    def waiting(self) -> int:
        """Return how many jobs wait to be written."""
        return self._queue.qsize() + self._unhurried.qsize()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, *, timeout_s: float = 30) -> bool:
        """Take no more jobs, write what is waiting, end the thread. Return whether nobody writes any more. Safe to
        call again.
        """
        with self._gate:
            self._stopping = True
        self._bell.put(Ring.STOP)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._turn.acquire(timeout=timeout_s):
            return False
        self._drop_connection()
        self._turn.release()
        return not self._thread.is_alive()

    def _enqueue(self, ticket: Ticket[Job, Result], waiting: "queue.SimpleQueue[Ticket[Job, Result]]") -> None:
        with self._gate:
            if self._stopping:
                raise Stopping
            if self.waiting() >= self._queue_limit:
                raise QueueFull(self._queue_limit)
            waiting.put(ticket)

    def _try_lead(self) -> None:
        """Write what waits, if nobody does and no other process has to be waited for; who does will see to it else.

        Whoever gives the turn back looks at the queue afterwards: what came while it was taken is never left behind.
        """
        if not self._turn.acquire(blocking=False):
            return
        try:
            self._write(wait=False)
        finally:
            self._turn.release()
        if not self._queue.empty():
            self._bell.put(Ring.NOW)

    def _run(self) -> None:
        going = True
        while going:
            going = self._woken()
            while not self._unhurried.empty():
                self._queue.put(self._unhurried.get())
            while not self._queue.empty():
                with self._turn:
                    self._write(wait=True)

    def _woken(self) -> bool:
        """Wait for the bell; when what waits is in no hurry, for a moment or the next ring too. False: the last."""
        rung = self._bell.get()
        if rung is Ring.SOON:
            with suppress(queue.Empty):
                rung = self._bell.get(timeout=UNHURRIED_S)
        return rung is not Ring.STOP

    def _write(self, *, wait: bool) -> None:
        """Write what is waiting, with the turn taken; without ``wait`` only if the lock can be had at once.

        All is taken when the lock is ours: what comes in while another process writes joins this transaction.
        """
        tickets: list[Ticket[Job, Result]] = []
        outcomes: Sequence[Result | GatewayError] | None = None
        try:
            if not self._lock.take(wait=wait):
                return
            try:
                tickets = self._waiting_now()
                outcomes = self._commit_on_known_file([ticket.job for ticket in tickets]) if tickets else []
            finally:
                self._lock.give_back()
        except Exception as error:
            tickets = tickets or self._waiting_now()
            outcomes = [_failed(error, len(tickets)) for _ in tickets]
        finally:
            self._answer(tickets, [StoreUnavailable() for _ in tickets] if outcomes is None else outcomes)

    def _waiting_now(self) -> list[Ticket[Job, Result]]:
        """Return all that is waiting, as much as one transaction takes, without what nobody waits for any more."""
        tickets: list[Ticket[Job, Result]] = []
        while len(tickets) < self._batch_limit and not self._queue.empty():
            tickets.append(self._queue.get())
        return [ticket for ticket in tickets if not ticket.abandoned]

    def _commit_on_known_file(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        self._check()
        outcomes = self._commit(jobs)
        self._check()
        return outcomes

    def _commit(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        try:
            return self._in_transaction(lambda connection: self._apply(connection, jobs))
        except Exception as error:
            if len(jobs) == 1 and isinstance(error, GatewayError):
                return [error]
            log.warning("batch_retried_singly", jobs=len(jobs), error=type(error).__name__)
        return self._in_transaction(lambda connection: [self._alone(connection, job) for job in jobs])

    def _in_transaction(self, work: Callable[[Connection], Sequence[T]]) -> Sequence[T]:
        """Run ``work`` in a transaction and return its result once that is durable. The writer's own connection is
        dropped after any error.
        """
        connection = self._connection = self._connection or self._engine.connect()
        try:
            self._begin(connection)
            done = work(connection)
            self._commit_transaction(connection)
        except BaseException:
            self._drop_connection()
            raise
        return done

    def _drop_connection(self) -> None:
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
            self._settle(ticket, outcome)

    def _settle(self, ticket: Ticket[Job, Result], outcome: Result | GatewayError) -> None:
        """Let the producer know; what it does with that must not keep others waiting, nor end this thread."""
        try:
            ticket.settle(outcome)
        except Exception as error:
            log.error("producer_failed", error=type(error).__name__, exc_info=error)

    def _ring(self, done: Sequence[Result]) -> None:
        """Tell who wants to know; what goes wrong there must not keep producers waiting, nor end this thread."""
        try:
            if done:
                self._after_commit(done)
        except Exception as error:
            log.error("doorbell_failed", error=type(error).__name__, exc_info=error)


def _failed(error: Exception, jobs: int) -> GatewayError:
    """Log and count a transaction that failed as a whole, and return what its producers are told."""
    FAILURES.inc(jobs)
    if isinstance(error, GatewayError):
        log.error("write_refused", jobs=jobs, code=error.code, error=str(error))
        return error
    log.error("write_failed", jobs=jobs, error=type(error).__name__, exc_info=error)
    return StoreUnavailable()


def _told(error: Exception) -> GatewayError:
    """Return the error that a producer gets: errors raised on purpose as they are, a defect as an incident that the log
    describes.
    """
    if isinstance(error, GatewayError):
        return error
    incident = f"write-{id(error):x}"
    log.error("job_failed", incident=incident, exc_info=error)
    return InternalError(incident)
