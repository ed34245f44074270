"""Divides the places of a small server among its clients, so that none can take them all."""

import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Turn(Enum):
    """What becomes of a job that a client brought."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


@dataclass(slots=True)
class Share(Generic[Job]):
    """One client's jobs: how many are being done, and those that wait, the oldest first."""

    busy: int = 0
    waiting: deque[Job] = field(default_factory=deque)


class Shares(Generic[Job]):
    """At most ``at_once`` jobs of a client are done at once, and ``waiting`` more wait; all may be asked by any thread.

    A client is forgotten when its last job is done, so that strangers cannot fill the memory.
    """

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._at_once = at_once
        self._waiting = waiting
        self._shares: dict[str, Share[Job]] = {}
        self._lock = threading.Lock()

    def bring(self, client: str, job: Job) -> Turn:
        """Return whether to do ``job`` now, or to leave it until ``done`` gives it back, or not to do it at all."""
        with self._lock:
            share = self._shares.setdefault(client, Share())
            if share.busy < self._at_once:
                share.busy += 1
                return Turn.NOW
            if len(share.waiting) >= self._waiting:
                return Turn.NEVER
            share.waiting.append(job)
            return Turn.LATER

    def done(self, client: str) -> Job | None:
        """Return the waiting job of ``client`` that may start in the place of the one that is done; None where none
        waits.
        """
        with self._lock:
            share = self._shares[client]
            if share.waiting:
                return share.waiting.popleft()
            share.busy -= 1
            if not share.busy:
                del self._shares[client]
            return None

    def clients(self) -> int:
        """Return how many clients have something to do."""
        with self._lock:
            return len(self._shares)
