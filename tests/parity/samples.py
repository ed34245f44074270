"""Arguments made from the types that a WSDL has: the same ones always, once as our settings and once as PHP takes them.

Everything optional is given, what repeats is given twice, of a choice the first branch; a structure within itself ends
where it may, else after ``DEPTH``.
"""

from collections.abc import Iterator
from typing import Any

from zeep import xsd
from zeep.xsd.types.builtins import Boolean
from zeep.xsd.types.collection import ListType, UnionType

from adapters.soap.kinds import RankedArray
from adapters.soap.known import APACHE, ENCODING

DEPTH = 3
"""How often a structure stands within itself where it must."""
_BY_TYPE: tuple[tuple[str, Any, Any], ...] = (
    ("Boolean", True, True),
    ("Integer", 7, 7),
    ("Decimal", "1.5", 1.5),
    ("Float", "1.5", 1.5),
    ("Double", "1.5", 1.5),
    ("Base64Binary", "w6E=", "á"),
    ("HexBinary", "C3A1", "á"),
    ("DateTime", "2026-11-30T10:15:00Z", "2026-11-30T10:15:00Z"),
    ("Date", "2026-11-30", "2026-11-30"),
    ("Time", "10:15:00", "10:15:00"),
    ("Duration", "PT5M", "PT5M"),
    ("gYearMonth", "2026-11", "2026-11"),
    ("gYear", "2026", "2026"),
    ("gMonthDay", "--11-30", "--11-30"),
    ("gDay", "---30", "---30"),
    ("gMonth", "--11", "--11"),
    ("AnyURI", "urn:x", "urn:x"),
    ("QName", "Token", "Token"),
)
"""Names of zeep's classes, the value as ours takes it and as PHP does (which encodes binary data itself)."""
_TEXT = "olá <&>"

Pair = tuple[Any, Any]
"""A value for ours and for PHP."""


def arguments_of(operation: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return the arguments of zeep's ``operation`` for our settings, and for PHP, which takes one for each part."""
    body = operation.input.body if operation.input is not None else None
    if body is None:
        return {}, []
    if operation.style == "rpc" or (body.qname.localname == "Body" and body.qname.namespace in _ENVELOPES):
        ours, theirs = _members(body.type, ())
        return ours, [theirs[name] for name, _ in body.type.elements if name in theirs]
    ours, theirs = _value(body.type, ())
    if isinstance(ours, dict) and getattr(body.type, "_array_type", None) is None:
        return ours, [theirs]
    return {body.attr_name: ours}, [theirs]


_ENVELOPES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")


def _value(kind: Any, above: tuple[Any, ...]) -> Pair:
    if kind.qname is not None and kind.qname.text == f"{{{APACHE}}}Map":
        return {"a": _TEXT, "b": {"c": 7}}, {"a": _TEXT, "b": {"c": 7}}
    if isinstance(kind, ListType):
        ours, theirs = _value(kind.item_type, above)
        # PHP loses an item of a list that XML has to escape.
        ours, theirs = ("olá", "olá") if ours == _TEXT else (ours, theirs)
        return [ours, ours], [theirs, theirs]
    if not isinstance(kind, xsd.ComplexType):
        return _scalar(kind)
    if getattr(kind, "_array_type", None) is not None:
        return _array(kind, above)
    if isinstance(kind._element, xsd.Element):
        return _text_with_attributes(kind, above)
    return _members(kind, above)


def _scalar(kind: Any) -> Pair:
    if listed := getattr(kind, "enumerated", ()):
        return listed[0], listed[0]
    if isinstance(kind, UnionType):
        # Of a union's value PHP, too, loses what XML has to escape.
        ours, theirs = _scalar(kind.item_types[0])
        return ("olá", "olá") if ours == _TEXT else (ours, theirs)
    names = {each.__name__.lower() for each in type(kind).__mro__ if each.__module__ == Boolean.__module__}
    for name, ours, theirs in _BY_TYPE:
        if name.lower() in names:
            return ours, theirs
    return _TEXT, _TEXT


def _array(kind: Any, above: tuple[Any, ...]) -> Pair:
    declared = kind._array_type.array_type
    dimensions = 1
    if isinstance(declared, RankedArray):
        declared, dimensions = declared.innermost, sum(declared.ranks)
    if declared is None:
        repeated = [each for _, each in kind.elements if isinstance(each, xsd.Element)]
        declared = repeated[0].type if repeated else xsd.AnyType()
    if above.count(kind) >= DEPTH:
        return [], []
    ours, theirs = _value(declared, (*above, kind))
    for _ in range(dimensions):
        ours, theirs = [ours, ours], [theirs, theirs]
    return ours, theirs


def _text_with_attributes(kind: Any, above: tuple[Any, ...]) -> Pair:
    ours, theirs = _value(kind._element.type, above)
    attributes = dict(_attributes(kind))
    if isinstance(kind._element.type, xsd.ComplexType):
        # zeep's reading of a type that adds attributes to one that has nothing else.
        return {name: pair[0] for name, pair in attributes.items()}, {
            name: pair[1] for name, pair in attributes.items()
        }
    if kind.qname is not None and kind.qname.text == f"{{{ENCODING}}}base64":
        # PHP takes it for a text.
        theirs = ours
    if not attributes:
        return ours, theirs
    return (
        {"_value_1": ours, **{name: pair[0] for name, pair in attributes.items()}},
        {"_": theirs, **{name: pair[1] for name, pair in attributes.items()}},
    )


def _attributes(kind: Any) -> Iterator[tuple[str, Pair]]:
    for name, attribute in kind.attributes:
        if isinstance(attribute, xsd.Attribute) and attribute.name:
            yield name, _value(attribute.type, ())


def _members(kind: Any, above: tuple[Any, ...]) -> Pair:
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for name, element in _given(kind._element):
        if not isinstance(element, xsd.Element):
            continue
        deep = above.count(kind) >= DEPTH and isinstance(element.type, xsd.ComplexType)
        if above.count(kind) and (element.is_optional or deep):
            if deep and element.nillable:
                ours[name], theirs[name] = None, None
            continue
        for mine, other in [_value(element.type, (*above, kind))]:
            ours[name], theirs[name] = ([mine, mine], [other, other]) if element.accepts_multiple else (mine, other)
    for name, (mine, other) in _attributes(kind):
        ours[name], theirs[name] = mine, other
    return ours, theirs


def _given(group: Any) -> Iterator[tuple[str, Any]]:
    """The elements of a group: all of a sequence, the first of a choice."""
    if isinstance(group, xsd.Element):
        yield group.attr_name, group
    elif isinstance(group, xsd.Choice):
        yield from _given(next(iter(group), None))
    elif isinstance(group, xsd.Group):
        yield from _given(group.child)
    elif hasattr(group, "__iter__"):
        for member in group:
            yield from _given(member)
