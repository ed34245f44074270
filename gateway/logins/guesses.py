"""Wrong secrets of event sources, and wrong tokens of events, counted by address for all processes.

An address that brought a right one before is never held back, and a wrong one that a program repeats is no guess: so
nobody who shares a provider's address, nor a provider whose secret was replaced, locks the provider out.
"""

import time
from collections.abc import Callable

from gateway.errors import TooManyAttempts
from gateway.logins.attempts import Attempts, Limit, digest, place_of

GUESSES = Limit("source_secret", most=20, window_s=15 * 60)
REMEMBER_ADDRESS_S = 30 * 24 * 3600
REMEMBER_AGAIN_S = 24 * 3600
MOST_KEPT = 10_000


class SourceGuesses:
    """Counts wrong secrets of sources, for any thread."""

    def __init__(self, attempts: Attempts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempts = attempts
        self._clock = clock
        self._remembered: dict[bytes, float] = {}

    def has_proven(self, tenant: str, source: str, address: str) -> bool:
        """Return whether this process has seen a right one of this address today, which takes neither disk nor network.

        Such an address is never held back.
        """
        return self._clock() < self._remembered.get(_good(tenant, source, place_of(address)), 0)

    def check(self, tenant: str, source: str, address: str) -> None:
        """Raise ``TooManyAttempts`` where this address gave too many wrong ones, and never a right one."""
        who = (tenant, source, place_of(address))
        wait_s = self._attempts.wait_s(GUESSES, *who)
        if wait_s and not self._attempts.knows(_good(*who)):
            raise TooManyAttempts(max(1, round(wait_s)))

    def right(self, tenant: str, source: str, address: str) -> None:
        """Remember that this address gave a right one; once a day is enough to be written down."""
        mark, now = _good(tenant, source, place_of(address)), self._clock()
        if now < self._remembered.get(mark, 0):
            return
        if len(self._remembered) >= MOST_KEPT:
            self._remembered.clear()
            self._attempts.tidy()
        self._remembered[mark] = now + REMEMBER_AGAIN_S
        self._attempts.remember(mark, REMEMBER_ADDRESS_S)

    def wrong(self, tenant: str, source: str, address: str, guess: str) -> None:
        """Count a wrong one, unless it was given before."""
        who = (tenant, source, place_of(address))
        mark = digest("guess", *who, guess)
        if not self._attempts.knows(mark):
            self._attempts.count(GUESSES, *who)
            self._attempts.remember(mark, GUESSES.window_s)

    def close(self) -> None:
        self._attempts.close()


def _good(tenant: str, source: str, place: str) -> bytes:
    return digest("source", tenant, source, place)
