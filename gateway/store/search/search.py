"""Calls found by words, newest first: by the index, and the newest changes by themselves as long as it lacks them."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import structlog
from sqlalchemy import Connection, Engine, func, select

from gateway.domain.calls.scope import CallScope, Team
from gateway.domain.calls.search_terms import Field, facet_token, matcher, rules_out, tokens_of_term
from gateway.store import tables
from gateway.store.calls import MISSED, CallFilter, CallLog, LoggedCall, read_calls, select_narrowed
from gateway.store.reading.event_orders import EventOrder, order_of
from gateway.store.search.index import Clauses, Progress, SearchIndex, token_id
from gateway.store.search.searchable import ALL, AT_ONCE, SearchableCall, columns_of, period_tokens, read_looked_at
from gateway.store.search.segments import BLOCKS
from gateway.store.search.sets import BLOCK
from gateway.store.search.telling import Telling

calls, events = tables.calls, tables.events
log = structlog.get_logger()

TAIL = 4096
"""Of so many of the newest events calls are looked at that are not in the index yet."""
MOST_LOOKED_AT = 20_000
"""Calls that one search looks at; where those were too few it says how far it came."""
LONGEST_S = 2.0
FIRST_LOOK = 64
FEWEST = 16
"""Calls that are looked at together, at least."""
NOTHING: frozenset[int] = frozenset()
MOST_BLOCKS = 16 * BLOCKS
"""Blocks of the index that are read at once."""
MOST_FACETS = 1000
"""Facets of which a call has one, in one set: extensions of a team, mostly."""


@dataclass(frozen=True, slots=True)
class Found:
    """Calls that a search found, the newest first.

    ``next_before`` is before which call to go on for older ones, None where there are none. ``unfinished``: it looked
    at as many calls as it may before it had found enough. ``behind``: the newest changes of older calls are not in the
    index yet. ``indexed_percent`` says how much of the log the index holds.
    """

    calls: Sequence[LoggedCall]
    next_before: int | None = None
    unfinished: bool = False
    behind: bool = False
    indexed_percent: int = 100


class CallFinder:
    """Searches the call log; safe for many threads.

    What the index does not hold yet is looked through call by call, so that a search without any index is slow, and
    finds the same.
    """

    def __init__(self, engine: Engine, index: SearchIndex | None) -> None:
        self._engine = engine
        self._log = CallLog(engine)
        self._index = index
        self._order = order_of(engine)

    def find(self, tenant: str, wanted: CallFilter, *, limit: int = 50) -> Found:
        """Return at most ``limit`` calls of ``tenant``."""
        if _is_of_extension(wanted) and len(near := self._log.near(tenant, wanted, limit=limit)) == limit:
            return Found(near, near[-1].id)
        progress = self._progress(tenant)
        if not wanted.terms and (progress is None or progress.left >= 0 or not _by_index(wanted)):
            found = self._log.recent(tenant, wanted, limit=limit)
            return Found(found, found[-1].id if len(found) == limit else None)
        try:
            return self._find(tenant, wanted, limit, progress)
        except sqlite3.Error as error:
            log.warning("search_index_not_readable", error=type(error).__name__)
            return self._find(tenant, wanted, limit, None)

    def _find(self, tenant: str, wanted: CallFilter, limit: int, progress: Progress | None) -> Found:
        with self._engine.connect() as connection:
            tail = _Tail.read(connection, progress, self._order, tenant)
            looking = _Looking(connection, tenant, wanted, limit)
            last = looking.read(self._candidates(tenant, wanted, tail))
            found = read_calls(connection, looking.accepted)
        full = len(found) == limit
        return Found(found, found[-1].id if full else last, last is not None, not tail.whole, tail.percent)

    def every(self, tenant: str, wanted: CallFilter, *, size: int = 500) -> Iterator[LoggedCall]:
        """Yield all calls that match, the newest first, without holding them all."""
        before: int | None = wanted.before_id
        while True:
            found = self.find(tenant, replace(wanted, before_id=before), limit=size)
            yield from found.calls
            before = found.next_before
            if before is None:
                return

    def close(self) -> None:
        if self._index:
            self._index.close()

    def _progress(self, tenant: str) -> Progress | None:
        if self._index is None:
            return None
        try:
            return self._index.progress_for(tenant)
        except sqlite3.Error as error:
            log.warning("search_index_not_readable", error=type(error).__name__)
            return None

    def _candidates(self, tenant: str, wanted: CallFilter, tail: "_Tail") -> Iterator[int]:
        """Yield the ids of calls that may match, the newest first."""
        below = wanted.before_id or tail.newest + 1
        clauses = Clauses()
        if self._index and tail.left < tail.newest // BLOCK:
            terms = [[token_id(tenant, each) for each in tokens_of_term(term)] for term in wanted.terms]
            chosen = [[token_id(tenant, each) for each in clause] for clause in clauses_of(wanted)]
            clauses = self._index.ordered(terms, chosen, max(0, tail.newest // BLOCK - 1))
        changed, telling = tail.by_block(), Telling()
        for blocks in _grouped(min(tail.newest, below - 1) // BLOCK):
            held = [block for block in blocks if clauses.first and self._index and tail.holds(block)]
            known = self._index.found(clauses, held, telling) if self._index and held else {}
            for block in blocks:
                if block in known:
                    if found := changed.get(block, NOTHING).union(known[block]):
                        yield from sorted((each for each in found if each < below), reverse=True)
                else:
                    yield from range(min(below, (block + 1) * BLOCK) - 1, block * BLOCK - 1, -1)


def _grouped(newest: int) -> Iterator[range]:
    """Yield the blocks from ``newest`` down, few at first: most searches find enough there; many are whole segments."""
    size = 1
    while newest >= 0:
        lowest = max(newest - size + 1, 0)
        lowest -= lowest % BLOCKS if size >= BLOCKS else 0
        yield range(newest, lowest - 1, -1)
        newest, size = lowest - 1, min(size * 2, MOST_BLOCKS)


def clauses_of(wanted: CallFilter) -> list[frozenset[str]]:
    """Return sets of tokens, of each of which a call has one that ``wanted`` can match, without its terms."""
    chosen: Mapping[str, Sequence[str]] = {
        "direction": (wanted.direction,) if wanted.direction else (),
        "extension": (wanted.extension,) if wanted.extension else (),
        "account": (str(wanted.account_id),) if wanted.account_id else (),
        "result": wanted.results,
        "missed": ("1",) if wanted.missed else (),
    }
    clauses = [frozenset(facet_token(name, value) for value in values) for name, values in chosen.items() if values]
    if wanted.statuses:
        statuses = [facet_token("status", each) for each in wanted.statuses if each != MISSED]
        clauses.append(frozenset([*statuses, *([facet_token(MISSED, "1")] if MISSED in wanted.statuses else ())]))
    clauses += [frozenset(facet_token(*each) for each in clause) for clause in clauses_of_scope(wanted.scope)]
    period = period_tokens(wanted.since, wanted.until, time.time_ns() // 1_000_000)
    return [*clauses, period] if period else clauses


def clauses_of_scope(scope: CallScope) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield sets of facets, of each of which every call has one that ``scope`` admits.

    What a team missed is a call that is missed, and one of the team: two sets, each with what may be seen anyhow. A set
    of too many is left out: then more calls are looked at than need be.
    """
    if scope.everything:
        return
    seen = {("login", scope.login), *((("extension", scope.seat),) if scope.seat else ())}
    seen |= {facet for team in scope.led for facet in _facets_of(team)}
    missed = {("missed", "1")} if scope.all_missed or scope.joined else set()
    teams = {facet for team in scope.joined for facet in _facets_of(team)}
    for clause in (seen | missed, *([seen | teams] if teams and not scope.all_missed else ())):
        if len(clause) <= MOST_FACETS:
            yield frozenset(clause)


