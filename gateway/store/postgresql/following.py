"""Following the event log on PostgreSQL: one statement gives what is new for the companies that somebody watches."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

import psycopg

from gateway.store.deadlines import Deadlines
from gateway.store.postgresql.log import PostgresqlEventLog
from gateway.store.reading.doorbell import Doorbell
from gateway.store.reading.epochs import IS_SAME, KEPT, KNOWN, ORIGIN, current_epoch
from gateway.store.reading.following import NewEpoch, News, PeopleChanged
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position

T = TypeVar("T")
NOWHERE = Position(0, 0)
AT_ONCE = 200
"""Events of a company that are read at once."""
WITHIN_S = 5.0
"""A look that takes longer is given up, with its connection: the server hangs, or is another one now."""
NEWS = f"""
    SELECT coalesce(o.epoch, 0), {IS_SAME}, n.tenant, n.people,
        n.seq, n.kind, n.at, n.extension, n.call_id, n.payload
    FROM (SELECT {ORIGIN}, {KNOWN}) AS o
    LEFT JOIN LATERAL (
        SELECT heads.tenant, heads.people, e.seq, e.kind, e.at, e.extension, e.call_id, e.payload
        FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS watched (tenant, seq, people)
        JOIN heads ON heads.tenant = watched.tenant
            AND (heads.seq > watched.seq OR heads.people <> watched.people)
        LEFT JOIN LATERAL (
            SELECT seq, kind, at, extension, call_id, payload FROM events
            WHERE events.tenant = watched.tenant AND events.seq > watched.seq
            ORDER BY events.seq LIMIT {AT_ONCE}
        ) AS e ON true
    ) AS n ON true
    ORDER BY n.tenant, n.seq
"""  # noqa: S608 - of constants
"""One row at least: the epoch, and whether the database is the same as before. Companies of which an agent or a session
changed have one at least, with its counter.
"""
ALL = ""
"""Stands for all companies."""

Connect = Callable[[], "psycopg.Connection[Any]"]


class PostgresqlFollower:
    """Reads behind a position of each company. ``connect`` opens a connection in autocommit mode."""

    def __init__(self, connect: Connect, log: PostgresqlEventLog, doorbell: Doorbell) -> None:
        self._connect = connect
        self._log = log
        self._doorbell = doorbell
        self._connection: psycopg.Connection[Any] | None = None
        self._deadlines = Deadlines()
        self._gate = threading.Lock()
        self._positions: dict[str, Position] = {}
        self._rung = threading.Event()
        self._told: set[str] = set()
        """Whose rings were heard and not looked after yet."""
        self._wanted: set[str] = {ALL}
        """Of whom the next look is."""
        self._looked_at = float("-inf")
        self._people: dict[str, int] = {}
        """By company the counter of its agents and sessions, as it was when screens were last told of it."""
        doorbell.on_ring(self.ring)

    def watch(self, tenant: str) -> None:
        if tenant in self._positions:
            return
        if not self._log.is_settled():
            with self._connect() as connection:
                current_epoch(connection)
        end = self._log.newest(tenant)
        with self._gate:
            self._positions.setdefault(tenant, end)

    def unwatch(self, tenant: str) -> None:
        with self._gate:
            self._positions.pop(tenant, None)
            self._people.pop(tenant, None)

    def position(self, tenant: str) -> Position | None:
        return self._positions.get(tenant)

    def ring(self, tenants: Collection[str] = ()) -> None:
        with self._gate:
            self._told.update(tenants or (ALL,))
        self._rung.set()

    def wait(self) -> bool:
        every_s = self._doorbell.look_every_s
        if not self._wanted:
            self._rung.wait(max(0.0, self._looked_at + every_s - time.monotonic()))
            self._rung.clear()
            with self._gate:
                self._wanted, self._told = self._told, set()
        if time.monotonic() - self._looked_at >= every_s:
            self._wanted = {ALL}
            self._looked_at = time.monotonic()
        return bool(self._wanted)

    def news(self) -> Iterator[News]:
        names, self._wanted = self._names(), {ALL}
        while names:
            rows = self._read(names)
            if not rows[0][1]:
                self._raise_epoch()
            elif stale := self._stale(rows[0][0]):
                yield from self._begin(stale)
                names = self._names()
            else:
                yield from self._told_of(rows)
                names = _with_more(rows)
        self._wanted = set()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _names(self) -> list[str]:
        """Return of whom the look is that is due."""
        with self._gate:
            return [name for name in self._positions if ALL in self._wanted or name in self._wanted]

    def _read(self, names: list[str]) -> list[tuple[Any, ...]]:
        with self._gate:
            seqs = [self._positions.get(name, NOWHERE).seq for name in names]
            people = [self._people.get(name, -1) for name in names]
        # What is heard comes by a connection of our own, which keeps prepared statements; a pooler may not.
        prepare = self._doorbell.is_heard
        return self._run(lambda connection: connection.execute(NEWS, (names, seqs, people), prepare=prepare).fetchall())

    def _run(self, work: Callable[["psycopg.Connection[Any]"], T]) -> T:
        """Run ``work`` on the follower's own connection, which is dropped after any error."""
        connection = self._connection = self._connection or self._connect()
        try:
            with self._deadlines.within(connection, WITHIN_S):
                return work(connection)
        except BaseException:
            self.close()
            raise

    def _raise_epoch(self) -> None:
        """Raise the epoch on a connection of its own: that waits for a synchronous standby, however long."""
        with self._connect() as connection:
            current_epoch(connection)

    def _stale(self, epoch: int) -> list[str]:
        """Return the companies that are followed in another epoch."""
        with self._gate:
            return [name for name, position in self._positions.items() if position.epoch != epoch]

    def _begin(self, names: list[str]) -> Iterator[News]:
        """Follow ``names`` in the epoch that has begun, behind what is still there of what was given."""
        with self._gate:
            seen = {name: self._positions[name] for name in names if name in self._positions}
        epochs = [position.epoch for position in seen.values()]
        rows = self._run(lambda connection: connection.execute(KEPT, ([*seen], epochs)).fetchall())
        kept = {name: Position(epoch, seq) for name, epoch, seq in rows}
        yield NewEpoch(kept)
        for name, position in kept.items():
            self._move(name, min(position, position._replace(seq=seen[name].seq)))

    def _told_of(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[News]:
        """Yield what ``rows`` tell of; who may stay comes before what they are shown."""
        for epoch, _, tenant, people, seq, kind, at, extension, call_id, payload in rows:
            if tenant is not None and people != self._people.get(tenant):
                yield PeopleChanged(tenant)
                self._people[tenant] = people
            if seq is not None:
                event = LoggedEvent(seq, tenant, kind, at, extension, call_id, payload, epoch)
                yield event
                self._move(tenant, event.position)

    def _move(self, name: str, position: Position) -> None:
        with self._gate:
            if name in self._positions:
                self._positions[name] = max(self._positions[name], position)


def _with_more(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the companies of whose news only a part was read."""
    counts = Counter(row[2] for row in rows if row[4] is not None)
    return [name for name, count in counts.items() if count >= AT_ONCE]
