"""Simulated exchanges that dial on an address of their web server: 3CX up to the V10 era, Vodia, OpenScape Business and
SNEP.

Of most of them it is not documented what they say to an order, be it good or bad.
"""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.providers import EXTENSION, Provider
from gateway.simulators.tokens import Tokens
from gateway.texts.text import Text

PAGE = b"<html><body></body></html>"


class ThreeCxV10(Provider):
    """``/ivr/PbxAPI.aspx?func=make_call&from=EXTENSION&to=NUMBER&pin=PIN``, documented as a POST, also sent as GET or
    as a form by its clients. The PIN is the extension's; what the answer says is not documented."""

    name = "3cx-v10"
    title = "3CX V10"
    evidence = Text("the maker's documentation, not held against a real one")
    https_only = False
    login = (EXTENSION, "1234")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("403 (not documented)"),
        "busy": Text("200 all the same (not documented)"),
        **SimulatedAppliance.failures,
    }

    def tables(self) -> dict[str, dict[str, Any]]:
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        place = {"host": self.host, "port": self.port, **tls}
        return {self.name: {"preset": self.name, **place, "origins": dict([self.credentials])}}

    def answer(self, request: Request) -> SimulatedReply:
        given = {**request.query, **request.form}
        if request.path != "/ivr/PbxAPI.aspx" or given.get("func") != "make_call":
            return self.nowhere(request)
        extension, number = given.get("from", ""), given.get("to", "")
        right = same(extension, self.credentials[0]) and self.may(given.get("pin", ""))
        if not right or not number:
            self.noted(request, "403 Forbidden", extension, number)
            return SimulatedReply(403, "text/html", PAGE)
        if self.refuses:
            self.noted(request, "make_call: busy", extension, number)
        else:
            self.dialled(request, extension, number)
        return SimulatedReply(200, "text/html", b"")


