"""The sessions of a simulated Asterisk's manager interface: a cookie for each, and the events that wait in it."""

import re
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event, Lock
from time import monotonic

LOGGED_IN_S = 60.0
ANONYMOUS_S = 5.0
SESSIONS_KEPT = 1000
EVENTS_KEPT = 200

Lines = Sequence[tuple[str, str]]


@dataclass
class WebSession:
    """One session; ``user`` is empty until it has logged in."""

    key: str
    user: str = ""
    used_at: float = field(default_factory=monotonic)
    events: deque[tuple[float, Lines]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))

    @property
    def expired(self) -> bool:
        return monotonic() - self.used_at > (LOGGED_IN_S if self.user else ANONYMOUS_S)

    def wait(self, seconds: float, stopping: Event) -> list[tuple[str, str]]:
        """Wait at most ``seconds`` for events and return all since the last time, each behind an empty line."""
        ends = monotonic() + seconds
        while not (due := self._due()) and monotonic() < ends and not stopping.wait(0.02):
            pass
        return [line for event in due for line in [("", ""), *event]]

    def _due(self) -> list[Lines]:
        now = monotonic()
        due = [event for at, event in self.events if at <= now]
        later = [one for one in self.events if one[0] > now]
        self.events.clear()
        self.events.extend(later)
        return due


class WebSessions:
    """All sessions by the value of their cookie. Each lives 60 s without a request, an anonymous one 5 s."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, WebSession] = OrderedDict()
        self._lock = Lock()

    def of(self, cookie: str) -> WebSession:
        """Return the session that ``cookie`` names (its value with or without quotes), or a new anonymous one."""
        found = re.search(r'mansession_id="?([0-9a-f]+)"?', cookie)
        with self._lock:
            session = self._sessions.get(found[1]) if found else None
            if session is None or session.expired:
                session = WebSession(token_hex(4))
            session.used_at = monotonic()
            self._sessions[session.key] = session
            self._sessions.move_to_end(session.key)
            while len(self._sessions) > SESSIONS_KEPT:
                self._sessions.popitem(last=False)
            return session

    def tell(self, event: Lines, *, after_s: float) -> None:
        """Queue an event in all sessions that are logged in."""
        with self._lock:
            for session in self._sessions.values():
                if session.user:
                    session.events.append((monotonic() + after_s, event))
