"""SOAP envelopes as clients write them, and their answers read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.wire.soap.contract import NAMESPACE, schema
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12

SCHEMA = etree.XMLSchema(schema())
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
SOAP_ENC = "http://schemas.xmlsoap.org/soap/encoding/"
CONTENT_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}


def envelope(operation: str, fields: Mapping[str, str], version: str = SOAP_11) -> bytes:
    """A qualified document/literal request."""
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    body = f'<{operation} xmlns="{NAMESPACE}">{inner}</{operation}>'
    return wrap(body, version).encode()


def wrap(body: str, version: str = SOAP_11) -> str:
    return f'<e:Envelope xmlns:e="{version}"><e:Body>{body}</e:Body></e:Envelope>'


@dataclass
class Fault:
    """What a client reads of a fault."""

    code: str
    sentence: str
    number: int


def read_answer(data: bytes, version: str = SOAP_11) -> dict[str, str]:
    """The children of the response, which must be valid by the published schema."""
    response = etree.fromstring(data).find(f"{{{version}}}Body")[0]
    SCHEMA.assertValid(response)
    return {child.tag.rpartition("}")[2]: child.text or "" for child in response}


def encoded(operation: str, fields: Mapping[str, str], version: str = SOAP_11) -> str:
    """An rpc/encoded request as nuSOAP writes it, without declaration."""
    inner = "".join(f'<{name} xsi:type="xsd:string">{escape(value)}</{name}>' for name, value in fields.items())
    return (
        f'<e:Envelope xmlns:e="{version}" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" e:encodingStyle="{SOAP_ENC}">'
        f'<e:Body><n:{operation} xmlns:n="urn:WConnect">{inner}</n:{operation}></e:Body></e:Envelope>'
    )


def read_encoded(data: bytes, version: str = SOAP_11) -> dict[str, str]:
    """The members of ``return``, which must all say their types."""
    returned = etree.fromstring(data).find(f"{{{version}}}Body")[0].find("return")
    assert returned.get(f"{{{XSI}}}type") == "tns:Retorno"
    types = {child.tag: child.get(f"{{{XSI}}}type") for child in returned}
    assert types == {"status": "xsd:string", "mensagem": "xsd:string", "id": "xsd:long"}
    return {child.tag: child.text or "" for child in returned}


def read_fault(data: bytes, version: str = SOAP_11) -> Fault:
    """The fault, whose detail must be valid by the published schema."""
    SCHEMA.assertValid(detail_of(data, version))
    return read_any_fault(data, version)


def detail_of(data: bytes, version: str) -> Any:
    fault = etree.fromstring(data).find(f"{{{version}}}Body")[0]
    assert fault.tag == f"{{{version}}}Fault"
    return fault.find("detail" if version == SOAP_11 else f"{{{version}}}Detail")[0]


def read_any_fault(data: bytes, version: str = SOAP_11) -> Fault:
    """The fault of any SOAP endpoint."""
    detail = detail_of(data, version)
    fault = detail.getparent().getparent()
    code = fault.find("faultcode" if version == SOAP_11 else f"{{{version}}}Code/{{{version}}}Value").text
    text = fault.find("faultstring" if version == SOAP_11 else f"{{{version}}}Reason/{{{version}}}Text").text
    return Fault(code, text, int(detail[0].text))
