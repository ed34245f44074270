"""What all nodes of a gateway share, in tables of PostgreSQL that nothing waits for (``shared_tables.py``).

A value is changed by comparing its version, so that one of two who change it at once begins anew with what the other
wrote: a half-open breaker has one trial in the whole cell. Where the database cannot be asked, each process goes on
with values of its own, as on a data folder; a lease is not given then.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.store.shared import GiveBack
from gateway.store.shared_files import DegradedNotice, Slots
from gateway.store.shared_leases import LeaseKeeper, RowLease
from gateway.store.shared_row_counts import RowCounts
from gateway.store.shared_session import SharedSession, SharedUnavailable

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
Told = TypeVar("Told")

log = structlog.get_logger()

FRESH_S = 0.25
"""How old a value may be that is only looked at, such as a closed breaker's."""
TRIES = 40
"""Changes begun anew, because another was quicker, before this process goes on alone."""
GRACE_S = 2.0
"""How much longer than its lease a process is taken to be alive: its orders are settled by others, not dialled."""
UNKNOWN_AFTER_S = 10.0
"""When a process of which there is no row is dead: after a failover all of them take their names again first."""
LOOK_EVERY_S = 0.5

READ = "SELECT version, value FROM shared_values WHERE kind = %(kind)s AND tenant = %(tenant)s AND name = %(name)s"
FIRST = """
INSERT INTO shared_values VALUES (%(kind)s, %(tenant)s, %(name)s, 1, %(value)s) ON CONFLICT DO NOTHING RETURNING version
"""
CHANGE = """
UPDATE shared_values SET version = version + 1, value = %(value)s
WHERE kind = %(kind)s AND tenant = %(tenant)s AND name = %(name)s AND version = %(version)s RETURNING version
"""
IS_ALIVE = """
SELECT until > clock_timestamp() - make_interval(secs => %(grace_s)s) FROM leases WHERE name = %(name)s
"""


class RowRecord(Generic[T]):
    """A small value in a row. See ``SharedRecord``."""

    def __init__(self, kind: type[T], session: SharedSession, tenant: str, name: str) -> None:
        self._kind = TypeAdapter(kind)
        self._key = {"kind": kind.__name__, "tenant": tenant, "name": name}
        self._session = session
        self._value = self._nothing = kind()
        self._version = 0
        self._read_at = float("-inf")
        self._lock = threading.Lock()
        self._notice = DegradedNotice("appliance_state", name)

    def change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        """Put ``work(value)``'s first result in the value's place; its second is what the caller gets."""
        with self._lock:
            try:
                told = self._change(work)
                self._notice.worked()
            except SharedUnavailable as error:
                self._notice.failed(error)
                self._value, told = work(self._value)
            return told

    def read(self) -> T:
        """Return the value now, or as it was ``FRESH_S`` ago."""
        return self.change(lambda value: (value, value))

    def close(self) -> None:
        """Do nothing: the session is closed by whoever opened it."""

    def _change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        if time.monotonic() - self._read_at < FRESH_S:
            after, told = work(self._value)
            if after == self._value:  # most often there is nothing to change
                return told
        for _try in range(TRIES):
            self._load()
            after, told = work(self._value)
            if after == self._value or self._replaced(after):
                return told
        raise SharedUnavailable(None, "others changed it again and again")

    def _load(self) -> None:
        asked_at = time.monotonic()
        rows = self._session.run(READ, **self._key)
        self._version, self._value = (rows[0][0], self._parsed(rows[0][1])) if rows else (0, self._nothing)
        self._read_at = asked_at

    def _parsed(self, value: str) -> T:
        try:
            return self._kind.validate_json(value)
        except ValidationError:  # another version's
            return self._nothing

    def _replaced(self, after: T) -> bool:
        """Put ``after`` in the place of the value that was read; whether nobody was quicker."""
        values = {"value": self._kind.dump_json(after).decode()}
        changed = self._session.run(CHANGE if self._version else FIRST, **self._key, version=self._version, **values)
        if changed:
            self._version, self._value = changed[0][0], after
        return bool(changed)


