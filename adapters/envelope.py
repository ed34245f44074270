"""SOAP envelopes read without trust, and the one schema that old WSDLs expect from the network."""

from typing import Any

from lxml import etree

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
"""The schema that rpc/encoded WSDLs import (Axis 1, nuSOAP, Cisco WebDialer); it is never fetched."""

_ENVELOPES = {
    "http://schemas.xmlsoap.org/soap/envelope/": ("faultstring", "faultcode"),
    "http://www.w3.org/2003/05/soap-envelope": ("Text", "Value"),
}
"""SOAP 1.1 and 1.2: where a fault keeps its sentence and its code."""

_SIMPLE = (
    *(
        "anyURI",
        "base64Binary",
        "boolean",
        "byte",
        "date",
        "dateTime",
        "decimal",
        "double",
        "float",
        "hexBinary",
    ),
    *("int", "integer", "long", "nonNegativeInteger", "positiveInteger", "short", "string", "time"),
    *("unsignedByte", "unsignedInt", "unsignedLong", "unsignedShort"),
)


def parsed(content: bytes, encoding: str | None = None) -> Any:
    """The root element, or None for what is no XML or has a DTD, which nobody needs here."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding=encoding
    )
    try:
        root = etree.fromstring(content.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.doctype else root


def envelope_of(body: bytes) -> Any:
    """The SOAP envelope, or None when the body is something else.

    nuSOAP and others send Latin-1 and do not say so.
    """
    root = parsed(body)
    if root is None:
        root = parsed(body, "iso-8859-1")
    if root is None or etree.QName(root).localname != "Envelope":
        return None
    return root if etree.QName(root).namespace in _ENVELOPES else None


def fault_of(envelope: Any) -> str:
    """The fault's sentence, or nothing when there is no fault."""
    fault = next(envelope.iterfind("{*}Body/{*}Fault"), None)
    if fault is None:
        return ""
    text, code = _ENVELOPES[etree.QName(envelope).namespace]
    said = (fault.findtext(f".//{{*}}{name}", "").strip() for name in (code, text))
    return "falha " + ", ".join(part for part in said if part)


def encoding_schema() -> bytes:
    """As much of SOAP's encoding schema as WSDLs refer to: its array and its simple types."""
    extension = '<simpleContent><extension base="xsd:{0}"/></simpleContent>'
    types = "".join(f'<complexType name="{name}">{extension.format(name)}</complexType>' for name in _SIMPLE)
    return f"""<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
      xmlns:tns="{ENCODING}" targetNamespace="{ENCODING}">
      <attribute name="arrayType" type="xsd:string"/>
      <complexType name="Array">
        <sequence>
          <any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
        </sequence>
        <attribute ref="tns:arrayType"/>
      </complexType>
      {types}</schema>""".encode()
