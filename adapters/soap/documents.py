"""WSDLs and schemas as they are in the field, made readable for a strict parser before it sees them.

What stops zeep: names that are no XML names (the service ``WConnect CRM Senior``), white space around names, prefixes
that nobody declared, drafts of XML Schema, a body within a MIME part, and imports of well-known schemas, which it would
download from w3.org and xmlsoap.org. Names are encoded as .NET does it (``WConnect_x0020_CRM_x0020_Senior``), which is
reversible; well-known schemas are answered by ``known.py``.
"""

import re
from typing import Any

from lxml import etree

from adapters.soap.known import APACHE, BUILT_IN, ENCODING, WSDL, XSD, is_known
from adapters.soap.mending import BINDINGS, mend_operations, mend_schemas
from adapters.soap.names import safe
from adapters.soap.repairs import Told
from gateway.texts.text import Text

_DRAFT = re.compile(rb"http://www\.w3\.org/(?:1999|2000/10)/XMLSchema(?=[\"'])")
"""Drafts of XML Schema, read as its final version."""
_OURS = "cti-gateway-xsd"
"""The prefix of XML Schema where a document has none for it."""
_OWN = "cti-gateway-own"
"""The prefix of the document's own namespace."""
_NOWHERE = "urn:cti-gateway:nowhere"
"""The namespace of what a WSDL without one describes. It names messages and bindings, never an element."""
_ENC = "cti-gateway-enc"
"""The prefix of SOAP's encoding."""
_SPELT = {name.lower(): name for name in BUILT_IN} | {"any": "anyType"}
"""XML Schema's own types by their names in small letters (``xsd:String``, ``xsd:dateTime``), and the one that many take
for a type (``xsd:any``, Axis2).
"""
_TEXTS = frozenset({"default", "fixed", "value"})
"""Attributes whose white space counts; in all others it collapses (names, QNames and URIs of XML Schema)."""
_REFERENCES = ("type", "element", "message", "binding", "base", "ref", "itemType", f"{{{WSDL}}}arrayType")
"""Attributes of WSDL and schema elements that point to a name, maybe with a prefix."""


def repaired(root: Any, told: Told = lambda _element, _done: None) -> Any:
    """Return a copy of a parsed WSDL or schema in which every name is an XML name and no known schema is far away.

    ``told`` is told of what is put right, with the element.
    """
    root = _with_prefixes(_without_drafts(root, told))
    if root.tag == f"{{{WSDL}}}definitions" and not root.get("targetNamespace", "").strip():
        told(root, Text("it has no targetNamespace; its names are taken for those of a namespace of their own"))
        root.set("targetNamespace", _NOWHERE)
    _mend_spaces(root, told)
    mend_schemas(root, told)
    mend_operations(root, told)
    foreign = {} if _defines(root, APACHE) else {APACHE: "anyType"}
    # All at once: some of them are taken out on the way.
    for element in list(root.iter(f"{{{WSDL}}}*", f"{{{XSD}}}*", *(f"{{{uri}}}header" for uri in BINDINGS))):
        _mend_names(element, foreign, told)
    return root


def _mend_spaces(root: Any, told: Told) -> None:
    for element in root.iter(f"{{{WSDL}}}*", f"{{{XSD}}}*", *(f"{{{uri}}}*" for uri in BINDINGS)):
        for name, value in element.attrib.items():
            if name not in _TEXTS and value != value.strip():
                element.set(name, value.strip())
                told(element, Text("white space around {found} is passed over", found=f"{name}={value!r}"))


def _without_drafts(root: Any, told: Told) -> bytes:
    plain, found = _DRAFT.subn(XSD.encode(), etree.tostring(root, encoding="utf-8"))
    if found:
        told(root, Text("a draft of XML Schema is read as its final version"))
    return plain


def _with_prefixes(written: bytes) -> Any:
    """Return the document with prefixes for XML Schema, SOAP's encoding and its own namespace, known everywhere in it.

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


def _mend_names(element: Any, foreign: dict[str, str], told: Told) -> None:
    if name := element.get("name"):
        if safe(name) != name:
            told(element, Text("its name is none by the rules of XML, and is taken all the same"))
        element.set("name", safe(name))
    for attribute in _REFERENCES:
        if (value := element.get(attribute)) is not None:
            _mend_reference(element, attribute, value, foreign, told)
    if element.tag == f"{{{XSD}}}import":
        _bring_near(element)


def _mend_reference(element: Any, attribute: str, value: str, foreign: dict[str, str], told: Told) -> None:
    shown = f'{etree.QName(attribute).localname}="{value}"'
    if not value:
        told(element, Text("{found} is passed over", found=shown))
        del element.attrib[attribute]
    elif value in BUILT_IN and attribute in ("type", "base", "itemType") and not element.nsmap.get(None):
        told(element, Text("{found} has no prefix, and is read as XML Schema's own type", found=shown))
        element.set(attribute, f"{_OURS}:{value}")
    else:
        found, why = _reference(value, element, foreign)
        if why:
            told(element, Text("{found} {why}", found=shown, why=why))
        element.set(attribute, found)


def _defines(root: Any, namespace: str) -> bool:
    return any(schema.get("targetNamespace") == namespace for schema in root.iter(f"{{{XSD}}}schema"))


def _reference(value: str, element: Any, foreign: dict[str, str]) -> tuple[str, Text | None]:
    """Return a name in an attribute of ``element`` with its prefix and, for an array's items, its brackets; and what
    was put right in it.

    Names of the namespaces in ``foreign``, which no schema describes, become the XML Schema type that stands there, and
    so do built-in types whose prefix nobody declares. Brackets of more than one dimension become part of the name,
    which is then that of no type.
    """
    nsmap = element.nsmap
    why: Text | None = None
    prefix, colon, local = value.partition(":")
    if colon and prefix not in nsmap and prefix != "xml":
        prefix, local, why = _guessed(local, value, element)
    elif not colon:
        prefix, local = "", value
    local, bracket, size = local.partition("[")
    if "," in size or "[" in size:
        local, bracket, size = f"{local}[{size}", "", ""
    if colon and local != "Map" and (instead := foreign.get(nsmap.get(prefix, ""))):
        prefix, local = _OURS, instead
        why = Text("is a type of Apache's that nothing describes, and is read as any type")
    elif nsmap.get(prefix or None) == XSD and (spelt := _SPELT.get(local.lower(), local)) != local:
        local, why = spelt, Text("is read as XML Schema's {type}", type=spelt)
    return prefix + colon + safe(local) + bracket + size, why


def _guessed(local: str, value: str, element: Any) -> tuple[str, str, Text]:
    """Return prefix and name of what has a prefix that nobody declares, and what was guessed.

    No type in the document's own namespace is meant; PHP does not take it for one, either.
    """
    if element.tag != f"{{{WSDL}}}part" and not element.tag.startswith(f"{{{XSD}}}"):
        return _OWN, local, Text("has a prefix that is declared nowhere, and is read as of the WSDL's own namespace")
    if local in BUILT_IN:
        return _OURS, local, Text("has a prefix that is declared nowhere, and is read as XML Schema's own")
    if local in ("Array", "arrayType"):
        return _ENC, local, Text("has a prefix that is declared nowhere, and is read as of SOAP's encoding")
    return _OWN, value, Text("has a prefix that is declared nowhere, and is read as a type that is described nowhere")


def _bring_near(element: Any) -> None:
    """Point an import of a known schema to our copy of it, wherever the document says that it lies."""
    namespace = element.get("namespace", "")
    if namespace == XSD:
        element.getparent().remove(element)
    elif is_known(namespace):
        element.set("schemaLocation", namespace)
