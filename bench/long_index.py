"""The search index of a long call log that was made up: its first blocks are indexed, the others are copies of them.

Behind ``PERIOD`` calls the same ones come again, at other times: blocks of the index differ by days and months.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, func, select

from bench.long_log import PERIOD, TENANT
from gateway.domain.calls.search_terms import facet_token
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.search.index import DATABASE, SearchIndex, token_id
from gateway.store.search.indexing import Indexer
from gateway.store.search.sets import BLOCK, packed

BLOCKS = PERIOD // BLOCK
COPY = "INSERT INTO postings SELECT ?, token, calls FROM postings WHERE block = ? AND token NOT IN ({marks})"
ADD = "INSERT INTO postings (block, token, calls) VALUES (?, ?, ?)"


def index_calls(database: Database, index: SearchIndex, folder: Path) -> int:
    """Index all calls that are not indexed yet; return how many were not copies."""
    times = _Times(database.engine)
    newest, is_begun = times.newest // BLOCK, index.progress() is not None
    if not is_begun and newest > BLOCKS:
        _index_with_copies(database, folder, times)
    indexer = Indexer(database, index)
    while indexer.index_once():
        pass
    return times.newest if is_begun or newest <= BLOCKS else PERIOD


class _Unmerged(SearchIndex):
    """An index whose blocks stay apart, so that they can be copied."""

    def merge(self) -> bool:
        return False


def _index_with_copies(database: Database, folder: Path, times: "_Times") -> None:
    with closing(_Unmerged(folder)) as index:
        indexer = Indexer(database, index)
        indexer.index_once(all_events=False)  # begins the index, with the newest block
        progress = index.progress()
        assert progress is not None
        index.begin(progress._replace(left=BLOCKS))
        while indexer.index_once():
            pass
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        for block in range(BLOCKS + 1, times.newest // BLOCK + 1):
            _copy(connection, (block - 1) % BLOCKS + 1, block, times)


class _Times:
    """When the calls were logged: the same time lies between any two of them."""

    def __init__(self, engine: Engine) -> None:
        calls = tables.calls
        with engine.connect() as connection:
            self.newest: int = connection.execute(select(func.max(calls.c.id))).scalar() or 0
            moments = select(calls.c.logged_at).where(calls.c.id.in_((1, 2))).order_by(calls.c.id)
            first, second = connection.execute(moments).scalars().all()
        self._step = second - first
        self._begins_at = first - self._step

    def tokens(self, block: int) -> Mapping[int, list[int]]:
        """Return by the token of each day and month the offsets of its calls in ``block``."""
        found: dict[int, list[int]] = defaultdict(list)
        for offset, day in self._days(block):
            for token in (facet_token("day", day), facet_token("month", day[:7])):
                found[token_id(TENANT, token)].append(offset)
        return found

    def _days(self, block: int) -> Iterator[tuple[int, str]]:
        for call_id in range(block * BLOCK, min((block + 1) * BLOCK, self.newest + 1)):
            at = (self._begins_at + call_id * self._step) / 1000
            yield call_id % BLOCK, datetime.fromtimestamp(at, UTC).date().isoformat()


def _copy(connection: sqlite3.Connection, source: int, block: int, times: _Times) -> None:
    """Write ``block`` as ``source`` is, but for the days and months."""
    others = [*times.tokens(source)]
    connection.execute("BEGIN")
    connection.execute(COPY.format(marks=",".join("?" * len(others))), (block, source, *others))
    connection.executemany(ADD, [(block, token, packed(found)) for token, found in times.tokens(block).items()])
    connection.execute("COMMIT")
