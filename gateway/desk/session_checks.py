"""Looks up whether screens may stay: those of many screens by one query, on a thread of its own.

A database that does not answer must not keep a stream from its heart-beats: by them its page knows that the connection
lives. So whoever has screens checked waits a moment at most, and not at all behind a look-up that hangs.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Generic, Protocol, TypeVar

import structlog

from gateway.store.directory import Agent
from gateway.store.known_sessions import KnownSession, SessionKey

logger = structlog.get_logger()

MayStay = Callable[[], bool]
"""Whether the agent of a screen is still logged in, which another process may have ended."""
ANSWER_WITHIN_S = 1.0
"""Beyond it a screen goes on as if it might stay, until the answer comes. Far shorter than from pulse to pulse."""
AT_ONCE = 200
"""Sessions in one query: a few milliseconds."""
GATHER_S = 1.0
"""How long those wait that nobody has reason to doubt, for others to be looked up with: a query for five sessions costs
half as much as one for a hundred.
"""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The session of a screen, and its agent as it was when the screen opened.

    ``ahead_ms`` is what the time is (milliseconds since 1970 UTC) more than the steady clock.
    """

    key: SessionKey
    agent: Agent
    ahead_ms: int

    def goes_on(self, found: KnownSession | None) -> bool:
        """Return whether what was ``found`` of it is the same agent's session, and not over by its time."""
        now = self.ahead_ms + int(time.monotonic() * 1000)
        return found is not None and found.agent == self.agent and found.expires_at > now


ReadSessions = Callable[[Collection[SessionKey]], Mapping[SessionKey, KnownSession]]


class Checked(Protocol):
    """A screen, as far as its session is concerned.

    ``looked_up`` is the number of the look-up that was its last, ``asked_at`` when it began (by the steady clock), and
    ``people_seen`` how often people had changed by then, if it brought an answer.
    """

    stay: OpenSession | MayStay
    looked_up: int
    asked_at: float
    people_seen: int
    is_over: bool


C = TypeVar("C", bound=Checked)


class SessionChecks(Generic[C]):
    """Reads sessions with ``read``; ``people`` says how often people changed, and ``dismiss`` is called, on a thread of
    its own, with screens that may not stay.
    """

    def __init__(
        self,
        read: ReadSessions,
        *,
        people: Callable[[], int],
        dismiss: Callable[[Sequence[C]], None],
    ) -> None:
        self._read = read
        self._people = people
        self._dismiss = dismiss
        self._wanted: dict[C, None] = {}
        self._look_up = 0
        self._begun_at: float | None = None
        self._due_at = inf
        """When those that are wanted are to be looked up, by the steady clock."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, screens: Collection[C], *, within_s: float = 0) -> int:
        """Have ``screens`` looked up, ``within_s`` seconds at the latest; those that may not stay are dismissed.
        Returns a number that each of them will have passed then. Never waits.
        """
        with self._changed:
            self._start()
            self._wanted.update(dict.fromkeys(screens))
            self._due_at = min(self._due_at, time.monotonic() + within_s)
            self._changed.notify_all()
            return self._look_up

    def check(self, screens: Collection[C], *, within_s: float | None = None) -> None:
        """Ask, and wait for what comes of it: ``within_s`` seconds at most, not behind a look-up that has taken that
        long.
        """
        within_s = ANSWER_WITHIN_S if within_s is None else within_s
        before = self.ask(screens)
        with self._changed:
            if self._begun_at is None or time.monotonic() - self._begun_at < within_s:
                self._changed.wait_for(
                    lambda: all(each.looked_up > before or each.is_over for each in screens), within_s
                )

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="session-checks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while (left_s := self._left_s()) > 0:
                    self._changed.wait(None if left_s == inf else left_s)
                batch = self._take()
            self._do(batch)
            with self._changed:
                self._begun_at = None
                for each in batch:
                    each.looked_up = self._look_up
                self._changed.notify_all()

    def _left_s(self) -> float:
        """Return how long it is until the next look-up, as far as is known."""
        if not self._wanted:
            return inf
        return 0 if len(self._wanted) >= AT_ONCE else self._due_at - time.monotonic()

    def _take(self) -> list[C]:
        """Begin a look-up; return whom it is about."""
        batch = list(islice(self._wanted, AT_ONCE))
        for each in batch:
            del self._wanted[each]
        if not self._wanted:
            self._due_at = inf
        self._look_up += 1
        self._begun_at = time.monotonic()
        return batch

    def _do(self, batch: Sequence[C]) -> None:
        people, now = self._people(), time.monotonic()
        try:
            keys = {each.stay.key for each in batch if isinstance(each.stay, OpenSession)}
            found = self._read(keys) if keys else {}
            for each in batch:
                if not _may_stay(each.stay, found):
                    self._dismiss([each])
                each.people_seen, each.asked_at = people, now
        except Exception as error:  # the others go on, and are asked about again
            logger.warning("session_not_looked_up", error=type(error).__name__)


def _may_stay(stay: OpenSession | MayStay, found: Mapping[SessionKey, KnownSession]) -> bool:
    return stay.goes_on(found.get(stay.key)) if isinstance(stay, OpenSession) else stay()
