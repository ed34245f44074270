"""Leases in PostgreSQL: a row with a holder and a time until which it is his, put off by a beat each second.

Who dies loses all within ``HELD_S``, and so does who hangs: it knows that by its own clock, before another can have it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from gateway.store.shared.session import SharedSession, SharedUnavailable

log = structlog.get_logger()

HELD_S = 4.0
"""How long a lease is kept for a holder of whom nothing is heard."""
MARGIN_S = 0.5
"""How much sooner its holder gives it up for lost, who counts from before it asked."""
BEAT_EVERY_S = 1.0
FORGET_AFTER_S = 3600.0
"""When the rows of names that nobody takes any more are removed (those of processes have a name only once)."""

_UNTIL = "clock_timestamp() + make_interval(secs => %(held_s)s)"
TAKE = f"""
INSERT INTO leases AS l (name, holder, token, until)
SELECT name, %(holder)s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, {_UNTIL}
FROM unnest(%(names)s::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM leases o WHERE o.name = wanted.name AND o.until > clock_timestamp())
ORDER BY random() LIMIT 1
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, token = greatest(l.token + 1, excluded.token), until = {_UNTIL}
WHERE l.until <= clock_timestamp()
RETURNING name, token
"""  # noqa: S608 - nothing of it comes from outside
"""Take one of ``names`` that nobody holds. A token is greater than those before, also when the table was emptied."""
BEAT = f"""
UPDATE leases l SET until = {_UNTIL}
FROM unnest(%(names)s::text[], %(tokens)s::bigint[]) AS mine (name, token)
WHERE l.name = mine.name AND l.token = mine.token AND l.until > clock_timestamp()
RETURNING l.name, l.token
"""  # noqa: S608
RELEASE = "UPDATE leases SET until = '-infinity' WHERE name = %(name)s AND token = %(token)s"
FORGET = """
DELETE FROM leases WHERE name LIKE 'process/%%' AND until < clock_timestamp() - make_interval(secs => %(after_s)s)
"""


@dataclass(eq=False)
class RowLease:
    """A lease of this process, see ``Lease``. ``kept_at`` is when it was last known to be ours (``time.monotonic``)."""

    name: str
    token: int
    kept_at: float
    give_up: "Callable[[RowLease], None]" = field(repr=False)
    is_over: bool = False

    def held(self) -> bool:
        return not self.is_over and time.monotonic() - self.kept_at < HELD_S - MARGIN_S

    def release(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.give_up(self)


class LeaseKeeper:
    """Takes leases for one process, ``holder``, and keeps them by a thread that is begun with the first."""

    def __init__(self, session: SharedSession, holder: str) -> None:
        self._session = session
        self._holder = holder
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, int], RowLease] = {}
        self._standing: set[str] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._forgot_at = 0.0
        self._beat_at = float("-inf")
        self._steady_since = float("inf")

    def take(self, *names: str) -> RowLease | None:
        """Take one of ``names``, None when others hold all of them. Raises ``SharedUnavailable``."""
        asked_at = time.monotonic()
        rows = self._session.run(TAKE, names=list(names), holder=self._holder, held_s=HELD_S)
        if not rows:
            return None
        ((taken, token),) = rows
        lease = RowLease(taken, token, asked_at, self._give_up)
        with self._lock:
            self._kept[lease.name, lease.token] = lease
            self._begin_to_beat()
        return lease

    def stand(self, name: str) -> None:
        """Hold ``name`` from now on, and take it again whenever it is lost. Raises ``SharedUnavailable``."""
        self._standing.add(name)
        self.take(name)

    def beat(self) -> None:
        """Keep all that is held for another while. Raises ``SharedUnavailable``."""
        self._session.compare_clocks()
        self._note_steadiness(time.monotonic())
        with self._lock:
            kept = dict(self._kept)
        if kept:
            self._keep(kept)
        with self._lock:
            lost = self._standing - {name for name, _token in self._kept}
        for name in lost:
            self.take(name)

    def _keep(self, kept: Mapping[tuple[str, int], RowLease]) -> None:
        asked_at = time.monotonic()
        names, tokens = map(list, zip(*kept, strict=True))
        ours = {(name, token) for name, token in self._session.run(BEAT, names=names, tokens=tokens, held_s=HELD_S)}
        self._note(kept, ours, asked_at)
        self._forget(asked_at)

    def steady_s(self) -> float:
        """Return for how many seconds this process has kept its leases without a gap in which others may have lost
        theirs: after an outage of the database all of them take theirs again.
        """
        return time.monotonic() - self._steady_since

    def close(self) -> None:
        """Give all back. Safe to call again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(BEAT_EVERY_S + 5)
        for lease in list(self._kept.values()):
            lease.release()

    def _note_steadiness(self, now: float) -> None:
        if now - self._beat_at > HELD_S:
            self._steady_since = now
        self._beat_at = now

    def _note(self, kept: Mapping[tuple[str, int], RowLease], ours: set[tuple[str, int]], asked_at: float) -> None:
        for key, lease in kept.items():
            if key in ours:
                lease.kept_at = asked_at
            elif not lease.is_over:
                lease.is_over = True
                self._drop(lease)
                log.warning("lease_lost", lease=lease.name)

    def _forget(self, now: float) -> None:
        if now - self._forgot_at > FORGET_AFTER_S:
            self._forgot_at = now
            self._session.run(FORGET, after_s=FORGET_AFTER_S)

    def _give_up(self, lease: RowLease) -> None:
        self._drop(lease)
        try:
            self._session.run(RELEASE, name=lease.name, token=lease.token)
        except SharedUnavailable:  # it ends by itself
            log.debug("lease_not_released", lease=lease.name)

    def _drop(self, lease: RowLease) -> None:
        with self._lock:
            self._kept.pop((lease.name, lease.token), None)

    def _begin_to_beat(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(BEAT_EVERY_S):
            try:
                self.beat()
            except SharedUnavailable as error:
                log.debug("leases_not_kept", error=error.strerror)
            except Exception as error:  # this thread must outlive it
                log.error("lease_keeper_failed", error=type(error).__name__, exc_info=error)
