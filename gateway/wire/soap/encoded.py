"""SOAP in the style of the classic WConnect: rpc/encoded, namespace ``urn:WConnect``, typed answers.

Delphi, nuSOAP, SOAP::Lite, Axis 1 and PHP applications were written against that service. Answers look like nuSOAP's,
which it is made with: ``xsi:type`` on every value, ``encodingStyle``, and ISO-8859-1 for those who speak it.
"""

from typing import Any

from lxml import etree

from gateway.wire.guard import CHARSET, declared_charset
from gateway.wire.parameters import Operation
from gateway.wire.soap.contract_encoded import CLASSIC, NAMESPACE, PATH, PLAIN, SOAP_ENC, XSD, returned_by, wsdl_at
from gateway.wire.soap.endpoint import Style
from gateway.wire.soap.envelopes import LATIN_1, SOAP_11, SOAP_12, UTF_8, add

XSI = "http://www.w3.org/2001/XMLSchema-instance"
SOAP_ENC_12 = "http://www.w3.org/2003/05/soap-encoding"
ENCODINGS = {SOAP_11: SOAP_ENC, SOAP_12: SOAP_ENC_12}
PREFIXES = {
    version: {"SOAP-ENV": version, "xsd": XSD, "xsi": XSI, "SOAP-ENC": encoding, "tns": NAMESPACE}
    for version, encoding in ENCODINGS.items()
}
TYPE = f"{{{XSI}}}type"
LATIN_NAMES = ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "iso-8859-15", "us-ascii")


def charset_for(body: bytes, content_type: str, classic: bool = False) -> str:
    """Return the charset of the answer: ISO-8859-1 for who says so in the header (else in the declaration), or UTF-8;
    the ``classic`` WConnect has ISO-8859-1 for who says nothing, too.
    """
    in_header = CHARSET.search(content_type)
    said = in_header[1].lower() if in_header else declared_charset(body)
    return LATIN_1 if said in LATIN_NAMES or (classic and not said) else UTF_8


def response(operation: Operation, version: str) -> Any:
    """Return the response envelope, every value with its type."""
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap=PREFIXES[version])
    body = etree.SubElement(envelope, f"{{{version}}}Body")
    answered = etree.SubElement(body, f"{{{NAMESPACE}}}{operation.name}Response")
    # SOAP 1.2 (part 1, 5.1.1) forbids the attribute on the envelope.
    styled = envelope if version == SOAP_11 else answered
    styled.set(f"{{{version}}}encodingStyle", ENCODINGS[version])
    structure, members = returned_by(operation)
    returned = etree.SubElement(answered, "return", {TYPE: f"tns:{structure}"})
    for name, kind in members:
        add(returned, name, f"@{name}@").set(TYPE, f"xsd:{kind}")
    return envelope


ENCODED = Style(
    PATH,
    NAMESPACE,
    lambda address, classic: wsdl_at(address, CLASSIC if classic else PLAIN),
    response,
    charset_for,
)
