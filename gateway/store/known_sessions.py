"""Sessions that were good when they were looked up last, for the time in which the database does not answer.

While it answers it is asked each time, so no right that was taken away is held up here. Without it nobody can be logged
out either, but by another node that still reaches it: so what is known counts for a while only.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.store.directory import Agent

KNOWN_FOR_S = 900.0
"""As long as a screen's stream lives without its session being looked up."""
MOST = 20_000

SessionKey = tuple[str, bool]
"""The hash of a session's token, and whether it is a program's."""


@dataclass(frozen=True, slots=True)
class KnownSession:
    """Whose a session is, and when it is over (milliseconds since 1970 UTC)."""

    agent: "Agent"
    expires_at: int


class KnownSessions:
    """Remembers sessions, for any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._gate = threading.Lock()
        self._known: dict[SessionKey, tuple[float, KnownSession]] = {}
        self._forgotten = 0
        """How often anything was to be forgotten."""

    def ask(self) -> int:
        """Return what ``note`` is to be told of when a session began to be looked up."""
        return self._forgotten

    def note(self, key: SessionKey, found: KnownSession | None, asked: int) -> None:
        """Remember what was found; not where sessions were to be forgotten meanwhile: it may be from before."""
        with self._gate:
            self._known.pop(key, None)
            if found and asked == self._forgotten:
                self._known[key] = (self._clock(), found)
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]  # what was looked up longest ago

    def agent(self, key: SessionKey, at: int) -> "Agent | None":
        """Return whose the session is, if it was good lately and is not over ``at`` by its time."""
        with self._gate:
            noted_at, known = self._known.get(key, (0.0, None))
        if known is None or self._clock() - noted_at > KNOWN_FOR_S or known.expires_at <= at:
            return None
        return known.agent

    def forget(self, tenant: str) -> None:
        """Forget the sessions of ``tenant``, of all where it is empty."""
        with self._gate:
            self._forgotten += 1
            kept = {key: entry for key, entry in self._known.items() if tenant not in ("", entry[1].agent.tenant)}
            self._known = kept


@dataclass(frozen=True, slots=True)
class HeldSessions:
    """What a look-up for many brought; ``asked`` is what ``KnownSessions.ask`` said before it."""

    found: Mapping[SessionKey, KnownSession]
    asked: int
    away: Exception | None


class SessionsAhead:
    """Sessions that were looked up a moment ago, together, for what each thread is about to ask."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @contextmanager
    def holding(
        self, found: Mapping[SessionKey, KnownSession], asked: int, away: Exception | None = None
    ) -> Iterator[None]:
        """Have the calling thread find ``found`` within the block, or fail as the look-up did, with ``away``."""
        self._of_thread.held = HeldSessions(found, asked, away)
        try:
            yield
        finally:
            self._of_thread.held = None

    def find(self, key: SessionKey, at: int, asked: int) -> KnownSession | None:
        """Return the session, where it was found and is not over ``at``; None also where any were to be forgotten
        meanwhile. Raises what the look-up raised.
        """
        held: HeldSessions | None = getattr(self._of_thread, "held", None)
        if held is None or held.asked != asked:
            return None
        if held.away is not None:
            raise held.away
        found = held.found.get(key)
        return found if found and found.expires_at > at else None
