"""A simulated appliance that dials by SOAP 1.1 document/literal and publishes its WSDL."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree

from gateway.simulators.appliance import Request, SimulatedAppliance, SimulatedReply
from gateway.texts.text import Text

NAMESPACE = "urn:simulated-pabx"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
WSDL = Path(__file__).with_name("pabx.wsdl")
XML = "text/xml; charset=utf-8"


class SoapAppliance(SimulatedAppliance):
    """``MakeCall(callingDevice, calledNumber)`` → ``callId`` at ``/pabx``, described by ``/pabx?wsdl``."""

    name = "soap"
    title = Text("{protocol} exchange", protocol="SOAP")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401, the WSDL included"),
        "busy": Text("a SOAP fault 'the extension is busy'"),
        "fault": Text("a SOAP fault 'internal error' of the server's, with HTTP 500"),
    }

    @classmethod
    def settings(cls, address: str) -> dict[str, Any]:
        return {
            "adapter": "soap",
            "wsdl": f"{address}/pabx?wsdl",
            "operation": "MakeCall",
            "arguments": {"callingDevice": "{{ extension }}", "calledNumber": "{{ number }}"},
            "ref_path": "callId",
        }

    def answer(self, request: Request) -> SimulatedReply:
        if self.behaviour.fail == "auth":
            self.noted(request, "401 Unauthorized")
            return SimulatedReply(401, "text/plain", b"", {"WWW-Authenticate": 'Basic realm="simulated"'})
        if request.path != "/pabx":
            return SimulatedReply.text(404, "/pabx?wsdl")
        if request.method == "POST":
            return self._call(request)
        return SimulatedReply(200, XML, _wsdl(request.header("Host") or self.address.removeprefix("http://")))

    def fault(self, request: Request) -> SimulatedReply:
        # A client that cannot even load the WSDL would never meet the fault.
        if request.method != "POST":
            return self.answer(request)
        self.noted(request, "500 internal error")
        return _fault("internal error", side="Server")

    def _call(self, request: Request) -> SimulatedReply:
        call = _body(request.body)
        if call is None or etree.QName(call).localname != "MakeCall":
            return _fault("expected a SOAP 1.1 envelope with MakeCall in its Body")
        extension = call.findtext("{*}callingDevice", "").strip()
        number = call.findtext("{*}calledNumber", "").strip()
        if not extension or not number:
            return _fault("callingDevice or calledNumber is empty")
        if self.behaviour.fail == "busy":
            self.noted(request, "busy", extension, number)
            return _fault("the extension is busy", side="Server")
        response = etree.Element(f"{{{NAMESPACE}}}MakeCallResponse", nsmap={"p": NAMESPACE})
        etree.SubElement(response, f"{{{NAMESPACE}}}callId").text = self.dialled(request, extension, number)
        return SimulatedReply(200, XML, _enveloped(response))


def _wsdl(host: str) -> bytes:
    """Return the WSDL with the address by which the client reached us."""
    document = etree.parse(WSDL)
    address = document.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    if re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", host):
        address.set("location", f"http://{host}/pabx")
    return bytes(etree.tostring(document, xml_declaration=True, encoding="utf-8"))


def _body(content: bytes) -> Any:
    """Return the first element in the Body, or None."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        envelope = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return envelope.find(f"{{{ENVELOPE}}}Body/*") if envelope.tag == f"{{{ENVELOPE}}}Envelope" else None


def _enveloped(element: Any) -> bytes:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE})
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(element)
    return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def _fault(text: str, *, side: str = "Client") -> SimulatedReply:
    fault = etree.Element(f"{{{ENVELOPE}}}Fault", nsmap={"s": ENVELOPE})
    etree.SubElement(fault, "faultcode").text = f"s:{side}"
    etree.SubElement(fault, "faultstring").text = text
    return SimulatedReply(500, XML, _enveloped(fault))
