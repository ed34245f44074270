"""A simulated innovaphone PBX, as its published WSDL and the vendor's sample describe it: rpc/encoded SOAP, a session.

A session that ends before a ``Poll`` loses the call that it made.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from gateway.simulators import soap_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import Digest, logged_in
from gateway.simulators.exchange import Request, SimulatedReply, whole
from gateway.simulators.soap_body import ENCODING, CalledOperation
from gateway.texts.text import Text, verbatim

NAMESPACE = "http://innovaphone.com/pbx"
EXTENSION = "3501"
"""The extension of the settings that it proposes; any user's name is taken."""
POLL_S = 60.0
"""Seconds until a Poll with nothing to tell comes back empty."""
SESSIONS_KEPT = 100
WSDLS = ("/pbx501.wsdl", "/pbx900.wsdl", "/pbx10_00.wsdl")


@dataclass
class _Call:
    """A call by its id; it is made when its session is polled."""

    ident: int
    user: int
    extension: str
    number: str
    request: Request
    made: bool = False


@dataclass
class _Session:
    key: int
    users: dict[int, str] = field(default_factory=dict)
    calls: list[_Call] = field(default_factory=list)
    news: list[tuple[_Call, str]] = field(default_factory=list)


class Innovaphone(SimulatedAppliance):
    """``/PBX0/user.soap`` (and any ``/PBX-NAME/user.soap``), WSDL at ``/pbx501.wsdl``, HTTP Basic or Digest:
    Initialize, UserInitialize, UserCall, Poll, UserClear, UserEnd, End. The extension is the user's ``cn``. A session
    that ends before a Poll loses its call."""

    name = "innovaphone"
    title = "innovaphone"
    login = ("admin", "secret")
    auths = ("basic", "digest")
    evidence = Text("the vendor's WSDL and sample, not held against a real one")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "session": Text("Initialize answers key 0: the session is refused"),
        "no-user": Text("UserInitialize answers 0: no such user"),
        "refused": Text("UserCall answers 0"),
        "busy": Text("UserCall answers a call; Poll then tells that it is gone (msg 'del')"),
        "fault": Text("a SOAP fault with HTTP 500 (its text not recorded)"),
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._digest = Digest("innovaphone")
        self._sessions: dict[int, _Session] = {}
        self._handles = count(5)
        self._guard = Lock()

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        login = {"auth": self.behaviour.auth or "basic", "username": username, "password": password}
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        where = {"host": f"{self.host}:{self.port}", **tls, "user": "_TAPI_"}
        return {self.name: {"preset": self.name, **where, **login, "origins": {EXTENSION: EXTENSION}}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.method == "GET" and request.path in WSDLS:
            self.noted(request, "WSDL")
            return SimulatedReply(200, soap_body.XML, self._wsdl(request.header("Host")))
        if not re.fullmatch(r"/PBX(0|-[^/]+)/user\.soap", request.path):
            self.noted(request, "404 Not Found")
            return SimulatedReply(404, "text/html", b"<html><body>not found</body></html>")
        if challenge := self._challenge(request):
            self.noted(request, "401 Unauthorized")
            return SimulatedReply(401, "text/html", b"", {"WWW-Authenticate": challenge})
        operation = soap_body.read(request.body)
        act = getattr(self, f"_op_{operation.name.lower()}", None) if operation else None
        if operation is None or act is None or operation.namespace != NAMESPACE:
            self.noted(request, "fault: unknown operation")
            return soap_body.fault("Client", "unknown operation")
        said: str = act(request, operation)
        name = operation.name
        return soap_body.reply(f'<n:{name}Response xmlns:n="{NAMESPACE}">{said}</n:{name}Response>')

    def fault(self, request: Request) -> SimulatedReply:
        if request.method == "GET":
            return self.answer(request)
        self.noted(request, "fault")
        return soap_body.fault("Server", "internal error")

    def _challenge(self, request: Request) -> str:
        if self.behaviour.auth == "digest":
            refused = self._digest.refused(request, self.credentials)
            return refused or ('Digest realm="innovaphone"' if self.behaviour.fail == "auth" else "")
        right = self.behaviour.fail != "auth" and logged_in(request, self.credentials)
        return "" if right else 'Basic realm="innovaphone"'

    def _wsdl(self, host: str) -> bytes:
        text = Path(__file__).with_name("innovaphone.wsdl").read_text(encoding="utf-8")
        reached = f"http://{host}" if re.fullmatch(r"[A-Za-z0-9.\-\[\]:]+", host) else self.address
        return text.replace("http://pbx.example.com", reached).encode()

    def _op_initialize(self, request: Request, operation: CalledOperation) -> str:
        """Open a session. The booleans declare the WSDL's level: without them the session is refused."""
        declared = all(operation.part(name) in ("true", "1") for name in ("v", "v501"))
        if self.behaviour.fail == "session" or not (declared and operation.part("user")):
            self.noted(request, "Initialize: key 0")
            return _int("return", 0) + _int("key", 0)
        with self._guard:
            ident = next(self._handles)
            self._sessions[ident] = _Session(key=ident * 7919)
            while len(self._sessions) > SESSIONS_KEPT:
                self._sessions.pop(next(iter(self._sessions)))
        self.noted(request, f"Initialize: session {ident}")
        return _int("return", ident) + _int("key", ident * 7919)

    def _op_userinitialize(self, request: Request, operation: CalledOperation) -> str:
        session = self._session(operation)
        user = operation.part("user")
        if session is None or not user or self.behaviour.fail == "no-user":
            self.noted(request, "UserInitialize: 0")
            return _int("return", 0)
        handle = next(self._handles)
        session.users[handle] = user
        self.noted(request, f"UserInitialize: user {handle}")
        return _int("return", handle)

    def _op_usercall(self, request: Request, operation: CalledOperation) -> str:
        handle = _number(operation.part("user"))
        session = next((one for one in self._sessions.values() if handle in one.users), None)
        number = operation.part("e164")
        if session is None or not number or self.behaviour.fail == "refused":
            self.noted(request, "UserCall: 0", session.users[handle] if session else "", number)
            return _int("return", 0)
        call = _Call(next(self._handles), handle, session.users[handle], number, request)
        session.calls.append(call)
        session.news.append((call, "del" if self.behaviour.fail == "busy" else "r-conn"))
        self.ordered()
        self.noted(request, f"UserCall: call {call.ident}, made when the session is polled", call.extension, number)
        return _int("return", call.ident)

    def _op_poll(self, request: Request, operation: CalledOperation) -> str:
        session = self._session(operation)
        if session is None or not session.news:
            self.noted(request, "Poll: nothing")
            self.pause(POLL_S if session else 0)
            return _any_info([])
        self.noted(request, "Poll")
        news, session.news = session.news, []
        for call, message in news:
            if message != "del" and not call.made:
                call.made = True
                self.dialled(call.request, call.extension, call.number, call_id=str(call.ident))
        return _any_info(news)

    def _op_userclear(self, request: Request, operation: CalledOperation) -> str:
        ident = _number(operation.part("call"))
        for session in self._sessions.values():
            session.news += [(call, "del") for call in session.calls if call.ident == ident]
            session.calls = [call for call in session.calls if call.ident != ident]
        self.noted(request, f"UserClear: call {ident}")
        return ""

    def _op_userend(self, request: Request, operation: CalledOperation) -> str:
        self.noted(request, "UserEnd")
        return ""

    def _op_end(self, request: Request, operation: CalledOperation) -> str:
        with self._guard:
            session = self._sessions.pop(_number(operation.part("session")), None)
        lost = [call for call in session.calls if not call.made] if session else []
        said = f"End: call {lost[0].ident} is lost, no Poll before it" if lost else "End"
        self.noted(request, said, *((lost[0].extension, lost[0].number) if lost else ()))
        return ""

    def _session(self, operation: CalledOperation) -> _Session | None:
        return self._sessions.get(_number(operation.part("session")))


def _number(text: str) -> int:
    number = whole(text)
    return -1 if number is None else number


def _int(name: str, value: int) -> str:
    return f'<{name} xsi:type="xsd:int">{value}</{name}>'


def _text(name: str, value: str) -> str:
    return f'<{name} xsi:type="xsd:string">{escape(value)}</{name}>'


def _array(name: str, kind: str, items: list[str]) -> str:
    inner = "".join(f'<item xsi:type="n:{kind}">{item}</item>' for item in items)
    declared = f'xmlns:soapenc="{ENCODING}" soapenc:arrayType="n:{kind}[{len(items)}]"'
    return f'<{name} xsi:type="n:{kind}Array" {declared}>{inner}</{name}>'


def _any_info(news: list[tuple[_Call, str]]) -> str:
    """Return the AnyInfo that Poll returns: here always calls only."""
    calls = _array("call", "CallInfo", [_call_info(call, message) for call, message in news])
    inner = _array("user", "UserInfo", []) + calls + _array("reg", "RegInfo", []) + _array("info", "Info", [])
    return f'<return xsi:type="n:AnyInfo">{inner}</return>'


def _call_info(call: _Call, message: str) -> str:
    peer = _text("type", "peer") + _text("cn", "") + _text("dn", "") + _text("e164", call.number) + _text("h323", "")
    active = "false" if message == "del" else "true"
    return (
        _int("user", call.user)
        + _int("call", call.ident)
        + _int("reg", 0)
        + f'<active xsi:type="xsd:boolean">{active}</active>'
        + _int("state", 0 if message == "del" else 5)
        + _array("No", "No", [peer])
        + _text("msg", message)
        + _array("info", "Info", [])
    )
