"""SOAP envelopes compared by what they mean: prefixes and the order of attributes do not count."""

from typing import Any

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
ENCODINGS = ("http://schemas.xmlsoap.org/soap/encoding/", "http://www.w3.org/2003/05/soap-encoding")


def meaning(element: Any) -> tuple[Any, ...]:
    """The element's name, attributes, text and children, names in them written out with their namespaces."""
    attributes = {name: _resolved(element, name, value) for name, value in element.attrib.items()}
    # Where it stands is the writer's choice (SOAP 1.1, 4.1.1).
    attributes = {name: value for name, value in attributes.items() if not name.endswith("}encodingStyle")}
    if any(name.endswith(("}arrayType", "}itemType")) for name in attributes):
        # An array may say its own type or that it is one (SOAP 1.1, 5.4.2).
        attributes.pop(f"{{{XSI}}}type", None)
    children = tuple(meaning(child) for child in element.iterchildren(etree.Element))
    return element.tag, tuple(sorted(attributes.items())), (element.text or "").strip(), children


def _resolved(element: Any, name: str, value: str) -> str:
    if name != f"{{{XSI}}}type" and not name.endswith(("}arrayType", "}itemType")):
        return value
    prefix, _, local = value.rpartition(":")
    return f"{{{element.nsmap.get(prefix or None)}}}{local}"


def body_of(envelope: bytes | str, part: str = "Body") -> tuple[Any, ...]:
    """What the Body (or the Header) of a written envelope holds."""
    root = etree.fromstring(envelope.encode() if isinstance(envelope, str) else envelope)
    return meaning(root.find(f"{{*}}{part}"))[-1]  # type: ignore[no-any-return]
