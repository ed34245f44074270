"""An envelope that is written once and filled in for each message, where that comes to the same."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from adapters.http.templates import Template
from adapters.soap.envelope import serialized
from gateway.adapter import Outgoing

Make = Callable[[dict[str, Any]], Any]
"""Makes the envelope for arguments; raises anything for arguments that do not fit."""
_MARK = re.compile(r"( cti-gateway  Mark-\d+- )")
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold (XML 1.0, production 2)."""


class Prepared:
    """A written envelope with a place for the text of each template."""

    def __init__(self, pieces: Sequence[str | Template]) -> None:
        """Take ``pieces``, its parts in their order: XML, and the templates of texts."""
        self._pieces = pieces

    def fill(self, message: Outgoing) -> bytes | None:
        """Return the written envelope for ``message``, None where a text cannot be written as it is. Raises
        ``AdapterError``.
        """
        filled = []
        for piece in self._pieces:
            text = piece if isinstance(piece, str) else _escaped(piece.render(message))
            if text is None:
                return None
            filled.append(text)
        return "".join(filled).encode()


def prepare(arguments: dict[str, Any], make: Make) -> Prepared | None:
    """Return ``make``'s envelope for ``compiled`` arguments; None when a text might not arrive in it as it is.

    Found out by sending marks through ``make``: what is converted (to ``true``, to a list, to capitals), left out or
    refused does not come out as the whole text of one element, and then each message needs ``make`` itself.
    """
    marks: dict[str, Template] = {}
    try:
        envelope = make(_marked(arguments, marks))
        text = serialized(envelope).decode()
    except Exception:  # as ``make`` raises: said for the message, with its values
        return None
    found = [element.text for element in envelope.iter() if element.text in marks]
    alone = len(found) == len(marks) and all(text.count(mark) == 1 for mark in marks)
    return Prepared([marks.get(piece, piece) for piece in _MARK.split(text)]) if alone else None


def _marked(tree: Any, marks: dict[str, Template]) -> Any:
    """Return ``tree`` with a mark in the place of each template, which goes into ``marks``. It has upper and lower
    case and spaces, as some types change these.
    """
    if isinstance(tree, Template):
        mark = f" cti-gateway  Mark-{len(marks)}- "
        marks[mark] = tree
        return mark
    if isinstance(tree, dict):
        return {name: _marked(value, marks) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_marked(value, marks) for value in tree]
    return tree


def _escaped(text: str) -> str | None:
    """Return ``text`` as lxml writes it, None where no XML can hold it."""
    if text.isalnum():
        return text
    return None if _UNWRITABLE.search(text) else escape(text, {"\r": "&#13;"})
