"""The doorbell between nodes: NOTIFY, after the commit and outside of it.

Inside a transaction NOTIFY takes a lock of the whole database until the commit is durable, which with a synchronous
standby leaves a tenth of the commits. So a thread of its own rings on a connection of its own, for all that has come
together meanwhile, and does not wait for the disk. Another connection listens.

Whether rings are heard is found out by ringing oneself, at the start and every few seconds: a pooler in transaction
mode swallows LISTEN, and a server that hangs says nothing. Who hears none looks more often.
"""

import secrets
import threading
import time
from collections.abc import Callable, Collection
from typing import Any

import psycopg
import structlog

from gateway.store.deadlines import Deadlines
from gateway.store.reading.doorbell import Ringing

log = structlog.get_logger()

CHANNEL = "cti_gateway"
HEARD_LOOK_S, UNHEARD_LOOK_S = 1.0, 0.25
PROBE_EVERY_S = 10.0
PROBE_WITHIN_S = 2.0
AGAIN_AFTER_S = 0.5
WAIT_S = 0.25
"""How soon the threads notice that they are to end."""
MOST_NAMED = 50
LONGEST = 4000
"""Bytes of a payload; PostgreSQL takes 8000. Beyond either limit all companies are meant."""
PROBE = "?"
"""Begins the payload of a probe; no company is called so."""

NOT_HEARD = "doorbell_not_heard"

Connect = Callable[[], "psycopg.Connection[Any]"]


class PostgresqlDoorbell:
    """Rings and listens; ``connect`` opens a connection in autocommit mode to the server itself, no pooler."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listeners: list[Ringing] = []
        self._gate = threading.Lock()
        self._wanted: set[str] = set()
        self._rung = threading.Event()
        self._stopping = threading.Event()
        self._deadlines = Deadlines()
        self._ringer_pid = 0
        self._probe = ""
        self._unanswered_since: float | None = None
        """When the first probe was sent that was not heard since somebody listens, by the steady clock."""
        self._heard_at = float("-inf")
        self._told_of: set[str] = set()
        """What was logged since a ring of its own was last heard."""
        self._threads = [
            threading.Thread(target=work, name=f"doorbell-{name}", daemon=True)
            for name, work in (("listener", self._listen), ("ringer", self._ring_on))
        ]

    @property
    def look_every_s(self) -> float:
        return HEARD_LOOK_S if self.is_heard else UNHEARD_LOOK_S

    @property
    def is_heard(self) -> bool:
        """Return whether the last probe was heard."""
        return time.monotonic() - self._heard_at < PROBE_EVERY_S + PROBE_WITHIN_S

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ring(self, tenants: Collection[str]) -> None:
        with self._gate:
            self._wanted.update(tenants or ("",))
        self._rung.set()

    def on_ring(self, listener: Ringing) -> None:
        self._listeners.append(listener)

    def close(self) -> None:
        self._stopping.set()
        self._rung.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5)

    # ringing

    def _ring_on(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.execute("SET synchronous_commit = off")
                    self._ringer_pid = connection.info.backend_pid
                    self._ring_by(connection)
            except (psycopg.Error, OSError) as error:
                self._failed("doorbell_not_rung", error)

    def _ring_by(self, connection: "psycopg.Connection[Any]") -> None:
        next_probe = 0.0
        while not self._stopping.is_set():
            if self._rung.wait(WAIT_S):
                self._rung.clear()
                self._ring_for(connection, self._gathered())
            if time.monotonic() >= next_probe:
                next_probe = time.monotonic() + (PROBE_EVERY_S if self.is_heard else PROBE_WITHIN_S)
                self._send_probe(connection)

    def _gathered(self) -> set[str]:
        """Return for whom was rung since the last time."""
        with self._gate:
            tenants, self._wanted = self._wanted, set()
        return tenants

    def _ring_for(self, connection: "psycopg.Connection[Any]", tenants: set[str]) -> None:
        try:
            if tenants:
                self._notify(connection, _payload(tenants))
        except BaseException:
            self.ring(tenants)
            raise

    def _send_probe(self, connection: "psycopg.Connection[Any]") -> None:
        self._probe = secrets.token_hex(8)
        if self._unanswered_since is None:
            self._unanswered_since = time.monotonic()
        self._notify(connection, PROBE + self._probe)

    def _notify(self, connection: "psycopg.Connection[Any]", payload: str) -> None:
        with self._deadlines.within(connection, PROBE_WITHIN_S):
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))

    # listening

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._tell(())  # whatever was rung while nobody listened
                    self._hear(connection)
            except (psycopg.Error, OSError) as error:
                self._failed("doorbell_lost", error)

    def _hear(self, connection: "psycopg.Connection[Any]") -> None:
        """Listen until told to stop, or until probes are not heard any more: then the connection may hang."""
        since = time.monotonic()
        self._unanswered_since = None
        while not self._stopping.is_set():
            for notify in connection.notifies(timeout=WAIT_S):
                self._take(notify)
            if not self.is_heard and time.monotonic() - since > PROBE_EVERY_S:
                return
            self._look_at_probe()

    def _take(self, notify: psycopg.Notify) -> None:
        if notify.payload.startswith(PROBE):
            self._take_probe(notify.payload.removeprefix(PROBE))
        elif notify.pid != self._ringer_pid:  # this process has told itself
            self._tell([name for name in notify.payload.split("\n") if name])

    def _take_probe(self, probe: str) -> None:
        if probe != self._probe:
            return
        self._heard_at = time.monotonic()
        self._unanswered_since = None
        if self._told_of:
            self._told_of.clear()
            log.info("doorbell_heard")

    def _look_at_probe(self) -> None:
        """Say once that probes are not heard, as long as this is so."""
        since = self._unanswered_since
        if NOT_HEARD in self._told_of or self.is_heard or since is None or time.monotonic() - since < PROBE_WITHIN_S:
            return
        self._told_of.add(NOT_HEARD)
        log.warning(NOT_HEARD, look_every_s=UNHEARD_LOOK_S, hint="is there a pooler in between?")

    def _tell(self, tenants: Collection[str]) -> None:
        for listener in self._listeners:
            listener(tenants)

    def _failed(self, event: str, error: Exception) -> None:
        """Say once that a connection was lost, as long as it is, and wait before the next attempt."""
        self._heard_at = float("-inf")
        if not self._stopping.is_set() and event not in self._told_of:
            self._told_of.add(event)
            log.warning(event, error=type(error).__name__)
        self._stopping.wait(AGAIN_AFTER_S)


def _payload(tenants: set[str]) -> str:
    """Return what tells of ``tenants``: their names, or nothing where those are too many."""
    named = "\n".join(sorted(tenants))
    is_short = "" not in tenants and len(tenants) <= MOST_NAMED and len(named.encode()) <= LONGEST
    return named if is_short else ""
