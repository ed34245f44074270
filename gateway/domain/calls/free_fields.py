"""Free fields of a call (*campos*): what an exchange knows of it by names of its own, such as ``cpf`` or ``protocolo``.

They are kept as one JSON object of texts, bounded: what goes beyond is left out, and the call says so.
"""

import json
from collections.abc import Mapping

MOST_FIELDS = 20
MOST_BYTES = 4096
"""Of all names and texts together, in UTF-8."""
LONGEST_NAME = 40


def read_fields(text: str | None) -> dict[str, str]:
    """Return the fields that ``text`` holds."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def added(known: str | None, new: Mapping[str, str]) -> tuple[str | None, bool]:
    """Return ``known`` with ``new`` fields, of which the later word counts, and whether some found no room.

    >>> added('{"cpf":"1"}', {" cpf ": "2", "": "x"})
    ('{"cpf":"2"}', False)
    """
    fields, cut = read_fields(known), False
    for name, text in new.items():
        if short := name.strip()[:LONGEST_NAME].rstrip():
            cut |= not _put(fields, short, text)
    return (_ENCODE(fields) if fields else None), cut


def _put(fields: dict[str, str], name: str, text: str) -> bool:
    """Let ``name`` have ``text`` if there is room; return whether there was."""
    others = sum(_size(each) + _size(said) for each, said in fields.items() if each != name)
    if others + _size(name) + _size(text) > MOST_BYTES or (name not in fields and len(fields) >= MOST_FIELDS):
        return False
    fields[name] = text
    return True


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
