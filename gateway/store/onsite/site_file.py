"""The file ``onsite.db`` of a gateway on site: orders that it was given, and how its sources are doing.

An order's id is on the disk before anything is dialled, so that no order is dialled twice, whoever dies when.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from gateway.store.event_sources import SourceKey, SourceStanding, row_of, standing_of
from gateway.store.private_files import make_private
from gateway.store.sqlite.pragmas import set_pragmas

FILE = "onsite.db"
KEPT_MS = 7 * 24 * 3600 * 1000
MOST_ANSWERS = 100
TABLES = (
    "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, state TEXT NOT NULL, at INTEGER NOT NULL, answer TEXT)",
    "CREATE TABLE IF NOT EXISTS sources (tenant TEXT NOT NULL, name TEXT NOT NULL, standing TEXT NOT NULL,"
    " PRIMARY KEY (tenant, name))",
)


class SiteOrderState(StrEnum):
    """How far an order is at the site."""

    SHOWN = "shown"
    """It may be taken from the main gateway; nothing was dialled."""
    BEGUN = "begun"
    """The appliance may have been told to dial."""
    ANSWERED = "answered"
    """Its answer waits to be brought to the main gateway."""
    DONE = "done"


class SiteOrder(NamedTuple):
    """An order that the site knows, and what came of it."""

    id: str
    state: SiteOrderState
    answer: Mapping[str, Any] | None


class SiteFile:
    """The file in the folder ``data``, made if it is missing; any thread may use it. What it writes is synced."""

    def __init__(self, data: Path) -> None:
        path = data / FILE
        make_private(path)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        set_pragmas(self._connection, "journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000")
        for table in TABLES:
            self._connection.execute(table)

    def begin(self, order: str, at: int) -> bool:
        """Remember an order that was shown; False where it is known already."""
        with self._lock:
            self._connection.execute("DELETE FROM orders WHERE at < ? AND state = 'done'", (at - KEPT_MS,))
            row = (order, SiteOrderState.SHOWN.value, at)
            return bool(self._connection.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, ?, NULL)", row).rowcount)

    def set_state(self, order: str, state: SiteOrderState) -> None:
        """Write how far an order is."""
        self._write("UPDATE orders SET state = ? WHERE id = ?", (state.value, order))

    def answer(self, order: str, answer: Mapping[str, Any]) -> None:
        """Keep what came of an order, until the main gateway has it."""
        row = (SiteOrderState.ANSWERED.value, json.dumps(dict(answer)), order)
        self._write("UPDATE orders SET state = ?, answer = ? WHERE id = ?", row)

    def in_state(self, *states: SiteOrderState) -> Sequence[SiteOrder]:
        """Return orders in these states, the oldest first."""
        marks = ", ".join("?" * len(states))
        query = f"SELECT id, state, answer FROM orders WHERE state IN ({marks}) ORDER BY at LIMIT {MOST_ANSWERS}"  # noqa: S608
        with self._lock:
            found = self._connection.execute(query, [state.value for state in states]).fetchall()
        return [SiteOrder(id, SiteOrderState(state), json.loads(text) if text else None) for id, state, text in found]

    def all(self) -> Mapping[SourceKey, SourceStanding]:
        """Return how each source is doing."""
        with self._lock:
            found = self._connection.execute("SELECT tenant, name, standing FROM sources").fetchall()
        return {(tenant, name): _standing(text) for tenant, name, text in found}

    def of(self, tenant: str, name: str) -> SourceStanding:
        """Return how one source is doing."""
        return self.all().get((tenant, name), SourceStanding())

    def take(self, tenant: str, name: str, token: int) -> SourceStanding:
        """Return how a source is doing for who runs it from now on: nobody else runs one here."""
        return replace(self.of(tenant, name), token=token)

    def write(self, standings: Mapping[SourceKey, SourceStanding]) -> None:
        """Write how sources are doing."""
        rows = [(*key, json.dumps(row_of(key, standing))) for key, standing in standings.items()]
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        with self._lock:
            self._connection.execute(statement, values)


def _standing(text: str) -> SourceStanding:
    return standing_of(SimpleNamespace(**json.loads(text)))
