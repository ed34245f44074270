"""The rpc/encoded contract, made of ``operations.py``: what importers of Delphi, PHP, nuSOAP and SOAP::Lite read.

Spyne writes document/literal only. Names follow the habits of nuSOAP (0.9.5), without the spaces of the classic
service's names, which several importers do not take; nothing is imported, because some importers download every import.
"""

from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import render
from gateway.wire.operations import OPERATIONS
from gateway.wire.parameters import Operation

NAMESPACE = "urn:WConnect"
NAME = "WConnect"
PATH = "/wconnect/wsdl/WConnect_WSDL.php"
PLACEHOLDER_ADDRESS = f"http://EMPRESA.example.com{PATH}"
RETURN_TYPE = "Retorno"
RETURNED = (("status", "string"), ("mensagem", "string"), ("id", "long"))

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_ENC = "http://schemas.xmlsoap.org/soap/encoding/"
XSD = "http://www.w3.org/2001/XMLSchema"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
PREFIXES: Any = {"tns": NAMESPACE, "xsd": XSD, "soap": SOAP, None: WSDL}


@cache
def wsdl() -> bytes:
    """Return the published document, ``PLACEHOLDER_ADDRESS`` for its address: the same bytes on every machine."""
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=PREFIXES)
    root.set("name", NAME)
    root.set("targetNamespace", NAMESPACE)
    _add_types(root)
    for operation in OPERATIONS.values():
        _add_messages(root, operation)
    _add_port_type(root)
    _add_binding(root)
    _add_service(root)
    etree.indent(root)
    document: bytes = etree.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + document + b"\n"


def wsdl_at(address: str) -> bytes:
    """Return the published document for whoever reaches the service at ``address``."""
    return wsdl().replace(PLACEHOLDER_ADDRESS.encode(), escape(address, {'"': "&quot;"}).encode())


def _add(parent: Any, tag: str, uri: str = WSDL, /, **attributes: str) -> Any:
    return etree.SubElement(parent, f"{{{uri}}}{tag}", attributes)


def _add_types(root: Any) -> None:
    schema = _add(_add(root, "types"), "schema", XSD, targetNamespace=NAMESPACE)
    members = _add(_add(schema, "complexType", XSD, name=RETURN_TYPE), "all", XSD)
    for name, kind in RETURNED:
        _add(members, "element", XSD, name=name, type=f"xsd:{kind}")


def _add_messages(root: Any, operation: Operation) -> None:
    request = _add(root, "message", name=f"{operation.name}Request")
    for name in operation.published:
        _add(request, "part", name=name, type="xsd:string")
    response = _add(root, "message", name=f"{operation.name}Response")
    _add(response, "part", name="return", type=f"tns:{RETURN_TYPE}")


def _add_port_type(root: Any) -> None:
    port_type = _add(root, "portType", name=f"{NAME}PortType")
    for operation in OPERATIONS.values():
        element = _add(port_type, "operation", name=operation.name)
        _add(element, "documentation").text = render(operation.help, DEFAULT)
        _add(element, "input", message=f"tns:{operation.name}Request")
        _add(element, "output", message=f"tns:{operation.name}Response")


def _add_binding(root: Any) -> None:
    binding = _add(root, "binding", name=f"{NAME}Binding", type=f"tns:{NAME}PortType")
    _add(binding, "binding", SOAP, style="rpc", transport=HTTP_TRANSPORT)
    for name in OPERATIONS:
        element = _add(binding, "operation", name=name)
        _add(element, "operation", SOAP, soapAction=f"{NAMESPACE}#{name}", style="rpc")
        for direction in ("input", "output"):
            _add(_add(element, direction), "body", SOAP, use="encoded", namespace=NAMESPACE, encodingStyle=SOAP_ENC)


def _add_service(root: Any) -> None:
    service = _add(root, "service", name=NAME)
    port = _add(service, "port", name=f"{NAME}Port", binding=f"tns:{NAME}Binding")
    _add(port, "address", SOAP, location=PLACEHOLDER_ADDRESS)
