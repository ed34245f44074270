"""Agents' passwords: argon2, with bounds on how much guessing costs us."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import TooManyAttempts
from gateway.logins.weak import weakness
from gateway.store.directory import Agent, Directory

SHORTEST = 8
LONGEST = 256
_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password has: whether a login exists must not show in how long an answer takes."""
    return _hasher.hash(secrets.token_hex(16))


class WeakPassword(ValueError):
    """A password that may not be chosen; the text says why, and never holds the password."""


def hash_password(password: str, *, login: str = "") -> str:
    """Return the argon2id hash to store.

    Raises ``WeakPassword`` when the password is too short, too long, or one of those that are guessed first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password needs {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    if reason := weakness(password, login):
        raise WeakPassword(f"this password is guessed too easily: {reason}; choose another, such as four words")
    return _hasher.hash(password)


class Verifier:
    """Verifies logins. A CRM sends the password with every click, so a verified one is remembered for a while
    (as a keyed hash, in memory only); wrong ones are counted by login, and verification runs twice at a time at most.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        remember_s: float = 300,
        allowed_failures: int = 10,
        window_s: float = 60,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._remember_s = remember_s
        self._allowed_failures = allowed_failures
        self._window_s = window_s
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._turn = threading.BoundedSemaphore(2)
        self._gate = threading.Lock()

    def verify(self, tenant: str, login: str, password: str) -> Agent | None:
        """The agent, or None when login or password is wrong. Raises ``TooManyAttempts``."""
        self._check_failures(tenant, login)
        found = self._directory.agent_with_hash(tenant, login)
        stored = found[1] if found else _nobody()
        if self._matches(stored, password[:LONGEST]) and found:
            return found[0]
        self._count_failure(tenant, login)
        return None

    def _matches(self, stored: str, password: str) -> bool:
        mark = hmac.digest(self._key, f"{stored}\x00{password}".encode(), hashlib.sha256)
        now = self._clock()
        with self._gate:
            if self._known.get(mark, 0) > now:
                return True
        with self._turn:
            if not _verified(stored, password):
                return False
        with self._gate:
            self._known[mark] = now + self._remember_s
            _shorten(self._known)
        return True

    def _check_failures(self, tenant: str, login: str) -> None:
        now = self._clock()
        with self._gate:
            recent = [at for at in self._failures.get((tenant, login), ()) if now - at < self._window_s]
        if len(recent) >= self._allowed_failures:
            raise TooManyAttempts(max(1, round(self._window_s - (now - recent[0]))))

    def _count_failure(self, tenant: str, login: str) -> None:
        now = self._clock()
        with self._gate:
            recent = [at for at in self._failures.get((tenant, login), ()) if now - at < self._window_s]
            self._failures[tenant, login] = [*recent, now]
            _shorten(self._failures)


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _shorten(memory: OrderedDict[Any, Any], limit: int = 10_000) -> None:
    while len(memory) > limit:
        memory.popitem(last=False)