class Vodia(Provider):
    """``GET /remote_call.htm?user=EXTENSION@DOMAIN&dest=NUMBER&auth=USER@DOMAIN:PASSWORD&connect=true`` → a web page,
    whose words are not documented. Without ``connect=true`` the extension must press 1, which nobody does here."""

    name = "vodia"
    title = "Vodia"
    evidence = Text("the maker's documentation, not held against a real one")
    https_only = False
    login = ("100@pbx.example.com", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401 (not documented)"),
        "busy": Text("200 all the same (not documented)"),
        **SimulatedAppliance.failures,
    }

    def tables(self) -> dict[str, dict[str, Any]]:
        (user, _, domain), password = self.credentials[0].partition("@"), self.credentials[1]
        place = {"host": f"{self.host}:{self.port}", "tls": bool(self.pinned()), **self.pinned()}
        return {self.name: {"preset": self.name, **place, "domain": domain, "username": user, "password": password}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/remote_call.htm" or request.method != "GET":
            return self.nowhere(request)
        query = request.query
        extension, _, domain = query.get("user", "").partition("@")
        user, _, password = query.get("auth", "").partition(":")
        number = query.get("dest", "")
        if not same(user, self.credentials[0]) or not self.may(password) or not user.endswith(f"@{domain}"):
            self.noted(request, "401 Unauthorized", extension, number)
            return SimulatedReply(401, "text/html", PAGE)
        if self.refuses or query.get("connect") != "true" or not (extension and number):
            step = "busy" if self.refuses else "nobody presses 1"
            self.noted(request, step, extension, number)
        else:
            self.dialled(request, extension, number)
        return SimulatedReply(200, "text/html", PAGE)


class OpenScape(Provider):
    """``GET /cgi-bin/gadgetapi?cmd=Login&gsUser=EXTENSION&gsPass=PASSWORD`` → ``ID`` of a session, 0 with an ``ERROR``;
    ``cmd=MkCall`` (at once) or ``MakeCall`` (when the extension has answered) with ``callingDevice``,
    ``calledDirectoryNumber`` and ``gsSession``; ``cmd=Logout``. What a good order is answered is not documented: some
    XML without an error."""

    name = "openscape-business"
    title = "OpenScape Business"
    evidence = Text("other clients' code, not held against a real one")
    login = ("123", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("Login answers the ID 0 and an ERROR (its words not documented)"),
        "privilege": Text("the order answers a CSTAErrorCode (its words not documented)"),
        "busy": Text("MkCall answers as if all was well, for what becomes of it is an event; MakeCall a CSTAErrorCode"),
        "logged-out": Text("the order answers NOT_LOGGED_IN (what stands around it not documented)"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._sessions = Tokens()

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        return self.tables_of_https(username=username, password=password)

    def forget(self) -> None:
        """Let all sessions expire."""
        self._sessions.clear()

    def answer(self, request: Request) -> SimulatedReply:
        query = request.query
        if request.path != "/cgi-bin/gadgetapi" or request.method != "GET":
            return self.nowhere(request)
        if query.get("cmd") == "Login":
            return self._log_in(request, query)
        if not self._sessions.knows(query.get("gsSession", "")) or self.behaviour.fail == "logged-out":
            return self._said(request, "NOT_LOGGED_IN", "<ERROR><REASON>NOT_LOGGED_IN</REASON></ERROR>")
        if query.get("cmd") == "Logout":
            self._sessions.end(query["gsSession"])
            return self._said(request, "Logout", "<LOGOUT/>")
        return self._call(request, query)

    def _log_in(self, request: Request, query: Mapping[str, str]) -> SimulatedReply:
        if not same(query.get("gsUser", ""), self.credentials[0]) or not self.may(query.get("gsPass", "")):
            return self._said(request, "Login: 0", "<LOGIN><ID>0</ID><ERROR>login failed</ERROR></LOGIN>")
        session = self._sessions.give(str(uuid4().int % 10**9 + 1))
        return self._said(request, "Login", f"<LOGIN><ID>{session}</ID><CNT>1</CNT></LOGIN>")

    def _call(self, request: Request, query: Mapping[str, str]) -> SimulatedReply:
        command = query.get("cmd", "")
        extension, number = query.get("callingDevice", ""), query.get("calledDirectoryNumber", "")
        waits = command == "MakeCall"
        known = command in ("MkCall", "MakeCall") and extension and number
        if not known or self.behaviour.fail == "privilege" or (waits and self.refuses):
            error = "<CSTAErrorCode><operation>privilegeViolation</operation></CSTAErrorCode>"
            return self._said(request, f"{command}: CSTAErrorCode", error, extension, number)
        if self.refuses:
            return self._said(request, "MkCall: busy", "<MKCALL/>", extension, number)
        self.dialled(request, extension, number)
        if waits:
            self.pause(self.behaviour.ring_s)
        return SimulatedReply(200, "text/xml", f"<{command.upper()}/>".encode())

    def _said(self, request: Request, step: str, xml: str, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, step, extension, number)
        return SimulatedReply(200, "text/xml", xml.encode())


class Snep(Provider):
    """``POST /call`` of JSON with ``from``, ``to``, or ``GET`` with them in the URL; the token as Bearer or as
    ``token`` beside them. What its JSON says is not documented."""

    name = "snep"
    title = "SNEP"
    https_only = False
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401 (not documented)"),
        "busy": Text("200 with an error (not documented)"),
        **SimulatedAppliance.failures,
    }

    def tables(self) -> dict[str, dict[str, Any]]:
        return {self.name: {"preset": self.name, "url": f"{self.address}/call", **self.pinned(), "token": self.token}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/call" or request.method not in ("GET", "POST"):
            return self.nowhere(request)
        posted = json_body.asked(request) if json_body.declared(request) else {}
        given = posted if request.method == "POST" else request.query
        extension, number = str(given.get("from", "")), str(given.get("to", ""))
        bearer = request.header("Authorization").removeprefix("Bearer ")
        if not self.may(bearer or str(given.get("token", ""))):
            return self.no(request, 401, {"error": "invalid token"}, extension, number)
        if self.refuses or not (extension and number):
            return self.no(request, 200, {"error": "call failed"}, extension, number)
        self.dialled(request, extension, number)
        return json_body.reply(200, {"from": extension, "to": number})


URL_PBXS: tuple[type[Provider], ...] = (ThreeCxV10, Vodia, OpenScape, Snep)
