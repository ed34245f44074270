"""Arguments held against the types that a WSDL has for them, before they go out as something else without a word."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zeep import xsd
from zeep.xsd.elements.indicators import Indicator, OrderIndicator
from zeep.xsd.types.builtins import Double, Float
from zeep.xsd.types.collection import ListType

from adapters.soap.kinds import Missing, undescribed

_NUMBERS: tuple[tuple[type[Any], str, str], ...] = (
    (xsd.Integer, r"[+-]?[0-9]+", "a whole number"),
    (xsd.Decimal, r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", "a decimal number"),
    (Double, r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?|[+-]?INF|NaN", "a number"),
    (Float, r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?|[+-]?INF|NaN", "a number"),
    (xsd.Boolean, r"true|false|0|1", "true or false"),
)
"""The lexical spaces of XML Schema, part 2. Their bounds are the server's business: it may store telephone numbers in
what the WSDL calls an xsd:int."""


class _EmptyText(str):
    """A text without characters that is given all the same: of a choice zeep drops what counts as false."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


def fitted(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` as zeep needs them for the members of ``kind``.

    Raises ``ValueError`` for what is none of its type. What ``kind`` does not have is handed on: who writes it says so.
    """
    known = dict(_members(kind))
    values = dict(values)
    for name, group in _repeating(kind.elements_nested):
        _gather(values, name, group)
    found = {name: _fitted(known[name], value, name) if name in known else value for name, value in values.items()}
    base = getattr(kind._element, "type", None)
    if isinstance(base, xsd.ComplexType) and "_value_1" not in found:
        # zeep's place for the attributes of a type that has nothing else, where another type adds to them.
        found["_value_1"] = {name: found[name] for name, _ in base.attributes if name in found}
    return found


def check_described(kind: Any, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where ``values``, which may be templates still, have one whose type is described nowhere."""
    known = dict(_members(kind))
    for name, value in values.items():
        member = known[name].type if name in known else None
        array = getattr(member, "_array_type", None)
        for found in (member, array.array_type if array is not None else None):
            if isinstance(found, Missing) and value is not None:
                raise ValueError(f"{name!r} cannot be sent: {undescribed(found)}")
        if isinstance(value, Mapping) and isinstance(member, xsd.ComplexType):
            check_described(member, value)


def written(kind: Any, value: Any, name: str) -> str:
    """Return ``value`` as the text of a simple type. Raises ``ValueError`` for what is none of it."""
    if isinstance(value, list) and isinstance(kind, ListType):
        return " ".join(written(kind.item_type, item, name) for item in value)
    if isinstance(value, list | Mapping):
        raise ValueError(f"{name!r} takes one text or number, and came as a list or a table")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    for number, pattern, expected in _NUMBERS:
        # Nothing at all is sent as such: WSDLs of PHP servers leave no parameter out, and those take it for zero.
        if isinstance(kind, number) and text.strip() and not re.fullmatch(pattern, text.strip()):
            raise ValueError(f"{name!r} came as {text!r}, expected {expected} ({kind.qname.localname})")
    return text


def _repeating(nested: Iterable[tuple[str | None, Any]]) -> Iterator[tuple[str, Any]]:
    """The groups (choices, sequences) that repeat as a whole, by the names that zeep gives them."""
    for name, group in nested:
        if isinstance(group, Indicator) and name and group.accepts_multiple:
            yield name, group
        elif isinstance(group, OrderIndicator):
            yield from _repeating(group.elements_nested)


def _gather(values: dict[str, Any], name: str, group: Any) -> None:
    """Move the members of a group that repeats into the list of tables that zeep wants of it; settings name them as any
    other member, as PHP does.
    """
    members = dict(group.elements)
    given = {member: values.pop(member) for member in members if member in values}
    rows = _choices if isinstance(group, xsd.Choice) else _rows
    if given:
        fitting = xsd.ComplexType(xsd.Sequence(list(group)))
        values[name] = [fitted(fitting, row) for row in rows(members, given)]


def _choices(members: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for member, value in given.items():
        whole = getattr(members[member], "accepts_multiple", False)
        for item in value if isinstance(value, list) and not whole else [value]:
            yield {member: item}


def _rows(members: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One table for each place in the lists that are given."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    for place in range(max(map(len, lists.values()))):
        yield {name: items[place] for name, items in lists.items() if place < len(items)}


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    for name, element in [*getattr(kind, "elements", ()), *getattr(kind, "attributes", ())]:
        if isinstance(element, xsd.Element | xsd.Attribute):
            yield name, element


def _without_members(kind: Any) -> Any:
    """A structure without members that is given all the same (see ``_EmptyText``)."""
    return type("Empty", (kind._value_class,), {"__bool__": lambda self: True})()


def _fitted(element: Any, value: Any, name: str) -> Any:
    if isinstance(value, list) and getattr(element, "accepts_multiple", False):
        return [_fitted_one(element.type, item, name) for item in value]
    return _fitted_one(element.type, value, name)


def _fitted_one(kind: Any, value: Any, name: str) -> Any:
    if isinstance(kind, Missing) and value is not None:
        raise ValueError(f"{name!r} cannot be sent: {undescribed(kind)}")
    if isinstance(kind, xsd.ComplexType):
        return (fitted(kind, value) or _without_members(kind)) if isinstance(value, Mapping) else value
    if value is None or not isinstance(kind, xsd.AnySimpleType):
        return value
    text = written(kind, value, name)
    return text.split() if isinstance(kind, ListType) else text or _EmptyText()
