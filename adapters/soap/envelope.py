"""SOAP envelopes read without trust, in whatever charset they really are."""

from typing import Any

from lxml import etree

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_ENVELOPES = {f"{{{SOAP_11}}}Envelope": ("faultstring", "faultcode"), f"{{{SOAP_12}}}Envelope": ("Text", "Value")}
"""SOAP 1.1 and 1.2: where a fault keeps its sentence and its code."""


def parsed(content: bytes, charset: str = "", *, undeclared: bool = False) -> Any:
    """Return the root element, or None for what is no XML or has a DTD, which nobody needs here.

    UTF-8 is tried first: Latin-1 text is hardly ever valid UTF-8, while peers that declare Latin-1 and send UTF-8
    are common. Then comes ``charset`` (of the HTTP header), then what the document declares, then Latin-1:
    nuSOAP 0.9.5 and others send it and do not say so. With ``undeclared``, prefixes that nobody declares are passed
    over, as PHP and .NET do: elements lose theirs, attributes are left out.
    """
    for encoding in ("utf-8-sig", charset, "", "iso-8859-1"):
        root = _parsed(content, encoding, undeclared)
        if root is not None:
            return None if root.getroottree().docinfo.doctype else root
    return None


def serialized(envelope: Any) -> bytes:
    """Return an envelope's bytes as they go out."""
    body: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return body


def why_unreadable(content: bytes) -> str:
    """Return the parser's reason and line for what is no XML; nothing for XML."""
    try:
        etree.fromstring(content.lstrip(b"\xef\xbb\xbf \t\r\n"), _parser("", recover=False))
    except etree.XMLSyntaxError as error:
        return str(error.msg)
    except ValueError as error:
        return str(error)
    return ""


def _parser(encoding: str, *, recover: bool) -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
        encoding="utf-8" if encoding else None,
        recover=recover,
    )


def _parsed(content: bytes, encoding: str, undeclared: bool) -> Any:
    """Return the root element, or None. Without an encoding the parser follows the byte-order mark and
    the declaration.
    """
    try:
        text = (content.decode(encoding).encode() if encoding else content).lstrip()
        return etree.fromstring(text, _parser(encoding, recover=False))
    except etree.XMLSyntaxError:
        return _without_undeclared(text, encoding) if undeclared else None
    except (ValueError, LookupError):
        return None


def _without_undeclared(text: bytes, encoding: str) -> Any:
    """Return the root element where all that is wrong is a prefix or its URI, which XML itself knows nothing of; else
    None.
    """
    parser = _parser(encoding, recover=True)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return None
    if root is None or any(entry.domain != etree.ErrorDomains.NAMESPACE for entry in parser.error_log):
        return None
    for element in root.iter(etree.Element):
        if ":" in element.tag and not element.tag.startswith("{"):
            element.tag = element.tag.rpartition(":")[2]
        for name in [name for name in element.attrib if ":" in name and not name.startswith("{")]:
            del element.attrib[name]
    return root


def envelope_of(body: bytes, charset: str = "") -> Any:
    """Return the SOAP envelope, or None when the body is something else; ``charset`` is the HTTP header's."""
    root = parsed(body, charset, undeclared=True)
    return root if root is not None and root.tag in _ENVELOPES else None


def fault_of(envelope: Any) -> str | None:
    """Return the fault's sentence, or nothing when there is no fault."""
    fault = next(envelope.iterfind("{*}Body/{*}Fault"), None)
    if fault is None:
        return None
    text, code = _ENVELOPES[envelope.tag]
    said = (fault.findtext(f".//{{*}}{name}", "").strip() for name in (code, text))
    return ", ".join(part for part in said if part)


def headers_for(namespace: str, action: str, charset: str = "utf-8") -> dict[str, str]:
    """Return the HTTP headers of a request whose envelope is in ``namespace``."""
    if namespace == SOAP_12:
        named = f'; action="{action}"' if action else ""
        return {"Content-Type": f"application/soap+xml; charset={charset}{named}"}
    return {"Content-Type": f"text/xml; charset={charset}", "SOAPAction": f'"{action}"'}
