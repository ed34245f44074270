"""What an rpc or undescribed SOAP answer holds, read from the answer itself: it names its parts and mostly types them.

Peers whose answers need this: Axis 1.4 keeps every structure apart (``href="#id0"`` and a ``multiRef`` beside the
answer; Cisco's documentation of WebDialer shows one), nuSOAP 0.9.5 and PHP 8.2 answer ``SOAP-ENC:Array`` and Apache's
``Map``, SOAP::Lite 1.27 sends accented text as base64 (servers of these three are in tests/live/servers).
"""

import re
from base64 import b64decode
from collections.abc import Collection, Iterator
from typing import Any

from lxml import etree

from adapters.http.answers import Markup, Single, as_text, boolean_of

MAX_ELEMENTS = 20_000
"""Elements read in one answer, counted again at each reference: ten references to ten to ten … stop here."""
MAX_DEPTH = 200
"""Structures within structures, references followed."""

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ENCODINGS = ("{http://schemas.xmlsoap.org/soap/encoding/}", "{http://www.w3.org/2003/05/soap-encoding}")
_INTEGERS = frozenset({"byte", "int", "integer", "long", "short", "unsignedByte", "unsignedInt", "unsignedShort"})


def parts_of(envelope: Any, texts: Collection[str] = ()) -> Any:
    """Return the parts of the Body's first element: a mapping, ``Single`` for one part, None for none, or its bare
    text.

    Structures are mappings, arrays and repeated names are lists; a structure that should be one of ``texts`` (names of
    parts) is its XML. Raises ``LookupError`` for an empty Body, a reference
    that leads nowhere or in a circle, and an answer that is too large or too deep.
    """
    body = envelope.find("{*}Body")
    answer = next(_children(body), None) if body is not None else None
    if answer is None:
        raise LookupError("the Body is empty")
    parts = _AnswerReading(body).value(answer, ())
    if isinstance(parts, dict):
        parts |= {name: _as_markup(answer, name, parts[name]) for name in texts if name in parts}
    return _alone(parts)


def _as_markup(answer: Any, name: str, value: Any) -> Any:
    written = answer.find(f"{{*}}{name}")
    return Markup.of(written, _alone(value)) if isinstance(value, dict) and len(written) else value


def parts_in(element: Any) -> Any:
    """Return the parts of any element that has children, such as XML within a result that should be a text."""
    return _alone(_AnswerReading(element).value(element, ()))


def _alone(parts: Any) -> Any:
    return Single(parts) if isinstance(parts, dict) and len(parts) == 1 else parts


class _AnswerReading:
    """One pass over a Body, which knows its elements by their ids."""

    def __init__(self, body: Any) -> None:
        self._by_id = {name: element for element in body.iter(etree.Element) if (name := _attribute(element, "id"))}
        self._left = MAX_ELEMENTS

    def value(self, element: Any, above: tuple[Any, ...]) -> Any:
        """Read ``element``, which lies within ``above``. Raises ``LookupError`` for one too large, or in circles."""
        self._left -= 1
        if self._left < 0 or element in above or len(above) > MAX_DEPTH:
            raise LookupError("the answer is too large, too deep or goes in circles")
        above = (*above, element)
        reference = _attribute(element, "href") or _attribute(element, "ref")
        if reference.startswith("#") or reference in self._by_id:
            return self.value(self._by_id[reference.removeprefix("#")], above)
        return self._own(element, above)

    def _own(self, element: Any, above: tuple[Any, ...]) -> Any:
        kind = _kind(element)
        if element.get(f"{_XSI}nil") in ("1", "true"):
            return None
        if _is_array(element, kind):
            return [self.value(child, above) for child in _children(element)]
        if next(_children(element), None) is None:
            return _scalar((element.text or "").strip(), kind)
        return self._map(element, above) if kind == "Map" else self._structure(element, above)

    def _structure(self, element: Any, above: tuple[Any, ...]) -> dict[str, Any]:
        found: dict[str, list[Any]] = {}
        for child in _children(element):
            found.setdefault(etree.QName(child).localname, []).append(self.value(child, above))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def _map(self, element: Any, above: tuple[Any, ...]) -> dict[str, Any]:
        """Read Apache's Map: items of key and value."""
        pairs = (self._structure(item, above) for item in _children(element))
        return {as_text(pair.get("key")): pair.get("value") for pair in pairs}


def _children(element: Any) -> Iterator[Any]:
    return element.iterchildren(etree.Element)  # type: ignore[no-any-return]


def _attribute(element: Any, name: str) -> str:
    """Return ``id``, ``href`` or ``ref`` of an element: SOAP 1.1 has them without a namespace, SOAP 1.2 in that of its
    encoding.
    """
    return element.get(name) or element.get(_ENCODINGS[1] + name) or ""


def _kind(element: Any) -> str:
    """Return the local name of the element's xsi:type; of any version of XML Schema, as old SOAP::Lite sends 1999's."""
    for name, value in element.attrib.items():
        if name.endswith("}type") and "XMLSchema-instance" in name:
            return str(value).rpartition(":")[2]
    return ""


def _is_array(element: Any, kind: str) -> bool:
    names = {f"{encoding}{name}" for encoding in _ENCODINGS for name in ("arrayType", "itemType", "arraySize")}
    return kind == "Array" or not names.isdisjoint(element.attrib) or element.tag == f"{_ENCODINGS[0]}Array"


def _scalar(text: str, kind: str) -> Any:
    """Return the text, unless its type says more. Numbers that would lose a zero or a plus sign stay text."""
    if kind == "boolean":
        return boolean_of(text)
    if kind in _INTEGERS and re.fullmatch(r"0|-?[1-9]\d{0,30}", text):
        return int(text)
    return _unpacked(text) if kind in ("base64", "base64Binary") else text


def _unpacked(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode()
    except UnicodeDecodeError:
        return b64decode(text).decode("latin-1")
    except ValueError:
        return text
