"""Arguments held against the types that a WSDL has for them, before they go out as something else without a word."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zeep import xsd
from zeep.xsd.elements.indicators import Indicator, OrderIndicator
from zeep.xsd.types.collection import ListType

from adapters.soap.kinds import Missing, RankedArray, unsendable
from adapters.soap.lexical import written
from adapters.soap.names import listed
from gateway.texts.text import Text


class _EmptyText(str):
    """A text without characters that is given all the same: of a choice zeep drops what counts as false."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


def fitted(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` as zeep needs them for the members of ``kind``.

    Raises ``ValueError`` for what is none of its type, and for what ``kind`` does not have.
    """
    known = dict(_members(kind))
    values = dict(values) | _repeated(kind, values)
    for name, group in _repeating(kind.elements_nested):
        _gather(values, name, group)
    _check_names(kind, values)
    found = {name: _fitted(known[name], value, name) if name in known else value for name, value in values.items()}
    base = getattr(kind._element, "type", None)
    if isinstance(base, xsd.ComplexType) and "_value_1" not in found:
        # zeep's place for the attributes of a type that has nothing else, where another type adds to them.
        found["_value_1"] = {name: found[name] for name, _ in base.attributes if name in found}
    return found


def _repeated(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that stand more than once in ``kind``, by zeep's names for the later places.

    One value fills them all, as PHP does it; of a choice each is a branch of its own.
    """
    branches = {id(element) for choice in _choices_in(kind.elements_nested) for _, element in choice.elements}
    later = [
        (name, element.attr_name)
        for name, element in kind.elements
        if isinstance(element, xsd.Element) and name != element.attr_name and id(element) not in branches
    ]
    return {name: values[first] for name, first in later if first in values and name not in values}


def _choices_in(nested: Iterable[tuple[str | None, Any]]) -> Iterator[Any]:
    for _, group in nested:
        if isinstance(group, xsd.Choice):
            yield group
        elif isinstance(group, xsd.Group):
            yield from _choices_in([(None, group.child)])
        elif isinstance(group, Indicator):
            yield from _choices_in(group.elements_nested)


def _check_names(kind: Any, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` for a name that ``kind`` does not have; zeep's own names begin with ``_``."""
    known = [name for name, _ in [*kind.elements, *kind.attributes] if name]
    if unknown := [name for name in values if name not in known and not name.startswith("_")]:
        shown = listed(name for name in known if not name.startswith("_"))
        raise ValueError(Text("there is no {name!r}; there are: {known}", name=unknown[0], known=shown))


def check_described(kind: Any, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where ``values``, which may be templates still, have one whose type is described nowhere."""
    known = dict(_members(kind))
    for name, value in values.items():
        member = known[name].type if name in known else None
        array = getattr(member, "_array_type", None)
        for found in (member, array.array_type if array is not None else None):
            if isinstance(found, Missing) and value is not None:
                raise unsendable(name, found)
        if isinstance(value, Mapping) and isinstance(member, xsd.ComplexType):
            check_described(member, value)


def _repeating(nested: Iterable[tuple[str | None, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the groups (choices, sequences) that repeat as a whole, by the names that zeep gives them."""
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
    """Yield one table for each place in the lists that are given."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    for place in range(max(map(len, lists.values()))):
        yield {name: items[place] for name, items in lists.items() if place < len(items)}


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    for name, element in [*getattr(kind, "elements", ()), *getattr(kind, "attributes", ())]:
        if isinstance(element, xsd.Element | xsd.Attribute):
            yield name, element


def _without_members(kind: Any) -> Any:
    """Return a structure without members that is given all the same (see ``_EmptyText``)."""
    return type("Empty", (kind._value_class,), {"__bool__": lambda self: True})()


def _fitted(element: Any, value: Any, name: str) -> Any:
    if isinstance(value, list) and getattr(element, "accepts_multiple", False):
        return [_fitted_one(element.type, item, name) for item in value]
    return _fitted_one(element.type, value, name)


def _fitted_one(kind: Any, value: Any, name: str) -> Any:
    if value is None:
        return value
    if isinstance(kind, Missing):
        raise unsendable(name, kind)
    if isinstance(kind, xsd.ComplexType):
        return _fitted_structure(kind, value, name)
    if not isinstance(kind, xsd.AnySimpleType):
        return _fitted_anything(kind, value, name)
    text = written(kind, value, name)
    return text.split() if isinstance(kind, ListType) else text or _EmptyText()


def _fitted_anything(kind: Any, value: Any, name: str) -> Any:
    """Return a value of no type in particular: zeep writes lists and tables as Python shows them. Raises ``ValueError``
    for these.
    """
    if isinstance(value, list | Mapping) and not isinstance(kind, RankedArray):
        told = Text(
            "{name!r} may be anything, so it takes a text: nothing says how a list or a table is written", name=name
        )
        raise ValueError(told)
    return value


def _fitted_structure(kind: Any, value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return fitted(kind, value) or _without_members(kind)
    if isinstance(kind._element, xsd.Element):
        return written(_innermost(kind), value, name)
    alone = _only_member(kind)
    if alone is None or getattr(kind, "_array_type", None) is not None:
        _check_structure(kind, value, name)
        return value
    # A list in a structure of its own, as .NET's ArrayOfString is, may be given as the list that it holds.
    member, element = alone
    return {member: _fitted(element, value, member)}


def _check_structure(kind: Any, value: Any, name: str) -> None:
    """Raise ``ValueError``: of a text zeep makes the first member, of a list whatever its first item is."""
    members = listed(member for member, _ in _members(kind))
    array = getattr(kind, "_array_type", None)
    if array is None:
        facts = {"name": name, "members": members}
        raise ValueError(Text("{name!r} is a structure, so it takes a table; its members: {members}", **facts))
    if isinstance(array.array_type, xsd.ComplexType):
        told = Text(
            "{name!r} is an array of SOAP's encoding in a literal body: nothing says its items' names", name=name
        )
        raise ValueError(told)


def _only_member(kind: Any) -> tuple[str, Any] | None:
    """Return the member of a structure that has no other."""
    members = list(_members(kind))
    return members[0] if len(members) == 1 and isinstance(members[0][1], xsd.Element) else None


def _innermost(kind: Any) -> Any:
    inner = kind._element.type
    return inner if not isinstance(inner, xsd.ComplexType) else xsd.String()
