"""SOAP 1.1 and 1.2, document/literal, as published at ``?wsdl``; ``encoded.py`` is the same in another style.

Spyne makes the contract (``contract.py``), but requests do not go through it: its path costs more than the
rest of the gateway together, and lets a handful of bad bodies escape as raw exceptions. One parse, by local
names, is enough for four operations of plain text, and forgives what old clients do to namespaces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gateway.errors import GatewayError, MalformedRequest, WrongMethod
from gateway.handlers import Reply
from gateway.texts.languages import Language
from gateway.texts.rendering import shown
from gateway.texts.text import Text
from gateway.wire.auth import query_token
from gateway.wire.guard import parse_xml, printable, read_message
from gateway.wire.intake import Intake
from gateway.wire.operations import UNDERSTOOD
from gateway.wire.parameters import Operation
from gateway.wire.sites import Site, base_url
from gateway.wire.soap.contract import NAMESPACE, wsdl_at
from gateway.wire.soap.envelopes import (
    KINDS,
    MEDIA_TYPES,
    SOAP_11,
    UTF_8,
    AnswerTemplate,
    add,
    envelope_of,
    fault_envelope,
    guess_version,
    status_of,
    to_bytes,
    version_of,
)
from gateway.wire.soap.header_blocks import HeaderBlocks
from gateway.wire.soap.requests import read_call
from gateway.wire.transport import Answer, Environ, answer, headers_of, language_of, refuse_as_text


@dataclass(frozen=True, slots=True)
class Style:
    """What tells one SOAP endpoint from another; every style understands the same requests.

    ``response(operation, version)`` is the answer's envelope, with places for ``status``, ``mensagem`` and ``id``;
    ``charset_for(body, content_type, classic)`` chooses its charset, ``wsdl_at(address, classic)`` is the published
    document; ``classic``: as the classic WConnect has them, which only one style knows.
    """

    path: str
    namespace: str
    wsdl_at: Callable[[str, bool], bytes]
    response: Callable[[Operation, str], Any]
    charset_for: Callable[[bytes, str, bool], str]


class Soap:
    """One SOAP endpoint: POST calls an operation, GET with ``?wsdl`` shows the contract."""

    wire = "soap"

    def __init__(self, intake: Intake, style: Style, *, max_body_bytes: int) -> None:
        self._intake = intake
        self._style = style
        self._limit = max_body_bytes
        self._header_blocks = HeaderBlocks()
        self._forms = {
            (name, version): AnswerTemplate(style.response(operation, version))
            for name, operation in UNDERSTOOD.items()
            for version in MEDIA_TYPES
        }

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Read a call, have it performed and answer. Raises ``WrongMethod``, ``TooLarge``, ``MalformedRequest``,
        ``WrongEnvelope``, ``NotUnderstood`` and what the intake raises.
        """
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD") and asks_for_wsdl(environ.get("QUERY_STRING", "")):
            return self._describe(environ, classic=site.dialect.classic_wsdl)
        if method != "POST":
            raise WrongMethod(method, allowed=("POST",))
        body, kind = read_message(environ, self._limit)
        charset = environ["cti.charset"] = self._style.charset_for(body, kind, site.dialect.classic_wsdl)
        root = parse_xml(body, kind)
        version = environ["cti.soap"] = version_of(root)
        self._header_blocks.look(root, version, environ, site)
        operation, texts = read_call(root, version, environ, site)
        reply = self._intake.perform(operation, texts, environ, site, wire=self.wire, token=query_token(environ))
        document = self._forms[operation.name, version].filled(texts_of(reply, language_of(environ)), charset)
        return answer(200, KINDS[version, charset], document)

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        """Answer with a fault in the version of SOAP that the request spoke; with a line of text where it called
        nothing.
        """
        if environ["REQUEST_METHOD"] != "POST":
            return refuse_as_text(error, language_of(environ))
        version = environ.get("cti.soap") or guess_version(environ.get("CONTENT_TYPE", ""))
        charset = environ.get("cti.charset", UTF_8)
        document = to_bytes(fault_envelope(error, version, self._style.namespace, language_of(environ)), charset)
        status = status_of(error, version, site_s_own(environ))
        return answer(status, KINDS[version, charset], document, headers_of(error))

    def _describe(self, environ: Environ, *, classic: bool) -> Answer:
        """Serve the contract with the address of the host that asked, which is another one for each tenant. Raises
        ``MalformedRequest``.
        """
        base = base_url(environ)
        if base is None:
            raise MalformedRequest(Text("the header Host is no name of a host."))
        kind = KINDS[SOAP_11, self._style.charset_for(b"", "", classic)]
        return answer(200, kind, self._style.wsdl_at(f"{base}{self._style.path}", classic))


def site_s_own(environ: Environ) -> int | None:
    """Return the HTTP status that the company's clients need a fault to have, where it sets one."""
    site: Site | None = environ.get("cti.site")
    return site.dialect.fault_status if site else None


def asks_for_wsdl(query: str) -> bool:
    return query.partition("&")[0].partition("=")[0].lower() == "wsdl"


OURS: Any = {None: NAMESPACE}


def texts_of(reply: Reply, language: Language) -> dict[str, str]:
    """Return the texts of an answer by the names of their places."""
    message = printable(shown(reply.message, language))
    return {"status": "OK" if reply.ok else "ERRO", "mensagem": message, "id": str(reply.call_id)}


def response(operation: Operation, version: str) -> Any:
    """Return the response envelope."""
    envelope, body = envelope_of(version)
    answered = etree.SubElement(body, f"{{{NAMESPACE}}}{operation.name}Response", nsmap=OURS)
    for name in ("status", "mensagem", "id"):
        add(answered, f"{{{NAMESPACE}}}{name}", f"@{name}@")
    return envelope


LITERAL = Style(
    "/soap", NAMESPACE, lambda address, classic: wsdl_at(address), response, lambda body, content_type, classic: UTF_8
)
