"""Simulated softswitches that dial by XML-RPC without a login, as their source code has it: SEMS and OpenSIPS.

Neither tells whether a phone rings: both answer when they have taken the order.
"""

import re
import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import uuid4
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from lxml import etree

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.exchange import Answer, NoReply, Request, SimulatedReply
from gateway.texts.text import Text

FAILED = "failed"
SCENARIO = "scenario"
BUSY = "busy"


_LAST = re.compile(r"(<value>(?:<string>)?)[^<]*((?:</string>)?</value>\s*</param>\s*</params>)")


class MethodRefusal(Exception):
    """A fault: its code and its sentence."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code, self.text = code, text


def _user(uri: str) -> str:
    """Return the user part of a SIP URI."""
    return uri.removeprefix("sip:").partition("@")[0]


class Sems(SimulatedAppliance):
    """``dial_auth_b2b("click2dial", announcement, from, to, caller's address, callee's address, realm, user,
    password)`` on any path, also as ``di_dial.dial_auth_b2b`` and ``di("di_dial", "dial_auth_b2b", …)``. The answer is
    an array of one text: the call's tag, or ``<failed>``. A request without a length gets no answer."""

    name = "sems"
    title = "SEMS (click2dial)"
    evidence = Text("its source code, not held against a real one")
    failures: ClassVar[Mapping[str, Text]] = {
        BUSY: Text("the phone is busy, absent or its login wrong: a tag all the same"),
        FAILED: Text("'<failed>' in place of the tag, which is no fault"),
        "fault": Text("fault 500 'Exception occured.'"),
    }
    STRINGS: ClassVar[int] = 9
    """The last of them is the password for SIP."""

    def tables(self) -> dict[str, dict[str, Any]]:
        sip = {"domain": self.host, "proxy": self.host, "realm": self.host, "username": "crm", "password": "sip-demo"}
        return {self.name: {"preset": self.name, "host": self.host, "port": self.port, **sip}}

    def answer(self, request: Request) -> Answer:
        if not request.measured or request.header("Content-Length") == "0":
            self.noted(request, "no answer: no Content-length")
            return NoReply.CLOSES
        try:
            told = self._called(request)
        except MethodRefusal as refused:
            return self._fault(request, refused.code, refused.text)
        return self._reply(f"<params><param>\r\n\t{_array(told)}\r\n</param></params>")

    def fault(self, request: Request) -> SimulatedReply:
        return self._fault(request, 500, "Exception occured.")

    def masked(self, raw: str) -> str:
        return _LAST.sub(r"\1****\2", super().masked(raw))

    def _called(self, request: Request) -> str:
        """Place the call and return the one text of the answer. Raises ``MethodRefusal``."""
        params, method = _loaded(request.body)
        if any(not isinstance(each, str | int | float | list) or isinstance(each, bool) for each in params):
            raise MethodRefusal(400, "unsupported parameter type")
        if method == "di":
            if len(params) < 2:
                raise MethodRefusal(400, "need at least factory name and function name to call")
            if params[0] != "di_dial":
                raise MethodRefusal(500, "could not get factory")
            method, params = f"di_dial.{params[1]}", params[2:]
            if method != "di_dial.dial_auth_b2b":
                raise MethodRefusal(504, f"Exception: AmDynInvoke::NotImplemented: {method.removeprefix('di_dial.')}")
        if method.removeprefix("di_dial.") != "dial_auth_b2b":
            raise MethodRefusal(-1, f"{method}: unknown method name")
        return self._dial(request, params)

    def _dial(self, request: Request, params: Sequence[Any]) -> str:
        if len(params) < self.STRINGS:
            raise MethodRefusal(300, "Exception: AmArg out of bounds - paramter number mismatch.")
        if not all(isinstance(each, str) for each in params[: self.STRINGS]):
            raise MethodRefusal(300, "Exception: Type mismatch in arguments.")
        caller, called = _user(params[2]), _user(params[3])
        if self.behaviour.fail == FAILED or params[0] != "click2dial":
            self.noted(request, "<failed>", caller, called)
            return "<failed>\n"
        if self.behaviour.fail == BUSY:
            self.noted(request, "dial_auth_b2b: nobody answers", caller, called)
            return uuid4().hex
        return self.dialled(request, caller, called)

    def _fault(self, request: Request, code: int, text: str) -> SimulatedReply:
        self.noted(request, f"fault {code}: {text}")
        members = f"<member><name>faultCode</name><value><i4>{code}</i4></value></member>"
        members += f"<member><name>faultString</name><value>{escape(text)}</value></member>"
        return self._reply(f"<fault>\r\n\t<value><struct>{members}</struct></value>\r\n</fault>")

    def _reply(self, inner: str) -> SimulatedReply:
        body = f'<?xml version="1.0"?>\r\n<methodResponse>{inner}</methodResponse>\r\n'.encode()
        lines = {"Server": "XMLRPC++ 0.7", "Content-Type": "text/xml", "Content-length": str(len(body))}
        return SimulatedReply.exactly("200 OK", lines, body)


