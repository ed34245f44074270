"""What the journal's writer is handed: a job, who waits for it, and who decides what becomes of it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from gateway.errors import GatewayError

Job = TypeVar("Job")
Result = TypeVar("Result")


class Ticket(Generic[Job, Result]):
    """A job on its way, and where its producer waits. Lighter than a Future.

    Whoever *claims* it decides what becomes of it: the writer that takes it into a transaction, or the producer that
    gives up waiting and then knows that nothing of it will ever be stored. Only one of them can.
    """

    __slots__ = ("_claim", "_done", "_error", "_result", "_then", "job", "tries")

    def __init__(self, job: Job, then: Callable[[Result | GatewayError], None] | None = None) -> None:
        self.job = job
        self._then = then
        self.tries = 0
        """How often a transaction with it came to nothing."""
        self._claim = threading.Lock()
        self._error: Exception | None = None
        self._result: Result | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def claim(self) -> bool:
        """Take it; return whether it is ours, which it is not when the other side has it."""
        return self._claim.acquire(blocking=False)

    def let_go(self) -> None:
        """Give a claim back: what was tried has surely come to nothing."""
        self._claim.release()

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