def _facets_of(team: Team) -> Iterator[tuple[str, str]]:
    for name, values in (("queue", team.queues), ("login", team.agents)):
        yield from ((name, value) for value in values)
    for first, last in team.extensions.spans:
        numbers = range(int(first), min(int(last), int(first) + MOST_FACETS) + 1)
        yield from (("extension", str(number).zfill(len(first))) for number in numbers)


def _fields_of(wanted: CallFilter) -> Collection[Field]:
    """Return in which fields of a call its terms are looked for: to make lines of the others takes time."""
    named = {Field.NUMBER if term.field is Field.ENDING else term.field for term in wanted.terms}
    return ALL if Field.ANY in named or wanted.whole_number else named


def _by_index(wanted: CallFilter) -> bool:
    """Return whether the index finds what no other index of the call log does."""
    return _is_of_facets(wanted) or not wanted.scope.everything or _is_of_extension(wanted)


def _is_of_facets(wanted: CallFilter) -> bool:
    return bool(wanted.results or wanted.statuses or wanted.direction or wanted.missed or wanted.terms)


def _is_of_extension(wanted: CallFilter) -> bool:
    """Return whether calls of an extension are wanted, of whatever time: most have some among the newest ones, and on
    SQLite no other index finds those of one that has none.
    """
    return wanted.extension is not None and wanted.since is None and not wanted.number and not _is_of_facets(wanted)


