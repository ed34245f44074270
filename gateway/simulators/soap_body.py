"""SOAP 1.1 as the simulated exchanges read and write it: the operation in a Body, with its references resolved."""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from gateway.simulators.exchange import SimulatedReply

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
XML = "text/xml;charset=utf-8"
_HEAD = (
    f'<?xml version="1.0" encoding="utf-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)


@dataclass(frozen=True)
class CalledOperation:
    """An operation that was called: its name, its namespace and its element."""

    name: str
    namespace: str
    element: Any

    def part(self, path: str, *, namespace: str = "") -> str:
        """Return the text below ``path`` (``in2/lineNumber``), through multi-references; empty when it is not there.
        With a ``namespace`` only elements of that namespace count.
        """
        found = self.element
        for step in path.split("/"):
            children = [child for child in found if isinstance(child.tag, str)]
            named = [child for child in children if _is(child, step, namespace)]
            if not named:
                return ""
            found = self._resolved(named[0])
        return (found.text or "").strip()

    def _resolved(self, element: Any) -> Any:
        reference = element.get("href", "").removeprefix("#")
        if not reference:
            return element
        targets = [one for one in self.element.getparent() if isinstance(one.tag, str) and one.get("id") == reference]
        return targets[0] if targets else element


def _is(element: Any, name: str, namespace: str) -> bool:
    tag = etree.QName(element)
    return tag.localname == name and (not namespace or tag.namespace == namespace)


def read(content: bytes) -> CalledOperation | None:
    """Return the operation in an envelope; None when there is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        envelope = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    body = envelope.find(f"{{{ENVELOPE}}}Body") if envelope.tag == f"{{{ENVELOPE}}}Envelope" else None
    first = next((child for child in body if isinstance(child.tag, str)), None) if body is not None else None
    if first is None:
        return None
    tag = etree.QName(first)
    return CalledOperation(tag.localname, tag.namespace or "", first)


def reply(body: str, header: str = "") -> SimulatedReply:
    """Return an envelope with ``body`` and ``header``, which are XML already."""
    before = f"<soapenv:Header>{header}</soapenv:Header>" if header else ""
    return SimulatedReply(200, XML, f"{_HEAD}{before}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>".encode())


def fault(code: str, text: str, detail: str = "") -> SimulatedReply:
    """Return a fault by HTTP 500; ``code`` is the part behind the prefix (``Server.userException``),
    ``detail`` is XML.
    """
    inner = f"<faultcode>soapenv:{escape(code)}</faultcode><faultstring>{escape(text)}</faultstring>"
    inner += f"<detail>{detail}</detail>" if detail else "<detail/>"
    whole = f"{_HEAD}<soapenv:Body><soapenv:Fault>{inner}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    return SimulatedReply(500, XML, whole.encode())
