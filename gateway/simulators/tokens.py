"""What simulated appliances give out for the requests that follow: sessions, tokens, challenges, cookies."""

import math
from threading import Lock
from time import monotonic
from uuid import uuid4

KEPT = 100
"""Tokens that live at once; of more, the oldest end."""


class Tokens:
    """Tokens that live for ``life_s`` seconds since they were given, or with ``renewed`` since they were last used.
    For many threads at once.
    """

    def __init__(self, life_s: float = math.inf, *, renewed: bool = False) -> None:
        self._life_s = life_s
        self._renewed = renewed
        self._ends: dict[str, float] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many tokens live."""
        with self._lock:
            self._bury()
            return len(self._ends)

    def give(self, token: str = "", life_s: float | None = None) -> str:
        """Make a new token, ``token`` where an appliance has a form of its own; ``life_s`` is this one's own life."""
        token = token or uuid4().hex
        with self._lock:
            self._bury()
            while len(self._ends) >= KEPT:
                del self._ends[next(iter(self._ends))]
            self._ends[token] = monotonic() + (self._life_s if life_s is None else life_s)
        return token

    def knows(self, token: str) -> bool:
        """Return whether ``token`` was given and lives; where use renews tokens, its life begins anew."""
        with self._lock:
            self._bury()
            if token in self._ends and self._renewed:
                self._ends[token] = monotonic() + self._life_s
            return token in self._ends

    def end(self, token: str) -> None:
        """End ``token``, if it lives."""
        with self._lock:
            self._ends.pop(token, None)

    def clear(self) -> None:
        """End all."""
        with self._lock:
            self._ends.clear()

    def _bury(self) -> None:
        now = monotonic()
        self._ends = {token: ends for token, ends in self._ends.items() if ends > now}
