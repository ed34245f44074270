"""Who may have a password hashed now: argon2 takes 64 MiB and tens of milliseconds on purpose."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.errors import LoginsBusy

AT_ONCE = 2
"""Hashings at once in this process."""
INSIDE = 24
"""Logins under way in this process, waiting or not."""
RESERVED = 8
"""Further ones, for those who gave a good password from the same address before."""
INSIDE_OF_ADDRESS = 8
"""Of them, those of one address; one of them is tried at a time."""
ALIKE = 24
"""Further logins that wait for one like theirs, which together with the others leaves threads for requests."""
PATIENCE_S = 5.0


class LoginTurns:
    """One login of each address at a time, so many hashings at once, and no more waiting than is bearable."""

    def __init__(
        self, *, inside: int = INSIDE, of_address: int = INSIDE_OF_ADDRESS, patience_s: float = PATIENCE_S
    ) -> None:
        self._most = inside
        self._most_of_address = of_address
        self._patience_s = patience_s
        self._inside: Counter[str] = Counter()
        self._trying: set[str] = set()
        self._changed = threading.Condition()
        self._hashing = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def of(self, address: str, *, known: bool) -> Iterator[None]:
        """Wait for the turn of ``address`` and hold it. Raises ``LoginsBusy``, at once where too many wait already."""
        with self._changed:
            self._enter(address, known=known)
        try:
            yield
        finally:
            with self._changed:
                self._trying.discard(address)
                self._leave(address)

    @contextmanager
    def hashing(self) -> Iterator[None]:
        """Wait for one of the places to hash, and hold it. Raises ``LoginsBusy``."""
        if not self._hashing.acquire(timeout=self._patience_s):
            raise LoginsBusy
        try:
            yield
        finally:
            self._hashing.release()

    def _enter(self, address: str, *, known: bool) -> None:
        most = self._most + (RESERVED if known else 0)
        if self._inside.total() >= most or (self._inside[address] >= self._most_of_address and not known):
            raise LoginsBusy
        self._inside[address] += 1
        if not self._changed.wait_for(lambda: address not in self._trying, self._patience_s):
            self._leave(address)
            raise LoginsBusy
        self._trying.add(address)

    def _leave(self, address: str) -> None:
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]
        self._changed.notify_all()


class Alike:
    """Has those who try the same at once wait for the first of them: a CRM sends one login with every click."""

    def __init__(self, *, waiting: int = ALIKE, patience_s: float = PATIENCE_S) -> None:
        self._places = threading.BoundedSemaphore(waiting)
        self._patience_s = patience_s
        self._firsts: dict[bytes, threading.Event] = {}
        self._lock = threading.Lock()

    @contextmanager
    def after_first(self, what: bytes) -> Iterator[None]:
        """Go ahead at once as the first who tries ``what``, else when that one is done.

        Also where patience is at its end, or too many wait already: ``LoginTurns`` then has the say.
        """
        done = threading.Event()
        with self._lock:
            first = self._firsts.setdefault(what, done)
        if first is not done and self._places.acquire(blocking=False):
            first.wait(self._patience_s)
            self._places.release()
        try:
            yield
        finally:
            if first is done:
                with self._lock:
                    del self._firsts[what]
                done.set()


class Pace:
    """Makes every refused login take as long as one that was hashed, whether the login exists or not.

    ``least_s`` is the least that a refusal takes; it grows with what hashing takes on this machine at this moment.
    """

    def __init__(self, *, least_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._least_s = least_s
        self._usual_s = 0.0
        self._sleep = sleep

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Note how long a hashing takes; slow ones count at once, quick ones little by little."""
        began = time.monotonic()
        yield
        took_s = time.monotonic() - began
        self._usual_s = max(took_s, 0.9 * self._usual_s)

    def refuse(self, began: float) -> None:
        """Wait until the time is over that a refusal takes which ``began`` then (``time.monotonic()``)."""
        ends = began + max(self._least_s, min(1.5 * self._usual_s, 1.0))
        if (left := ends - time.monotonic()) > 0:
            self._sleep(left)
