"""A simulated FreeSWITCH with mod_xml_rpc, as recorded from FreeSWITCH 1.10.12: commands by XML-RPC and by URL.

Every answer to a command is HTTP 200; ``+OK``, ``-ERR`` and ``-USAGE`` in its text tell what came of it.
"""

import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import basic, logged_in
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.freeswitch_api import CALL_FAILURES, UNKNOWN, Command, FreeswitchApi
from gateway.simulators.freeswitch_rpc import RpcCall, RpcRefusal, fault, read, response
from gateway.texts.text import Text, verbatim

TYPES = {"txtapi": "text/plain", "webapi": "text/html", "xmlapi": "text/xml", "api": "text/plain"}
ABYSS = "Freeswitch xmlrpc-c_abyss /1.26.0"
MODULE = "FreeSWITCH-1.10.12-release~64bit-mod_xml_rpc"
REQUESTS_A_CONNECTION = 30
PRIVILEGE = "privilege"
PHRASES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 411: "Length Required"}


class FreeSwitch(SimulatedAppliance):
    """``freeswitch.api(command, arguments)`` at ``/RPC2`` and ``/txtapi/COMMAND?ARGUMENTS``: originate, bgapi,
    uuid_kill, uuid_exists, status; Basic. ``originate`` answers when the extension has answered."""

    name = "freeswitch"
    title = "FreeSWITCH"
    evidence = Text("recorded from FreeSWITCH 1.10.12")
    login = ("freeswitch", "works")
    idle_s = 5.0
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        PRIVILEGE: Text("the user may not run the command: HTTP 686 by URL, 'UNAUTHORIZED!' as a result by XML-RPC"),
        **CALL_FAILURES,
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._api = FreeswitchApi(self.behaviour.fail, self.behaviour.ring_s)

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        table = {"host": self.host, "port": self.port, "username": username, "password": password}
        return {name: {"preset": name, **table} for name in ("freeswitch-xmlrpc", "freeswitch-txtapi")}

    def answer(self, request: Request) -> SimulatedReply:
        host = request.header("Host").partition(":")[0]
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            # The realm of a wrong login is the Host header: it changes between two tries.
            realm = host if request.header("Authorization") else "freeswitch"
            return self._no(request, 401, {"WWW-Authenticate": f'Basic realm="{realm}"', "Connection": "close"})
        place = request.path.strip("/").split("/", 1)
        if request.path == "/RPC2":
            return self._by_xmlrpc(request, host)
        if place[0] in TYPES and len(place) == 2:
            return self._by_url(request, place[0], place[1], host)
        return self._no(request, 405, {"Allow": "GET, HEAD"}) if request.method == "POST" else self._no(request, 404)

    def _by_xmlrpc(self, request: Request, host: str) -> SimulatedReply:
        if request.method != "POST":
            return self._no(request, 405)
        if not request.measured:
            return self._no(request, 411, {"Connection": "close"})
        if not request.body:
            return self._no(request, 400)
        last = request.nth >= REQUESTS_A_CONNECTION or request.version == "HTTP/1.0"
        body = self._result(request).encode()
        lines = {**_known(request, host), "Content-type": "text/xml", "Content-length": str(len(body))}
        if last:
            lines["Connection"] = "close"
        else:
            lines |= {"Connection": "Keep-Alive", "Keep-Alive": f"timeout=5, max={REQUESTS_A_CONNECTION}"}
        return SimulatedReply.exactly("200 OK", {**lines, "Date": _abyss_date(), "Server": ABYSS}, body, closes=last)

    def _result(self, request: Request) -> str:
        try:
            call = read(request.body)
        except RpcRefusal as refused:
            self.noted(request, f"{refused.code} {refused.text}")
            return fault(refused)
        return response(escape(self._run(request, call, unknown="ERROR!")))

    def _by_url(self, request: Request, kind: str, command: str, host: str) -> SimulatedReply:
        # Only %XX is decoded, "+" stays; of a POST the body is not looked at.
        arguments = unquote(urlsplit(request.target).query)
        if self.behaviour.fail == PRIVILEGE:
            self.noted(request, f"{command}: 686")
            return _page("686 No Reason", {"Connection": "close"})
        said = self._run(request, RpcCall(command, arguments), unknown="INVALID COMMAND!\n")
        lines = {
            **_known(request, host),
            "Connection": "close",
            "Date": formatdate(usegmt=True),
            "Server": MODULE,
            "Content-Type": TYPES[kind],
        }
        return SimulatedReply.exactly("200 OK", lines, said.encode(), closes=True)

    def _run(self, request: Request, call: RpcCall, *, unknown: str) -> str:
        """Run the command, note it and return its result."""
        if self.behaviour.fail == PRIVILEGE:
            self.noted(request, f"{call.command}: UNAUTHORIZED!")
            return "UNAUTHORIZED!"
        done: Command = self._api.run(call.command, call.arguments)
        self.pause(done.rings_s)
        said = unknown if done.said == UNKNOWN else done.said
        if done.call_id:
            self.dialled(request, done.extension, done.number, call_id=done.call_id)
        else:
            self.noted(request, f"{call.command}: {said.strip()}", done.extension, done.number)
        return said

    def _no(self, request: Request, status: int, lines: Mapping[str, str] | None = None) -> SimulatedReply:
        self.noted(request, f"{status} {PHRASES[status]}")
        return _page(f"{status} {PHRASES[status]}", lines or {})


def _known(request: Request, host: str) -> dict[str, str]:
    """Return the headers by which FreeSWITCH says who was logged in."""
    user = (basic(request) or ("", ""))[0]
    return {"freeswitch-user": user.partition("@")[0], "freeswitch-domain": host}


def _page(status: str, lines: Mapping[str, str]) -> SimulatedReply:
    body = f"<HTML><HEAD><TITLE>Error {status}</TITLE></HEAD><BODY><H1>Error {status}</H1></BODY></HTML>".encode()
    head = {
        **lines,
        "Content-type": "text/html",
        "Content-length": str(len(body)),
        "Date": _abyss_date(),
        "Server": ABYSS,
    }
    return SimulatedReply.exactly(status, head, body, closes=lines.get("Connection") == "close")


def _abyss_date() -> str:
    """Return a date as Abyss writes it: it ends in UTC, which is no valid HTTP-date."""
    return formatdate(time.time(), usegmt=True).replace("GMT", "UTC")
