"""Schemas and operations as they are in the field, made such as zeep can read them."""

from typing import Any

from lxml import etree

from adapters.soap.known import WSDL, XSD
from adapters.soap.repairs import Told
from gateway.texts.text import Listing, Text

BINDINGS = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
"""The namespaces of WSDL's bindings to SOAP 1.1 and 1.2."""
_MIME = "http://schemas.xmlsoap.org/wsdl/mime/"
_HTTP = "http://schemas.xmlsoap.org/soap/http"
_NEEDS = {"attribute": ("name", "ref"), "include": ("schemaLocation",), "redefine": ("schemaLocation",)}
"""Elements of a schema, and the attributes of which they need one."""


def mend_schemas(root: Any, told: Told) -> None:
    """Take elements of a schema in the WSDL's own namespace for XML Schema's, and leave others out."""
    for schema in list(root.iter(f"{{{XSD}}}schema")):
        for element in list(schema.iterdescendants(etree.Element)):
            if not _is_described(element):
                _mend_element(element, told)


def _mend_element(element: Any, told: Told) -> None:
    name = etree.QName(element)
    if name.namespace in (WSDL, None):
        told(element, Text("it is not in XML Schema's namespace, and is read as if it were"))
        element.tag = f"{{{XSD}}}{name.localname}"
    elif name.namespace != XSD:
        told(element, Text("it is no part of XML Schema ({namespace}), and is passed over", namespace=name.namespace))
        element.getparent().remove(element)
        return
    wanted = _NEEDS.get(name.localname, ())
    if wanted and not any(element.get(attribute) for attribute in wanted):
        told(element, Text("it has no {wanted}, and is passed over", wanted=Listing(wanted)))
        element.getparent().remove(element)
    elif name.localname == "redefine":
        told(element, Text("its file is included as it is; what is changed in it is passed over, as PHP does"))
        _make_include(element)


def _make_include(element: Any) -> None:
    element.tag = f"{{{XSD}}}include"
    for child in list(element):
        element.remove(child)


def _is_described(element: Any) -> bool:
    """Return whether ``element`` needs no mending: it is in a document no more, or stands in a text for people or
    programs, where anything may stand.
    """
    above = {etree.QName(each).localname for each in element.iterancestors()}
    return not above or bool(above & {"appinfo", "documentation"})


def mend_operations(root: Any, told: Told) -> None:
    """Take the body of a MIME message for the operation's; leave out operations without a message, ports without a
    binding; let a binding whose operations speak SOAP 1.1 speak it, too.
    """
    for operation in root.iterfind("{*}binding/{*}operation"):
        for message in operation.iterchildren(f"{{{WSDL}}}input", f"{{{WSDL}}}output"):
            _mend_bodies(message, told)
    for binding in root.iterfind("{*}binding"):
        _mend_binding(binding, told)
    for port in root.findall("{*}service/{*}port"):
        if not port.get("binding"):
            told(port, Text("it has no binding, and is left out"))
            port.getparent().remove(port)
    for operation in root.findall("{*}portType/{*}operation"):
        messages = operation.iterchildren(*(f"{{{WSDL}}}{name}" for name in ("input", "output", "fault")))
        if not all(message.get("message") for message in messages):
            told(operation, Text("one of its messages has no name, and it is left out"))
            operation.getparent().remove(operation)


def _mend_bodies(message: Any, told: Told) -> None:
    for part in [each for uri in BINDINGS for each in message.iterfind(f"{{{_MIME}}}*/{{*}}part/{{{uri}}}*")]:
        told(part, Text("it stands in a MIME part, and is sent without attachments"))
        message.append(part)
    for body in [each for uri in BINDINGS for each in message.iterfind(f"{{{uri}}}body")]:
        # zeep hands on an attribute of another name than WSDL's (parts).
        if (parts := body.get("parts")) is not None:
            body.set("part", parts)
        if body.get("namespace") == "":
            del body.attrib["namespace"]


def _mend_binding(binding: Any, told: Told) -> None:
    """Give a binding without a soap:binding one to SOAP 1.1, as PHP takes it, if its operations are of SOAP 1.1."""
    soap = BINDINGS[0]
    if binding.find("{*}binding") is None and binding.find(f"{{*}}operation/{{{soap}}}operation") is not None:
        told(
            binding,
            Text("it has no soap:binding as its operations have, and is read as one to SOAP 1.1, style document"),
        )
        binding.insert(0, etree.Element(f"{{{soap}}}binding", transport=_HTTP))
