"""WSDLs and schemas as they are in the field, made readable for a strict parser before it sees them.

Two things stop zeep: names that are no XML names (the service ``WConnect CRM Senior``) and imports of well-known
schemas, which it would download from w3.org and xmlsoap.org. Names are encoded as .NET does it
(``WConnect_x0020_CRM_x0020_Senior``), which is reversible; well-known schemas are answered from here.
"""

import re
from typing import Any

from lxml import etree

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
"""The schema that rpc/encoded WSDLs import (Axis 1, nuSOAP, Cisco WebDialer)."""

_ENCODING_12 = "http://www.w3.org/2003/05/soap-encoding"
_APACHE = "http://xml.apache.org/xml-soap"
"""Axis 1's own types (Map, Vector), which many WSDLs use without describing them; they then count as any type."""
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_XSD = "http://www.w3.org/2001/XMLSchema"
_SIMPLE = (
    *("anyURI", "base64Binary", "boolean", "byte", "date", "dateTime", "decimal", "double", "float", "hexBinary"),
    *("int", "integer", "long", "nonNegativeInteger", "positiveInteger", "short", "string", "time"),
    *("unsignedByte", "unsignedInt", "unsignedLong", "unsignedShort"),
)
_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NO_NAME = re.compile(f"^[^{_START}]|[^{_START}0-9.\xb7\u0300-\u036f\u203f\u2040-]")
"""Where a name is none by the production NCName of XML Namespaces."""
_REFERENCES = ("type", "element", "message", "binding", "base", "ref", "itemType", f"{{{_WSDL}}}arrayType")
"""Attributes of WSDL and schema elements that point to a name, maybe with a prefix."""


def safe(name: str) -> str:
    """``name`` as an XML name: what may not stand in one becomes ``_xHHHH_``.

    >>> safe("WConnect CRM SeniorPort")
    'WConnect_x0020_CRM_x0020_SeniorPort'
    """
    return _NO_NAME.sub(lambda found: f"_x{ord(found[0]):04X}_", name)


def written(name: str) -> str:
    """A safe name as its WSDL writes it.

    >>> written("WConnect_x0020_CRM_x0020_Senior")
    'WConnect CRM Senior'
    """
    return re.sub(r"_x([0-9A-F]{4,6})_", lambda found: chr(int(found[1], 16) % 0x110000), name)


def repaired(root: Any) -> bytes:
    """A parsed WSDL or schema as bytes in which every name is an XML name and no known schema is far away."""
    foreign = {} if _defines(root, _APACHE) else {_APACHE: "anyType"}
    for element in root.iter(f"{{{_WSDL}}}*", f"{{{_XSD}}}*"):
        if name := element.get("name"):
            element.set("name", safe(name))
        for attribute in _REFERENCES:
            if value := element.get(attribute):
                element.set(attribute, _reference(value, element.nsmap, foreign))
        if element.tag == f"{{{_XSD}}}import":
            _bring_near(element)
    return bytes(etree.tostring(root))


def _defines(root: Any, namespace: str) -> bool:
    return any(schema.get("targetNamespace") == namespace for schema in root.iter(f"{{{_XSD}}}schema"))


def known_schema(url: str) -> bytes | None:
    """As much of a well-known schema as WSDLs refer to, by its namespace or address; None for all others."""
    body = _KNOWN.get(url.rstrip("/"))
    if body is None:
        return None
    # Only this one is written with and without its last slash.
    namespace = ENCODING if url in ENCODING else url
    start = f'<schema xmlns="{_XSD}" xmlns:xsd="{_XSD}" xmlns:tns="{namespace}" targetNamespace="{namespace}">'
    return f"{start}{body}</schema>".encode()


def _reference(value: str, nsmap: dict[str | None, str], foreign: dict[str, str]) -> str:
    """A name with its prefix and, for an array's items, its brackets.

    Names of the namespaces in ``foreign``, which no schema describes, become the XML Schema type that stands there.
    """
    prefix, colon, local = value.partition(":")
    if not colon or prefix not in nsmap:
        prefix, colon, local = "", "", value
    local, bracket, size = local.partition("[")
    known = [ours for ours, namespace in nsmap.items() if namespace == _XSD]
    if colon and known and (instead := foreign.get(nsmap[prefix])):
        prefix, colon, local = (known[0], ":", instead) if known[0] else ("", "", instead)
    return prefix + colon + safe(local) + bracket + size


def _bring_near(element: Any) -> None:
    """An import of a known schema leads to our copy of it, wherever the document says that it lies."""
    namespace = element.get("namespace", "")
    if namespace == _XSD:
        element.getparent().remove(element)
    elif namespace.rstrip("/") in _KNOWN:
        element.set("schemaLocation", namespace)


def _simple_types() -> str:
    extension = '<simpleContent><extension base="xsd:{0}"/></simpleContent>'
    return "".join(f'<complexType name="{name}">{extension.format(name)}</complexType>' for name in _SIMPLE)


_ANYTHING = '<sequence><any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/></sequence>'
_ARRAY = f'<complexType name="Array">{_ANYTHING}'


def _attributes(*names: str) -> str:
    return "".join(f'<attribute name="{name}" type="xsd:string"/>' for name in names)


_KNOWN = {
    ENCODING.rstrip("/"): f"{_attributes('arrayType', 'offset', 'position', 'root')}{_ARRAY}"
    f'<attribute ref="tns:arrayType"/></complexType>{_simple_types()}',
    _ENCODING_12: f"{_attributes('arraySize', 'itemType', 'id', 'ref')}{_ARRAY}</complexType>{_simple_types()}",
    _WSDL.rstrip("/"): _attributes("arrayType"),
    "http://schemas.xmlsoap.org/soap/envelope": _attributes("encodingStyle", "mustUnderstand", "actor"),
    "http://www.w3.org/2003/05/soap-envelope": _attributes("encodingStyle", "mustUnderstand", "role"),
    "http://www.w3.org/XML/1998/namespace": _attributes("base", "id", "lang", "space"),
}
"""What stands in each known schema, by its namespace without a last slash."""
