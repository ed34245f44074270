"""Following the event log: what the hub of a process learns of, and when.

A follower keeps one position for each company that somebody watches (on SQLite one for all) and gives what is behind
it. Rings only save waiting: whoever hears none looks again soon.
"""

import queue
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from gateway.store.reading.log import AFTER, PEOPLE, EventLog, LoggedEvent
from gateway.store.reading.positions import Position

LOOK_EVERY_S = 0.1
UNWATCHED_S = 5.0
"""How long a thread sleeps at most while nobody watches; who begins to watch wakes it."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PeopleChanged:
    """An agent or a session is another than before: one of ``tenant``, or of any company where that is empty."""

    tenant: str = ""


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """A database took over; ``kept`` says by company up to where the events are still there that were given."""

    kept: Mapping[str, Position]


News = LoggedEvent | PeopleChanged | NewEpoch


class Follower(Protocol):
    """Follows the log for one thread, which calls ``wait`` and ``news``; all else may be called by any."""

    def watch(self, tenant: str) -> None:
        """Give the events of ``tenant`` too, behind those that are durable now. Whoever wants older ones reads them
        afterwards. Safe to call again.
        """

    def unwatch(self, tenant: str) -> None:
        """Give no events of ``tenant`` any more."""

    def position(self, tenant: str) -> Position | None:
        """Return up to where all events of ``tenant`` were given and dealt with, None where nobody watches it."""

    def ring(self, tenants: Collection[str] = ()) -> None:
        """Say that events of ``tenants`` (none: of any) are durable, or people changed. Never waits."""

    def wait(self) -> bool:
        """Wait for a ring, or until it is time to look; return whether something may have happened."""

    def news(self) -> Iterator[News]:
        """Yield what happened, oldest first. What was yielded counts as dealt with when the next one is asked for;
        what was not is given again.
        """

    def close(self) -> None:
        """Let go of connections, when the thread has ended. Safe to call again."""


class Written:
    """``query``, put into words once: SQLAlchemy took ten times as long as SQLite to ask."""

    def __init__(self, query: Select[Any]) -> None:
        compiled = query.compile(dialect=sqlite.dialect(paramstyle="named"))
        self.text, self.values = str(compiled), dict(compiled.params)


class SqliteFollower:
    """Reads all events in their one order, while anybody watches. A commit by another process shows in the database's
    version.
    """

    def __init__(self, log: EventLog, *, look_every_s: float = LOOK_EVERY_S) -> None:
        # The driver's own connection: one with a transaction around it would see the same version for ever,
        # and would keep the write-ahead log from being emptied.
        self._connection = log.engine.raw_connection()
        # One statement for both: behind each this thread waits until another one gives the interpreter back.
        self._after = Written(AFTER.add_columns(PEOPLE.scalar_subquery()))
        self._people_now = Written(PEOPLE)
        self._log = log
        self._look_every_s = look_every_s
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._watched: set[str] = set()
        self._version = -1
        self._people = -1
        self._is_behind = False
        self._seen = Position(0, 0)

    def watch(self, tenant: str) -> None:
        # The database is asked without the gate: whoever lets go of a screen may be the event loop.
        while not self._begin(tenant, now=None if self._watched else (self._log.newest(tenant), self._log.people())):
            pass

    def _begin(self, tenant: str, *, now: tuple[Position, int] | None) -> bool:
        """Watch ``tenant``; from ``now`` on where nobody watches, which must be known then: return whether it was."""
        with self._gate:
            begins = not self._watched
            if begins:
                if now is None:
                    return False
                self._seen, self._people = now  # nothing was read meanwhile, and nobody wants it
            self._watched.add(tenant)
        if begins:
            self.ring()  # last: who is woken must find somebody who watches
        return True

    def unwatch(self, tenant: str) -> None:
        with self._gate:
            self._watched.discard(tenant)

    def position(self, _tenant: str) -> Position | None:
        return self._seen if self._watched else None

    def ring(self, _tenants: Collection[str] = ()) -> None:
        self._bell.put(None)

    def wait(self) -> bool:
        is_rung = self._is_rung(self._look_every_s if self._watched else UNWATCHED_S)
        if not self._watched:
            return False
        if is_rung:  # whoever rings has committed: the version need not be asked for
            return True
        version = self.version()
        changed, self._version = version != self._version, version
        return changed or self._is_behind

    def _is_rung(self, timeout_s: float) -> bool:
        """Wait for a ring, and take all that have come; return whether there was one."""
        try:
            self._bell.get(timeout=timeout_s)
        except queue.Empty:
            return False
        while not self._bell.empty():
            self._bell.get()
        return True

    def news(self) -> Iterator[News]:
        self._is_behind = True
        is_more = True
        while self._watched and is_more:
            found, people = self.read()
            if people != self._people:
                yield PeopleChanged()
                self._people = people
            for event in found:
                yield event
                self._seen = event.position
            is_more = len(found) >= AT_ONCE
        self._is_behind = False

    def read(self) -> tuple[Sequence[LoggedEvent], int]:
        """Return the events of all companies behind the last one, oldest first, ``AT_ONCE`` at most, and how often
        people have changed.
        """
        rows = self._ask(self._after, behind=self._seen.seq, most=AT_ONCE)
        people = rows or self._ask(self._people_now)
        return [LoggedEvent(*row[:-1]) for row in rows], people[0][-1] or 0 if people else 0

    def version(self) -> int:
        """Return a number that changes whenever another connection (or process) has committed; far cheaper than a
        query.
        """
        return int(self._connection.cursor().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._connection.close()

    def _ask(self, query: Written, **values: int) -> list[tuple[Any, ...]]:
        """Return all rows: what is not read to its end keeps the write-ahead log from being emptied."""
        cursor = self._connection.cursor()
        found: list[tuple[Any, ...]] = cursor.execute(query.text, query.values | values).fetchall()
        return found
