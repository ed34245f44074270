"""Writes the search index behind the events, and of older calls block by block, newest first, while the gateway runs.

Events never wait for it: it reads without the write lock and writes a file of its own. Of several processes one does
the work. Behind each piece it rests, so that it takes a share of one processor only, a small one while events come in.
"""

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.clock import Clock
from gateway.domain.calls.search_terms import SHORT, Line, facet_tokens, tokens_of_lines
from gateway.errors import DatabaseAway
from gateway.store import filling, tables
from gateway.store.database import Database
from gateway.store.reading.event_orders import order_of
from gateway.store.removing import removed_calls
from gateway.store.search.index import Postings, Progress, SearchIndex, token_id
from gateway.store.search.searchable import SearchableCall, calls_of, read_searchable, select_searchable
from gateway.store.search.sets import BLOCK
from gateway.store.sqlite.engine import FileLock

calls = tables.calls
log = structlog.get_logger()

LOCK = "search.lock"
SLICE = 2048
"""Events that are taken at once."""
ENOUGH = 2048
"""Events that are worth a slice however young they are."""
OLD_MS = 15_000
"""How long fewer events may wait: most calls then have more than one of them, and are read once."""
PIECE = 256
"""Calls that are read at once."""
BUSY_SHARE, IDLE_SHARE = 0.02, 0.25
"""Of one processor, while events come in and otherwise."""
FEW_PER_S = 20.0
LOOK_EVERY_S = 2.0
AGAIN_AFTER_S = 10.0
LONGEST_REST_S = 5.0
_NO_MORE = object()
Collected = defaultdict[int, defaultdict[int, list[int]]]


