"""Types that zeep has not: those that nothing describes, arrays of several dimensions, values kept as they came."""

from decimal import InvalidOperation
from typing import Any

from zeep import xsd
from zeep.xsd.types.collection import ListType, UnionType
from zeep.xsd.types.unresolved import UnresolvedCustomType
from zeep.xsd.valueobjects import CompoundValue

from adapters.http.answers import Markup, boolean_of
from adapters.soap.answers import parts_in
from adapters.soap.names import written
from gateway.texts.text import Text


class Missing(xsd.AnyType):  # type: ignore[misc]
    """A type that nothing describes: anything in an answer, and nothing that could be sent."""

    @property
    def base_class(self) -> type[Any]:
        """What zeep makes of a type that restricts this one."""
        return type(self)

    def __init__(self, qname: Any) -> None:
        super().__init__(qname)

    def render(self, node: Any, value: Any, xsd_type: Any = None, render_path: Any = None) -> None:
        """Raise ``ValueError``: nobody knows how ``value`` is written."""
        raise ValueError(undescribed(self))


def undescribed(kind: Missing) -> Text:
    """Return why no value of ``kind`` can be sent."""
    facts = {"name": written(kind.qname.localname), "namespace": kind.qname.namespace}
    return Text("the WSDL describes the type {name!r} of the namespace {namespace!r} nowhere", **facts)


def unsendable(name: str, kind: Missing) -> ValueError:
    """Return what to raise where ``name`` is of the type ``kind`` and was given."""
    return ValueError(Text("{name!r} cannot be sent: {why}", name=name, why=undescribed(kind)))


class RankedArray(xsd.AnyType):  # type: ignore[misc]
    """The items of an array of several dimensions (``string[,]``) or of arrays (``string[][]``).

    ``innermost`` is the type of the values, ``ranks`` the dimensions of each array, the outermost first.
    """

    def __init__(self, qname: Any, innermost: Any, ranks: list[int]) -> None:
        super().__init__(qname)
        self.innermost = innermost
        self.ranks = ranks

    def render(self, node: Any, value: Any, xsd_type: Any = None, render_path: Any = None) -> None:
        """Raise ``ValueError``: only SOAP's encoding has such arrays."""
        type = written(self.qname.localname)
        raise ValueError(Text("it takes an array of several dimensions ({type}) in a literal body", type=type))


def ranks_of(sizes: str) -> list[int]:
    """Return the dimensions of arrays within arrays, the outermost first: it stands last (SOAP 1.1, 5.4.2).

    >>> ranks_of("][,]")
    [2, 1]
    """
    return [size.count(",") + 1 for size in reversed(sizes.rstrip("]").split("]["))]


class Restricted(UnresolvedCustomType):  # type: ignore[misc]
    """A simple type that restricts another one, until that one is known. ``values`` are those that it lists."""

    values: tuple[str, ...] = ()

    def resolve(self) -> Any:
        """Return the type, whose ``enumerated`` are the only values that it has; without any it has all of its base."""
        base = self.base_type.resolve()
        kind = self._made_of(base)
        kind.enumerated = self.values or getattr(base, "enumerated", ())
        return kind

    def _made_of(self, base: Any) -> Any:
        if isinstance(base, ListType | UnionType):
            # zeep makes a list or a union of the name where another type restricts one.
            kind = ListType(base.item_type) if isinstance(base, ListType) else UnionType(base.item_types)
            kind.qname = self.qname
            return kind.resolve()
        if isinstance(base, xsd.AnySimpleType | Missing):
            return type(self.name, (type(base),), {})(self.qname)
        return xsd.AnySimpleType(self.qname)


class TolerantChoice(xsd.Choice):  # type: ignore[misc]
    """A choice of which nothing need be given: one of its branches may be empty, or its structure is given empty."""

    def render(self, parent: Any, value: Any, render_path: Any) -> None:
        """Write what was given of it; nothing where a structure without members was, as PHP does."""
        if value is not xsd.const.NotSet:
            super().render(parent, value, render_path)

    def validate(self, value: Any, render_path: Any) -> None:
        """Raise zeep's ``ValidationError`` where one branch has to be given and none is."""
        if not any(branch.is_optional for branch in self):
            super().validate(value, render_path)

    def _find_element_to_render(self, value: Any) -> Any:
        """Return the branch to write and its value; of one that may be anything, not the structure that it is in."""
        found = super()._find_element_to_render(value)
        return None if found and isinstance(found[0], xsd.Any) and isinstance(value, CompoundValue) else found


class Keeping:
    """A simple type whose values stay as they came where they are none of it."""

    def xmlvalue(self, value: Any) -> Any:
        """Write a text as it is; zeep takes parts of dates as tuples only."""
        return value if isinstance(value, str) else super().xmlvalue(value)  # type: ignore[misc]

    def pythonvalue(self, value: Any) -> Any:
        if isinstance(self, xsd.Boolean):
            return boolean_of(value)
        try:
            return super().pythonvalue(value)  # type: ignore[misc]
        except (TypeError, ValueError, InvalidOperation):
            return value

    def parse_xmlelement(self, xmlelement: Any, *given: Any, **named: Any) -> Any:
        if isinstance(xmlelement.tag, str) and len(xmlelement):
            return Markup.of(xmlelement, parts_in(xmlelement))
        return super().parse_xmlelement(xmlelement, *given, **named)  # type: ignore[misc]
