"""WSDLs and schemas as they are in the field, made readable for a strict parser before it sees them.

What stops zeep: names that are no XML names (the service ``WConnect CRM Senior``), white space around names, prefixes
that nobody declared, drafts of XML Schema, a body within a MIME part, and imports of well-known schemas, which it would
download from w3.org and xmlsoap.org. Names are encoded as .NET does it (``WConnect_x0020_CRM_x0020_Senior``), which is
reversible; well-known schemas are answered by ``known.py``.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from adapters.soap.known import APACHE, BUILT_IN, ENCODING, WSDL, XSD, is_known

_DRAFT = re.compile(rb"http://www\.w3\.org/(?:1999|2000/10)/XMLSchema(?=[\"'])")
"""Drafts of XML Schema, read as its final version."""
_BINDINGS = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
_MIME = "http://schemas.xmlsoap.org/wsdl/mime/"
_OURS = "cti-gateway-xsd"
"""The prefix of XML Schema where a document has none for it."""
_OWN = "cti-gateway-own"
"""The prefix of the document's own namespace."""
_NOWHERE = "urn:cti-gateway:nowhere"
"""The namespace of what a WSDL without one describes. It names messages and bindings, never an element."""
_ENC = "cti-gateway-enc"
"""The prefix of SOAP's encoding."""
_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_SPELT = {name.lower(): name for name in BUILT_IN} | {"any": "anyType"}
"""XML Schema's own types by their names in small letters (``xsd:String``, ``xsd:dateTime``), and the one that many take
for a type (``xsd:any``, Axis2).
"""
_NO_NAME = re.compile(f"^[^{_START}]|[^{_START}0-9.\xb7\u0300-\u036f\u203f\u2040-]")
"""Where a name is none by the production NCName of XML Namespaces."""
_TEXTS = frozenset({"default", "fixed", "value"})
"""Attributes whose white space counts; in all others it collapses (names, QNames and URIs of XML Schema)."""
_REFERENCES = ("type", "element", "message", "binding", "base", "ref", "itemType", f"{{{WSDL}}}arrayType")
"""Attributes of WSDL and schema elements that point to a name, maybe with a prefix."""


def safe(name: str) -> str:
    """``name`` as an XML name: what may not stand in one becomes ``_xHHHH_``.

    >>> safe("WConnect CRM SeniorPort")
    'WConnect_x0020_CRM_x0020_SeniorPort'
    """
    return _NO_NAME.sub(lambda found: f"_x{ord(found[0]):04X}_", name)


def written(name: str) -> str:
    """A safe name as its WSDL writes it.

    >>> written("WConnect_x0020_CRM_x0020_Senior")
    'WConnect CRM Senior'
    """
    return re.sub(r"_x([0-9A-F]{4,6})_", lambda found: chr(int(found[1], 16) % 0x110000), name)


def repaired(root: Any) -> Any:
    """Return a copy of a parsed WSDL or schema in which every name is an XML name and no known schema is far away."""
    root = _with_prefixes(_without_drafts(root))
    is_wsdl = root.tag == f"{{{WSDL}}}definitions"
    if is_wsdl and not root.get("targetNamespace", "").strip():
        root.set("targetNamespace", _NOWHERE)
    for element in root.iter(f"{{{WSDL}}}*", f"{{{XSD}}}*", *(f"{{{uri}}}*" for uri in _BINDINGS)):
        for name, value in element.attrib.items():
            if name not in _TEXTS and value != value.strip():
                element.set(name, value.strip())
    _mend_schemas(root)
    _mend_operations(root)
    foreign = {} if _defines(root, APACHE) else {APACHE: "anyType"}
    # All at once: some of them are taken out on the way.
    for element in list(root.iter(f"{{{WSDL}}}*", f"{{{XSD}}}*", *(f"{{{uri}}}header" for uri in _BINDINGS))):
        _mend_names(element, foreign)
    return root


def _without_drafts(root: Any) -> bytes:
    return _DRAFT.sub(XSD.encode(), etree.tostring(root, encoding="utf-8"))


def _with_prefixes(written: bytes) -> Any:
    """The document with prefixes for XML Schema, SOAP's encoding and its own namespace, known everywhere in it.

    They are written in as text: moved to another root, elements lose declarations that only attributes' values need.
    """
    opened = re.match(rb"<[^\s/>]+", written)
    assert opened is not None
    rest = written[opened.end() :]
    found = re.search(rb"""\stargetNamespace="([^"]*)\"""", rest.partition(b">")[0])
    own = found[1].strip() if found else b""
    known = {_OURS: XSD.encode(), _ENC: ENCODING.encode(), _OWN: own or _NOWHERE.encode()}
    declared = b"".join(b' xmlns:%s="%s"' % (prefix.encode(), uri) for prefix, uri in known.items())
    # Only a namespace can be wrong in what was just written: some are no URIs (``http://{{url}}/service``).
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    return etree.fromstring(opened[0] + declared + rest, parser)