@dataclass(frozen=True, slots=True)
class _Tail:
    """What the index lacks: the calls ``ids`` of the newest events, the blocks up to ``left``, and, after a rush, those
    from ``rushed`` on. ``whole``: nothing else.
    """

    ids: frozenset[int]
    newest: int
    left: int
    rushed: int
    whole: bool

    @classmethod
    def read(cls, connection: Connection, progress: Progress | None, order: EventOrder, tenant: str) -> "_Tail":
        newest = connection.execute(select(func.max(calls.c.id))).scalar() or 0
        if progress is None:
            return cls(frozenset(), newest, newest // BLOCK, 0, whole=True)
        after = select(events.c.call_id).where(*order.behind(progress, tenant), events.c.call_id > 0)
        ids = connection.execute(after.order_by(events.c.seq.desc()).limit(TAIL + 1)).scalars().all()
        if len(ids) <= TAIL:
            return cls(frozenset(ids), newest, progress.left, newest, whole=True)
        first = connection.execute(after.order_by(events.c.seq).limit(1)).scalar_one()
        return cls(frozenset(ids), newest, progress.left, first, whole=False)

    def holds(self, block: int) -> bool:
        """Return whether the index holds the calls of ``block``, but for ``ids``."""
        return block > self.left and (self.whole or block < self.rushed // BLOCK)

    def by_block(self) -> Mapping[int, set[int]]:
        found: defaultdict[int, set[int]] = defaultdict(set)
        for each in self.ids:
            found[each // BLOCK].add(each)
        return found

    @property
    def percent(self) -> int:
        blocks = self.newest // BLOCK + 1
        return max(0, 100 - 100 * (self.left + 1) // blocks)


class _Looking:
    """Looks at candidates until enough of them match."""

    def __init__(self, connection: Connection, tenant: str, wanted: CallFilter, limit: int) -> None:
        self._connection = connection
        self._tenant = tenant
        self._wanted = wanted
        self._limit = limit
        self._fields = _fields_of(wanted)
        # Short words first: those have no tokens, so that most candidates fail by them.
        self._is_ruled_out = rules_out(wanted.terms)
        self._tests = [(term, matcher(term)) for term in sorted(wanted.terms, key=lambda term: len(term.text))]
        self._until = time.monotonic() + LONGEST_S
        self._looked_at = 0
        self.accepted: list[int] = []

    def read(self, candidates: Iterator[int]) -> int | None:
        """Look through ``candidates``; return before which call to go on where they were too many."""
        size = FIRST_LOOK
        while ids := list(islice(candidates, size)):
            self._look_at(ids)
            size = self._next_size(size)
            if len(self.accepted) >= self._limit:
                return None
            if self._looked_at >= MOST_LOOKED_AT or time.monotonic() > self._until:
                return ids[-1] if ids[-1] > 1 else None
        return None

    def _next_size(self, size: int) -> int:
        """Return at how many calls to look next: as many as are still needed if they match as those before."""
        needed = (self._limit - len(self.accepted)) * self._looked_at // max(1, len(self.accepted))
        return max(FEWEST, min(needed + needed // 4, size * 2, AT_ONCE))

    def _look_at(self, ids: Sequence[int]) -> None:
        self._looked_at += len(ids)
        query = select_narrowed(columns_of(self._fields), self._connection, self._tenant, self._wanted, ids)
        query = query.order_by(calls.c.id.desc())
        for call in read_looked_at(self._connection, query, self._fields, self._is_ruled_out):
            if self._matches(call) and len(self.accepted) < self._limit:
                self.accepted.append(call.id)

    def _matches(self, call: SearchableCall) -> bool:
        if not self._wanted.whole_number:
            return all(matches(call.lines) for _, matches in self._tests)
        lines = call.lines_without_number
        return all(call.has_number(term.text) or matches(lines) for term, matches in self._tests)
