"""Which processes of all nodes are alive: a lease for each that is taken again whenever it is lost."""

import threading
import time

import structlog

from gateway.store.shared.leases import LeaseKeeper
from gateway.store.shared.session import SharedSession, SharedUnavailable

log = structlog.get_logger()

GRACE_S = 2.0
"""How much longer than its lease a process is taken to be alive: its letters would be sent twice."""
UNKNOWN_AFTER_S = 10.0
"""For so long nobody is declared dead after a start or an outage of the database, nor one of whom there is no row:
after a failover all take their names again first.
"""
LOOK_EVERY_S = 0.5
MISSED_S = 3600.0
"""How long it is remembered since when a name has been missing."""
IS_ALIVE = """
SELECT until > clock_timestamp() - make_interval(secs => %(grace_s)s) FROM leases WHERE name = %(name)s
"""


class RowPresence:
    """This process as a lease that is taken again whenever it is lost, and a look at others'. See ``Presence``."""

    def __init__(self, session: SharedSession, keeper: LeaseKeeper, name: str) -> None:
        self._session = session
        self._keeper = keeper
        self._name = name
        self._lock = threading.Lock()
        self._stands = False
        self._was_said = False
        self._looked: dict[str, tuple[float, bool]] = {}
        self._missed: dict[str, float] = {}

    def name(self) -> str | None:
        """Return the name of this process, None where others cannot know it."""
        with self._lock:
            if not self._stands:
                try:
                    self._keeper.stand(process(self._name))
                    self._stands = True
                except SharedUnavailable as error:
                    if not self._was_said:
                        log.warning("presence_not_shown", error=error.strerror)
                    self._was_said = True
                    return None
        return self._name

    def alive(self, name: str) -> bool:
        """Return whether the process of that name still runs, or ran half a second ago."""
        if name == self.name():
            return True
        now = time.monotonic()
        with self._lock:
            looked_at, found = self._looked.get(name, (float("-inf"), True))
            if now - looked_at < LOOK_EVERY_S:
                return found
            found = self._look(name, now)
            self._looked = {key: value for key, value in self._looked.items() if now - value[0] < LOOK_EVERY_S}
            self._looked[name] = (now, found)
            self._missed = {key: since for key, since in self._missed.items() if now - since < MISSED_S}
            return found

    def close(self) -> None:
        """Do nothing: the name is given back with all that the process shares, when its orders are over."""

    def _look(self, name: str, now: float) -> bool:
        try:
            rows = self._session.run(IS_ALIVE, name=process(name), grace_s=GRACE_S)
        except SharedUnavailable:  # it cannot be told, so nothing is taken from anybody
            return True
        if rows and rows[0][0]:
            return True
        if self._keeper.steady_s() < UNKNOWN_AFTER_S:
            return True
        return not rows and now - self._missed.setdefault(name, now) < UNKNOWN_AFTER_S


def process(name: str) -> str:
    """Return the lease of the process ``name``."""
    return f"process/{name}"
