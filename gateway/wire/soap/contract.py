"""The SOAP contract: Spyne makes types, schema and WSDL of ``operations.py``; what it lacks is added here.

Spyne writes one SOAP 1.1 port. The published document has a SOAP 1.2 port beside it, and SOAPActions that are
addresses. What it says to people is in the default language, for it is the same document for everybody.
"""

from copy import deepcopy
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import render
from gateway.wire.operations import OPERATIONS
from gateway.wire.parameters import Operation
from gateway.wire.soap.spyne_compat import (
    Application,
    ComplexModel,
    Integer64,
    ServiceBase,
    Soap11,
    Unicode,
    Wsdl11,
    namespaces,
    rpc,
)

NAMESPACE = "urn:cti-gateway:wconnect:1"
NAME = "CtiGateway"
PLACEHOLDER_ADDRESS = "http://EMPRESA.example.com/soap"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"

WSDL = f"{{{namespaces.NS_WSDL11}}}"
SOAP_11 = f"{{{namespaces.NS_WSDL11_SOAP}}}"
SOAP_12 = f"{{{namespaces.NS_WSDL11_SOAP12}}}"


class Erro(ComplexModel):  # type: ignore[misc]
    """The detail of every fault."""

    __namespace__ = NAMESPACE
    __type_name__ = "erro"
    _type_info = (
        ("codigo", Integer64(min_occurs=1, nillable=False)),
        ("mensagem", Unicode(min_occurs=1, nillable=False)),
    )


def application(perform: Any) -> Any:
    """Return a Spyne application of all operations; ``perform(operation, values)`` gives status, mensagem, id."""
    methods = {operation.name: _method(operation, perform) for operation in OPERATIONS.values()}
    service = type(NAME, (ServiceBase,), methods)
    made = Application([service], NAMESPACE, name=NAME, in_protocol=Soap11(), out_protocol=Soap11())
    made.transport = HTTP_TRANSPORT
    return made


def _method(operation: Operation, perform: Any) -> Any:
    def call(ctx: Any, *values: str | None) -> Any:
        return perform(operation, values)

    call.__name__ = operation.name
    call.__doc__ = render(operation.help, DEFAULT)
    text, number = Unicode(min_occurs=1, nillable=False), Integer64(min_occurs=1, nillable=False)
    types = [Unicode(min_occurs=int(one.required), nillable=False) for one in operation.parameters]
    return rpc(
        *types,
        _args=list(operation.names),
        _returns=[text, text, number],
        _out_variable_names=["status", "mensagem", "id"],
        _throws=[Erro],
    )(call)


@cache
def wsdl() -> bytes:
    """Return the published document, ``PLACEHOLDER_ADDRESS`` for its address: the same bytes on every machine."""
    made = Wsdl11(application(None).interface)
    made.build_interface_document(PLACEHOLDER_ADDRESS)
    root = etree.fromstring(made.get_interface_document())
    _document_parameters(root)
    _rename_soap_actions(root)
    _add_soap_12(root)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns", "xs"])
    etree.indent(root)
    document: bytes = etree.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + document + b"\n"


def wsdl_at(address: str) -> bytes:
    """Return the published document for whoever reaches the service at ``address``."""
    return wsdl().replace(PLACEHOLDER_ADDRESS.encode(), escape(address, {'"': "&quot;"}).encode())


def schema() -> Any:
    """Return the XML schema inside the published document, as a document of its own."""
    root: Any = etree.fromstring(wsdl())
    return etree.fromstring(etree.tostring(root.find(f"{WSDL}types")[0]))


def _document_parameters(root: Any) -> None:
    for operation in OPERATIONS.values():
        for parameter in operation.parameters:
            path = f".//{{*}}complexType[@name='{operation.name}']//{{*}}element[@name='{parameter.name}']"
            element = root.find(path)
            annotation = etree.SubElement(element, element.tag.replace("}element", "}annotation"))
            told = etree.SubElement(annotation, element.tag.replace("}element", "}documentation"))
            told.text = render(parameter.help, DEFAULT)


def _rename_soap_actions(root: Any) -> None:
    for operation in root.iter(f"{SOAP_11}operation"):
        operation.set("soapAction", f"{NAMESPACE}#{operation.get('soapAction')}")


def _add_soap_12(root: Any) -> None:
    """Put the service behind all it refers to, with a second binding and port; SOAP 1.1 stays first."""
    service, binding = root.find(f"{WSDL}service"), root.find(f"{WSDL}binding")
    second = deepcopy(binding)
    for element in second.iter(f"{SOAP_11}*"):
        element.tag = element.tag.replace(SOAP_11, SOAP_12)
    port = deepcopy(service[0])
    port[0].tag = f"{SOAP_12}address"
    for element in (second, port):
        element.set("name", f"{NAME}12")
    port.set("binding", f"tns:{NAME}12")
    service.append(port)
    root.extend([second, service])
