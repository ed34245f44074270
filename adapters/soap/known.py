"""As much of well-known schemas as WSDLs refer to, so that none of them is ever downloaded."""

from collections.abc import Iterable

XSD = "http://www.w3.org/2001/XMLSchema"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
"""The schema that rpc/encoded WSDLs import (Axis 1, nuSOAP, Cisco WebDialer)."""
XML = "http://www.w3.org/XML/1998/namespace"
WSDL = "http://schemas.xmlsoap.org/wsdl/"

APACHE = "http://xml.apache.org/xml-soap"
"""Axis 1's own types, which many WSDLs use without describing them: Map is known, others (Vector) count as any type."""

ENCODING_12 = "http://www.w3.org/2003/05/soap-encoding"
_MICROSOFT = "http://schemas.microsoft.com/2003/10/Serialization"
_SIMPLE = (
    *("anyURI", "base64Binary", "boolean", "byte", "date", "dateTime", "decimal", "double", "float", "hexBinary"),
    *("int", "integer", "long", "nonNegativeInteger", "positiveInteger", "short", "string", "time"),
    *("unsignedByte", "unsignedInt", "unsignedLong", "unsignedShort"),
)
BUILT_IN = frozenset(
    (
        *_SIMPLE,
        *("anyType", "anySimpleType", "duration", "ENTITIES", "ENTITY", "gDay", "gMonth", "gMonthDay", "gYear"),
        *(
            "gYearMonth",
            "ID",
            "IDREF",
            "IDREFS",
            "language",
            "Name",
            "NCName",
            "negativeInteger",
            "NMTOKEN",
            "NMTOKENS",
        ),
        *("nonPositiveInteger", "normalizedString", "NOTATION", "QName", "token"),
    )
)
"""XML Schema's own types, by their local names."""


def known_schema(url: str) -> bytes | None:
    """Return a well-known schema by its namespace or address; None for all others."""
    body = _KNOWN.get(url.rstrip("/"))
    if body is None:
        return None
    # These are written with and without their last slash.
    namespace = next((slashed for slashed in (ENCODING, f"{_MICROSOFT}/") if url in slashed), url)
    start = f'<schema xmlns="{XSD}" xmlns:xsd="{XSD}" xmlns:tns="{namespace}" targetNamespace="{namespace}" '
    start += 'elementFormDefault="qualified">'
    return f"{start}{body}</schema>".encode()


def is_known(namespace: str) -> bool:
    """Return whether ``known_schema`` has the schema of ``namespace``."""
    return namespace.rstrip("/") in _KNOWN


def _extended(names: Iterable[str], attributes: str = "") -> str:
    extension = '<simpleContent><extension base="xsd:{0}">{1}</extension></simpleContent>'
    return "".join(f'<complexType name="{name}">{extension.format(name, attributes)}</complexType>' for name in names)


_ANYTHING = '<sequence><any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/></sequence>'
_ARRAY = f'<complexType name="Array">{_ANYTHING}'


def _attributes(*names: str) -> str:
    return "".join(f'<attribute name="{name}" type="xsd:string"/>' for name in names)


def _restricted(**bases: str) -> str:
    found = (f'<simpleType name="{name}"><restriction base="xsd:{base}"/></simpleType>' for name, base in bases.items())
    return "".join(found)


def _elements(*names: str, kind: str) -> str:
    return "".join(f'<element name="{name}" nillable="true" type="{kind}"/>' for name in names)


_ADDRESSING = (
    f"{_extended(['AttributedURIType']).replace('xsd:AttributedURIType', 'xsd:anyURI')}"
    '<complexType name="EndpointReferenceType"><sequence>'
    '<element name="Address" type="xsd:anyURI"/><any namespace="##other" minOccurs="0" maxOccurs="unbounded" '
    'processContents="lax"/></sequence></complexType><element name="EndpointReference" '
    'type="tns:EndpointReferenceType"/><complexType name="RelatesToType"><simpleContent><extension base="xsd:anyURI">'
    '<attribute name="RelationshipType" type="xsd:anyURI"/></extension></simpleContent></complexType>'
    '<element name="RelatesTo" type="tns:RelatesToType"/>'
    f"{_elements('ReplyTo', 'From', 'FaultTo', kind='tns:EndpointReferenceType')}"
    f"{_elements('MessageID', 'To', 'Action', kind='xsd:anyURI')}"
)
_MAP = (
    '<complexType name="mapItem"><sequence><element name="key" type="xsd:anyType"/><element name="value" '
    'type="xsd:anyType"/></sequence></complexType><complexType name="Map"><sequence><element name="item" '
    'type="tns:mapItem" minOccurs="0" maxOccurs="unbounded"/></sequence></complexType>'
)
_MIME = _attributes("contentType", "expectedContentTypes") + _extended(
    ("base64Binary", "hexBinary"), '<attribute ref="tns:contentType"/>'
)

_KNOWN = {
    ENCODING.rstrip("/"): f"{_attributes('arrayType', 'offset', 'position', 'root')}{_ARRAY}"
    f'<attribute ref="tns:arrayType"/></complexType>{_extended(_SIMPLE)}'
    + _extended(["base64"]).replace("xsd:base64", "xsd:base64Binary"),
    ENCODING_12: f"{_attributes('arraySize', 'itemType', 'id', 'ref')}{_ARRAY}</complexType>{_extended(_SIMPLE)}",
    WSDL.rstrip("/"): _attributes("arrayType"),
    APACHE: _MAP,
    "http://schemas.xmlsoap.org/soap/envelope": _attributes("encodingStyle", "mustUnderstand", "actor"),
    "http://www.w3.org/2003/05/soap-envelope": _attributes("encodingStyle", "mustUnderstand", "role"),
    XML: _attributes("base", "id", "lang", "space"),
    "http://www.w3.org/1999/xlink": _attributes("type", "href", "role", "arcrole", "title", "show", "actuate"),
    "http://www.w3.org/2005/05/xmlmime": _MIME,
    "http://ws-i.org/profiles/basic/1.1/xsd": _restricted(swaRef="anyURI"),
    "http://www.w3.org/2005/08/addressing": _ADDRESSING,
    "http://schemas.xmlsoap.org/ws/2004/08/addressing": _ADDRESSING,
    _MICROSOFT: _restricted(char="int", duration="duration", guid="string")
    + _attributes("FactoryType", "Id", "Ref")
    + _elements("anyType", kind="xsd:anyType")
    + "".join(_elements(name, kind=f"xsd:{name}") for name in (*_SIMPLE, "QName"))
    + _elements("char", "duration", "guid", kind="xsd:string"),
}
"""What stands in each known schema, by its namespace without a last slash."""
