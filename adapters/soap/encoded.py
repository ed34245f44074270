"""Requests as rpc/encoded servers want them: every value with its ``xsi:type``, arrays with their ``arrayType``.

zeep writes them without any of this, which some such servers refuse. See SOAP 1.1, section 5.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree
from zeep import xsd
from zeep.xsd.types.simple import AnySimpleType

from adapters.soap.envelope import SOAP_12
from adapters.soap.kinds import Missing, RankedArray, unsendable
from adapters.soap.known import APACHE, ENCODING, ENCODING_12, XSD
from adapters.soap.lexical import written
from adapters.soap.names import listed
from gateway.texts.text import Text

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MAP = etree.QName(APACHE, "Map")


def write_operation(body: Any, wrapper: Any, arguments: Mapping[str, Any], *, style: str, wrapped: bool = True) -> None:
    """Append the operation to ``body``: ``wrapper`` is zeep's element of it, ``style`` the encodingStyle.

    Unless ``wrapped`` (document/encoded, as old nuSOAP describes its services), the parts stand in the Body themselves.
    ``body`` must have prefixes for all namespaces of the types. Raises ``ValueError`` for arguments that the types do
    not have, lack, or cannot hold.
    """
    operation = etree.SubElement(body, wrapper.qname) if wrapped else body
    # zeep makes an element called Body of several parts, and none of a part that is alone.
    alone = not wrapped and wrapper.qname != body.tag
    _write_members(operation, xsd.ComplexType(xsd.Sequence([wrapper])) if alone else wrapper.type, arguments)
    if _is_soap_12(body) and style == ENCODING:
        style = ENCODING_12
    # SOAP 1.2 forbids the attribute on the Body itself (part 1, 5.1.1).
    for styled in [operation] if wrapped else operation:
        styled.set(etree.QName(etree.QName(body).namespace, "encodingStyle"), style)


def _write_members(node: Any, kind: Any, values: Mapping[str, Any]) -> None:
    members = {name: element for name, element in kind.elements if isinstance(element, xsd.Element)}
    attributes = {name: each for name, each in kind.attributes if isinstance(each, xsd.Attribute)}
    if unknown := sorted(values.keys() - members.keys() - attributes.keys()):
        known = listed([*members, *attributes])
        raise ValueError(Text("there is no {name!r}; there are: {known}", name=unknown[0], known=known))
    for name, attribute in attributes.items():
        _write_attribute(node, name, attribute, values.get(name))
    for name, element in members.items():
        if name in values:
            _write(node, element, values[name])
        elif _is_required(kind, element):
            raise ValueError(Text("{name!r} is missing", name=name))


def _write_attribute(node: Any, name: str, attribute: Any, value: Any) -> None:
    """Set the attribute, or what the WSDL has for it where nothing is given."""
    value = attribute.default if value is None else value
    if value is None and attribute.required:
        raise ValueError(Text("{name!r} is missing", name=name))
    if value is not None:
        node.set(attribute.qname, written(attribute.type, value, name))


def _is_required(kind: Any, element: Any) -> bool:
    """Return whether a structure is incomplete without ``element``: not where that is optional, may be nil, or stands
    within a choice.
    """
    return not (element.is_optional or element.nillable) and element in list(kind._element)


def _write(parent: Any, element: Any, value: Any) -> None:
    repeated = isinstance(value, list) and element.accepts_multiple
    if repeated and element.max_occurs != "unbounded" and len(value) > element.max_occurs:
        name = etree.QName(element.qname).localname
        facts = {"name": name, "times": element.max_occurs, "items": len(value)}
        raise ValueError(Text("{name!r} is there {times} times at most, and came with {items} items", **facts))
    for item in value if repeated else [value]:
        # Accessors whose names are local have no namespace, whatever the schema's elementFormDefault (SOAP 1.1, 5.1).
        _write_value(etree.SubElement(parent, etree.QName(element.qname).localname), element.type, item)


def _write_value(node: Any, kind: Any, value: Any) -> None:
    """Fill ``node`` with ``value`` as zeep's type ``kind`` has it; without a type, as the value suggests."""
    if value is None:
        node.set(f"{{{XSI}}}nil", "true")
    elif isinstance(kind, Missing):
        raise unsendable(_local(node), kind)
    elif getattr(kind, "_array_type", None) or (isinstance(value, list) and _is_anything(kind)):
        _write_array(node, kind, value)
    elif kind.qname == _MAP and not _is_spelt_out(value):
        _write_map(node, kind, value)
    elif isinstance(value, Mapping):
        _write_structure(node, kind, value)
    else:
        _write_scalar(node, kind, value)


