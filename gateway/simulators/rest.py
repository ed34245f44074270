"""Simulated exchanges with a REST interface: 3CX V20, Wazo and BroadWorks."""

import re
from collections.abc import Mapping
from itertools import count
from typing import Any, ClassVar
from urllib.parse import unquote
from uuid import uuid4
from xml.sax.saxutils import escape

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in, same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.providers import EXTENSION, Provider
from gateway.simulators.tokens import Tokens
from gateway.texts.text import Text, verbatim

TOKEN_S = 60.0
"""Seconds that a token of 3CX lives here, which it says."""


class ThreeCxV20(Provider):
    """``POST /connect/token`` with the form ``client_id``, ``client_secret``, ``grant_type=client_credentials`` →
    ``access_token``; ``POST /callcontrol/EXTENSION/makecall``, or ``…/devices/ID/makecall``, with ``destination`` and
    the token as Bearer → ``finalstatus``, ``result``."""

    name = "3cx-v20"
    title = "3CX V20"
    evidence = Text("other clients' code, not held against a real one")
    login = ("900", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("no token: 401 (its words not documented)"),
        "privilege": Text("403: the client may not control the extension (its words not documented)"),
        "busy": Text("200 with a finalstatus that is not Success (its words not documented)"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._tokens = Tokens(TOKEN_S)

    def table(self) -> dict[str, Any]:
        client_id, client_secret = self.credentials
        return {"client_id": client_id, "client_secret": client_secret}

    def forget(self) -> None:
        """Let all tokens expire."""
        self._tokens.clear()

    def answer(self, request: Request) -> SimulatedReply:
        if request.method == "POST" and request.path == "/connect/token":
            return self._connect(request)
        found = re.fullmatch(r"/callcontrol/([^/]+)(/devices/[^/]+)?/makecall", request.path)
        if not found or request.method != "POST":
            return self.nowhere(request)
        given = request.header("Authorization").removeprefix("Bearer ")
        if not self._tokens.knows(given):
            return self.no(request, 401, None, found[1])
        return self._make_call(request, found[1])

    def _connect(self, request: Request) -> SimulatedReply:
        client_id, _ = self.credentials
        right = request.form.get("client_id") == client_id and self.may(request.form.get("client_secret", ""))
        if not right or request.form.get("grant_type") != "client_credentials":
            return self.no(request, 401, None)
        self.noted(request, "connect/token")
        given = {"token_type": "Bearer", "expires_in": int(TOKEN_S), "access_token": self._tokens.give()}
        return json_body.reply(200, given)

    def _make_call(self, request: Request, extension: str) -> SimulatedReply:
        number = str(json_body.asked(request).get("destination", "")) if json_body.declared(request) else ""
        if self.behaviour.fail == "privilege":
            return self.no(request, 403, None, extension, number)
        if not number:
            return self.no(request, 422, None, extension)
        if self.refuses:
            return self.no(request, 200, {"finalstatus": "Failed", "reasontext": "busy"}, extension, number)
        call = {"id": 1, "status": "Dialing", "callid": self.dialled(request, extension, number)}
        return json_body.reply(200, {"finalstatus": "Success", "reason": "", "reasontext": "", "result": call})


class Wazo(Provider):
    """``POST /api/auth/0.1/token`` with Basic and ``expiration`` → ``data.token``; with it in the header
    ``X-Auth-Token``, ``POST /api/calld/1.0/users/me/calls`` with ``extension`` → 201 and ``call_id``; ``DELETE`` of
    that hangs up: 204, or 404. Its one user is extension 3501."""

    name = "wazo"
    title = "Wazo"
    evidence = Text("its interface description and source, not held against a real one")
    login = ("ana", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("no token: 401 'Authentication Failed'"),
        "absent": Text("400 with a message (its words not recorded)"),
        "busy": Text("201 all the same: what becomes of the call is an event"),
        **SimulatedAppliance.failures,
    }
    CALLS: ClassVar[str] = "/api/calld/1.0/users/me/calls"

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._tokens = Tokens()
        self._calls = Tokens()

    def table(self) -> dict[str, Any]:
        username, password = self.credentials
        return {"origins": {EXTENSION: {"username": username, "password": password}}}

    def answer(self, request: Request) -> SimulatedReply:
        if (request.method, request.path) == ("POST", "/api/auth/0.1/token"):
            return self._token(request)
        call_id = unquote(request.path.removeprefix(f"{self.CALLS}/"))
        hangs_up = request.method == "DELETE" and call_id != request.path
        if not hangs_up and (request.method, request.path) != ("POST", self.CALLS):
            return self.nowhere(request)
        if not self._tokens.knows(request.header("X-Auth-Token")):
            return self.no(request, 401, {"reason": ["Authentication failed"], "status_code": 401})
        return self._hang_up(request, call_id) if hangs_up else self._call(request)

    def _token(self, request: Request) -> SimulatedReply:
        life_s = json_body.asked(request).get("expiration", 7200)
        if not isinstance(life_s, int) or life_s < 1:
            return self.no(request, 400, {"reason": ["Invalid expiration"], "status_code": 400})
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            return self.no(request, 401, {"reason": ["Authentication Failed"], "status_code": 401})
        token = self._tokens.give(str(uuid4()), life_s)
        self.noted(request, "token")
        return json_body.reply(200, {"data": {"token": token, "acl": [], "metadata": {}}})

    def _call(self, request: Request) -> SimulatedReply:
        number = str(json_body.asked(request).get("extension", ""))
        if self.behaviour.fail == "absent" or not number:
            said = {"message": "Invalid extension", "error_id": "invalid-extension", "details": {}}
            return self.no(request, 400, said, EXTENSION, number)
        if self.refuses:
            self.noted(request, "201, and the phone is busy", EXTENSION, number)
            call_id = uuid4().hex
        else:
            call_id = self._calls.give(self.dialled(request, EXTENSION, number))
        return json_body.reply(201, {"call_id": call_id, "status": "Down", "dialed_extension": number})

    def _hang_up(self, request: Request, call_id: str) -> SimulatedReply:
        if not self._calls.knows(call_id):
            said = {"message": "No such call", "error_id": "no-such-call", "details": {"call_id": call_id}}
            return self.no(request, 404, said)
        self._calls.end(call_id)
        self.noted(request, f"hung up {call_id}")
        return json_body.reply(204, None)


class BroadWorks(Provider):
    """``POST /com.broadsoft.xsi-actions/v2.0/user/USER@DOMAIN/calls/new?address=NUMBER`` with Basic → 201 and a
    ``CallStartInfo`` with ``callId``; ``DELETE …/calls/CALLID`` hangs up. Errors are an ``ErrorInfo`` with a
    ``summary``."""

    name = "broadworks"
    title = "BroadWorks (Xsi-Actions)"
    evidence = Text("the maker's documentation, not held against a real one")
    login = ("crm@example.com", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "absent": Text("404 with an ErrorInfo (its words not documented)"),
        "busy": Text("403 with an ErrorInfo (its status and words not documented)"),
        **SimulatedAppliance.failures,
    }
    XSI: ClassVar[str] = "http://schema.broadsoft.com/xsi"

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._calls = Tokens()
        self._numbers = count(1)

    @property
    def domain(self) -> str:
        return self.credentials[0].rpartition("@")[2]

    def table(self) -> dict[str, Any]:
        username, password = self.credentials
        return {"username": username, "password": password, "domain": self.domain}

    def answer(self, request: Request) -> SimulatedReply:
        found = re.fullmatch(r"/com\.broadsoft\.xsi-actions/v2\.0/user/([^/]+)/calls/([^/]+)", request.path)
        user, step = (unquote(part) for part in found.groups()) if found else ("", "")
        if not found or (request.method, step == "new") not in (("POST", True), ("DELETE", False)):
            return self.nowhere(request)
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            self.noted(request, "401 Unauthorized", user)
            return SimulatedReply(401, "text/html", b"", {"WWW-Authenticate": 'Basic realm="Xsi"'})
        extension, _, domain = user.partition("@")
        if self.behaviour.fail == "absent" or not same(domain, self.domain):
            return self._error(request, 404, f"User not found: {user}", extension)
        return self._call(request, user, extension) if step == "new" else self._hang_up(request, user, step)

    def _call(self, request: Request, user: str, extension: str) -> SimulatedReply:
        number = request.query.get("address", "")
        if self.refuses or not number:
            return self._error(request, 403, "Call failed", extension, number)
        call_id = f"callhalf-{next(self._numbers)}:0"
        self._calls.give(f"{user} {call_id}")
        self.dialled(request, extension, number, call_id=call_id)
        parts = f"<callId>{call_id}</callId><externalTrackingId>{uuid4().hex}:1</externalTrackingId>"
        return self._xml(201, "CallStartInfo", parts)

    def _hang_up(self, request: Request, user: str, call_id: str) -> SimulatedReply:
        if not self._calls.knows(f"{user} {call_id}"):
            return self._error(request, 404, f"Call not found: {call_id}")
        self._calls.end(f"{user} {call_id}")
        self.noted(request, f"hung up {call_id}")
        return SimulatedReply(200, "application/xml", b"")

    def _error(
        self, request: Request, status: int, summary: str, extension: str = "", number: str = ""
    ) -> SimulatedReply:
        self.noted(request, f"{status} {summary}", extension, number)
        return self._xml(status, "ErrorInfo", f"<summary>{escape(summary)}</summary>")

    def _xml(self, status: int, element: str, inner: str) -> SimulatedReply:
        said = f'<?xml version="1.0" encoding="UTF-8"?>\n<{element} xmlns="{self.XSI}">{inner}</{element}>'
        return SimulatedReply(status, "application/xml", said.encode())


REST: tuple[type[Provider], ...] = (ThreeCxV20, Wazo, BroadWorks)