class RowSlots:
    """Places of an appliance among all nodes, each a lease. See ``SharedSlots``."""

    def __init__(self, keeper: LeaseKeeper, tenant: str, name: str, count: int) -> None:
        self._keeper = keeper
        self._names = [f"slot/{tenant}/{name}/{number}" for number in range(count)]
        self._own = Slots(None, count)
        self._notice = DegradedNotice("appliance_limit", name)

    def take(self, timeout_s: float) -> GiveBack | None:
        """Take a place of this process within ``timeout_s``, and one among all now; how to give it back, or None."""
        give_back = self._own.take(timeout_s)
        if give_back is None:
            return None
        try:
            lease = self._keeper.take(*self._names)
        except SharedUnavailable as error:
            self._notice.failed(error)
            return give_back
        self._notice.worked()
        if lease is None:
            give_back()
            return None
        return partial(_give_back, lease, give_back)


def _give_back(lease: RowLease, own: GiveBack) -> None:
    lease.release()
    own()


class RowPresence:
    """This process as a lease that is taken again whenever it is lost, and a look at others'. See ``Presence``."""

    def __init__(self, session: SharedSession, keeper: LeaseKeeper, name: str) -> None:
        self._session = session
        self._keeper = keeper
        self._name = name
        self._lock = threading.Lock()
        self._stands = False
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
                    log.warning("presence_not_shown", error=error.strerror)
                    return None
        return self._name

    def alive(self, name: str) -> bool:
        """Return whether the process of that name still runs, or ran half a second ago."""
        if name == self._name:
            return True
        now = time.monotonic()
        with self._lock:
            looked_at, found = self._looked.get(name, (float("-inf"), True))
            if now - looked_at < LOOK_EVERY_S:
                return found
            found = self._look(name, now)
            self._looked = {key: value for key, value in self._looked.items() if now - value[0] < LOOK_EVERY_S}
            self._looked[name] = (now, found)
            return found

    def close(self) -> None:
        """Do nothing: the name is given back with all that the process shares, when its orders are over."""

    def _look(self, name: str, now: float) -> bool:
        try:
            rows = self._session.run(IS_ALIVE, name=process(name), grace_s=GRACE_S)
        except SharedUnavailable:  # it cannot be told, so nothing is taken from anybody
            return True
        if rows:
            self._missed.pop(name, None)
            return bool(rows[0][0])
        return now - self._missed.setdefault(name, now) < UNKNOWN_AFTER_S


def process(name: str) -> str:
    """Return the lease of the process ``name``."""
    return f"process/{name}"


class SharedPostgresql:
    """What nodes share. ``connect`` opens a connection in autocommit mode, within seconds. See ``Shared``."""

    def __init__(self, connect: "Callable[[], psycopg.Connection[Any]]") -> None:
        self._session = SharedSession(connect)
        # orders.owner and outbox.claimed_by take 32 characters.
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._keeper = LeaseKeeper(self._session, self._name)

    def now(self) -> float:
        return self._session.now()

    def record(self, kind: type[T], tenant: str, name: str) -> RowRecord[T]:
        return RowRecord(kind, self._session, tenant, name)

    def slots(self, tenant: str, name: str, count: int) -> RowSlots:
        return RowSlots(self._keeper, tenant, name, count)

    def counts(self) -> RowCounts:
        return RowCounts(self._session)

    def lease(self, name: str) -> RowLease | None:
        """Take the lease ``name`` if nobody has it; None also where that cannot be told, which is logged."""
        try:
            return self._keeper.take(name)
        except SharedUnavailable as error:
            log.error("lease_not_taken", lease=name, error=error.strerror)
            return None

    def presence(self) -> RowPresence:
        return RowPresence(self._session, self._keeper, self._name)

    def close(self) -> None:
        """Give back all that this process holds. Safe to call again."""
        self._keeper.close()
        self._session.close()
