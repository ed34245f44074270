"""SOAP 1.1 and 1.2, document/literal, as published at ``?wsdl``.

Spyne makes the contract (``contract.py``), but requests do not go through it: its path costs more than the
rest of the gateway together, and lets a handful of bad bodies escape as raw exceptions. One parse, by local
names, is enough for four operations of plain text, and forgives what old clients do to namespaces.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from lxml import etree

from gateway.errors import (
    AccessError,
    GatewayError,
    MalformedRequest,
    TooLarge,
    UnknownOperation,
    UnknownTenant,
    WrongMethod,
)
from gateway.handlers import Reply
from gateway.wire.auth import query_token
from gateway.wire.contract import NAMESPACE, wsdl_at
from gateway.wire.guard import parse_xml, printable, read_body
from gateway.wire.intake import Intake
from gateway.wire.operations import OPERATIONS, Operation, find
from gateway.wire.sites import Site, base_url
from gateway.wire.transport import Answer, Environ, answer, headers_of, refuse_as_text

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
KINDS = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Names that PHP, Axis, SOAP::Lite and zeep-like clients make up when they know none.
MADE_UP = re.compile(r"(param|c-gensym|in|arg|__numeric_)[0-9]+")
ACTION = re.compile(r"""action\s*=\s*"([^"]*)\"""")


class Soap:
    """The endpoint ``/soap``: POST calls an operation, GET with ``?wsdl`` shows the contract."""

    wire = "soap"

    def __init__(self, intake: Intake, *, max_body_bytes: int) -> None:
        self._intake = intake
        self._limit = max_body_bytes

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Raises ``WrongMethod``, ``MalformedRequest``, ``TooLarge`` and what ``Intake.perform`` raises."""
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD") and asks_for_wsdl(environ.get("QUERY_STRING", "")):
            return self._describe(environ)
        if method != "POST":
            raise WrongMethod(method, allowed=("POST",))
        root = parse_xml(read_body(environ, self._limit), environ.get("CONTENT_TYPE", ""))
        version = environ["cti.soap"] = version_of(root)
        operation, texts = read_call(root, version, environ)
        reply = self._intake.perform(operation, texts, environ, site, wire=self.wire, token=query_token(environ))
        return answer(200, KINDS[version], render(operation, reply, version))

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        """A fault in the version of SOAP that the request spoke; a line of text where it called nothing."""
        if environ["REQUEST_METHOD"] != "POST":
            return refuse_as_text(error)
        version = environ.get("cti.soap") or guess_version(environ.get("CONTENT_TYPE", ""))
        return answer(status_of(error, version), KINDS[version], render_fault(error, version), headers_of(error))

    def _describe(self, environ: Environ) -> Answer:
        """The contract with the address of the host that asked, which is another one for each tenant."""
        base = base_url(environ)
        if base is None:
            raise MalformedRequest("o cabeçalho Host não é um nome de host.")
        return answer(200, KINDS[SOAP_11], wsdl_at(f"{base}/soap"))


def asks_for_wsdl(query: str) -> bool:
    return query.partition("&")[0].partition("=")[0].lower() == "wsdl"


def version_of(envelope: Any) -> str:
    """The namespace of the envelope, which is its version. Raises ``MalformedRequest``."""
    namespace, _, name = envelope.tag[1:].rpartition("}")
    if name != "Envelope" or namespace not in KINDS:
        raise MalformedRequest(f"elemento raiz {envelope.tag[:80]!r} não é um envelope SOAP.")
    return str(namespace)


def guess_version(content_type: str) -> str:
    return SOAP_12 if content_type.strip().lower().startswith("application/soap+xml") else SOAP_11


def read_call(envelope: Any, version: str, environ: Environ) -> tuple[Operation, dict[str, str]]:
    """The operation called, and its parameters. Raises ``MalformedRequest``, ``UnknownOperation``."""
    body = envelope.find(f"{{{version}}}Body")
    if body is None or not len(body):
        raise MalformedRequest("o Body do envelope SOAP está vazio.")
    called = local_name(body[0])
    operation = find(called)
    if operation:
        return operation, read_parameters(body[0], operation)
    operation = find(action_of(environ))
    if operation is None:
        raise UnknownOperation(called[:80], known=list(OPERATIONS))
    # PHP without WSDL writes document/literal without the operation's element: bare parameters in the Body.
    bare = called.lower() in operation.spellings or not len(body[0])
    return operation, read_parameters(body if bare else body[0], operation)