def _schemas(root: Any) -> Iterator[Any]:
    return root.iter(f"{{{XSD}}}schema")  # type: ignore[no-any-return]


def _mend_schemas(root: Any) -> None:
    """Take elements of a schema in the WSDL's own namespace for XML Schema's, and leave others out."""
    for schema in list(_schemas(root)):
        for element in list(schema.iterdescendants(etree.Element)):
            if not _is_described(element):
                _mend_schema_element(element)


def _mend_schema_element(element: Any) -> None:
    name = etree.QName(element)
    if name.namespace in (WSDL, None):
        element.tag = f"{{{XSD}}}{name.localname}"
    needs = {"attribute": ("name", "ref"), "include": ("schemaLocation",), "redefine": ("schemaLocation",)}
    wanted = needs.get(name.localname, ())
    is_empty = bool(wanted) and not any(element.get(attribute) for attribute in wanted)
    if is_empty or name.namespace not in (WSDL, None, XSD):
        element.getparent().remove(element)


def _is_described(element: Any) -> bool:
    """Whether it stands in a text for people or programs, where anything may stand."""
    return next(element.iterancestors(f"{{{XSD}}}appinfo", f"{{{XSD}}}documentation"), None) is not None


def _mend_operations(root: Any) -> None:
    """Take the body of a MIME message for the operation's; leave out operations without a message, ports without a
    binding.
    """
    for operation in root.iterfind("{*}binding/{*}operation"):
        for message in operation.iterchildren(f"{{{WSDL}}}input", f"{{{WSDL}}}output"):
            for part in [each for uri in _BINDINGS for each in message.iterfind(f"{{{_MIME}}}*/{{*}}part/{{{uri}}}*")]:
                message.append(part)
            for body in [each for uri in _BINDINGS for each in message.iterfind(f"{{{uri}}}body")]:
                # zeep hands on an attribute of another name than WSDL's (parts).
                if (parts := body.get("parts")) is not None:
                    body.set("part", parts)
    for port in root.findall("{*}service/{*}port"):
        if not port.get("binding"):
            port.getparent().remove(port)
    for operation in root.findall("{*}portType/{*}operation"):
        messages = operation.iterchildren(*(f"{{{WSDL}}}{name}" for name in ("input", "output", "fault")))
        if not all(message.get("message") for message in messages):
            operation.getparent().remove(operation)


def _mend_names(element: Any, foreign: dict[str, str]) -> None:
    if name := element.get("name"):
        element.set("name", safe(name))
    for attribute in _REFERENCES:
        value = element.get(attribute)
        if value in BUILT_IN and attribute in ("type", "base", "itemType") and not element.nsmap.get(None):
            element.set(attribute, f"{_OURS}:{value}")
        elif value:
            element.set(attribute, _reference(value, element, foreign))
        elif value is not None:
            del element.attrib[attribute]
    if element.tag == f"{{{XSD}}}import":
        _bring_near(element)


def _defines(root: Any, namespace: str) -> bool:
    return any(schema.get("targetNamespace") == namespace for schema in _schemas(root))


def _reference(value: str, element: Any, foreign: dict[str, str]) -> str:
    """A name in an attribute of ``element`` with its prefix and, for an array's items, its brackets.

    Names of the namespaces in ``foreign``, which no schema describes, become the XML Schema type that stands there, and
    so do built-in types whose prefix nobody declares. Brackets of more than one dimension become part of the name,
    which is then that of no type.
    """
    nsmap = element.nsmap
    prefix, colon, local = value.partition(":")
    if colon and prefix not in nsmap and prefix != "xml":
        of_wsdl = element.tag != f"{{{WSDL}}}part" and not element.tag.startswith(f"{{{XSD}}}")
        prefix, local = (_OWN, local) if of_wsdl else _guessed(local, value)
    elif not colon:
        prefix, local = "", value
    local, bracket, size = local.partition("[")
    if "," in size or "[" in size:
        local, bracket, size = f"{local}[{size}", "", ""
    if colon and local != "Map" and (instead := foreign.get(nsmap.get(prefix, ""))):
        prefix, local = _OURS, instead
    elif nsmap.get(prefix or None) == XSD:
        local = _SPELT.get(local.lower(), local)
    return prefix + colon + safe(local) + bracket + size


def _guessed(local: str, value: str) -> tuple[str, str]:
    """Prefix and name of a type whose prefix nobody declares; in the document's own namespace there is no such."""
    if local in BUILT_IN:
        return _OURS, local
    return (_ENC, local) if local in ("Array", "arrayType") else (_OWN, value)


def _bring_near(element: Any) -> None:
    """An import of a known schema leads to our copy of it, wherever the document says that it lies."""
    namespace = element.get("namespace", "")
    if namespace == XSD:
        element.getparent().remove(element)
    elif is_known(namespace):
        element.set("schemaLocation", namespace)
