"""What the journal's writer is handed: a job, who waits for it, and who decides what becomes of it."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar, cast

from gateway.errors import GatewayError

Job = TypeVar("Job")
Result = TypeVar("Result")

Bell = Callable[[], None]
"""Wakes those of an event loop whose tickets are settled; equal for all of one loop."""


class Wait(Protocol):
    """How one producer waits for its ticket, which whoever runs it knows. ``leads``: whether it may write meanwhile."""

    leads: bool

    def until_settled(self, ticket: "Ticket[Any, Any]", timeout_s: float) -> bool:
        """Wait until ``ticket`` is settled; return whether it is."""
        ...

    def settled(self, ticket: "Ticket[Any, Any]") -> Bell | None:
        """Let the producer go on, from any thread; return what is to be rung for that, where something is."""
        ...


class ThreadWait:
    """Waits as a thread does: it stands still."""

    __slots__ = ("_done",)

    leads = True

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()

    def until_settled(self, ticket: "Ticket[Any, Any]", timeout_s: float) -> bool:
        return self._done.acquire(timeout=timeout_s)

    def settled(self, ticket: "Ticket[Any, Any]") -> Bell | None:
        self._done.release()
        return None


class Ticket(Generic[Job, Result]):
    """A job on its way, and where its producer waits. Lighter than a Future.

    Whoever *claims* it decides what becomes of it: the writer that takes it into a transaction, or the producer that
    gives up waiting and then knows that nothing of it will ever be stored. Only one of them can.
    """

    __slots__ = ("_claim", "_error", "_result", "_then", "_wait", "is_settled", "job", "tries")

    def __init__(
        self, job: Job, then: Callable[[Result | GatewayError], None] | None = None, wait: Wait | None = None
    ) -> None:
        self.job = job
        self._then = then
        self._wait = wait or ThreadWait()
        self.tries = 0
        """How often a transaction with it came to nothing."""
        self._claim = threading.Lock()
        self._error: Exception | None = None
        self._result: Result | None = None
        self.is_settled = False

    @property
    def leads(self) -> bool:
        """Whether its producer may write what waits, itself among it."""
        return self._wait.leads

    def claim(self) -> bool:
        """Take it; return whether it is ours, which it is not when the other side has it."""
        return self._claim.acquire(blocking=False)

    def let_go(self) -> None:
        """Give a claim back: what was tried has surely come to nothing."""
        self._claim.release()

    def settle(self, outcome: Result | GatewayError) -> None:
        """Let the producer go on, with a result or an error."""
        bell = self.settle_unrung(outcome)
        if bell:
            bell()

    def settle_unrung(self, outcome: Result | GatewayError) -> Bell | None:
        """Settle it, and return what is to be rung, which is enough once for all tickets that have the same."""
        if isinstance(outcome, GatewayError):
            self._error = outcome
        else:
            self._result = outcome
        self.is_settled = True
        bell = self._wait.settled(self)
        if self._then:
            self._then(outcome)
        return bell

    def result(self, timeout_s: float) -> Result:
        """Wait for the outcome once. Raises it if it is an error, and ``TimeoutError``."""
        if not self._wait.until_settled(self, timeout_s):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return cast(Result, self._result)


def ring(bells: Iterable[Bell | None]) -> None:
    """Ring each of ``bells`` once."""
    for bell in {bell for bell in bells if bell}:
        bell()
