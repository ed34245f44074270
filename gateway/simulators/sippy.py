"""A simulated Sippy Softswitch, as its support pages describe it: XML-RPC with Digest, all parameters in one struct."""

import xmlrpc.client
from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar
from xml.parsers.expat import ExpatError

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import Digest
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.texts.text import Text, verbatim


class Sippy(SimulatedAppliance):
    """``POST /xmlapi/xmlapi``: ``make2WayCallback({authname, cld_first, cld_second, cli_first, cli_second})`` →
    ``i_callback_request``; ``cancelCallback``; HTTP Digest. ``cld_first`` rings first."""

    name = "sippy"
    title = "Sippy"
    evidence = Text("the maker's support pages, not held against a real one")
    login = ("crm", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "busy": Text("fault 500 (its text not documented)"),
        "fault": Text("fault 500 (its text not documented)"),
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._digest = Digest("xmlapi")
        self._requests = count(1)

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the gateway's settings to dial on this switch; none until it has a certificate, for the preset speaks
        https only.
        """
        if not self.pinned():
            return {}
        username, password = self.credentials
        where = {"host": f"{self.host}:{self.port}", **self.pinned(), "username": username, "password": password}
        return {self.name: {"preset": self.name, **where, "authname": "5547333", "caller_id": "554733330000"}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/xmlapi/xmlapi" or request.method != "POST":
            self.noted(request, "404 Not Found")
            return SimulatedReply.text(404, "Not Found")
        challenge = self._digest.refused(request, self.credentials)
        if challenge or self.behaviour.fail == "auth":
            self.noted(request, "401 Unauthorized")
            asked = challenge or 'Digest realm="xmlapi", nonce="0", qop="auth", algorithm=MD5'
            return SimulatedReply(401, "text/html", b"", {"WWW-Authenticate": asked})
        return self._called(request)

    def fault(self, request: Request) -> SimulatedReply:
        return self._no(request, "internal error")

    def _called(self, request: Request) -> SimulatedReply:
        try:
            params, method = xmlrpc.client.loads(request.body)
        except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AssertionError):
            return self._no(request, "not XML-RPC")
        order = params[0] if params and isinstance(params[0], dict) else {}
        if method == "cancelCallback":
            self.noted(request, method)
            return _said({"result": "OK"})
        first, second = str(order.get("cld_first", "")), str(order.get("cld_second", ""))
        if method != "make2WayCallback" or not (order.get("authname") and first and second):
            return self._no(request, f"{method}: a parameter is missing")
        if self.behaviour.fail == "busy":
            return self._no(request, "callback failed", first, second)
        ident = next(self._requests)
        self.dialled(request, first, second, call_id=str(ident))
        return _said({"result": "OK", "i_callback_request": ident})

    def _no(self, request: Request, text: str, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"fault 500: {text}", extension, number)
        said = xmlrpc.client.dumps(xmlrpc.client.Fault(500, text), encoding="utf-8")
        return SimulatedReply(200, "text/xml", said.encode())


def _said(value: Mapping[str, Any]) -> SimulatedReply:
    said = xmlrpc.client.dumps((dict(value),), methodresponse=True, encoding="utf-8")
    return SimulatedReply(200, "text/xml", said.encode())
