"""The rpc/encoded contract, made of ``operations.py``: what importers of Delphi, PHP, nuSOAP and SOAP::Lite read.

Spyne writes document/literal only. Names follow the habits of nuSOAP (0.9.5), without the spaces of the classic
service's names, which several importers do not take; who needs those chooses ``CLASSIC``. Nothing is imported, because
some importers download every import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import render
from gateway.wire.operations import OPERATIONS, SET_TESTE
from gateway.wire.parameters import LOGIN, Operation

NAMESPACE = "urn:WConnect"
PATH = "/wconnect/wsdl/WConnect_WSDL.php"
PLACEHOLDER_ADDRESS = f"http://EMPRESA.example.com{PATH}"
Members = Sequence[tuple[str, str]]
Structure = tuple[str, Members]
"""Name of a complex type, and of its members with their types of XML Schema."""
RETURNED: Structure = ("Retorno", (("status", "string"), ("mensagem", "string"), ("id", "long")))
# As a client made of the real service's WSDL in 2017 has them.
LOGIN_GIVEN: Structure = ("Tautenticacao", tuple((name, "string") for name in LOGIN))
LOGIN_TESTED: Structure = ("TautenticacaoRetornoDados", (("status", "string"), ("mensagem", "string")))
PUBLISHED = (*OPERATIONS.values(), SET_TESTE)

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_ENC = "http://schemas.xmlsoap.org/soap/encoding/"
XSD = "http://www.w3.org/2001/XMLSchema"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
PREFIXES: Any = {"tns": NAMESPACE, "xsd": XSD, "soap": SOAP, None: WSDL}


@dataclass(frozen=True, slots=True)
class WsdlNames:
    """How the document calls the service, from which nuSOAP makes the names of port, binding and port type."""

    service: str
    charset: str

    @property
    def port(self) -> str:
        """The port's name."""
        return f"{self.service}Port"

    @property
    def port_type(self) -> str:
        """The port type's name."""
        return f"{self.service}PortType"

    @property
    def binding(self) -> str:
        """The binding's name."""
        return f"{self.service}Binding"


PLAIN = WsdlNames("WConnect", "UTF-8")
CLASSIC = WsdlNames("WConnect CRM Senior", "ISO-8859-1")
"""The real service's: names with spaces are no NCNames, so that strict importers refuse them."""


def returned_by(operation: Operation) -> Structure:
    """Return what an answer to ``operation`` holds."""
    return LOGIN_TESTED if operation is SET_TESTE else RETURNED


@cache
def wsdl(names: WsdlNames = PLAIN) -> bytes:
    """Return the published document, ``PLACEHOLDER_ADDRESS`` for its address: the same bytes on every machine."""
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=PREFIXES)
    if names is PLAIN:
        root.set("name", names.service)
    root.set("targetNamespace", NAMESPACE)
    _add_types(root)
    for operation in PUBLISHED:
        _add_messages(root, operation)
    _add_port_type(root, names)
    _add_binding(root, names)
    _add_service(root, names)
    etree.indent(root)
    document: bytes = etree.tostring(root, encoding=names.charset, xml_declaration=False)
    return f'<?xml version="1.0" encoding="{names.charset}"?>\n'.encode() + document + b"\n"


def wsdl_at(address: str, names: WsdlNames = PLAIN) -> bytes:
    """Return the published document for whoever reaches the service at ``address``."""
    written = escape(address, {'"': "&quot;"}).encode(names.charset, "xmlcharrefreplace")
    return wsdl(names).replace(PLACEHOLDER_ADDRESS.encode(), written)


def _add(parent: Any, tag: str, uri: str = WSDL, /, **attributes: str) -> Any:
    return etree.SubElement(parent, f"{{{uri}}}{tag}", attributes)


def _add_types(root: Any) -> None:
    schema = _add(_add(root, "types"), "schema", XSD, targetNamespace=NAMESPACE)
    for structure, members in (RETURNED, LOGIN_GIVEN, LOGIN_TESTED):
        listed = _add(_add(schema, "complexType", XSD, name=structure), "all", XSD)
        for name, kind in members:
            _add(listed, "element", XSD, name=name, type=f"xsd:{kind}")


def _add_messages(root: Any, operation: Operation) -> None:
    request = _add(root, "message", name=f"{operation.name}Request")
    for name, kind in _parts_of(operation):
        _add(request, "part", name=name, type=kind)
    response = _add(root, "message", name=f"{operation.name}Response")
    _add(response, "part", name="return", type=f"tns:{returned_by(operation)[0]}")


def _parts_of(operation: Operation) -> Members:
    if operation is SET_TESTE:
        return (("Auth", f"tns:{LOGIN_GIVEN[0]}"),)
    return tuple((name, "xsd:string") for name in operation.published)


def _add_port_type(root: Any, names: WsdlNames) -> None:
    port_type = _add(root, "portType", name=names.port_type)
    for operation in PUBLISHED:
        element = _add(port_type, "operation", name=operation.name)
        _add(element, "documentation").text = render(operation.help, DEFAULT)
        _add(element, "input", message=f"tns:{operation.name}Request")
        _add(element, "output", message=f"tns:{operation.name}Response")


def _add_binding(root: Any, names: WsdlNames) -> None:
    binding = _add(root, "binding", name=names.binding, type=f"tns:{names.port_type}")
    _add(binding, "binding", SOAP, style="rpc", transport=HTTP_TRANSPORT)
    for operation in PUBLISHED:
        element = _add(binding, "operation", name=operation.name)
        _add(element, "operation", SOAP, soapAction=f"{NAMESPACE}#{operation.name}", style="rpc")
        for direction in ("input", "output"):
            _add(_add(element, direction), "body", SOAP, use="encoded", namespace=NAMESPACE, encodingStyle=SOAP_ENC)


def _add_service(root: Any, names: WsdlNames) -> None:
    service = _add(root, "service", name=names.service)
    port = _add(service, "port", name=names.port, binding=f"tns:{names.binding}")
    _add(port, "address", SOAP, location=PLACEHOLDER_ADDRESS)
