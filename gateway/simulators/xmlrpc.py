"""A simulated appliance that dials by XML-RPC, as softswitches do."""

import xmlrpc.client
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.parsers.expat import ExpatError

from gateway.simulators.appliance import Request, SimulatedAppliance, SimulatedReply
from gateway.texts.text import Text, verbatim

METHOD = "pbx.originate"


class XmlRpcAppliance(SimulatedAppliance):
    """``POST /RPC2``: ``pbx.originate(extension, number)`` → ``{status: "OK", callid}``, or a fault."""

    name = "xmlrpc"
    title = Text("{protocol} exchange", protocol="XML-RPC")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "busy": Text("fault 5 'the extension is busy'"),
        "fault": Text("fault 500 'internal error'"),
    }

    @classmethod
    def settings(cls, address: str) -> dict[str, Any]:
        return {
            "adapter": "xmlrpc",
            "url": f"{address}/RPC2",
            "method": METHOD,
            "params": ["{{ extension }}", "{{ number }}"],
            "result_path": "status",
            "success": "^OK$",
            "ref_path": "callid",
        }

    def answer(self, request: Request) -> SimulatedReply:
        if request.path not in ("/RPC2", "/xmlrpc") or request.method != "POST":
            return SimulatedReply.text(404, "POST /RPC2")
        if self.behaviour.fail == "auth":
            self.noted(request, "401 Unauthorized")
            return SimulatedReply(401, "text/plain", b"", {"WWW-Authenticate": 'Basic realm="simulated"'})
        try:
            said = xmlrpc.client.dumps((self._call(request),), methodresponse=True, encoding="utf-8")
        except xmlrpc.client.Fault as fault:
            said = xmlrpc.client.dumps(fault, encoding="utf-8")
        return SimulatedReply(200, "text/xml; charset=utf-8", said.encode())

    def fault(self, request: Request) -> SimulatedReply:
        self.noted(request, "500 internal error")
        said = xmlrpc.client.dumps(xmlrpc.client.Fault(500, "internal error"), encoding="utf-8")
        return SimulatedReply(200, "text/xml; charset=utf-8", said.encode())

    def _call(self, request: Request) -> dict[str, str]:
        """Place the call that the request asks for. Raises ``Fault``."""
        params, method = _read(request.body)
        if method != METHOD:
            raise xmlrpc.client.Fault(1, f"unknown method {method!r}, expected {METHOD!r}")
        if len(params) != 2 or not all(isinstance(param, str) for param in params):
            raise xmlrpc.client.Fault(2, "expected two texts: extension, number")
        if not all(params):
            raise xmlrpc.client.Fault(3, "extension or number is empty")
        if self.behaviour.fail == "busy":
            self.noted(request, "busy", *params)
            raise xmlrpc.client.Fault(5, "the extension is busy")
        return {"status": "OK", "callid": self.dialled(request, *params)}


def _read(body: bytes) -> tuple[tuple[Any, ...], str | None]:
    if b"<!DOCTYPE" in body:
        raise xmlrpc.client.Fault(4, "a DOCTYPE is not accepted")
    try:
        return xmlrpc.client.loads(body)
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError) as error:
        raise xmlrpc.client.Fault(4, "the request is not XML-RPC") from error
