"""SOAP envelopes of both versions: told apart, made, and the fault in them. What every SOAP endpoint shares."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.errors import (
    AccessError,
    GatewayError,
    MalformedRequest,
    NotUnderstood,
    TooLarge,
    UnknownTenant,
    WrongEnvelope,
    WrongMethod,
)
from gateway.texts.languages import Language
from gateway.texts.text import Text
from gateway.wire.guard import printable

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
MEDIA_TYPES = {SOAP_11: "text/xml", SOAP_12: "application/soap+xml"}
KINDS = {
    (version, charset): f"{kind}; charset={charset}"
    for version, kind in MEDIA_TYPES.items()
    for charset in ("utf-8", "ISO-8859-1")
}
UTF_8, LATIN_1 = "utf-8", "ISO-8859-1"
DECLARATIONS = {
    UTF_8: b'<?xml version="1.0" encoding="UTF-8"?>\n',
    LATIN_1: b'<?xml version="1.0" encoding="ISO-8859-1"?>\n',
}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ENVELOPES = {version: (f"{{{version}}}Envelope", f"{{{version}}}Body", {"soap": version}) for version in MEDIA_TYPES}


def version_of(envelope: Any) -> str:
    """Return the namespace of the envelope, which is its version. Raises ``MalformedRequest`` and ``WrongEnvelope``."""
    namespace, _, name = envelope.tag[1:].rpartition("}")
    if name != "Envelope":
        raise MalformedRequest(Text("root element {tag!r} is no SOAP envelope.", tag=envelope.tag[:80]))
    if namespace not in MEDIA_TYPES:
        raise WrongEnvelope(namespace, known=tuple(MEDIA_TYPES))
    return str(namespace)


def guess_version(content_type: str) -> str:
    return SOAP_12 if content_type.strip().lower().startswith("application/soap+xml") else SOAP_11


def envelope_of(version: str) -> tuple[Any, Any]:
    """Return an empty envelope and its Body."""
    tag, body_tag, prefixes = ENVELOPES[version]
    envelope = etree.Element(tag, nsmap=prefixes)
    return envelope, etree.SubElement(envelope, body_tag)


def add(parent: Any, tag: str, text: str) -> Any:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


def to_bytes(envelope: Any, charset: str = UTF_8) -> bytes:
    """Return the document in ``charset``; what it does not hold is written as character references."""
    document: bytes = etree.tostring(envelope, encoding=charset, xml_declaration=False)
    return DECLARATIONS[charset] + document


PLACE = re.compile("@([a-z]+)@")


class AnswerTemplate:
    """An envelope that is written once and filled in for each answer, which takes a fifth of the time.

    ``envelope`` has ``@name@`` where a text belongs, as the whole text of an element.
    """

    def __init__(self, envelope: Any) -> None:
        self._pieces = PLACE.split(etree.tostring(envelope, encoding="unicode"))

    def filled(self, texts: Mapping[str, str], charset: str) -> bytes:
        """Return the document with ``texts`` by their names, as ``to_bytes`` would write it; XML can
        hold all of them.
        """
        pieces = self._pieces.copy()
        pieces[1::2] = [escaped(texts[name]) for name in pieces[1::2]]
        return DECLARATIONS[charset] + "".join(pieces).encode(charset, "xmlcharrefreplace")


def escaped(text: str) -> str:
    """Return ``text`` as it stands in an element."""
    return text if text.isalnum() else _escaped_signs(text)


@lru_cache(maxsize=1024)
def _escaped_signs(text: str) -> str:
    # Remembered, because an answer is one of a few sentences, but for its number.
    return escape(text, {"\r": "&#13;"})


def fault_envelope(error: GatewayError, version: str, namespace: str, language: Language) -> Any:
    """Return the fault envelope: whose fault, the sentence, and our code in the detail, named in ``namespace``.

    In SOAP 1.1 a fault of the header has no detail (4.4): our code stands in the Header then.
    """
    envelope, body = envelope_of(version)
    fault = etree.SubElement(body, f"{{{version}}}Fault")
    blocks = _header_of(error, version)
    if version == SOAP_12:
        _say_12(fault, error, language)
        place = etree.SubElement(fault, f"{{{version}}}Detail")
    else:
        add(fault, "faultcode", f"soap:{_code_of(error, 'Client', 'Server')}")
        add(fault, "faultstring", printable(error.said(language)))
        of_header = isinstance(error, NotUnderstood)
        place = blocks if of_header else etree.SubElement(fault, "detail")
    _add_code(place, error, namespace, language)
    if len(blocks):
        envelope.insert(0, blocks)
    return envelope


def _say_12(fault: Any, error: GatewayError, language: Language) -> None:
    code = etree.SubElement(fault, f"{{{SOAP_12}}}Code")
    add(code, f"{{{SOAP_12}}}Value", f"soap:{_code_of(error, 'Sender', 'Receiver')}")
    reason = etree.SubElement(fault, f"{{{SOAP_12}}}Reason")
    add(reason, f"{{{SOAP_12}}}Text", printable(error.said(language))).set(XML_LANG, language)


def _add_code(parent: Any, error: GatewayError, namespace: str, language: Language) -> None:
    prefixes: Any = {None: namespace}
    ours = etree.SubElement(parent, f"{{{namespace}}}erro", nsmap=prefixes)
    add(ours, f"{{{namespace}}}codigo", str(error.code))
    add(ours, f"{{{namespace}}}mensagem", printable(error.said(language)))


def _code_of(error: GatewayError, client: str, server: str) -> str:
    """Return the fault's code: ``client`` or ``server``, whose fault it is, unless SOAP has one of its own (1.1,
    4.4.1).
    """
    if isinstance(error, WrongEnvelope):
        return "VersionMismatch"
    if isinstance(error, NotUnderstood):
        return "MustUnderstand"
    return client if error.side == "client" else server


def _header_of(error: GatewayError, version: str) -> Any:
    """Return a Header, in SOAP 1.2 with what it has to say of ``error`` (part 1, 5.4.7 and 5.4.8)."""
    header = etree.Element(f"{{{version}}}Header", nsmap={"soap": version})
    if version == SOAP_12 and isinstance(error, WrongEnvelope):
        _add_upgrade(header)
    if version == SOAP_12 and isinstance(error, NotUnderstood):
        for name in error.names:
            _add_not_understood(header, name)
    return header


def _add_upgrade(header: Any) -> None:
    """Say which envelopes are understood."""
    upgrade = etree.SubElement(header, f"{{{SOAP_12}}}Upgrade")
    for prefix, version in (("soap", SOAP_12), ("soap11", SOAP_11)):
        supported = etree.SubElement(upgrade, f"{{{SOAP_12}}}SupportedEnvelope", nsmap={prefix: version})
        supported.set("qname", f"{prefix}:Envelope")


def _add_not_understood(header: Any, name: str) -> None:
    """Say which block is not understood; one whose namespace lxml cannot write is in the fault's sentence only."""
    namespace, _, local = name.removeprefix("{").rpartition("}")
    with suppress(ValueError):
        told = etree.SubElement(header, f"{{{SOAP_12}}}NotUnderstood", nsmap={"n": namespace} if namespace else {})
        told.set("qname", f"n:{local}" if namespace else local)


def status_of(error: GatewayError, version: str, wanted: int | None = None) -> int:
    """Return the HTTP status of a fault: our own errors have theirs where it matters, else as each version of SOAP
    demands.

    SOAP 1.1 (section 6.2) wants 500 for every fault, SOAP 1.2 (part 2, table 20) 400 where the sender is at
    fault. ``wanted`` is for clients that read the body of one status only; 401 stays, or nobody would log in.
    """
    if wanted and error.http_status != HTTPStatus.UNAUTHORIZED:
        return wanted
    if isinstance(error, AccessError | TooLarge | WrongMethod | UnknownTenant):
        return error.http_status
    sender = error.side == "client" and not isinstance(error, WrongEnvelope | NotUnderstood)
    return 400 if version == SOAP_12 and sender else 500
