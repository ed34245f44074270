"""Requests as rpc/encoded servers want them: every value with its ``xsi:type``, arrays with their ``arrayType``.

zeep writes them without any of this, which some such servers refuse. See SOAP 1.1, section 5.
"""

from collections.abc import Mapping
from typing import Any

from lxml import etree
from zeep import xsd
from zeep.xsd.types.simple import AnySimpleType

from adapters.soap_documents import ENCODING

XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def write_operation(body: Any, wrapper: Any, arguments: Mapping[str, Any], *, style: str) -> None:
    """Append the operation to ``body``: ``wrapper`` is zeep's element of it, ``style`` the encodingStyle.

    ``body`` must have prefixes for all namespaces of the types. Raises ``ValueError`` for arguments that the types do
    not have, lack, or cannot hold.
    """
    operation = etree.SubElement(body, wrapper.qname)
    operation.set(etree.QName(etree.QName(body).namespace, "encodingStyle"), style)
    _write_members(operation, wrapper.type, arguments)


def _write_members(node: Any, kind: Any, values: Mapping[str, Any]) -> None:
    members = {name: element for name, element in kind.elements if isinstance(element, xsd.Element)}
    if unknown := sorted(values.keys() - members.keys()):
        raise ValueError(f"there is no {unknown[0]!r}; there are: {', '.join(members) or 'none'}")
    for name, element in members.items():
        if name in values:
            _write(node, element, values[name])
        elif _is_required(kind, element):
            raise ValueError(f"{name!r} is missing")


def _is_required(kind: Any, element: Any) -> bool:
    """Whether a structure is none without it: not what is optional, may be nil, or stands within a choice."""
    return not (element.is_optional or element.nillable) and element in list(kind._element)


def _write(parent: Any, element: Any, value: Any) -> None:
    repeated = isinstance(value, list) and element.accepts_multiple
    for item in value if repeated else [value]:
        _write_value(etree.SubElement(parent, element.qname), element.type, item)


def _write_value(node: Any, kind: Any, value: Any) -> None:
    """Fill ``node`` with ``value`` as zeep's type ``kind`` has it; without a type, as the value suggests."""
    if value is None:
        node.set(f"{{{XSI}}}nil", "true")
    elif getattr(kind, "_array_type", None) or (isinstance(value, list) and _is_anything(kind)):
        _write_array(node, kind, value)
    elif isinstance(value, Mapping):
        _write_structure(node, kind, value)
    else:
        _write_scalar(node, kind, value)


def _write_array(node: Any, kind: Any, items: Any) -> None:
    if not isinstance(items, list):
        raise ValueError(f"{etree.QName(node).localname!r} is an array, so it takes a list")
    item_kind = _item_kind(kind)
    node.set(f"{{{XSI}}}type", _prefixed(node, etree.QName(ENCODING, "Array")))
    node.set(f"{{{ENCODING}}}arrayType", f"{_prefixed(node, _name_of(item_kind))}[{len(items)}]")
    for item in items:
        _write_value(etree.SubElement(node, "item"), item_kind, item)


def _item_kind(kind: Any) -> Any:
    """The type of an array's items: as ``wsdl:arrayType`` has it, else of the element that repeats, else any."""
    array_type = getattr(kind, "_array_type", None)
    if array_type is not None and array_type.array_type is not None:
        return array_type.array_type
    repeated = [element for _, element in getattr(kind, "elements", ()) if isinstance(element, xsd.Element)]
    return repeated[0].type if repeated else xsd.AnyType()


def _write_structure(node: Any, kind: Any, values: Mapping[str, Any]) -> None:
    if _is_anything(kind):
        for name, value in values.items():
            _write_value(etree.SubElement(node, name), kind, value)
    elif _is_scalar(kind):
        raise ValueError(f"{etree.QName(node).localname!r} takes a text or a number, no table")
    else:
        _type(node, kind)
        _write_members(node, kind, values)


def _write_scalar(node: Any, kind: Any, value: Any) -> None:
    if not (_is_scalar(kind) or _is_anything(kind)):
        raise ValueError(f"{etree.QName(node).localname!r} is a structure, so it takes a table")
    if _is_anything(kind):
        node.set(f"{{{XSI}}}type", _prefixed(node, etree.QName(XSD, _GUESSES[type(value)])))
    else:
        _type(node, kind)
    node.text = str(value).lower() if isinstance(value, bool) else str(value)


_GUESSES = {str: "string", bool: "boolean", int: "int", float: "double"}


def _is_anything(kind: Any) -> bool:
    return not isinstance(kind, xsd.ComplexType | AnySimpleType)


def _is_scalar(kind: Any) -> bool:
    """A simple type, or a structure around one as in SOAP's encoding schema (``soapenc:string``)."""
    return isinstance(kind, AnySimpleType) or isinstance(getattr(kind, "_element", None), xsd.Element)


def _type(node: Any, kind: Any) -> None:
    """The ``xsi:type``; a type without a name has none."""
    if kind.qname is not None:
        node.set(f"{{{XSI}}}type", _prefixed(node, kind.qname))


def _name_of(kind: Any) -> Any:
    return etree.QName(XSD, "anyType") if kind.qname is None else kind.qname


def _prefixed(node: Any, name: Any) -> str:
    prefixes = {namespace: prefix for prefix, namespace in node.nsmap.items() if prefix}
    return f"{prefixes[name.namespace]}:{name.localname}"
