"""Segments of the search index: sixteen blocks that are full, merged into one set for each token.

A search of a long log reads a row for each segment and token, not sixteen, and has roaring bitmaps meet in C. A segment
is merged slice by slice while its blocks are still read; when all its tokens are there it counts, and the sets of its
blocks go. A set that changes meanwhile, or later, changes in its segment. All functions want a transaction.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pyroaring import BitMap

from gateway.store.search.sets import BLOCK, unpacked
from gateway.store.search.telling import Telling

BLOCKS = 16
"""Blocks of a segment: 131,072 calls."""
SLICES = 64
"""Parts in which the tokens of a segment are merged, each in some hundredths of a second."""
TOKEN_BITS = 56
KEY_BITS = 40
"""Of a token that a row is found by: two tokens of a segment that begin alike by chance cost a look at some calls."""
SLICE_BITS = SLICES.bit_length() - 1
SCHEMA = (
    # A number as key: rows of a table WITHOUT ROWID take more pages when they are long, and to find them reads more.
    "CREATE TABLE segments (id INTEGER PRIMARY KEY, calls BLOB NOT NULL)",
    "CREATE TABLE merges (segment INTEGER PRIMARY KEY, slices INTEGER NOT NULL, emptied INTEGER NOT NULL)",
)
TABLES = ("segments", "merges")


def merged(connection: sqlite3.Connection) -> frozenset[int]:
    """Return the segments that are merged."""
    found = connection.execute("SELECT segment FROM merges WHERE slices = ?", (SLICES,))
    return frozenset(segment for (segment,) in found)


def end_of(connection: sqlite3.Connection, block: int) -> int:
    """Return the block behind the segment of ``block`` where that is merged, otherwise 0."""
    segment = block // BLOCKS
    return (segment + 1) * BLOCKS if segment in merged(connection) else 0


def merge(connection: sqlite3.Connection, left: int) -> bool:
    """Do the next piece of work of merging; blocks up to ``left`` are not there yet. False where nothing is to do."""
    under_way = connection.execute("SELECT segment, slices, emptied FROM merges WHERE emptied < ?", (BLOCKS,))
    segment, slices, emptied = under_way.fetchone() or (_next_full(connection, left), 0, 0)
    if segment is None:
        return False
    if slices < SLICES:
        _merge_slice(connection, segment, slices)
        slices += 1
    else:
        connection.execute("DELETE FROM postings WHERE block = ?", (segment * BLOCKS + emptied,))
        emptied += 1
    connection.execute("REPLACE INTO merges (segment, slices, emptied) VALUES (?, ?, ?)", (segment, slices, emptied))
    return True


def add(connection: sqlite3.Connection, block: int, tokens: Mapping[int, Iterable[int]]) -> bool:
    """Join the sets of ``tokens`` in ``block`` to those of its segment, as far as that is merged; return whether it
    all is, so that the block has no sets of its own.
    """
    segment, place = divmod(block, BLOCKS)
    found = connection.execute("SELECT slices FROM merges WHERE segment = ?", (segment,)).fetchone()
    slices = found[0] if found else 0
    for token in sorted(tokens):
        if token >> (TOKEN_BITS - SLICE_BITS) < slices:
            _add_to_set(connection, _row_id(segment, token), {place * BLOCK + offset for offset in tokens[token]})
    return bool(slices == SLICES)


def forget(connection: sqlite3.Connection, block: int, number: int, kept: Iterable[int]) -> None:
    """Take out of the sets of one slice of a segment all calls from ``block`` on but the offsets ``kept`` behind it."""
    segment, place = divmod(block, BLOCKS)
    staying = BitMap([place * BLOCK + offset for offset in kept]) | BitMap(range(place * BLOCK))
    changed, emptied = [], []
    first = _first_of_slice(segment, number)
    rows = connection.execute(
        "SELECT id, calls FROM segments WHERE id >= ? AND id < ?", (first, first + (1 << (KEY_BITS - SLICE_BITS)))
    )
    for row_id, packed in rows:
        before = _read(packed)
        after = before & staying
        if not after:
            emptied.append((row_id,))
        elif len(after) < len(before):
            changed.append((row_id, _written(after)))
    connection.executemany("DELETE FROM segments WHERE id = ?", emptied)
    connection.executemany("REPLACE INTO segments (id, calls) VALUES (?, ?)", changed)


def found(
    connection: sqlite3.Connection,
    clauses: Iterable[tuple[Sequence[int], int]],
    segments: Collection[int],
    blocks: Sequence[int],
    always: int,
    telling: Telling,
) -> Iterator[int]:
    """Yield the ids of those calls of ``blocks``, a range, in ``segments`` that have a token of each clause.

    A clause is read of those segments only where more calls are left than stand beside it; one behind the first
    ``always`` only where ``telling`` says that it is worth it: what it would leave out is looked at then.
    """
    left: dict[int, BitMap] = {}
    wanted = sorted({block // BLOCKS for block in blocks}.intersection(segments))
    for place, (clause, few) in enumerate(clauses):
        wanted = [each for each in wanted if each not in left or len(left[each]) > few]
        for segment in wanted:
            if place < always:
                met = _union(connection, segment, clause)
                left[segment] = left[segment] & met if segment in left else met
            elif telling.is_worth(clause[0]):
                before = left[segment]
                left[segment] = before & _union(connection, segment, clause)
                telling.note(clause[0], len(before), len(left[segment]))
    for segment, offsets in left.items():
        first = segment * BLOCKS * BLOCK
        inside = range(max(0, min(blocks) * BLOCK - first), max(0, (max(blocks) + 1) * BLOCK - first))
        yield from (first + offset for offset in offsets & BitMap(inside))


def _next_full(connection: sqlite3.Connection, left: int) -> int | None:
    """Return the newest segment that is all there, and not merged; calls of the newest block and the one before it
    still change.
    """
    lowest, newest = connection.execute(
        "SELECT (SELECT min(block) FROM postings), (SELECT max(block) FROM postings)"
    ).fetchone()
    if newest is None:
        return None
    known = {segment for (segment,) in connection.execute("SELECT segment FROM merges")}
    first = max(-(-(left + 1) // BLOCKS), lowest // BLOCKS)
    return next((each for each in range((newest - 1) // BLOCKS - 1, first - 1, -1) if each not in known), None)


def _merge_slice(connection: sqlite3.Connection, segment: int, number: int) -> None:
    sets: defaultdict[int, list[int]] = defaultdict(list)
    first = number << (TOKEN_BITS - SLICE_BITS)
    for place in range(BLOCKS):
        rows = connection.execute(
            "SELECT token, calls FROM postings WHERE block = ? AND token >= ? AND token < ?",
            (segment * BLOCKS + place, first, first + (1 << (TOKEN_BITS - SLICE_BITS))),
        )
        for token, packed in rows:
            sets[_row_id(segment, token)] += [place * BLOCK + offset for offset in unpacked(packed)]
    rows_made = ((row_id, _written(BitMap(sets[row_id]))) for row_id in sorted(sets))
    connection.executemany("REPLACE INTO segments (id, calls) VALUES (?, ?)", rows_made)


def _add_to_set(connection: sqlite3.Connection, row_id: int, offsets: Iterable[int]) -> None:
    """Write the set only where it changes: most tokens of a call are there already when it changes late."""
    row = connection.execute("SELECT calls FROM segments WHERE id = ?", (row_id,)).fetchone()
    before = _read(row[0]) if row else BitMap()
    after = before | BitMap(offsets)
    if len(after) > len(before):
        connection.execute("REPLACE INTO segments (id, calls) VALUES (?, ?)", (row_id, _written(after)))


def _union(connection: sqlite3.Connection, segment: int, clause: Sequence[int]) -> BitMap:
    """Return the calls of a segment that have any of the tokens of ``clause``."""
    is_one = "= ?" if len(clause) == 1 else f"IN ({','.join('?' * len(clause))})"
    query = f"SELECT calls FROM segments WHERE id {is_one}"  # noqa: S608
    rows = connection.execute(query, [_row_id(segment, token) for token in clause])
    sets = [_read(packed) for (packed,) in rows]
    return sets[0] if len(sets) == 1 else BitMap.union(BitMap(), *sets)


def _row_id(segment: int, token: int) -> int:
    return segment << KEY_BITS | token >> (TOKEN_BITS - KEY_BITS)


def _first_of_slice(segment: int, number: int) -> int:
    return segment << KEY_BITS | number << (KEY_BITS - SLICE_BITS)


def _read(packed: bytes) -> BitMap:
    """Return a set of a row. Raises ``sqlite3.DatabaseError`` for what is none: then the file is made anew."""
    try:
        return BitMap.deserialize(packed)
    except (ValueError, IndexError) as error:
        raise sqlite3.DatabaseError(f"a set of calls in the search index is broken: {error}") from None


def _written(offsets: BitMap) -> bytes:
    offsets.run_optimize()
    return offsets.serialize()
