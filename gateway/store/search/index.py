"""Where the search index lies: sets of calls by token, in an SQLite file of their own that can be made anew any time.

Everything that knows the engine is in this file and ``segments.py``: a database server would have the same tables
beside the others. Calls are kept in blocks of ``BLOCK`` ids. A set is a row: the offsets of its calls in the block, two
bytes each, or from some hundreds on a bit for each. So a search reads a row for each block and token, and sets are met
and joined in memory. Full blocks are merged into segments (``segments.py``).
The file is synced only when it is checkpointed; what a power cut takes of it, the next start writes again.
"""

import hashlib
import queue
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import structlog

from gateway.store.private_files import make_private
from gateway.store.search import segments
from gateway.store.search.sets import BLOCK, Offsets, listed_of, narrowed, packed, size_of_set, unpacked
from gateway.store.search.telling import Telling
from gateway.store.sqlite.pragmas import set_pragmas

log = structlog.get_logger()

DATABASE = "search.db"
LAYOUT = 3
"""Written into the file; a file of another layout is emptied and made anew."""
WITHOUT_SEGMENTS = 2
"""The layout before, to which the tables of segments are added."""
MOST_OF_A_TERM = 8
"""Tokens of a term that are read: the rarest ones of a code may all be those of a telephone."""
READ_FOR_A_LOOK = 4
"""Sets that are read in the time in which one call is looked at, about."""
IDLE = 4
"""Connections that are kept open."""
SCHEMA = (
    "CREATE TABLE postings (block INTEGER, token INTEGER, calls BLOB NOT NULL, PRIMARY KEY (block, token))"
    " WITHOUT ROWID",
    "CREATE TABLE progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)
FORGOTTEN = "CREATE TABLE IF NOT EXISTS forgotten (tenant TEXT PRIMARY KEY, blocks INTEGER NOT NULL) WITHOUT ROWID"
"""Made where it is first needed: versions that know nothing of it read the file too."""
MARK = "mark/"
"""Begins the name under which a company's mark is kept."""
NO_MARKS: Mapping[str, int] = MappingProxyType({})
Postings = Mapping[int, Mapping[int, Iterable[int]]]
"""Offsets in the block, by block and token."""


class Clauses(NamedTuple):
    """Sets of tokens, of each of which a call has one: the ``first`` of each term and choice, and ``further`` ones of
    terms, which most calls have that have the first.
    """

    first: Sequence[Sequence[int]] = ()
    further: Sequence[Sequence[int]] = ()

    def with_few(self) -> Iterator[tuple[Sequence[int], int]]:
        """Yield all in their order, each with how many calls are quicker looked at than the rest is read."""
        yield from ((clause, 0) for clause in self.first)
        for place, clause in enumerate(self.further):
            yield clause, (len(self.further) - place) // READ_FOR_A_LOOK


class Progress(NamedTuple):
    """How far the index has come.

    Events up to ``seq``, which happened ``at``, are in it, and the older calls of all blocks above ``left``, which is
    to be read next; -1: all are read. Where each company's events have an order of their own, ``marks`` says up to
    where they are in it, of the database ``cluster`` in its ``epoch``; ``seq`` is how many those are then.
    """

    seq: int
    at: int
    left: int
    epoch: int = 0
    cluster: int = 0
    marks: Mapping[str, int] = NO_MARKS


@lru_cache(maxsize=65_536)
def token_id(tenant: str, token: str) -> int:
    """Return the number of a token of one tenant. Two that have the same one by chance cost a look at some calls."""
    digest = hashlib.blake2b(f"{tenant}\0{token}".encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest)


class SearchIndex:
    """Reads and writes the index; safe for many threads and processes."""

    def __init__(self, data: Path) -> None:
        self._path = data / DATABASE
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(IDLE)

    def progress(self) -> Progress | None:
        """Return how far it has come, None for an index that was not begun. Raises ``sqlite3.Error``."""
        with self._connection() as connection:
            return _progress(connection)

    def progress_for(self, tenant: str) -> Progress | None:
        """Return the same, of the marks of companies that of ``tenant`` only: there may be thousands."""
        with self._connection() as connection:
            return _progress_for(connection, tenant)

    def begin(self, progress: Progress) -> None:
        """Empty the index and begin at ``progress``."""
        with self._connection() as connection, _transaction(connection):
            for table in ("postings", "progress", *segments.TABLES):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
            connection.execute("DROP TABLE IF EXISTS forgotten")
            _move(connection, None, progress)

    def add(self, postings: Postings, before: Progress, after: Progress) -> bool:
        """Join ``postings`` to what is there; False where another process has come further than ``before``."""
        with self._connection() as connection, _transaction(connection):
            if _progress(connection) != before:
                return False
            for block, tokens in sorted(postings.items()):
                if not segments.add(connection, block, tokens):
                    _add_to_block(connection, block, tokens)
            _move(connection, before, after)
        return True

    def merge(self) -> bool:
        """Merge a slice of a segment whose blocks are full; return whether there was one."""
        with self._connection() as connection, _transaction(connection):
            progress = _progress_for(connection, "")
            return progress is not None and segments.merge(connection, progress.left)

    def forgotten(self) -> Mapping[str, int]:
        """Return by company how many of the oldest blocks were gone through for its removed calls."""
        with self._connection() as connection:
            connection.execute(FORGOTTEN)
            return dict(connection.execute("SELECT tenant, blocks FROM forgotten").fetchall())

    def forgotten_with(self, block: int) -> range:
        """Return the blocks whose calls are let go of together with those of ``block``: the rest of its segment."""
        with self._connection() as connection:
            end = segments.end_of(connection, block) or block + 1
        return range(block, end)

    def forget(self, tenant: str, blocks: range, kept: Iterable[int]) -> Iterator[None]:
        """Let go of all calls of ``blocks`` but the ids ``kept``, a piece each time that the next one is asked for; so
        they are gone through for ``tenant``.
        """
        offsets = [call_id - blocks.start * BLOCK for call_id in kept]
        with self._connection() as connection:
            if segments.end_of(connection, blocks.start):
                for number in range(segments.SLICES):
                    with _transaction(connection):
                        segments.forget(connection, blocks.start, number, offsets)
                    yield
            with _transaction(connection):
                _keep_in_block(connection, blocks.start, frozenset(offsets))
                connection.execute(FORGOTTEN)
                connection.execute("REPLACE INTO forgotten (tenant, blocks) VALUES (?, ?)", (tenant, blocks.stop))
            yield

    def ordered(self, terms: Sequence[Sequence[int]], clauses: Sequence[Sequence[int]], block: int) -> "Clauses":
        """Return what to look for, the most telling first, by how few calls of ``block`` it leaves.

        That is all ``clauses``, and of the tokens of each term the ``MOST_OF_A_TERM`` most telling ones: to read the
        others would leave out hardly any call more.
        """
        wanted = {token for clause in (*terms, *clauses) for token in clause}
        with self._connection() as connection:
            sizes = {token: len(kept) for token, kept in _read(connection, block, wanted).items()}
        telling = [sorted(term, key=lambda token: sizes.get(token, 0))[:MOST_OF_A_TERM] for term in terms]
        first = [*map(list, clauses), *(term[:1] for term in telling if term)]
        further = [[token] for term in telling for token in term[1:]]
        size_of = partial(_size_of, sizes)
        return Clauses(sorted(first, key=size_of), sorted(further, key=size_of))

    def found(
        self, clauses: "Clauses", blocks: Sequence[int], telling: Telling | None = None
    ) -> Mapping[int, list[int]]:
        """Return by block the ids of those calls of ``blocks`` that have a token of each clause, in no order.

        Each clause is read of those blocks only where calls are left; a further one where those are more than are
        quicker looked at, and of a segment only where ``telling``, what the search knows of tokens so far, says so.
        """
        with self._connection() as connection, _snapshot(connection):
            merged = segments.merged(connection)
            alone = [block for block in blocks if block // segments.BLOCKS not in merged]
            found: dict[int, list[int]] = {block: [] for block in blocks}
            found |= _found_alone(connection, clauses, alone)
            always, known = len(clauses.first), telling or Telling()
            for call_id in segments.found(connection, clauses.with_few(), merged, blocks, always, known):
                found[call_id // BLOCK].append(call_id)
        return found

    def close(self) -> None:
        """Close what is idle. Safe to call again."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def discard(self) -> None:
        """Remove a file that cannot be read, so that it is made anew."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        make_private(self._path)
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            set_pragmas(connection, "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000")
            _lay_out(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables where they are missing, or of another layout."""
    if _layout(connection) == LAYOUT:
        return
    with _transaction(connection):
        if (known := _layout(connection)) != LAYOUT:
            anew = () if known == WITHOUT_SEGMENTS else ("postings", "progress")
            for table in (*segments.TABLES, *anew):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in (*segments.SCHEMA, *(SCHEMA if anew else ())):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _layout(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Read all in one state: what is merged goes from one table to another."""
    connection.execute("BEGIN")
    yield
    connection.execute("COMMIT")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _progress(connection: sqlite3.Connection) -> Progress | None:
    return _progress_of(connection.execute("SELECT name, value FROM progress"))


def _progress_for(connection: sqlite3.Connection, tenant: str) -> Progress | None:
    names = f"SELECT name, value FROM progress WHERE name IN ({','.join('?' * len(Progress._fields))})"  # noqa: S608
    return _progress_of(connection.execute(names, [*Progress._fields[:-1], MARK + tenant]))


def _progress_of(rows: Iterable[tuple[str, int]]) -> Progress | None:
    found = dict(rows)
    if not found:
        return None
    marks = {name.removeprefix(MARK): found.pop(name) for name in [*found] if name.startswith(MARK)}
    return Progress(**found, marks=MappingProxyType(marks))


def _move(connection: sqlite3.Connection, before: Progress | None, progress: Progress) -> None:
    """Write down ``progress``; of the companies' marks those that are others than ``before``."""
    known = before.marks if before else NO_MARKS
    marks = {f"{MARK}{name}": seq for name, seq in progress.marks.items() if known.get(name) != seq}
    rows = {name: value for name, value in progress._asdict().items() if name != "marks"} | marks
    connection.executemany("REPLACE INTO progress (name, value) VALUES (?, ?)", rows.items())


def _add_to_block(connection: sqlite3.Connection, block: int, tokens: Mapping[int, Iterable[int]]) -> None:
    """Join the sets of one block to those that are there."""
    with closing(connection.cursor()) as cursor:
        rows = []
        for token in sorted(tokens):
            cursor.execute("SELECT calls FROM postings WHERE block = ? AND token = ?", (block, token))
            known = cursor.fetchone()
            rows.append((block, token, packed({*tokens[token], *(unpacked(known[0]) if known else ())})))
        cursor.executemany("REPLACE INTO postings (block, token, calls) VALUES (?, ?, ?)", rows)


def _keep_in_block(connection: sqlite3.Connection, block: int, kept: frozenset[int]) -> None:
    """Take all offsets but ``kept`` out of the sets of one block."""
    if not kept:
        connection.execute("DELETE FROM postings WHERE block = ?", (block,))
        return
    changed, emptied = [], []
    for token, found in connection.execute("SELECT token, calls FROM postings WHERE block = ?", (block,)):
        before = unpacked(found)
        after = [offset for offset in before if offset in kept]
        if not after:
            emptied.append((block, token))
        elif len(after) < len(before):
            changed.append((block, token, packed(after)))
    connection.executemany("DELETE FROM postings WHERE block = ? AND token = ?", emptied)
    connection.executemany("REPLACE INTO postings (block, token, calls) VALUES (?, ?, ?)", changed)


def _found_alone(connection: sqlite3.Connection, clauses: Clauses, blocks: Sequence[int]) -> dict[int, list[int]]:
    """Return by block the ids of what is found in blocks that are in no segment."""
    left: dict[int, Offsets] = {}
    wanted = blocks
    for clause, few in clauses.with_few():
        wanted = [block for block in wanted if block not in left or size_of_set(left[block]) > few]
        if not wanted:
            break
        left |= narrowed(left, wanted, clause, _read_blocks(connection, wanted, clause))
    return {block: [block * BLOCK + offset for offset in listed_of(offsets)] for block, offsets in left.items()}


def _read(connection: sqlite3.Connection, block: int, tokens: set[int]) -> dict[int, bytes]:
    """Return the sets of ``tokens`` in ``block``, those that there are."""
    marks = ",".join("?" * len(tokens))
    query = f"SELECT token, calls FROM postings WHERE block = ? AND token IN ({marks})"  # noqa: S608
    return dict(connection.execute(query, (block, *sorted(tokens))).fetchall())


def _read_blocks(
    connection: sqlite3.Connection, blocks: Sequence[int], tokens: Sequence[int]
) -> Iterable[tuple[int, bytes]]:
    """Return the sets of any of ``tokens`` in ``blocks``, each with its block."""
    is_one = "= ?" if len(tokens) == 1 else f"IN ({','.join('?' * len(tokens))})"
    chosen = f"block IN ({','.join('?' * len(blocks))}) AND token {is_one}"
    return connection.execute(f"SELECT block, calls FROM postings WHERE {chosen}", (*blocks, *tokens))  # noqa: S608


def _size_of(sizes: Mapping[int, int], clause: Sequence[int]) -> int:
    return sum(sizes.get(token, 0) for token in clause)
