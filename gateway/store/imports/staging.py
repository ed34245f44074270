"""Where an import puts what its source says until it has said all: on disk, in no memory and in nobody's way.

SQLite's own temporary database: it has no name, and the kernel removes it whatever ends the process. Lines of one
account may stand anywhere in a file; here they are brought together by one sort.
"""

import marshal
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from gateway.source import LOST, Entry, Reason, Refused

SCHEMA = """
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
PRAGMA cache_size=-16000;
CREATE TABLE entries (id INTEGER PRIMARY KEY, code TEXT, name TEXT, phones BLOB, place TEXT, owner TEXT, person TEXT,
  besides BLOB);
CREATE TABLE refused (id INTEGER PRIMARY KEY, place TEXT, reason TEXT, text TEXT);
CREATE TABLE codes (code TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE gone (account_id INTEGER PRIMARY KEY);
"""
COLUMNS = "code, name, phones, place, owner, person, besides"


class Staging:
    """What one run of an import has heard so far: ``entries`` and ``refusals`` so many. For one thread."""

    def __init__(self) -> None:
        self.entries = self.refusals = 0
        # The empty name is SQLite's for a temporary database of its own.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(SCHEMA)
        # One transaction for ever: nothing of this has to be kept, and nobody else sees it.
        self._database.execute("BEGIN")

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep what a source said."""
        self.entries += len(entries)
        rows = (
            (each.code, each.name, marshal.dumps(each.phones), each.place, each.owner, each.person, _packed(each))
            for each in entries
        )
        insert = f"INSERT INTO entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        self._database.executemany(insert, rows)

    def refuse(self, refused: Sequence[Refused]) -> None:
        """Keep what was not taken, for the report."""
        self.refusals += len(refused)
        rows = ((each.place, each.reason.value, each.text) for each in refused)
        self._database.executemany("INSERT INTO refused (place, reason, text) VALUES (?, ?, ?)", rows)

    def accounts(self) -> Iterator[Sequence[Entry]]:
        """Yield the entries of each account together, in the order in which they came."""
        cursor = self._database.cursor()
        cursor.execute(f"SELECT {COLUMNS} FROM entries ORDER BY code, id")  # noqa: S608
        for _, rows in groupby(cursor, key=_code):
            yield [_entry(*row) for row in rows]

    def refused(self, limit: int = -1) -> Iterator[Refused]:
        """Yield the refusals, in the order in which they were found; at most ``limit``."""
        cursor = self._database.execute("SELECT place, reason, text FROM refused ORDER BY id LIMIT ?", (limit,))
        for place, reason, text in cursor:
            yield Refused(place, Reason(reason), text)

    def count_lost(self) -> int:
        """Return how many lines could not be read, so that nobody knows which accounts they were of."""
        marks = ", ".join("?" * len(LOST))
        query = f"SELECT count(*) FROM refused WHERE reason IN ({marks})"  # noqa: S608
        count: int = self._database.execute(query, [reason.value for reason in LOST]).fetchone()[0]
        return count

    def index_codes(self) -> None:
        """Make ``lacks`` able to answer."""
        self._database.execute("INSERT INTO codes SELECT DISTINCT code FROM entries ORDER BY code")

    def lacks(self, codes: Sequence[str]) -> set[str]:
        """Return which of ``codes`` the source did not mention."""
        marks = ", ".join("?" * len(codes))
        found = self._database.execute(f"SELECT code FROM codes WHERE code IN ({marks})", codes)  # noqa: S608
        return set(codes) - {code for (code,) in found}

    def mark_gone(self, account_ids: Iterable[int]) -> None:
        """Note accounts that are to be removed."""
        self._database.executemany("INSERT INTO gone VALUES (?)", ((each,) for each in account_ids))

    def count_gone(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM gone").fetchone()[0]
        return count

    def gone(self, size: int) -> Iterator[list[int]]:
        """Yield the accounts to be removed, so many at a time."""
        cursor = self._database.execute("SELECT account_id FROM gone")
        while rows := cursor.fetchmany(size):
            yield [account_id for (account_id,) in rows]

    def close(self) -> None:
        self._database.close()


def _packed(entry: Entry) -> bytes | None:
    """Return what an entry says besides; None for most, which say nothing."""
    return marshal.dumps((entry.identifiers, entry.fields)) if entry.identifiers or entry.fields else None


def _entry(code: str, name: str, phones: bytes, place: str, owner: str, person: str, packed: bytes | None) -> Entry:
    # Written by this very process a moment ago.
    identifiers, fields = marshal.loads(packed) if packed else ((), ())  # noqa: S302
    return Entry(code, name, marshal.loads(phones), place, owner, person, identifiers, fields)  # noqa: S302


def _code(row: Sequence[Any]) -> Any:
    return row[0]
