"""The list of changes that nothing can notice."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation.explained import FILE, Explanation, explanations, stale
from tests.mutation.source import scope

ROOT = Path(__file__).parents[2]
DOMAIN = ROOT / "gateway" / "domain"
ENTRIES = explanations(FILE.read_text(encoding="utf-8"))
TEXT = """
[["calls/ring.py"]]
in = "Ring.is_long"
before = "seconds > 3"
after = ["seconds is 3", "seconds == 3"]
why = "There are no others."
"""


@dataclass(frozen=True)
class Made:
    scope: str
    before: str
    after: str


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_what_is_explained_is_in_the_code(entry: Explanation) -> None:
    lines = (DOMAIN / entry.module).read_text(encoding="utf-8").splitlines()
    first = entry.before.splitlines()[0]
    found = [number for number, line in enumerate(lines, 1) if line.strip() == first]
    assert entry.scope in {scope("\n".join(lines), number) for number in found}, "The code has changed: think again."


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_each_explanation_gives_a_reason(entry: Explanation) -> None:
    assert len(entry.why.split()) > 3
    assert entry.before not in entry.after


def test_an_entry_explains_what_it_names_and_no_more() -> None:
    [entry] = explanations(TEXT)
    assert entry.covers(Made("Ring.is_long", "seconds > 3", "seconds is 3"))
    assert not entry.covers(Made("Ring.is_long", "seconds > 3", "seconds < 3"))
    assert not entry.covers(Made("Ring.is_short", "seconds > 3", "seconds is 3"))
    assert not entry.covers(Made("Ring.is_long", "seconds > 4", "seconds is 3"))


def test_an_entry_that_nobody_makes_any_more_is_told() -> None:
    [told] = stale(explanations(TEXT), [Made("Ring.is_long", "seconds > 3", "seconds is 3")])
    assert told == "Nobody makes this change any more: calls/ring.py, Ring.is_long: seconds > 3 => seconds == 3"
