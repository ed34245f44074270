"""Group commit: many threads hand in work, and whoever has the turn writes all that is waiting in one transaction.

Each producer waits until the transaction that holds its work is durable, so that nothing is acknowledged
early; under load one fsync serves hundreds of them. Who finds nobody writing takes the turn and writes its own job
and what else waits, once; what has come meanwhile a thread of the writer's own goes on with. So a single event wakes
no other thread, and no producer works longer for others than for itself. What has come while a transaction was under
way waits for as long as that took, two milliseconds at most, before the next one begins (PostgreSQL has the same as
``commit_delay``): one with two events costs hardly more than one with one, and others have the interpreter meanwhile.
Where the database may keep its answer to itself for long (another machine), producers never write: they only wait,
until their time is over. Nor do those write whose thread has others to serve (an event loop's); how each of them waits
is its ticket's to know.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from gateway.errors import GatewayError, InternalError, QueueFull, Stopping, StoreUnavailable, StoreUnclear
from gateway.store.writing.tickets import Bell, ThreadWait, Ticket, Wait, ring
from gateway.store.writing.transactions import LocalTransactions, NotStored, Transactions

Job = TypeVar("Job")
Result = TypeVar("Result")

log = structlog.get_logger()

UNHURRIED_S = 0.003
LONGEST_REST_S = 0.002
MOST_TRIES = 10
"""Transactions that may come to nothing with a job before it is given up: one by which the server dies must end."""
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


class GroupCommit(Generic[Job, Result]):
    """Writes jobs with ``apply(connection, jobs) -> results`` (one for each job, in order).

    When ``apply`` fails for a batch, the batch is rolled back and each job is tried by itself inside a
    savepoint, so that an error hurts only the job that causes it; ``prepare(connection, jobs)`` takes the locks of all
    of them before, in an order that no other writer can block. ``lock`` is held around each transaction (a file lock
    between processes). ``after_commit`` is called with the jobs of each durable batch and their results, on the thread
    that wrote it, before its producers go on. ``check`` is called before and after each transaction; the
    ``GatewayError`` that it raises is everybody's outcome. A batch that came to nothing through no fault of its own
    (``NotStored``) waits for the next transaction, before all others. ``wait_of`` says how whoever hands something in
    waits for it. ``rest(seconds)`` lets more come between two transactions.
    """

    def __init__(
        self,
        engine: Engine,
        apply: Callable[[Connection, Sequence[Job]], Sequence[Result]],
        *,
        lock: Lock | None = None,
        queue_limit: int = 4096,
        batch_limit: int = 256,
        after_commit: Callable[[Sequence[tuple[Job, Result]]], None] = lambda _: None,
        check: Callable[[], None] = lambda: None,
        transactions: Transactions | None = None,
        prepare: Callable[[Connection, Sequence[Job]], None] = lambda _connection, _jobs: None,
        wait_of: Callable[[], Wait] = ThreadWait,
        rest: Callable[[float], None] = time.sleep,
        name: str = "writer",
    ) -> None:
        self._transactions = transactions or LocalTransactions(engine)
        self._apply = apply
        self._prepare = prepare
        self._wait_of = wait_of
        self._rest = rest
        self._lock = lock or NoLock()
        self._turn = threading.Lock()
        self._queue: queue.SimpleQueue[Ticket[Job, Result]] = queue.SimpleQueue()
        self._again: list[Ticket[Job, Result]] = []
        """What is to be tried again, before all that waits in the queue; touched by who has the turn."""
        self._unhurried: queue.SimpleQueue[Ticket[Job, Result]] = queue.SimpleQueue()
        self._bell: queue.SimpleQueue[Ring] = queue.SimpleQueue()
        self._is_rung = False
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._after_commit = after_commit
        self._check = check
        self._stopping = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, job: Job, *, timeout_s: float = 30, lead: bool = True) -> Result:
        """Wait until ``job`` is durable and return its result.

        Without ``lead`` the writer's thread writes it: who leads is held up by a slow disk, whatever its timeout.
        Raises ``QueueFull`` or ``Stopping`` (nothing was stored), ``StoreUnavailable`` when the database refused
        or did not take it within ``timeout_s`` (nothing will be), ``StoreUnclear`` when it took it and has not
        confirmed it yet, and whatever ``apply`` raised for this job on purpose (a ``GatewayError``).
        """
        ticket: Ticket[Job, Result] = Ticket(job, wait=self._wait_of())
        self._enqueue(ticket, self._queue)
        if lead and ticket.leads and self._transactions.leads:
            self._try_lead()
        else:
            self._wake()
        try:
            return ticket.result(timeout_s)
        except TimeoutError:
            return self._last_answer(ticket)

    def _last_answer(self, ticket: Ticket[Job, Result]) -> Result:
        """Give up waiting, which drops a job that no transaction has taken. Return what has just come of it.

        Raises ``StoreUnavailable`` or ``StoreUnclear`` when nothing has.
        """
        if ticket.claim():
            raise StoreUnavailable
        try:
            return ticket.result(0)
        except TimeoutError:
            raise StoreUnclear from None

    def submit(self, job: Job, then: Callable[[Result | GatewayError], None] | None = None) -> Ticket[Job, Result]:
        """Hand in ``job`` without waiting; ``then`` is told what came of it. Raises ``QueueFull`` or ``Stopping``."""
        ticket: Ticket[Job, Result] = Ticket(job, then, self._wait_of())
        self._enqueue(ticket, self._queue)
        self._wake()
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
        return self._queue.qsize() + self._unhurried.qsize() + len(self._again)

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, *, timeout_s: float = 30) -> bool:
        """Take no more jobs, write what is waiting, end the thread. Return whether nobody writes any more. Safe to
        call again.
        """
        with self._gate:
            self._stopping = True
        self._transactions.stop()
        self._bell.put(Ring.STOP)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._turn.acquire(timeout=timeout_s):
            return False
        self._transactions.close()
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
        if self._again or not self._queue.empty():
            self._wake()

    def _wake(self) -> None:
        """Have the writer's thread look at what waits: one ring is enough for all that comes until it does."""
        if not self._is_rung:
            self._is_rung = True
            self._bell.put(Ring.NOW)

    def _run(self) -> None:
        going = True
        while going:
            going = self._woken()
            while not self._unhurried.empty():
                self._queue.put(self._unhurried.get())
            rest_s = 0.0
            while self._is_waiting():
                if rest_s and self.waiting() < self._batch_limit:
                    self._rest(rest_s)
                began = time.monotonic()
                with self._turn:
                    self._write(wait=True)
                rest_s = min(time.monotonic() - began, LONGEST_REST_S) if self._transactions.leads else 0.0

    def _is_waiting(self) -> bool:
        return bool(self._again) or not self._queue.empty()

    def _woken(self) -> bool:
        """Wait for the bell; when what waits is in no hurry, for a moment or the next ring too. False: the last."""
        rung = self._bell.get()
        if rung is Ring.SOON:
            with suppress(queue.Empty):
                rung = self._bell.get(timeout=UNHURRIED_S)
        self._is_rung = False  # before it looks: what comes from now on rings again, at worst in vain
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
                if not self._transactions.ready():
                    self._wait_no_more()
                    return
                tickets = self._waiting_now()
                outcomes = self._commit_on_known_file([ticket.job for ticket in tickets]) if tickets else []
            finally:
                self._lock.give_back()
        except NotStored as reason:
            tickets, outcomes = self._put_back(tickets, reason)
        except Exception as error:
            tickets = tickets or self._waiting_now()
            outcomes = [_failed(error, len(tickets)) for _ in tickets]
        finally:
            self._answer(tickets, [StoreUnavailable() for _ in tickets] if outcomes is None else outcomes)

    def _wait_no_more(self) -> None:
        """Raise ``StoreUnavailable`` at a stop: no transaction can begin, and that is waited for no more."""
        if self._stopping:
            raise StoreUnavailable

    def _put_back(
        self, tickets: list[Ticket[Job, Result]], reason: NotStored
    ) -> tuple[list[Ticket[Job, Result]], Sequence[Result | GatewayError]]:
        """Let ``tickets`` wait for the next transaction; return those that have been tried too often, and their end."""
        for ticket in tickets:
            ticket.tries += 1
            if ticket.tries < MOST_TRIES:
                ticket.let_go()
                self._again.append(ticket)
        over = [ticket for ticket in tickets if ticket.tries >= MOST_TRIES]
        log.warning("batch_tried_again", jobs=len(tickets), given_up=len(over), reason=str(reason))
        return over, [StoreUnavailable() for _ in over]

    def _waiting_now(self) -> list[Ticket[Job, Result]]:
        """Return all that is waiting, as much as one transaction takes, without what nobody waits for any more."""
        tickets, self._again = self._again, []
        while len(tickets) < self._batch_limit and not self._queue.empty():
            tickets.append(self._queue.get())
        return [ticket for ticket in tickets if ticket.claim()]

    def _commit_on_known_file(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        self._check()
        outcomes = self._commit(jobs)
        self._check()
        return outcomes

    def _commit(self, jobs: list[Job]) -> Sequence[Result | GatewayError]:
        try:
            return self._transactions.run(lambda connection: self._apply(connection, jobs))
        except (NotStored, StoreUnclear):
            raise
        except Exception as error:
            if len(jobs) == 1 and isinstance(error, GatewayError):
                return [error]
            log.warning("batch_retried_singly", jobs=len(jobs), error=type(error).__name__)
        return self._transactions.run(lambda connection: self._one_by_one(connection, jobs))

    def _one_by_one(self, connection: Connection, jobs: Sequence[Job]) -> list[Result | GatewayError]:
        self._prepare(connection, jobs)
        return [self._alone(connection, job) for job in jobs]

    def _alone(self, connection: Connection, job: Job) -> Result | GatewayError:
        try:
            with connection.begin_nested():
                return self._apply(connection, [job])[0]
        except Exception as error:
            return _told(error)

    def _answer(self, tickets: list[Ticket[Job, Result]], outcomes: Sequence[Result | GatewayError]) -> None:
        answers = list(zip(tickets, outcomes, strict=True))
        self._ring([(ticket.job, outcome) for ticket, outcome in answers if not isinstance(outcome, GatewayError)])
        ring([self._settle(ticket, outcome) for ticket, outcome in answers])

    def _settle(self, ticket: Ticket[Job, Result], outcome: Result | GatewayError) -> Bell | None:
        """Let the producer know; what it does with that must not keep others waiting, nor end this thread."""
        try:
            return ticket.settle_unrung(outcome)
        except Exception as error:
            log.error("producer_failed", error=type(error).__name__, exc_info=error)
            return None

    def _ring(self, done: Sequence[tuple[Job, Result]]) -> None:
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
