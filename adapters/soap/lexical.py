"""Texts of XML Schema's simple types: what is none of its type is refused before it goes out as something else.

By the lexical spaces of XML Schema, part 2. The bounds of numbers and lengths are the server's business: it may store
telephone numbers in what its WSDL calls an ``xsd:int``.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from zeep import xsd
from zeep.xsd.types.collection import ListType, UnionType

from gateway.texts.text import VERBATIM, Listing, Text

Check = Callable[[str], Any]
"""Says whether a text is of a type."""
_ZONE = r"(Z|[+-]\d\d:\d\d)?"
_DATE = r"-?\d{4,}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?|24:00:00(\.0+)?)"
_FLOAT = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?|[+-]?INF|NaN"
_DURATION = r"-?P(?=[\dT])(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
MOST_SHOWN = 20
"""Values of an enumeration that a sentence names."""


def _matching(pattern: str) -> Check:
    return re.compile(pattern, re.ASCII).fullmatch


def _is_day(text: str) -> bool:
    """Return whether the day at the start of a date exists; years that Python has not are taken for right."""
    year, month, day = (int(part) for part in text[:10].split("-")) if text[4:5] == "-" else (0, 1, 1)
    if not 1 <= year <= 9999:
        return True
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _dated(pattern: str) -> Check:
    matches = _matching(pattern)
    return lambda text: matches(text) and _is_day(text)


def _is_base64(text: str) -> bool:
    try:
        b64decode(re.sub(r"\s", "", text), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_TYPES: tuple[tuple[type[Any], Check, Text], ...] = (
    (xsd.Integer, _matching(r"[+-]?[0-9]+"), Text("a whole number")),
    (xsd.Decimal, _matching(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"), Text("a decimal number")),
    (xsd.Double, _matching(_FLOAT), Text("a number")),
    (xsd.Float, _matching(_FLOAT), Text("a number")),
    (xsd.Boolean, _matching("true|false|0|1"), Text("true or false")),
    (xsd.DateTime, _dated(f"{_DATE}T{_TIME}{_ZONE}"), Text("a date with a time such as 2026-11-30T10:15:00")),
    (xsd.Date, _dated(f"{_DATE}{_ZONE}"), Text("a date such as 2026-11-30")),
    (xsd.Time, _matching(f"{_TIME}{_ZONE}"), Text("a time such as 10:15:00")),
    (xsd.Duration, _matching(_DURATION), Text("a duration such as PT5M")),
    (xsd.gYearMonth, _matching(rf"-?\d{{4,}}-(0[1-9]|1[0-2]){_ZONE}"), Text("a month such as 2026-11")),
    (xsd.gYear, _matching(rf"-?\d{{4,}}{_ZONE}"), Text("a year such as 2026")),
    (xsd.gMonthDay, _matching(rf"--(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]){_ZONE}"), Text("a day such as --11-30")),
    (xsd.gDay, _matching(rf"---(0[1-9]|[12]\d|3[01]){_ZONE}"), Text("a day such as ---30")),
    (xsd.gMonth, _matching(rf"--(0[1-9]|1[0-2]){_ZONE}"), Text("a month such as --11")),
    (xsd.HexBinary, _matching("([0-9a-fA-F]{2})*"), Text("hexadecimal digits")),
    (xsd.Base64Binary, _is_base64, Text("base64")),
)
"""The first that a type is."""


def written(kind: Any, value: Any, name: str) -> str:
    """Return ``value`` as the text of a simple type. Raises ``ValueError`` for what is none of it."""
    if isinstance(kind, ListType) and not isinstance(value, Mapping):
        items = value if isinstance(value, list) else str(value).split()
        return " ".join(written(kind.item_type, item, name) for item in items)
    if isinstance(value, list | Mapping):
        raise ValueError(Text("{name!r} takes one text or number, and came as a list or a table", name=name))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # Nothing at all is sent as such: WSDLs of PHP servers leave no parameter out, and those take it for zero.
    if text.strip() and (expected := _lacks(kind, text.strip())):
        told = Text("{name!r} came as {value}, expected {expected}", name=name, value=repr(text), expected=expected)
        raise ValueError(told)
    return text


def _lacks(kind: Any, text: str) -> Text | None:
    """Return what was expected in the place of ``text``; None where it fits."""
    if isinstance(kind, UnionType):
        found = [_lacks(member, text) for member in kind.item_types]
        wanted = Listing(tuple(dict.fromkeys(filter(None, found))))
        return None if None in found else Text(VERBATIM, words=wanted)
    if isinstance(kind, ListType):
        return next(filter(None, (_lacks(kind.item_type, item) for item in text.split())), None)
    for known, is_of_it, expected in _TYPES:
        if isinstance(kind, known):
            if not is_of_it(text):
                return Text("{expected} ({type})", expected=expected, type=kind.qname.localname)
            break
    return _not_listed(getattr(kind, "enumerated", ()), text)


def _not_listed(values: tuple[str, ...], text: str) -> Text | None:
    if not values or text in map(str.strip, values):
        return None
    shown = ", ".join(values[:MOST_SHOWN])
    return (
        Text("one of: {values}, ...", values=shown)
        if len(values) > MOST_SHOWN
        else Text("one of: {values}", values=shown)
    )
