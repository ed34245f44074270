"""A simulated Cisco Unified CM WebDialer, as Cisco documents it: the classic rpc/encoded service, and the one that
replaced it in 15 SU5."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from gateway.simulators import soap_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.soap_body import ENCODING, CalledOperation
from gateway.texts.text import Text, verbatim

RESPONSES = {
    0: "Success",
    1: "Call failure error",
    2: "Authentication error",
    3: "No authentication proxy rights",
    4: "Directory error",
    5: "No device is configured for the user or missing parameters in the request",
    6: "Service temporarily unavailable",
    7: "Destination cannot be reached",
    8: "Service error",
    9: "Service overloaded",
}
CODES = {
    "auth": 2,
    "busy": 1,
    "privilege": 3,
    "directory": 4,
    "no-device": 5,
    "unavailable": 6,
    "unreachable": 7,
    "error": 8,
    "overload": 9,
}
EXTENSION = "3501"
LINE = "1001"
DEVICE = "SEP001122334455"
OPERATIONS = ("makeCallSoap", "endCallSoap", "getProfileSoap", "getPrimaryLine", "isClusterUserSoap")


class _WebDialer(SimulatedAppliance):
    login = ("app", "secret")
    evidence = Text("Cisco's documentation, not held against a real one")
    failures: ClassVar[Mapping[str, Text]] = {
        **{name: verbatim(f"responseCode {code} '{RESPONSES[code]}'") for name, code in CODES.items()},
        "fault": Text("a SOAP fault with HTTP 500 (its text not recorded)"),
    }
    service: ClassVar[str]
    """The path of the service."""
    namespace: ClassVar[str]
    wsdl: ClassVar[tuple[str, str]]
    """The WSDL's address (path, with its query) and its file."""
    parts: ClassVar[tuple[str, str, str]]
    """What the operations' parameters are called."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the gateway's settings to dial on this service; Cisco's service, and so the preset,
        speaks https only.
        """
        if not self.pinned():
            return {}
        username, password = self.credentials
        place = {"host": self.host, "port": self.port, "username": username, "password": password}
        origins = {EXTENSION: {"device": DEVICE, "line": LINE}}
        return {self.name: {"preset": self.name, **place, **self.pinned(), "origins": origins}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.method == "GET" and request.target == self.wsdl[0]:
            self.noted(request, "WSDL")
            return SimulatedReply(200, soap_body.XML, self._wsdl(request.header("Host")))
        if request.path != self.service:
            self.noted(request, "404 Not Found")
            return SimulatedReply(404, "text/html", b"<html><body><h1>HTTP Status 404</h1></body></html>")
        operation = soap_body.read(request.body)
        if operation is None or operation.name not in OPERATIONS or operation.namespace != self.namespace:
            return self._no_such(request, operation)
        return self._done(request, operation)

    def _no_such(self, request: Request, operation: CalledOperation | None) -> SimulatedReply:
        name = f"{{{operation.namespace}}}{operation.name}" if operation else "in the Body"
        self.noted(request, f"fault: no operation {name}")
        return soap_body.fault("Client", f"No such operation {name}")

    def fault(self, request: Request) -> SimulatedReply:
        if request.method == "GET":
            return self.answer(request)
        self.noted(request, "fault")
        return soap_body.fault("Server.userException", "java.rmi.RemoteException")

    def _done(self, request: Request, operation: CalledOperation) -> SimulatedReply:
        if operation.name == "isClusterUserSoap":
            self.noted(request, operation.name)
            return self.plain(operation.name, "true")
        code = self._code(operation)
        number, line = self.part(operation, self.parts[1]), self.part(operation, f"{self.parts[2]}/lineNumber")
        if operation.name == "makeCallSoap" and not code:
            self.dialled(request, line, number)
        else:
            called = (line, number) if operation.name == "makeCallSoap" else ("", "")
            self.noted(request, f"{operation.name}: {code} {RESPONSES[code]}", *called)
        if operation.name == "getPrimaryLine":
            return self.plain(operation.name, LINE if not code else "")
        return self.profile(code) if operation.name == "getProfileSoap" else self.response(operation.name, code)

    def _code(self, operation: CalledOperation) -> int:
        """Return the responseCode: that of a wrong login, else of the failure chosen, else what the
        request deserves.
        """
        wanted = CODES.get(self.behaviour.fail, 0)
        user, password = (self.part(operation, f"{self.parts[0]}/{name}") for name in ("userID", "password"))
        if not (same(user, self.credentials[0]) and same(password, self.credentials[1])):
            return CODES["auth"]
        if wanted:
            return wanted
        needed = {"makeCallSoap": (self.parts[1], *self._lines(2)), "endCallSoap": self._lines(1)}
        missing = any(not self.part(operation, path) for path in needed.get(operation.name, ()))
        return CODES["no-device"] if missing else 0

    def _lines(self, place: int) -> tuple[str, ...]:
        profile = self.parts[place]
        return f"{profile}/user", f"{profile}/deviceName", f"{profile}/lineNumber"

    def _wsdl(self, host: str) -> bytes:
        """Return the WSDL with the address by which the client reached us."""
        text = Path(__file__).with_name(self.wsdl[1]).read_text(encoding="utf-8")
        reached = f"http://{host}" if re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", host) else self.address
        return text.replace("https://cucm.example.com:8443", reached).encode()

    def part(self, operation: CalledOperation, path: str) -> str:
        """Return a parameter's text."""
        raise NotImplementedError

    def plain(self, operation: str, value: str) -> SimulatedReply:
        """Return the answer of an operation that returns one value."""
        raise NotImplementedError

    def response(self, operation: str, code: int) -> SimulatedReply:
        """Return the answer with a CallResponse."""
        raise NotImplementedError

    def profile(self, code: int) -> SimulatedReply:
        """Return the answer with the user's devices and lines."""
        raise NotImplementedError


def _code_and(text_name: str, code: int, prefix: str = "") -> str:
    return (
        f"<{prefix}responseCode>{code}</{prefix}responseCode>"
        f"<{prefix}{text_name}>{escape(RESPONSES[code])}</{prefix}{text_name}>"
    )


class WebDialer(_WebDialer):
    """``urn:WD70`` at ``/webdialer/services/WebdialerSoapService70``, rpc/encoded, WSDL at
    ``/webdialer/wsdl/wd70.wsdl``: makeCallSoap, endCallSoap, getProfileSoap, getPrimaryLine, isClusterUserSoap. Answers
    hold Axis 1.4's multi-references."""

    name = "cisco-webdialer"
    title = Text("Cisco WebDialer (up to 15 SU4)")
    service = "/webdialer/services/WebdialerSoapService70"
    namespace = "urn:WD70"
    wsdl = ("/webdialer/wsdl/wd70.wsdl", "webdialer.wsdl")
    parts = ("in0", "in1", "in2")

    def part(self, operation: CalledOperation, path: str) -> str:
        if operation.name == "endCallSoap":
            path = path.replace("in2/", "in1/")
        return operation.part(path)

    def plain(self, operation: str, value: str) -> SimulatedReply:
        kind = "xsd:boolean" if operation == "isClusterUserSoap" else "soapenc:string"
        declared = f' xmlns:soapenc="{ENCODING}"'
        return self._returned(operation, f' xsi:type="{kind}"{declared}>{escape(value)}</{operation}Return>', "")

    def response(self, operation: str, code: int) -> SimulatedReply:
        inner = (
            f'<responseCode xsi:type="xsd:int">{code}</responseCode>'
            f'<responseDescription xsi:type="xsd:string">{escape(RESPONSES[code])}</responseDescription>'
        )
        return self._returned(operation, ' href="#id0"/>', _multi("id0", "CallResponse", inner))

    def profile(self, code: int) -> SimulatedReply:
        devices = (
            '<deviceInfoList xsi:type="soapenc:Array" soapenc:arrayType="ns2:WDDeviceInfo[1]">'
            '<deviceInfoList href="#id1"/></deviceInfoList>'
        )
        described = f'<description xsi:type="xsd:string">{escape(RESPONSES[code])}</description>'
        inner = f'{described}{"" if code else devices}<responseCode xsi:type="xsd:int">{code}</responseCode>'
        device = f'<deviceName xsi:type="xsd:string">{DEVICE}</deviceName><lines xsi:type="xsd:string">{LINE}</lines>'
        more = "" if code else _multi("id1", "WDDeviceInfo", device)
        return self._returned("getProfileSoap", ' href="#id0"/>', _multi("id0", "GetConfigResponse", inner) + more)

    def _returned(self, operation: str, value: str, references: str) -> SimulatedReply:
        opened = f'<ns1:{operation}Response soapenv:encodingStyle="{ENCODING}" xmlns:ns1="{self.namespace}">'
        return soap_body.reply(f"{opened}<{operation}Return{value}</ns1:{operation}Response>{references}")


def _multi(reference: str, kind: str, inner: str) -> str:
    """Write a value beside the answer, as Axis 1.4 writes structures."""
    return (
        f'<multiRef id="{reference}" soapenc:root="0" soapenv:encodingStyle="{ENCODING}" xsi:type="ns2:{kind}" '
        f'xmlns:soapenc="{ENCODING}" xmlns:ns2="http://webdialer.ccm.cisco.com">{inner}</multiRef>'
    )


class WebDialerSu5(_WebDialer):
    """``http://webdialer.ccm.cisco.com`` at ``/webdialer/services/webdialer``, document/literal with qualified
    elements, WSDL at ``?wsdl``: the same operations with ``args0``, ``args1``, ``args2``. The classic addresses are
    404."""

    name = "cisco-webdialer-15su5"
    title = "Cisco WebDialer (15 SU5)"
    service = "/webdialer/services/webdialer"
    namespace = "http://webdialer.ccm.cisco.com"
    wsdl = ("/webdialer/services/webdialer?wsdl", "webdialer_su5.wsdl")
    parts = ("args0", "args1", "args2")

    def part(self, operation: CalledOperation, path: str) -> str:
        if operation.name == "endCallSoap":
            path = path.replace("args2/", "args1/")
        return operation.part(path, namespace=self.namespace)

    def plain(self, operation: str, value: str) -> SimulatedReply:
        return self._returned(operation, escape(value))

    def response(self, operation: str, code: int) -> SimulatedReply:
        return self._returned(operation, _code_and("responseDescription", code, "ns:"))

    def profile(self, code: int) -> SimulatedReply:
        device = f"<ns:deviceName>{DEVICE}</ns:deviceName><ns:lines>{LINE}</ns:lines>"
        devices = "" if code else f"<ns:deviceInfoList>{device}</ns:deviceInfoList>"
        described = f"<ns:description>{escape(RESPONSES[code])}</ns:description>"
        return self._returned("getProfileSoap", f"{described}{devices}<ns:responseCode>{code}</ns:responseCode>")

    def _returned(self, operation: str, inner: str) -> SimulatedReply:
        opened = f'<ns:{operation}Response xmlns:ns="{self.namespace}">'
        return soap_body.reply(f"{opened}<ns:return>{inner}</ns:return></ns:{operation}Response>")
