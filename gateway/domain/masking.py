"""Telephones for those who shall not see them in full: the last four digits, dots for the others."""

import re
from collections.abc import Mapping

SHOWN = 4
"""Digits that are left."""
SHORTEST = 6
"""Digits of the shortest text that is taken for a telephone: extensions and public services stay as they are."""
TELLING = 8
"""Digits by which a telephone is recognised in other texts, whatever is written before them."""
DOT = "•"


def masked(number: str) -> str:
    """Return ``47999998888`` as ``•••••••8888``; what is no telephone (an extension, 190, a word) stays as it is."""
    if len(_digits(number)) < SHORTEST or re.search(r"[^\d+()./\s*#-]", number):
        return number
    return _dotted(number)


def hidden_in(text: str, number: str) -> str:
    """Return ``text`` with its digits dotted where it tells ``number``, in whatever form."""
    telling = _digits(number)[-TELLING:]
    if len(telling) < SHORTEST or telling not in _digits(text):
        return text
    return _dotted(text)


def hidden_in_all(texts: Mapping[str, str], number: str) -> dict[str, str]:
    """Return ``texts`` by their names, each with ``number`` hidden."""
    return {name: hidden_in(text, number) for name, text in texts.items()}


def is_masked(number: str) -> bool:
    """Return whether ``number`` is a telephone of which not all is shown."""
    return DOT in number


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _dotted(text: str) -> str:
    """Return ``text`` with dots for all digits but the last ones, in the same form."""
    hide = max(0, len(_digits(text)) - SHOWN)
    return re.sub(r"\d", DOT, text, count=hide) if hide else text
