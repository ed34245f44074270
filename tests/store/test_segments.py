"""Full blocks of the search index are merged into segments; the same calls are found before, meanwhile and after."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store.search import segments
from gateway.store.search.index import DATABASE, LAYOUT, WITHOUT_SEGMENTS, Clauses, Progress, SearchIndex
from gateway.store.search.segments import BLOCKS, SLICES
from gateway.store.search.sets import BLOCK, MOST_LISTED
from gateway.store.search.telling import AGAIN, Telling

TOKENS = [number << 52 | number for number in range(1, 9)]
SEGMENTS = 3
ALL = range(SEGMENTS * BLOCKS + 2)
"""The newest two blocks are in no segment."""
Known = Mapping[int, Mapping[int, set[int]]]


@pytest.fixture(scope="module")
def known() -> Known:
    """Offsets by block and token: few, many, and none."""
    chance = random.Random(3)
    sizes = (0, 1, 2, 40, MOST_LISTED + 1, 800)
    return {
        block: {token: set(chance.sample(range(BLOCK), size)) for token in TOKENS if (size := chance.choice(sizes))}
        for block in ALL
    }


@pytest.fixture
def index(known: Known, tmp_path: Path) -> Iterator[SearchIndex]:
    made = SearchIndex(tmp_path)
    made.begin(before := Progress(0, 0, -1))
    assert made.add(known, before, before._replace(seq=1))
    yield made
    made.close()


def merge(index: SearchIndex, times: int = 10**6) -> int:
    """Return how many pieces of work were done."""
    return next((done for done in range(times) if not index.merge()), times)


def found(index: SearchIndex, *clauses: Sequence[int], blocks: Sequence[int] = ALL) -> set[int]:
    by_block = index.found(Clauses(clauses), blocks)
    assert list(by_block) == list(blocks)
    ids = [call_id for block, each in by_block.items() for call_id in each if call_id // BLOCK == block]
    assert len(ids) == len(set(ids)) == sum(map(len, by_block.values()))
    return set(ids)


def having(known: Known, *clauses: Sequence[int], blocks: Sequence[int] = ALL) -> set[int]:
    """Return the calls that have a token of each clause."""
    return {block * BLOCK + offset for block in blocks for offset in _having(known[block], clauses)}


def _having(sets: Mapping[int, set[int]], clauses: Sequence[Sequence[int]]) -> set[int]:
    return set.intersection(*(set().union(*(sets.get(token, ()) for token in clause)) for clause in clauses))


def rows(path: Path, query: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(path / DATABASE)) as connection:
        return connection.execute(query).fetchall()


def test_a_token_has_one_row_for_each_segment(index: SearchIndex, tmp_path: Path) -> None:
    assert merge(index) == SEGMENTS * (SLICES + BLOCKS)
    assert rows(tmp_path, "SELECT DISTINCT block FROM postings") == [(block,) for block in ALL[-2:]]
    assert rows(tmp_path, "SELECT count(*) FROM segments") == [(SEGMENTS * len(TOKENS),)]


def test_the_same_calls_are_found_at_every_step_of_merging(index: SearchIndex, known: Known) -> None:
    chance = random.Random(5)
    is_going_on = True
    while is_going_on:
        clauses = [chance.sample(TOKENS, chance.choice((1, 1, 2, 3))) for _ in range(chance.choice((1, 2, 3)))]
        first = chance.choice(ALL)
        blocks = range(chance.randrange(first, len(ALL)), first - 1, -1)
        assert found(index, *clauses, blocks=blocks) == having(known, *clauses, blocks=blocks)
        is_going_on = merge(index, chance.randrange(1, 9)) > 0


def test_a_further_clause_is_left_out_where_few_calls_are_left(index: SearchIndex, known: Known) -> None:
    merge(index)
    further = [[TOKENS[2]]] * 8
    with_further = {call for each in index.found(Clauses([[TOKENS[1]]], further), ALL).values() for call in each}
    assert having(known, [TOKENS[1]], [TOKENS[2]]) <= with_further < having(known, [TOKENS[1]])


@pytest.mark.parametrize("done", [0, 1, SLICES // 2, SLICES, SLICES + 3, SLICES + BLOCKS])
def test_what_changes_while_a_segment_is_merged_and_later_is_found(index: SearchIndex, known: Known, done: int) -> None:
    merge(index, done)
    before = index.progress()
    assert before
    block = (SEGMENTS - 1) * BLOCKS  # of the segment that is merged first
    assert index.add({block: {token: [7, 9] for token in TOKENS}}, before, before._replace(seq=9))
    for _ in range(2):
        for token in TOKENS:
            assert found(index, [token]) == having(known, [token]) | {block * BLOCK + 7, block * BLOCK + 9}
        merge(index)


def test_blocks_that_are_not_indexed_yet_are_not_merged(known: Known, tmp_path: Path) -> None:
    with closing(SearchIndex(tmp_path)) as index:
        index.begin(before := Progress(0, 0, BLOCKS))  # one block of the second segment is missing
        assert index.add({block: known[block] for block in ALL if block > BLOCKS}, before, before._replace(seq=1))
        merge(index)
    assert rows(tmp_path, "SELECT segment FROM merges") == [(2,)]


def test_an_index_of_before_is_merged_and_not_made_anew(index: SearchIndex, known: Known, tmp_path: Path) -> None:
    progress = index.progress()
    index.close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        for table in segments.TABLES:
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {WITHOUT_SEGMENTS}")
    assert index.progress() == progress
    assert merge(index) == SEGMENTS * (SLICES + BLOCKS)
    assert found(index, TOKENS[:2]) == having(known, TOKENS[:2])
    assert rows(tmp_path, "PRAGMA user_version") == [(LAYOUT,)]


def test_an_index_that_is_begun_anew_has_nothing(index: SearchIndex) -> None:
    merge(index)
    index.begin(Progress(0, 0, -1))
    assert found(index, TOKENS) == set()


def test_calls_of_a_segment_are_forgotten_together(index: SearchIndex, known: Known) -> None:
    (token, offsets), *_ = sorted((token, offsets) for token, offsets in known[0].items() if offsets)
    list(index.forget("acme", index.forgotten_with(0), kept := [min(offsets)]))  # before it is merged: one block
    assert index.forgotten() == {"acme": 1}
    merge(index)
    blocks = index.forgotten_with(1)
    assert blocks == range(1, BLOCKS)
    kept += [each for each in having(known, TOKENS, blocks=blocks) if each % 3 == 0]
    list(index.forget("acme", blocks, [each for each in kept if each >= BLOCK]))
    assert index.forgotten() == {"acme": BLOCKS}
    later = having(known, [token], blocks=ALL[BLOCKS:])
    assert found(index, [token]) == later | having(known, [token]).intersection(kept)


def test_a_broken_set_is_an_error_of_the_file(index: SearchIndex, tmp_path: Path) -> None:
    merge(index)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE segments SET calls = substr(calls, 1, 9)")
    with pytest.raises(sqlite3.DatabaseError, match="is broken"):
        found(index, TOKENS)


def read_of(index: SearchIndex, known: Mapping[int, Mapping[int, Sequence[int]]]) -> tuple[set[int], Counter[int]]:
    """Return what a search for TOKENS[0], further for TOKENS[1], finds, and of how many segments further ones were
    read.
    """
    before = index.progress()
    assert before
    assert index.add(known, before, before._replace(seq=before.seq + 1))
    merge(index)
    telling, blocks = Spied(), range(len(known) - 1, -1, -1)
    clauses = Clauses([[TOKENS[0]]], [[TOKENS[1]]])
    return {call for each in index.found(clauses, blocks, telling).values() for call in each}, telling.read


class Spied(Telling):
    """Remembers how often each token was read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[int] = Counter()

    def note(self, token: int, before: int, after: int) -> None:
        self.read[token] += 1
        super().note(token, before, after)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SearchIndex]:
    with closing(SearchIndex(tmp_path)) as index:
        index.begin(Progress(0, 0, -1))
        yield index


def test_a_further_token_is_read_no_more_where_it_leaves_out_hardly_any_call(empty: SearchIndex) -> None:
    having_both = {block: {token: [*range(50)] for token in TOKENS[:2]} for block in range(40 * BLOCKS + 1)}
    found, read = read_of(empty, having_both)
    assert found == {block * BLOCK + offset for block in having_both for offset in range(50)}
    assert read[TOKENS[1]] == 1 + 39 // AGAIN


def test_a_further_token_is_read_again_where_calls_of_another_time_lack_it(empty: SearchIndex) -> None:
    """The oldest segments of those that are read at once come first."""
    first_lacking, count = 20 * BLOCKS, 80 * BLOCKS + 1
    first, both = {TOKENS[0]: [*range(50)]}, {token: [*range(50)] for token in TOKENS[:2]}
    found, read = read_of(empty, {block: both if block < first_lacking else first for block in range(count)})
    having_both = {block * BLOCK + offset for block in range(first_lacking) for offset in range(50)}
    assert having_both <= found
    assert len(found - having_both) <= AGAIN * BLOCKS * 50 + 50  # the newest block is in no segment
    assert 60 - AGAIN <= read[TOKENS[1]] < 60 + AGAIN