def _write_array(node: Any, kind: Any, items: Any) -> None:
    if not isinstance(items, list):
        raise ValueError(Text("{name!r} is an array, so it takes a list", name=_local(node)))
    item_kind = _item_kind(kind)
    if isinstance(item_kind, RankedArray):
        _write_ranks(node, item_kind.innermost, item_kind.ranks, items)
        return
    if _is_scalar(item_kind) and any(isinstance(item, list) for item in items):
        raise ValueError(Text("{name!r} is an array of one dimension, and came with more", name=_local(node)))
    _mark_array(node, _name_of(item_kind), [len(items)])
    for item in items:
        _write_value(etree.SubElement(node, "item"), item_kind, item)


def _mark_array(node: Any, item: Any, sizes: Sequence[int], inner: str = "") -> None:
    """Write of what and how large an array is (SOAP 1.1, 5.4.2; SOAP 1.2, part 2, 3.1.4).

    ``inner`` are the brackets of the arrays that are its items.
    """
    if _is_soap_12(node):
        item = etree.QName(ENCODING_12, "Array") if inner else item
        node.set(f"{{{XSI}}}type", _prefixed(node, etree.QName(ENCODING_12, "Array")))
        node.set(f"{{{ENCODING_12}}}itemType", _prefixed(node, item))
        node.set(f"{{{ENCODING_12}}}arraySize", " ".join(map(str, sizes)))
    else:
        node.set(f"{{{XSI}}}type", _prefixed(node, etree.QName(ENCODING, "Array")))
        size = ",".join(map(str, sizes))
        node.set(f"{{{ENCODING}}}arrayType", f"{_prefixed(node, item)}{inner}[{size}]")


def _is_soap_12(node: Any) -> bool:
    return bool(etree.QName(node.getroottree().getroot()).namespace == SOAP_12)


def _write_ranks(node: Any, kind: Any, ranks: Sequence[int], items: Any) -> None:
    """Write an array of several dimensions, or of arrays: ``ranks`` are the dimensions of each, the outermost first."""
    sizes, flat = _flattened(items, ranks[0], _local(node))
    inner = "".join(f"[{',' * (rank - 1)}]" for rank in reversed(ranks[1:]))
    _mark_array(node, _name_of(kind), sizes, inner)
    for item in flat:
        child = etree.SubElement(node, "item")
        if len(ranks) > 1:
            _write_ranks(child, kind, ranks[1:], item)
        else:
            _write_value(child, kind, item)


def _flattened(items: Any, rank: int, name: str) -> tuple[list[int], list[Any]]:
    """Return the sizes of nested lists and their items, the last dimension the fastest. Raises ``ValueError``."""
    if not isinstance(items, list):
        raise ValueError(Text("{name!r} is an array of several dimensions, so it takes lists of lists", name=name))
    if rank == 1:
        return [len(items)], items
    rows = [_flattened(row, rank - 1, name) for row in items]
    if len({tuple(sizes) for sizes, _ in rows}) > 1:
        raise ValueError(
            Text("{name!r} is an array of several dimensions, and came with rows of different lengths", name=name)
        )
    return [len(items), *(rows[0][0] if rows else [0] * (rank - 1))], [item for _, flat in rows for item in flat]


def _is_spelt_out(value: Any) -> bool:
    """Return whether a Map is given as the structure that it is made of: items with a key and a value."""
    return isinstance(value, Mapping) and set(value) == {"item"} and isinstance(value["item"], list | Mapping)


