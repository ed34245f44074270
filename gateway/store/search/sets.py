"""Sets of calls of one block of the search index: how they are kept, and how they meet."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

BLOCK = 8192
BITMAP_BYTES = BLOCK // 8
MOST_LISTED = BITMAP_BYTES // 2 - 1
BITS = [tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256)]
"""The bits that are set, by byte."""
Offsets = int | frozenset[int]
"""Some calls of a block: a bit for each, or the offsets themselves."""
NO_OFFSETS: frozenset[int] = frozenset()


def packed(offsets: Iterable[int]) -> bytes:
    """Return a set of offsets as it is kept.

    >>> packed([3, 1]).hex()
    '01000300'
    """
    found = array("H", sorted(offsets))
    return found.tobytes() if len(found) <= MOST_LISTED else _bitmap(found)


def _bitmap(offsets: Iterable[int]) -> bytes:
    bits = bytearray(BITMAP_BYTES)
    for offset in offsets:
        bits[offset >> 3] |= 1 << (offset & 7)
    return bytes(bits)


def unpacked(kept: bytes) -> list[int]:
    """Return the offsets that ``packed`` has kept, in their order."""
    if len(kept) != BITMAP_BYTES:
        return array("H", kept).tolist()
    return [place * 8 + bit for place, byte in enumerate(kept) if byte for bit in BITS[byte]]


def narrowed(
    left: Mapping[int, Offsets], blocks: Sequence[int], clause: Sequence[int], rows: Iterable[tuple[int, bytes]]
) -> Mapping[int, Offsets]:
    """Return by block those of ``left`` (where it says nothing: all) that are in any of its sets of ``rows``."""
    found: dict[int, Offsets] = dict.fromkeys(blocks, NO_OFFSETS)
    if len(clause) == 1:
        for block, kept in rows:
            found[block] = _met(left.get(block), kept)
        return found
    sets: dict[int, list[bytes]] = {}
    for block, kept in rows:
        sets.setdefault(block, []).append(kept)
    return found | {block: _met_any(left.get(block), each) for block, each in sets.items()}


def _met(left: Offsets | None, kept: bytes) -> Offsets:
    """Return those of ``left`` (None: all) that are in a set."""
    if len(kept) != BITMAP_BYTES:
        return _met_listed(left, array("H", kept))
    if left is None or isinstance(left, int):
        bits = int.from_bytes(kept, "little")
        return bits if left is None else left & bits
    return _among(left, kept)


def _met_listed(left: Offsets | None, listed: Iterable[int]) -> Offsets:
    if left is None:
        return frozenset(listed)
    if isinstance(left, int):
        return _among(listed, left.to_bytes(BITMAP_BYTES, "little"))
    return left.intersection(listed)


def _met_any(left: Offsets | None, sets: Sequence[bytes]) -> Offsets:
    """Return those of ``left`` (None: all) that are in any of ``sets``."""
    if any(len(each) == BITMAP_BYTES for each in sets):
        return _met(left, _bits(sets).to_bytes(BITMAP_BYTES, "little"))
    return _met_listed(left, array("H", b"".join(sets)))


def _among(offsets: Iterable[int], kept: bytes) -> frozenset[int]:
    return frozenset([offset for offset in offsets if kept[offset >> 3] >> (offset & 7) & 1])


def size_of_set(offsets: Offsets) -> int:
    return offsets.bit_count() if isinstance(offsets, int) else len(offsets)


def listed_of(offsets: Offsets) -> Iterable[int]:
    return unpacked(offsets.to_bytes(BITMAP_BYTES, "little")) if isinstance(offsets, int) else offsets


def _bits(sets: Sequence[bytes]) -> int:
    """Return what is in any of ``sets`` as one number, a bit for each offset."""
    maps = (kept if len(kept) == BITMAP_BYTES else _bitmap(array("H", kept)) for kept in sets)
    return reduce(or_, (int.from_bytes(each, "little") for each in maps))
