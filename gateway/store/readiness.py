"""Whether events can be written down: found out by writing."""

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, insert, update

from gateway.errors import GatewayError
from gateway.store import tables
from gateway.store.writing.journal import Journal

log = structlog.get_logger()

LOOK_EVERY_S = 2.0
WITHIN_S = 5.0
COUNTER = "readiness"


class WriteProbe:
    """Makes a small durable write through the journal, at most once in ``every_s`` and only when nothing else was
    written meanwhile: probes of load balancers must not cost a sync each.
    """

    def __init__(
        self, journal: Journal, *, every_s: float = LOOK_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal = journal
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._good = False

    def good(self) -> bool:
        """Return whether a write became durable within the last ``every_s`` seconds."""
        if self._clock() - self._journal.wrote_at < self._every_s:
            return True
        with self._lock:
            if self._clock() - self._looked_at >= self._every_s:
                self._good = self._write()
                self._looked_at = self._clock()
            return self._good

    def _write(self) -> bool:
        try:
            self._journal.run(_touch, lock="probe", timeout_s=WITHIN_S)
        except GatewayError as error:
            log.error("not_writable", code=error.code, error=str(error))
            return False
        return True


def _touch(connection: Connection) -> None:
    """Change a number that nobody reads; SQLite leaves out a write that changes nothing."""
    counters = tables.counters
    changed = update(counters).where(counters.c.name == COUNTER).values(value=counters.c.value + 1)
    if not connection.execute(changed).rowcount:
        connection.execute(insert(counters).values(name=COUNTER, value=1))