class Indexer:
    """One thread, which first calls ``on_start``. ``index_once`` does what there is to do now, for tests and
    measurements.
    """

    def __init__(
        self,
        database: Database,
        index: SearchIndex,
        *,
        clock: Clock | None = None,
        on_start: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_start = on_start
        self._engine = database.engine
        self._index = index
        self._order = order_of(database.engine)
        self._clock = clock or Clock()
        self._lock_path = database.data / LOCK
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)
        self._share = IDLE_SHARE
        self._seen = (0.0, 0)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within moments; what was not written is read again. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def index_once(self, *, all_events: bool = True) -> bool:
        """Index a slice of events, or merge some blocks, or index a block of older calls, or let go of removed ones;
        return whether there was anything to do.
        """
        progress = self._progress()
        if self._index_events(progress, all_events=all_events):
            return True
        return self._merge() or (self._index_block(progress) if progress.left >= 0 else self._forget())

    def _progress(self) -> Progress:
        """Return how far the index is, which is begun where it is missing or of another database."""
        found = self._index.progress()
        with self._engine.connect() as connection:
            if found is not None and (checked := self._order.checked(connection, found)):
                return checked if checked == found else self._gone_back(found, checked)
            begun = self._order.beginning(connection, _newest_block(connection))
        log.info("search_index_begun", blocks=begun.left + 1)
        self._index.begin(begun)
        return begun

    def _gone_back(self, before: Progress, after: Progress) -> Progress:
        """Write down that some events are read again, of a database that has taken over."""
        self._index.add({}, before, after)
        return after

    def _index_events(self, progress: Progress, *, all_events: bool) -> bool:
        with self._engine.connect() as connection:
            rows = self._order.unread(connection, progress, SLICE)
        if not rows or not (
            all_events or len(rows) >= ENOUGH or abs(self._clock() - min(row.at for row in rows)) >= OLD_MS
        ):
            return False
        postings = _nothing_yet()
        wanted = sorted({row.call_id for row in rows} - {0})
        for start in range(0, len(wanted), PIECE):
            with self._piece(), self._engine.connect() as connection:
                ids = self._with_groups(connection, wanted[start : start + PIECE])
                _collect(postings, calls_of(connection, ids))
        return self._write(postings, progress, self._order.moved(progress, rows))

    def _with_groups(self, connection: Connection, ids: Sequence[int]) -> set[int]:
        """Return ``ids`` with the first calls of their groups: those count as missed when the last one has ended."""
        groups = select(calls.c.group_id).where(calls.c.id.in_(ids), calls.c.group_id.is_not(None))
        return {*ids, *connection.execute(groups).scalars()}

    def _index_block(self, progress: Progress) -> bool:
        if not self._is_filled():
            return False
        postings = _nothing_yet()
        first = progress.left * BLOCK
        for start in range(first, first + BLOCK, PIECE):
            if self._stopping.is_set():
                return False
            with self._piece(), self._engine.connect() as connection:
                query = select_searchable().where(calls.c.id >= start, calls.c.id < start + PIECE)
                _collect(postings, read_searchable(connection, query))
        return self._write(postings, progress, progress._replace(left=progress.left - 1))

    def _merge(self) -> bool:
        with self._piece():
            return self._index.merge()

    def _forget(self) -> bool:
        """Let go of the removed calls of one block or segment, of those that no call is added to any more."""
        with self._engine.connect() as connection:
            removed = removed_calls(connection)
        forgotten = self._index.forgotten() if removed else {}
        for tenant, call_id in removed.items():
            blocks = self._index.forgotten_with(forgotten.get(tenant, 0))
            if blocks.stop <= (call_id + 1) // BLOCK:
                return self._forget_calls_of(tenant, blocks)
        return False

    def _forget_calls_of(self, tenant: str, blocks: range) -> bool:
        pieces = self._index.forget(tenant, blocks, self._kept_of(blocks))
        while not self._stopping.is_set():
            with self._piece():
                if next(pieces, _NO_MORE) is _NO_MORE:
                    return True
        return False

    def _kept_of(self, blocks: range) -> Iterator[int]:
        """Yield the ids of the calls of ``blocks`` that are there."""
        query = select(calls.c.id).where(calls.c.id >= blocks.start * BLOCK, calls.c.id < blocks.stop * BLOCK)
        with self._engine.connect() as connection:
            yield from connection.execute(query).scalars()

    def _write(self, postings: Postings, before: Progress, after: Progress) -> bool:
        with self._piece():
            return self._index.add(postings, before, after)

    def _is_filled(self) -> bool:
        with self._engine.connect() as connection:
            return filling.is_filled(connection)

    @contextmanager
    def _piece(self) -> Iterator[None]:
        """Do a piece of work, and rest behind it where the thread runs: work takes its share of the time only."""
        began = time.thread_time()
        yield
        if self._thread.is_alive():
            self._stopping.wait(min((time.thread_time() - began) * (1 / self._share - 1), LONGEST_REST_S))

    def _run(self) -> None:
        self._on_start()
        lock = FileLock(self._lock_path)
        try:
            while not self._stopping.is_set():
                if lock.take(wait=False):
                    self._work()
                self._stopping.wait(LOOK_EVERY_S)
        finally:
            lock.close()

    def _work(self) -> None:
        """Index until told to stop; the lock goes with the process."""
        while not self._stopping.is_set():
            try:
                self._look_around()
                did = self.index_once(all_events=False)
            except (SQLAlchemyError, sqlite3.Error, DatabaseAway) as error:
                self._put_off(error)
                continue
            if not did:
                self._stopping.wait(LOOK_EVERY_S)

    def _put_off(self, error: Exception) -> None:
        log.warning("search_index_put_off", error=type(error).__name__)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self._index.discard()
        self._stopping.wait(AGAIN_AFTER_S)

    def _look_around(self) -> None:
        """Find out whether events come in, and take the share of the processor that goes with it."""
        with self._engine.connect() as connection:
            newest = self._order.count(connection)
        now, (at, seq) = time.monotonic(), self._seen
        if now - at >= LOOK_EVERY_S:
            self._share = IDLE_SHARE if newest - seq < FEW_PER_S * (now - at) else BUSY_SHARE
            self._seen = (now, newest)


def _collect(postings: Collected, found: Iterable[SearchableCall]) -> None:
    for call in found:
        block, offset = divmod(call.id, BLOCK)
        sets = postings[block]
        for token in _ids_of(call):
            sets[token].append(offset)


def _ids_of(call: SearchableCall) -> set[int]:
    """Return the numbers of the tokens of ``call``; names of people, queues and accounts come again and again."""
    found = {token_id(call.tenant, each) for each in facet_tokens(call.facets)}
    for line in call.lines:
        found |= (_ids_of_short if len(line.text) <= SHORT else _ids_of_line)(call.tenant, line)
    return found


def _ids_of_line(tenant: str, line: Line) -> frozenset[int]:
    return frozenset(token_id(tenant, each) for each in tokens_of_lines((line,)))


_ids_of_short = lru_cache(maxsize=8192)(_ids_of_line)


def _nothing_yet() -> Collected:
    return defaultdict(lambda: defaultdict(list))


def _newest_block(connection: Connection) -> int:
    """Return the block of the newest call, -1 where there is none."""
    newest = connection.execute(select(func.max(calls.c.id))).scalar()
    return -1 if newest is None else newest // BLOCK
