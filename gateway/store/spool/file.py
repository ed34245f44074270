"""The spool of a node: what its exchanges told while PostgreSQL was away, synced to a file of the node's own.

It holds messages, in the order in which they came to the node; all processes of the node share it. What is drained gets
a *turn* first, a number that is never given out twice: the database keeps the last one that it has, so that nothing
is taken twice, whoever dies when.
"""

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.sqlite.engine import open_file
from gateway.store.writing.tickets import ThreadWait, Wait
from gateway.store.writing.writer import GroupCommit

log = structlog.get_logger()

DATABASE = "spool.db"
BOOT = Path("/proc/sys/kernel/random/boot_id")
TABLES = (
    "CREATE TABLE IF NOT EXISTS boots (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS spooled (id INTEGER PRIMARY KEY AUTOINCREMENT, boot INTEGER NOT NULL,"
    " place INTEGER NOT NULL, at INTEGER NOT NULL, message TEXT NOT NULL, turn INTEGER UNIQUE)",
    "CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, message TEXT NOT NULL,"
    " reason TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
NUMBERED = "SELECT turn, at, message FROM spooled WHERE turn IS NOT NULL ORDER BY turn LIMIT ?"
TO_NUMBER = "SELECT id FROM spooled WHERE turn IS NULL ORDER BY boot, place, id LIMIT ?"
USED = (
    "SELECT (page_count - freelist_count) * page_size"
    " FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
)


class Kept(NamedTuple):
    """A message to be kept: its place among those of this machine (``Spool.place``), when it was received."""

    place: int
    at: int
    message: str


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message whose turn it is; ``at`` is when it was received (milliseconds since 1970 UTC)."""

    turn: int
    at: int
    message: str


@dataclass(frozen=True, slots=True)
class SpoolRoom:
    """How much a spool may hold: ``most_bytes``, and for how long before it takes no more."""

    most_bytes: int
    most_ms: int


class Spool:
    """The file ``spool.db`` in ``data``, of a node called ``node``; made if it is missing. Any thread may use it.

    ``wait_of`` says how whoever has something kept waits for it.
    """

    def __init__(self, data: Path, node: str, room: SpoolRoom, *, wait_of: Callable[[], Wait] = ThreadWait) -> None:
        self._path = data / DATABASE
        self._room = room
        self._engine = open_file(self._path)
        self._reading = threading.Lock()
        self._looking = threading.Lock()
        with self._engine.begin() as connection:
            for table in TABLES:
                connection.exec_driver_sql(table)
            self.name = _name(connection, node)
            self._boot = _boot(connection)
        self._reader = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        # Events ask each time: they wait for nobody who counts what is there.
        self._looker = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        self._was_full = False
        self._writer: GroupCommit[Sequence[Kept], None] = GroupCommit(
            self._engine, self._insert, name="spool", wait_of=wait_of
        )
        self._writer.start()

    def place(self) -> int:
        """Return the place of what has just come, behind all that came to this machine before."""
        return time.monotonic_ns()

    def is_occupied(self) -> bool:
        """Return whether something waits to be drained."""
        with self._looking:
            return self._looker.execute("SELECT 1 FROM spooled LIMIT 1").fetchone() is not None

    def waiting(self) -> int:
        """Return how many wait to be drained."""
        return int(self._read("SELECT count(*) FROM spooled")[0][0])

    def refused(self) -> int:
        """Return how many could not be taken when it was their turn; they stay in the file."""
        return int(self._read("SELECT count(*) FROM refused")[0][0])

    def has_room(self, now: int) -> bool:
        """Return whether more may be kept ``now`` (milliseconds since 1970 UTC)."""
        return not self._is_full(self._read(USED)[0][0], self._read("SELECT at FROM spooled ORDER BY id LIMIT 1"), now)

    def keep(self, messages: Sequence[Kept]) -> None:
        """Return once ``messages`` are on the disk. Raises ``StoreUnavailable``: none of them is kept then."""
        try:
            self._writer.write(messages)
        except StoreUnavailable:
            raise
        except GatewayError as error:
            log.error("spool_not_written", error=str(error))
            raise StoreUnavailable from None

    def next(self, count: int) -> Sequence[Spooled]:
        """Return the first ``count`` that wait, each with its turn; those first that had one already."""
        with self._engine.connect().execution_options(begin="IMMEDIATE") as connection, connection.begin():
            found = connection.exec_driver_sql(NUMBERED, (count,)).all()
            if not found:
                self._number(connection, count)
                found = connection.exec_driver_sql(NUMBERED, (count,)).all()
            return [Spooled(*row) for row in found]

    def forget(self, turn: int) -> None:
        """Let go of what had its turn, up to and with ``turn``: it is in the database."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM spooled WHERE turn <= ?", (turn,))

    def refuse(self, spooled: Spooled, reason: str) -> None:
        """Put aside what cannot be taken, so that those behind it can."""
        with self._engine.begin() as connection:
            row = (spooled.turn, spooled.at, spooled.message, reason)
            connection.exec_driver_sql("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?)", row)
            connection.exec_driver_sql("DELETE FROM spooled WHERE turn = ?", (spooled.turn,))

    def begin_anew(self) -> None:
        """Take a new name: this file came from a copy, and the other side has more of the old name than it knows."""
        with self._engine.begin() as connection:
            self.name = f"{self.name.rpartition('/spool-')[0]}/spool-{secrets.token_hex(8)}"
            _note(connection, "spool", self.name)

    def close(self) -> None:
        """Write what is being kept, and close the file. Safe to call again."""
        self._writer.stop()
        with self._reading, self._looking:
            self._reader.close()
            self._looker.close()
        self._engine.dispose()

    def _insert(self, connection: Connection, batches: Sequence[Sequence[Kept]]) -> list[None]:
        """Write what several threads have to keep. Raises ``StoreUnavailable`` for one that finds no room."""
        used = connection.exec_driver_sql(USED).scalar_one()
        oldest = connection.exec_driver_sql("SELECT at FROM spooled ORDER BY id LIMIT 1").all()
        is_full = self._is_full(used, oldest, max(kept.at for batch in batches for kept in batch))
        self._note_full(is_full, used)
        if is_full:
            raise StoreUnavailable
        rows = [(self._boot, *kept) for batch in batches for kept in batch]
        connection.exec_driver_sql("INSERT INTO spooled (boot, place, at, message) VALUES (?, ?, ?, ?)", rows)
        return [None] * len(batches)

    def _note_full(self, is_full: bool, used: int) -> None:
        if is_full and not self._was_full:
            log.error("spool_full", bytes=used, hint="Exchanges get 503 until the database is back.")
        self._was_full = is_full

    def _is_full(self, used: int, oldest: Sequence[Any], now: int) -> bool:
        too_old = bool(oldest) and now - oldest[0][0] > self._room.most_ms
        return too_old or used >= self._room.most_bytes

    def _number(self, connection: Connection, count: int) -> None:
        found = connection.exec_driver_sql("SELECT value FROM facts WHERE name = 'turn'").scalar()
        last = int(found or 0)
        ids = connection.exec_driver_sql(TO_NUMBER, (count,)).scalars().all()
        for turn, spooled in enumerate(ids, start=last + 1):
            connection.exec_driver_sql("UPDATE spooled SET turn = ? WHERE id = ?", (turn, spooled))
        _note(connection, "turn", str(last + len(ids)))

    def _read(self, query: str) -> Sequence[Any]:
        with self._reading:
            return self._reader.execute(query).fetchall()


def is_there(data: Path) -> bool:
    """Return whether a node has spooled anything into ``data`` ever."""
    return (data / DATABASE).exists()


def _name(connection: Connection, node: str) -> str:
    """Return by which name the database knows this spool. A file that came from another node gets one of its own."""
    found: str | None = connection.exec_driver_sql("SELECT value FROM facts WHERE name = 'spool'").scalar()
    if found is None or found.rpartition("/spool-")[0] != node:
        found = f"{node}/spool-{secrets.token_hex(8)}"
        _note(connection, "spool", found)
    return found


def _boot(connection: Connection) -> int:
    """Return the number of this start of the machine: places are compared within one only."""
    name = "?"
    with suppress(OSError):
        name = BOOT.read_text().strip()
    connection.exec_driver_sql("INSERT OR IGNORE INTO boots (name) VALUES (?)", (name,))
    return int(connection.exec_driver_sql("SELECT id FROM boots WHERE name = ?", (name,)).scalar_one())


def _note(connection: Connection, name: str, value: str) -> None:
    connection.exec_driver_sql("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