def _array(text: str) -> str:
    return f"<value><array><data><value>{escape(text)}</value></data></array></value>"


def _loaded(body: bytes) -> tuple[Sequence[Any], str]:
    """Return parameters and method; SEMS reads what is no XML-RPC as a call of the method without a name."""
    if b"<!DOCTYPE" in body:
        return (), ""
    try:
        params, method = xmlrpc.client.loads(body)
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AssertionError):
        return (), ""
    return params, method or ""


class OpenSips(SimulatedAppliance):
    """``b2b_trigger_scenario`` or ``b2b_logic:trigger_scenario`` by POST to ``/RPC2``: one struct of ``scenario_id``,
    ``entity1``, ``entity2`` (``id,address[,name]``) and perhaps ``context``, all as ``<string>`` → ``OK``, before
    anybody rings."""

    name = "opensips"
    title = "OpenSIPS (b2b_trigger_scenario)"
    evidence = Text("its source code; OK and fault 500 were seen of OpenSIPS 3.6.8")
    failures: ClassVar[Mapping[str, Text]] = {
        BUSY: Text("the phone is busy or absent: OK all the same"),
        SCENARIO: Text("fault 500 'Failed to initialize scenario', as without server_address"),
        "fault": Text("fault -32000 'server error'"),
    }
    methods: ClassVar[frozenset[str]] = frozenset({"b2b_trigger_scenario", "b2b_logic:trigger_scenario"})

    def tables(self) -> dict[str, dict[str, Any]]:
        place = {"host": self.host, "port": self.port, "scenario": "click2dial", "domain": self.host}
        return {self.name: {"preset": self.name, **place}}

    def answer(self, request: Request) -> Answer:
        if request.path != "/RPC2":
            self.noted(request, "404 Not Found")
            return SimulatedReply.text(404, "")
        if request.method != "POST" or not request.body:
            status = 400 if request.method == "POST" else 405
            self.noted(request, str(status))
            return SimulatedReply.text(status, "")
        try:
            method, given = _named(request.body)
            self._trigger(request, method, given)
        except MethodRefusal as refused:
            return self._fault(request, refused.code, refused.text)
        ok = "<params><param>\r\n<value><string>OK</string></value></param></params>"
        said = f'<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n{ok}\r\n</methodResponse>\r\n'
        return SimulatedReply(200, "text/xml; charset=utf-8", said.encode())

    def fault(self, request: Request) -> SimulatedReply:
        return self._fault(request, -32000, "server error")

    def _trigger(self, request: Request, method: str, given: Mapping[str, str]) -> None:
        """Start the scenario of a call between two addresses. Raises ``MethodRefusal``."""
        if method not in self.methods:
            raise MethodRefusal(-32601, "server error. requested method not found")
        if set(given) - {"context"} != {"scenario_id", "entity1", "entity2"}:
            raise MethodRefusal(-32602, "server error. invalid method parameters")
        caller, called = (_user(_address(given[name], name)) for name in ("entity1", "entity2"))
        if self.behaviour.fail == SCENARIO:
            raise MethodRefusal(500, "Failed to initialize scenario")
        if self.behaviour.fail == BUSY:
            self.noted(request, "OK, and nobody answers", caller, called)
        else:
            self.dialled(request, caller, called)

    def _fault(self, request: Request, code: int, text: str) -> SimulatedReply:
        self.noted(request, f"fault {code}: {text}")
        said = xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), encoding="utf-8")
        return SimulatedReply(200, "text/xml; charset=utf-8", said.encode())


def _address(entity: str, name: str) -> str:
    """Return the address in ``id,address[,name]``. Raises ``MethodRefusal``."""
    ident, _, rest = entity.partition(",")
    address = rest.partition(",")[0].strip()
    if not ident or not address:
        raise MethodRefusal(400, f"Missing {'destination URI' if ident else 'ID'} for {name}")
    return address


def _named(body: bytes) -> tuple[str, dict[str, str]]:
    """Return the method and its named parameters. Positional ones, values without ``<string>`` and empty ones count as
    none. Raises ``MethodRefusal``.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        call = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        # Without its minus, as in the source.
        raise MethodRefusal(32700, "parse error. not well formed") from None
    method = call.findtext("methodName", "")
    if call.tag != "methodCall" or not method:
        raise MethodRefusal(-32600, "server error. invalid xml-rpc. not conforming to spec.")
    members = call.findall("params/param/value/struct/member")
    found = {member.findtext("name", ""): member.findtext("value/string", "") for member in members}
    if any(not text for name, text in found.items() if name != "context"):
        raise MethodRefusal(-32600, "server error. invalid xml-rpc. not conforming to spec.")
    return method, found
