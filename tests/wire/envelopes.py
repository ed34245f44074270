"""SOAP envelopes as clients write them, and their answers read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from gateway.wire.contract import NAMESPACE, schema
from gateway.wire.soap import SOAP_11, SOAP_12

SCHEMA = etree.XMLSchema(schema())
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


def read_fault(data: bytes, version: str = SOAP_11) -> Fault:
    """The fault, whose detail must be valid by the published schema."""
    fault = etree.fromstring(data).find(f"{{{version}}}Body")[0]
    assert fault.tag == f"{{{version}}}Fault"
    detail = fault.find("detail" if version == SOAP_11 else f"{{{version}}}Detail")[0]
    SCHEMA.assertValid(detail)
    code = fault.find("faultcode" if version == SOAP_11 else f"{{{version}}}Code/{{{version}}}Value").text
    text = fault.find("faultstring" if version == SOAP_11 else f"{{{version}}}Reason/{{{version}}}Text").text
    return Fault(code, text, int(detail[0].text))
