"""Tables of cases in plain files: a case per line, columns separated by tabs, comments from ``# `` on."""

import re
from collections.abc import Iterator
from pathlib import Path

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")


def table(name: str, columns: int) -> Iterator[list[str]]:
    """The rows of the file ``name`` beside this one, each with exactly ``columns`` texts."""
    for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            cells = line.split("\t")
            assert len(cells) <= columns, f"{name} has a row of {len(cells)} columns: {line!r}"
            yield [_character(cell) for cell in cells] + [""] * (columns - len(cells))


def _character(cell: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1] or escape[2], 16)), cell)
