"""Fields of an account: what a source brings of it by names of its own, such as ``Cidade`` or ``Situação``.

They are kept as one JSON object of texts, in the order in which the source's settings name them, bounded: what goes
beyond is cut, and the import says so.
"""

import json
from collections.abc import Iterable, Mapping

MOST_ACCOUNT_FIELDS = 30
MOST_ACCOUNT_BYTES = 4096
"""Of all names and texts of one account together, in UTF-8."""
LONGEST_FIELD_NAME = 60
Labels = Mapping[str, str]
"""What people read in the place of a field's name, by language; by the empty text in any language."""


def packed_fields(said: Iterable[tuple[str, str]]) -> tuple[str | None, list[str]]:
    """Return the fields of an account as JSON, None where there are none, and the names of those that were cut.

    The first text of each name counts: an account's lines repeat it, or leave it empty.

    >>> packed_fields([("Cidade", ""), ("Cidade", "Blumenau"), ("Cidade", "Itajaí")])
    ('{"Cidade":"Blumenau"}', [])
    """
    fields: dict[str, str] = {}
    cut, left = [], MOST_ACCOUNT_BYTES
    for name, text in said:
        if not text or name in fields:
            continue
        kept = _cut(text, left - _size(name))
        if kept != text:
            cut.append(name)
        if kept:
            fields[name] = kept
            left -= _size(name) + _size(kept)
    return (_ENCODE(fields) if fields else None), list(dict.fromkeys(cut))


def read_account_fields(text: str | None) -> dict[str, str]:
    """Return the fields that ``text``, the JSON of ``packed_fields``, holds."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def label_in(language: str, name: str, labels: Labels) -> str:
    """Return what people read for the field ``name``: its label in their language, else in any, else the name."""
    return labels.get(language) or labels.get("") or next(iter(labels.values()), name)


def _cut(text: str, size: int) -> str:
    """Return as much of ``text`` as fits ``size`` bytes."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= size else data[: max(0, size)].decode("utf-8", "ignore")


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
