"""Logins that are kept between orders: made by one thread while the others wait, given up in time, made anew."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from threading import Lock

from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed
from adapters.presets.schema import PresetSession
from gateway.adapter import Outcome
from gateway.texts.text import Text

MARGIN_S = 15
"""A kept login is given up so long before it ends by itself; it shall not end on the way."""


@dataclass(frozen=True)
class Login:
    """What logging in gave, and until when (``time.monotonic``) it holds. ``kept`` ones are from an earlier order."""

    values: Mapping[str, str]
    ends: float
    kept: bool = False


class LoginSessions:
    """The login of one appliance. Without ``session`` nothing is kept: each order has a login of its own."""

    def __init__(self, session: PresetSession | None) -> None:
        self._session = session
        self._lock = Lock()
        self._login: Login | None = None
        self._used = 0.0

    @property
    def kept(self) -> Login | None:
        """The login that is kept now."""
        return self._login

    @property
    def keeps(self) -> bool:
        return self._session is not None

    def enter(self, log_in: Callable[[], Mapping[str, str]], attempt: Attempt) -> Login:
        """Return the kept login, or make one by ``log_in``. Raises what that raises, and ``Failed`` when it comes too
        late.
        """
        if self._session is None:
            return Login(log_in(), 0)
        try:
            if not self._lock.acquire(timeout=attempt.left_s()):
                raise TimeoutError
        except TimeoutError:
            raise Failed(Outcome.UNREACHABLE, Text("the login of another order took too long")) from None
        try:
            return self._kept_or_made(log_in, self._session)
        finally:
            self._lock.release()

    def _kept_or_made(self, log_in: Callable[[], Mapping[str, str]], session: PresetSession) -> Login:
        if self._login is not None and time.monotonic() < min(self._login.ends, self._used + _kept_s(session.idle_s)):
            return self._login
        self._login = None
        values = log_in()
        self._used = time.monotonic()
        made = Login(values, self._used + _kept_s(_lifetime_s(session, values)))
        self._login = replace(made, kept=True)
        return made

    def resume(self, values: Mapping[str, str]) -> None:
        """Go on with a login that was made before and gave ``values``; it is not old."""
        self._login, self._used = Login(values, inf, kept=True), time.monotonic()

    def used(self, at: float) -> None:
        """Note that the appliance has answered a request that went out at ``at`` (``time.monotonic``), so the login is
        not idle.

        No lock: who has an answer does not wait for another thread's login.
        """
        self._used = max(self._used, at)

    def forget(self, login: Login) -> None:
        """Forget ``login``, which is over, but not one that another thread has made meanwhile."""
        with self._lock:
            if self._login is not None and self._login.values == login.values:
                self._login = None


def _lifetime_s(session: PresetSession, values: Mapping[str, str]) -> float:
    """Return the lifetime that the appliance says, but no longer than the preset says."""
    lifetime = inf if session.lifetime_s is None else session.lifetime_s
    with suppress(ValueError):
        lifetime = min(lifetime, float(values.get(session.lifetime_from, "")))
    return lifetime


def _kept_s(lives_s: float | None) -> float:
    """Return the seconds for which a login that lives so long is kept; unlimited for None."""
    return inf if lives_s is None else max(lives_s - MARGIN_S, 1)