def _write_map(node: Any, kind: Any, value: Any) -> None:
    """Write Apache's Map, in which every table within is one as well (as PHP and Axis write it)."""
    if not isinstance(value, Mapping):
        raise ValueError(Text("{name!r} is a Map, so it takes a table", name=_local(node)))
    _type(node, kind)
    for name, inner in value.items():
        item = etree.SubElement(node, "item")
        _write_value(etree.SubElement(item, "key"), xsd.String(), name)
        _write_value(etree.SubElement(item, "value"), kind if isinstance(inner, Mapping) else xsd.AnyType(), inner)


def _item_kind(kind: Any) -> Any:
    """Return the type of an array's items: as ``wsdl:arrayType`` has it, else of the element that repeats, else any."""
    array_type = getattr(kind, "_array_type", None)
    if array_type is not None and array_type.array_type is not None:
        return array_type.array_type
    repeated = [element for _, element in getattr(kind, "elements", ()) if isinstance(element, xsd.Element)]
    return repeated[0].type if repeated else xsd.AnyType()


def _write_structure(node: Any, kind: Any, values: Mapping[str, Any]) -> None:
    if _is_anything(kind):
        for name, value in values.items():
            _write_value(etree.SubElement(node, name), kind, value)
    elif _is_scalar(kind) and set(values) - {name for name, _ in getattr(kind, "attributes", ())} == {"_value_1"}:
        _type(node, kind)
        _write_text_with_attributes(node, kind, values)
    elif _is_scalar(kind):
        raise ValueError(Text("{name!r} takes a text or a number, no table", name=_local(node)))
    else:
        _type(node, kind)
        _write_members(node, kind, values)


def _write_text_with_attributes(node: Any, kind: Any, values: Mapping[str, Any]) -> None:
    """Write a text that has attributes beside it; it is called ``_value_1``, as zeep calls it."""
    node.text = written(_innermost(kind), values["_value_1"], _local(node))
    for name, attribute in kind.attributes:
        if isinstance(attribute, xsd.Attribute):
            _write_attribute(node, name, attribute, values.get(name))


def _write_scalar(node: Any, kind: Any, value: Any) -> None:
    if not (_is_scalar(kind) or _is_anything(kind)):
        raise ValueError(Text("{name!r} is a structure, so it takes a table", name=_local(node)))
    if _is_anything(kind):
        node.set(f"{{{XSI}}}type", _prefixed(node, etree.QName(XSD, _GUESSES[type(value)])))
    else:
        _type(node, kind)
    node.text = written(_innermost(kind), value, _local(node))


_GUESSES = {str: "string", bool: "boolean", int: "int", float: "double"}


def _local(node: Any) -> str:
    return str(etree.QName(node).localname)


def _is_anything(kind: Any) -> bool:
    return not isinstance(kind, xsd.ComplexType | AnySimpleType)


def _is_scalar(kind: Any) -> bool:
    """Return whether ``kind`` is a simple type, or a structure around one as in SOAP's encoding schema
    (``soapenc:string``).
    """
    return isinstance(kind, AnySimpleType) or isinstance(getattr(kind, "_element", None), xsd.Element)


def _innermost(kind: Any) -> Any:
    """Return the simple type inside a structure around one; any other kind is returned itself."""
    return kind._element.type if isinstance(kind, xsd.ComplexType) else kind


def _type(node: Any, kind: Any) -> None:
    """Set the ``xsi:type``; a type without a name has none."""
    if kind.qname is not None:
        node.set(f"{{{XSI}}}type", _prefixed(node, kind.qname))


def _name_of(kind: Any) -> Any:
    return etree.QName(XSD, "anyType") if kind.qname is None else kind.qname


def _prefixed(node: Any, name: Any) -> str:
    prefixes = {namespace: prefix for prefix, namespace in node.nsmap.items() if prefix}
    return f"{prefixes[name.namespace]}:{name.localname}"
