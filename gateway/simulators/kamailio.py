"""A simulated Kamailio with its xmlrpc and dialog modules, as recorded from Kamailio 5.6.3: ``dlg.bridge_dlg``.

It cannot fail visibly: a phone that is busy, absent or unknown gets the same empty success as one that rings.
"""

import xmlrpc.client
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.parsers.expat import ExpatError

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in
from gateway.simulators.exchange import Answer, NoReply, Request, SimulatedReply
from gateway.texts.text import Text

SERVER = "kamailio (5.6.3 (x86_64/linux))"
FORBIDDEN = "forbidden"
BUSY = "busy"
RESULT = """<?xml version="1.0"?>
<methodResponse>
<params>
<param>
<value>{value}</value>
</param>
</params>
</methodResponse>"""
FAULT = """<?xml version="1.0"?>
<methodResponse>
<fault>
<value>
<struct>
<member>
<name>faultCode</name>
<value><int>{code}</int></value>
</member>
<member>
<name>faultString</name>
<value><string>{text}</string></value>
</member>
</struct>
</value>
</fault>
</methodResponse>"""


class Kamailio(SimulatedAppliance):
    """``dlg.bridge_dlg(from, to)`` with SIP URIs by POST to ``/RPC2``. It asks for no login unless it is given one, and
    does not answer at all on any other path or to a chunked request."""

    name = "kamailio"
    title = "Kamailio (dlg.bridge_dlg)"
    evidence = Text("recorded from Kamailio 5.6.3")
    auths = ("basic",)
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("HTTP 401, as its script may ask for a Basic login"),
        FORBIDDEN: Text(
            "refused by the script's xmlrpc_reply(403), which this version answers as the success <int>1</int>"
        ),
        BUSY: Text("the phone is busy, absent or refuses the REFER: an empty success all the same"),
        "fault": Text("fault 500 'Invalid parameters'"),
    }

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        login = {"auth": "basic", "username": username, "password": password} if username else {}
        return {self.name: {"preset": "kamailio", "host": self.host, "port": self.port, "domain": self.host, **login}}

    def answer(self, request: Request) -> Answer:
        if not request.path.startswith("/RPC2") or request.header("Transfer-Encoding"):
            self.noted(request, "no answer")
            return NoReply.HANGS
        if self.behaviour.fail == "auth" or not self._may(request):
            self.noted(request, "401 Unauthorized")
            return _unauthorized(request)
        if self.behaviour.fail == FORBIDDEN:
            self.noted(request, "xmlrpc_reply 403")
            return self._reply(request, RESULT.format(value="<int>1</int>"))
        return self._reply(request, self._result(request))

    def fault(self, request: Request) -> Answer:
        self.noted(request, "500 Invalid parameters")
        return self._reply(request, FAULT.format(code=500, text="Invalid parameters"))

    def _may(self, request: Request) -> bool:
        return not self.credentials[0] or logged_in(request, self.credentials)

    def _result(self, request: Request) -> str:
        call = _read(request) if request.method == "POST" and request.measured else None
        if call is None:
            return self._no(request, 400, "Invalid XML-RPC Document")
        params, method = call
        if method == "dlg.terminate_dlg":
            return self._no(request, 500, "Couldnt find callid in dialog")
        if method != "dlg.bridge_dlg":
            return self._no(request, 500, "Method Not Found")
        if len(params) < 2 or not all(isinstance(param, str) for param in params):
            return self._no(request, 500, "Invalid parameters")
        self._bridge(request, *params[:2])
        return RESULT.format(value="")

    def _bridge(self, request: Request, caller: str, called: str) -> None:
        if self.behaviour.fail == BUSY or not (caller.startswith("sip:") and called.startswith("sip:")):
            self.noted(request, "dlg.bridge_dlg: nobody rings", _user(caller), _user(called))
        else:
            self.dialled(request, _user(caller), _user(called))

    def _no(self, request: Request, code: int, text: str) -> str:
        self.noted(request, f"{code} {text}")
        return FAULT.format(code=code, text=text)

    def _reply(self, request: Request, text: str) -> SimulatedReply:
        """Reply without a Content-Type, with the SIP Via whose first letters the module writes over."""
        via = f"SIP/2.0/TCP {self.address.removeprefix('http://')}"
        lines = {"Sia": via, "Server": SERVER, "Content-Length": str(len(text.encode()))}
        return SimulatedReply.exactly(f"{request.version} 200 OK", lines, text.encode(), closes=True)


def _user(uri: str) -> str:
    """Return the user part of a SIP URI."""
    return uri.removeprefix("sip:").partition("@")[0]


def _read(request: Request) -> tuple[tuple[Any, ...], str] | None:
    if b"<!DOCTYPE" in request.body:
        return None
    try:
        params, method = xmlrpc.client.loads(request.body)
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AssertionError):
        return None
    return (params, method) if method else None


def _unauthorized(request: Request) -> SimulatedReply:
    lines = {"WWW-Authenticate": 'Basic realm="kamailio"', "Server": SERVER, "Content-Length": "0"}
    return SimulatedReply.exactly(f"{request.version} 401 Unauthorized", lines, b"")