def action_of(environ: Environ) -> str:
    """What stands behind the last ``#`` or ``/`` of the SOAPAction; SOAP 1.2 has it in the Content-Type."""
    action = environ.get("HTTP_SOAPACTION", "")
    if not action and (found := ACTION.search(environ.get("CONTENT_TYPE", ""))):
        action = found[1]
    name: str = re.split("[#/]", action.strip().strip("\"'"))[-1]
    return name


def read_parameters(elements: Iterable[Any], operation: Operation) -> dict[str, str]:
    """The texts of ``elements`` by the names of the operation's parameters; made-up names by position."""
    names = operation.spellings
    texts: dict[str, str] = {}
    for position, element in enumerate(elements):
        written = local_name(element)
        name = names.get(written) or names.get(written.lower())
        if name is None and MADE_UP.fullmatch(written) and position < len(operation.names):
            name = operation.names[position]
        if name and not texts.get(name):
            texts[name] = text_of(element)
    return texts


def local_name(element: Any) -> str:
    name: str = element.tag.rpartition("}")[2]
    return name


def text_of(element: Any) -> str:
    """The text of ``element``; SOAP::Lite writes words with accents as base64."""
    text = element.text or ""
    if not element.get(XSI_TYPE, "").endswith("base64Binary"):
        return text
    try:
        raw = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return text
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


ENVELOPES = {version: (f"{{{version}}}Envelope", f"{{{version}}}Body", {"soap": version}) for version in KINDS}


def envelope_of(version: str) -> tuple[Any, Any]:
    """An empty envelope and its Body."""
    tag, body_tag, prefixes = ENVELOPES[version]
    envelope = etree.Element(tag, nsmap=prefixes)
    return envelope, etree.SubElement(envelope, body_tag)


def add(parent: Any, tag: str, text: str) -> Any:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


STATUS, MENSAGEM, ID = (f"{{{NAMESPACE}}}{name}" for name in ("status", "mensagem", "id"))
RESPONSES = {name: f"{{{NAMESPACE}}}{name}Response" for name in OPERATIONS}
OURS: Any = {None: NAMESPACE}


def render(operation: Operation, reply: Reply, version: str) -> bytes:
    """The response envelope."""
    envelope, body = envelope_of(version)
    response = etree.SubElement(body, RESPONSES[operation.name], nsmap=OURS)
    add(response, STATUS, "OK" if reply.ok else "ERRO")
    add(response, MENSAGEM, printable(reply.message))
    add(response, ID, str(reply.call_id))
    document: bytes = etree.tostring(envelope, encoding="utf-8")
    return DECLARATION + document


def render_fault(error: GatewayError, version: str) -> bytes:
    """The fault envelope: whose fault, the sentence, and our code in the detail."""
    envelope, body = envelope_of(version)
    fault = etree.SubElement(body, f"{{{version}}}Fault")
    sentence = printable(str(error))
    if version == SOAP_12:
        code = etree.SubElement(fault, f"{{{version}}}Code")
        add(code, f"{{{version}}}Value", "soap:Sender" if error.side == "client" else "soap:Receiver")
        reason = etree.SubElement(fault, f"{{{version}}}Reason")
        add(reason, f"{{{version}}}Text", sentence).set(XML_LANG, "pt-BR")
        detail = etree.SubElement(fault, f"{{{version}}}Detail")
    else:
        add(fault, "faultcode", "soap:Client" if error.side == "client" else "soap:Server")
        add(fault, "faultstring", sentence)
        detail = etree.SubElement(fault, "detail")
    ours = etree.SubElement(detail, f"{{{NAMESPACE}}}erro", nsmap=OURS)
    add(ours, f"{{{NAMESPACE}}}codigo", str(error.code))
    add(ours, MENSAGEM, sentence)
    document: bytes = etree.tostring(envelope, encoding="utf-8")
    return DECLARATION + document


def status_of(error: GatewayError, version: str) -> int:
    """What HTTP says of a fault: its own matters by their own status, else as each version of SOAP demands.

    SOAP 1.1 (section 6.2) wants 500 for every fault, SOAP 1.2 (part 2, table 20) 400 where the sender is at
    fault.
    """
    if isinstance(error, AccessError | TooLarge | WrongMethod | UnknownTenant):
        return error.http_status
    return 400 if version == SOAP_12 and error.side == "client" else 500
