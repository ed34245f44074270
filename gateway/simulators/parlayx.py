"""A simulated Parlay X 2.0 gateway with its Third Party Call, as the standard's WSDL of 13 August 2004 has it:
document/literal SOAP, the operation and its parts qualified, the members of types not."""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from itertools import count
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from lxml import etree

from gateway.simulators import soap_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in, same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.tokens import KEPT
from gateway.texts.text import Text

LOCAL = "http://www.csapi.org/schema/parlayx/third_party_call/v2_0/local"
COMMON = "http://www.csapi.org/schema/parlayx/common/v2_0"
PATH = "/ParlayXThirdPartyCallAccess/services/ThirdPartyCall"
"""Where deployments often have it: the standard leaves it open."""
CHARGING = ("description", "currency", "amount", "code")
POLICY = "policy"


class Wrong(Exception):
    """A ServiceException or PolicyException: its messageId, its text, its variable."""

    def __init__(self, ident: str, text: str, variable: str = "") -> None:
        super().__init__(ident)
        self.ident, self.text, self.variable = ident, text, variable


@dataclass(frozen=True)
class ParlayCall:
    """A call as getCallInformation tells of it."""

    began: datetime
    status: str = "CallInitial"
    cause: str = "CallHangUp"


class ParlayX(SimulatedAppliance):
    """``makeCall`` with ``callingParty``, ``calledParty`` (addresses such as ``tel:…`` or ``sip:…``) and ``charging`` →
    ``result``, the call's id, for ``getCallInformation``, ``endCall`` and ``cancelCallRequest``; ``SOAPAction: ""``.
    The login is not in the standard: Basic, or WS-Security's UsernameToken."""

    name = "parlayx"
    title = "Parlay X (ThirdPartyCall)"
    evidence = Text("the standard's WSDL, not held against a real one")
    login = ("crm", "secret")
    auths = ("basic", "wsse")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401; by wsse a fault (its text not documented)"),
        "busy": Text("an id all the same; getCallInformation then says CallingPartyBusy"),
        POLICY: Text("a PolicyException, POL0001 (its text not in the WSDL)"),
        "fault": Text("a ServiceException, SVC0001 (its text not in the WSDL)"),
    }
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "makeCall": ("callingParty", "calledParty", "charging"),
        "getCallInformation": ("callIdentifier",),
        "endCall": ("callIdentifier",),
        "cancelCallRequest": ("callIdentifier",),
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._calls: dict[str, ParlayCall] = {}
        self._numbers = count(1)

    @property
    def kind(self) -> str:
        return self.behaviour.auth or self.auths[0]

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        login = {"auth": self.kind, "username": username, "password": password}
        return {self.name: {"preset": self.name, "url": f"{self.address}{PATH}", **self.pinned(), **login}}

    def answer(self, request: Request) -> SimulatedReply:
        if not request.path.endswith("/ThirdPartyCall") or request.method != "POST":
            self.noted(request, "404 Not Found")
            return SimulatedReply(404, "text/html", b"<html><body>Not Found</body></html>")
        if self.kind == "basic" and (self.behaviour.fail == "auth" or not logged_in(request, self.credentials)):
            self.noted(request, "401 Unauthorized")
            return SimulatedReply(401, "text/html", b"", {"WWW-Authenticate": 'Basic realm="ParlayX"'})
        operation = soap_body.read(request.body)
        if request.header("SOAPAction") != '""' or not request.header("Content-Type").startswith("text/xml"):
            return self._fault(request, "Client", 'no SOAP 1.1 with SOAPAction ""')
        if operation is None or operation.namespace != LOCAL or operation.name not in self.parts:
            return self._fault(request, "Client", "no such operation")
        if self.kind == "wsse" and not self._may(operation):
            return self._fault(request, "Client", "not authenticated")
        return self._judged(request, operation)

    def fault(self, request: Request) -> SimulatedReply:
        return self._exception(request, Wrong("SVC0001", "Service error occurred"))

    def _judged(self, request: Request, operation: soap_body.CalledOperation) -> SimulatedReply:
        try:
            given = self._given(operation)
            told = (
                self._make(request, given) if operation.name == "makeCall" else self._about(request, operation, given)
            )
        except Wrong as wrong:
            return self._exception(request, wrong)
        name = f"{operation.name}Response"
        return soap_body.reply(f'<p:{name} xmlns:p="{LOCAL}">{told}</p:{name}>')

    def _given(self, operation: soap_body.CalledOperation) -> dict[str, str]:
        """Return the parts of an operation, all there and in their order. Raises ``Wrong``."""
        children = [child for child in operation.element if isinstance(child.tag, str)]
        wanted = self.parts[operation.name]
        if [child.tag for child in children] != [f"{{{LOCAL}}}{name}" for name in wanted]:
            raise Wrong("SVC0002", "Invalid input value for message part %1", operation.name)
        if operation.name == "makeCall" and not _charged(children[2]):
            raise Wrong("SVC0002", "Invalid input value for message part %1", "charging")
        return {name: (child.text or "").strip() for name, child in zip(wanted, children, strict=True)}

    def _make(self, request: Request, given: Mapping[str, str]) -> str:
        """Make a call and return its identifier as the result's element. Raises ``Wrong``."""
        for name in ("callingParty", "calledParty"):
            if not re.match(r"(?i)[a-z][a-z0-9+.-]*:.", given[name]):
                raise Wrong("SVC0002", "Invalid input value for message part %1", name)
        caller, called = _number(given["callingParty"]), _number(given["calledParty"])
        if self.behaviour.fail == POLICY:
            raise Wrong("POL0001", "A policy error occurred")
        now = datetime.now(UTC)
        if self.behaviour.fail == "busy":
            self.noted(request, "makeCall: CallingPartyBusy", caller, called)
            call_id, call = f"busy-{next(self._numbers)}", ParlayCall(now, "CallTerminated", "CallingPartyBusy")
        else:
            call_id, call = self.dialled(request, caller, called), ParlayCall(now)
        self._calls[call_id] = call
        while len(self._calls) > KEPT:
            del self._calls[next(iter(self._calls))]
        return f"<p:result>{call_id}</p:result>"

    def _about(self, request: Request, operation: soap_body.CalledOperation, given: Mapping[str, str]) -> str:
        """Answer an operation on a call that exists: tell about it, or end it. Raises ``Wrong``."""
        call = self._calls.get(given["callIdentifier"])
        if call is None or (operation.name != "getCallInformation" and call.status == "CallTerminated"):
            raise Wrong("SVC0002", "Invalid input value for message part %1", "callIdentifier")
        self.noted(request, operation.name)
        if operation.name != "getCallInformation":
            self._calls[given["callIdentifier"]] = ParlayCall(call.began, "CallTerminated")
            return ""
        began = f"{call.began:%Y-%m-%dT%H:%M:%SZ}"
        inner = f"<callStatus>{call.status}</callStatus><startTime>{began}</startTime><duration>0</duration>"
        return f"<p:result>{inner}<terminationCause>{call.cause}</terminationCause></p:result>"

    def _may(self, operation: soap_body.CalledOperation) -> bool:
        """Return whether the Header holds the login, in clear or as a digest."""
        token = operation.element.getparent().getparent().find("{*}Header//{*}UsernameToken")
        if token is None or self.behaviour.fail == "auth":
            return False
        password, given = self.credentials[1], token.find("{*}Password")
        if given is not None and given.get("Type", "").endswith("#PasswordDigest"):
            once = _decoded(token.findtext("{*}Nonce", "")) + token.findtext("{*}Created", "").encode()
            password = b64encode(sha1(once + password.encode(), usedforsecurity=False).digest()).decode()
        text = "" if given is None else given.text or ""
        return same(token.findtext("{*}Username", ""), self.credentials[0]) and same(text, password)

    def _exception(self, request: Request, wrong: Wrong) -> SimulatedReply:
        name = "PolicyException" if wrong.ident.startswith("POL") else "ServiceException"
        inner = f"<messageId>{wrong.ident}</messageId><text>{escape(wrong.text)}</text>"
        inner += f"<variables>{escape(wrong.variable)}</variables>" if wrong.variable else ""
        detail = f'<c:{name} xmlns:c="{COMMON}">{inner}</c:{name}>'
        return self._fault(request, "Server", name, detail)

    def _fault(self, request: Request, code: str, text: str, detail: str = "") -> SimulatedReply:
        self.noted(request, f"fault: {text}")
        return soap_body.fault(code, text, detail)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text)
    except ValueError:
        return b""


def _charged(element: Any) -> bool:
    """Return whether ``element`` is a ChargingInformation: its members bare of a namespace, its amount a decimal."""
    members = [etree.QName(child).text for child in element if isinstance(child.tag, str)]
    amount = (element.findtext("amount") or "").strip()
    return members == list(CHARGING) and bool(re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", amount))


def _number(address: str) -> str:
    """Return the number in ``tel:…``, the user in ``sip:…@…``."""
    return address.partition(":")[2].partition("@")[0].partition(";")[0]
