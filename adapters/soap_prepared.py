"""An envelope that is made once and filled in for each message, where that comes to the same."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from lxml import etree

from adapters.templates import Template
from gateway.adapter import Outgoing

Make = Callable[[dict[str, Any]], Any]
"""Makes the envelope for arguments; raises anything for arguments that do not fit."""


class Prepared:
    """An envelope with a place for the text of each template."""

    def __init__(self, envelope: Any, places: dict[int, Template]) -> None:
        """``places`` are elements of ``envelope`` by their number in document order."""
        self._envelope = envelope
        self._places = places

    def fill(self, message: Outgoing) -> Any:
        """The envelope for ``message``. Raises ``AdapterError``."""
        envelope = deepcopy(self._envelope)
        for number, element in enumerate(envelope.iter()):
            if template := self._places.get(number):
                element.text = template.render(message)
        return envelope


def prepare(arguments: dict[str, Any], make: Make) -> Prepared | None:
    """``make``'s envelope for ``compiled`` arguments; None when a text might not arrive in it as it is.

    Found out by sending marks through ``make``: what is converted (to ``true``, to a list, to capitals), left out or
    refused does not come out as the whole text of one element, and then each message needs ``make`` itself.
    """
    marks: dict[str, Template] = {}
    try:
        envelope = make(_marked(arguments, marks))
        written = etree.tostring(envelope, encoding="unicode")
    except Exception:  # as ``make`` raises: said for the message, with its values
        return None
    found = {number: mark for number, element in enumerate(envelope.iter()) if (mark := element.text) in marks}
    alone = len(found) == len(marks) and all(written.count(mark) == 1 for mark in marks)
    return Prepared(envelope, {number: marks[mark] for number, mark in found.items()}) if alone else None


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
