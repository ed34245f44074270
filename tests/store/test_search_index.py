"""What the index finds are the calls that have a token of each clause, however their sets are kept."""

import random

import pytest

from gateway.store.search.index import Clauses, Progress, SearchIndex
from gateway.store.search.sets import BLOCK, MOST_LISTED

TOKENS = range(1, 9)
BLOCKS = range(4)


@pytest.fixture(scope="module")
def known() -> dict[int, dict[int, set[int]]]:
    """Offsets by block and token: few, many, and none."""
    chance = random.Random(3)
    sizes = (0, 1, 40, MOST_LISTED, MOST_LISTED + 1, 3000)
    return {block: {token: set(chance.sample(range(BLOCK), sizes[token % 6])) for token in TOKENS} for block in BLOCKS}


@pytest.fixture(scope="module")
def index(known: dict[int, dict[int, set[int]]], tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    index = SearchIndex(tmp_path_factory.mktemp("index"))
    index.begin(before := Progress(0, 0, -1))
    kept = {block: {token: each for token, each in sets.items() if each} for block, sets in known.items()}
    assert index.add(kept, before, before._replace(seq=1))
    return index


def having(known: dict[int, set[int]], clauses: list[list[int]]) -> set[int]:
    return set.intersection(*(set().union(*(known[token] for token in clause)) for clause in clauses))


@pytest.mark.parametrize("seed", range(40))
def test_calls_are_found_that_have_a_token_of_each_clause(
    index: SearchIndex, known: dict[int, dict[int, set[int]]], seed: int
) -> None:
    chance = random.Random(seed)
    clauses = [chance.sample(TOKENS, chance.choice((1, 1, 2, 3))) for _ in range(4)]
    for first, further in ((clauses, []), (clauses[:2], clauses[2:])):
        found = index.found(Clauses(first, further), BLOCKS)
        assert list(found) == list(BLOCKS)
        for block, ids in found.items():
            offsets = {each - block * BLOCK for each in ids}
            assert len(ids) == len(offsets)
            assert having(known[block], clauses) <= offsets <= having(known[block], first)
            assert further or offsets == having(known[block], clauses)


def test_what_tells_most_is_read_first_and_of_each_term_one(
    index: SearchIndex, known: dict[int, dict[int, set[int]]]
) -> None:
    by_size = sorted(TOKENS, key=lambda token: len(known[0][token]))
    rare, scarce, common = by_size[1], by_size[3], by_size[-1]
    found = index.ordered([[common, scarce], [rare]], [[common]], 0)
    assert found == Clauses([[rare], [scarce], [common]], [[common]])


def test_of_a_code_all_tokens_are_read(index: SearchIndex) -> None:
    """Its rarest ones may all be found in telephones, too."""
    found = index.ordered([list(TOKENS)], [], 0)
    assert sorted(token for clause in (*found.first, *found.further) for token in clause) == list(TOKENS)
