"""An envelope that is written once and filled in for each message, where that comes to the same."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from adapters.http.templates import Template
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from gateway.texts.text import Text

Make = Callable[[dict[str, Any]], Any]
"""Makes the envelope for arguments; raises anything for arguments that do not fit."""
_MARK = re.compile(r"(cti-gateway-Mark-\d+-)")
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold (XML 1.0, production 2)."""


def serialized(envelope: Any) -> bytes:
    """An envelope as it goes out."""
    body: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return body


class Prepared:
    """A written envelope with a place for the text of each template."""

    def __init__(self, pieces: Sequence[str | Template]) -> None:
        """``pieces`` are its parts in their order: XML, and the templates of texts."""
        self._pieces = pieces

    def fill(self, message: Outgoing) -> bytes:
        """The written envelope for ``message``. Raises ``AdapterError``."""
        return "".join(
            [piece if isinstance(piece, str) else _escaped(piece.render(message)) for piece in self._pieces]
        ).encode()


def prepare(arguments: dict[str, Any], make: Make) -> Prepared | None:
    """``make``'s envelope for ``compiled`` arguments; None when a text might not arrive in it as it is.

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
    """``tree`` with a mark in the place of each template, which goes into ``marks``. It has upper and lower case, as
    some types change that.
    """
    if isinstance(tree, Template):
        mark = f"cti-gateway-Mark-{len(marks)}-"
        marks[mark] = tree
        return mark
    if isinstance(tree, dict):
        return {name: _marked(value, marks) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_marked(value, marks) for value in tree]
    return tree


def _escaped(text: str) -> str:
    """``text`` as lxml writes it. Raises ``AdapterError`` for what a template has that no XML can hold."""
    if text.isalnum():
        return text
    if found := _UNWRITABLE.search(text):
        raise AdapterError(Text("the text of a template has {char}, which no XML can have", char=repr(found[0])))
    return escape(text, {"\r": "&#13;"})
