"""Simulated CRMs, which are told of calls: WConnect's listeners, Bitrix24's telephony and Zammad's generic CTI.

They take events as their models are documented to, and fail as CRMs do: slow, down, busy, refusing, or with an error
page and status 200. ``calls`` says what each knows of calls.
"""

import re
from collections.abc import Mapping
from itertools import count
from threading import Lock
from typing import Any, ClassVar
from uuid import uuid4

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Answer, NoReply, Request, SimulatedReply
from gateway.texts.text import Text

DOWN, BUSY, REFUSE, PAGE = "down", "busy", "refuse", "page"
ERROR_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Erro</title></head>"
    b"<body><b>Fatal error</b>: Uncaught PDOException</body></html>\n"
)
AGAIN_S = 1
"""Seconds after which a busy one asks to be tried again."""
Known = dict[str, list[Mapping[str, Any]]]
"""By a call's id what it was told of it, in the order in which it was."""


class SimulatedCrm(SimulatedAppliance):
    """A CRM. With ``fail_every`` of its behaviour only each so manieth event fails."""

    failures: ClassVar[Mapping[str, Text]] = {
        DOWN: Text("the connection is closed without an answer"),
        BUSY: Text("503 with Retry-After"),
        REFUSE: Text("the event is refused"),
        PAGE: Text("200 with an error page"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self.calls: Known = {}
        self._nth = count(1)
        self._known = Lock()

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return none: nothing can be dialled on a CRM."""
        return {}

    def forward(self) -> dict[str, Any]:
        """Return the gateway's settings to tell this CRM of calls, once started; none where it must speak https and has
        no certificate.
        """
        raise NotImplementedError

    def take(self, request: Request) -> SimulatedReply:
        """Take an event and return the CRM's own answer."""
        raise NotImplementedError

    def refusal(self, request: Request) -> SimulatedReply:
        """Return how the CRM refuses an event."""
        raise NotImplementedError

    def _behaving(self, request: Request) -> Answer:
        self.pause(self.behaviour.delay_s)
        fails = self.behaviour.fail and next(self._nth) % self.behaviour.fail_every == 0
        return self._failing(request) if fails else self.take(request)

    def _failing(self, request: Request) -> Answer:
        self.noted(request, self.behaviour.fail)
        if self.behaviour.fail == DOWN:
            return NoReply.CLOSES
        if self.behaviour.fail == BUSY:
            return SimulatedReply(503, "text/plain", b"busy", {"Retry-After": str(AGAIN_S)})
        if self.behaviour.fail == PAGE:
            return SimulatedReply(200, "text/html", ERROR_PAGE)
        return self.fault(request) if self.behaviour.fail == "fault" else self.refusal(request)

    def know(self, request: Request, call_id: str, told: Mapping[str, Any], extension: str, number: str) -> None:
        """Keep what it is ``told`` of a call, and note the request."""
        with self._known:
            self.calls.setdefault(call_id, []).append(told)
        self.noted(request, str(told.get("event", "")), extension, number)


class CrmWConnect(SimulatedCrm):
    """``GET`` of WConnect's listeners of a call's start and of its end, with both numbers; the end with its
    recording."""

    name = "crm-wconnect"
    title = Text("Senior CRM, WConnect's listeners")
    evidence = Text("the CRM's manual, which does not say what it answers")

    def forward(self) -> dict[str, Any]:
        return {"preset": "wconnect", "address": self.address}

    def take(self, request: Request) -> SimulatedReply:
        found = re.fullmatch(r"/wconnect/WConnect_WSDL_(ConsultaRamal|FinalizaLigacao)\.php", request.path)
        if not found or request.method != "GET":
            self.noted(request, "404")
            return SimulatedReply.text(404, "Not Found")
        query = request.query
        missing = [name for name in ("ramal", "telefone") if not query.get(name)]
        if missing:
            self.noted(request, f"400 {' '.join(missing)}")
            return SimulatedReply.text(400, f"ERRO: falta {' e '.join(missing)}")
        ramal, telefone = query["ramal"], query["telefone"]
        self.know(request, f"{ramal} {telefone}", {"event": found[1], **query}, ramal, telefone)
        return SimulatedReply.text(200, "OK")

    def refusal(self, request: Request) -> SimulatedReply:
        return SimulatedReply.text(403, "ERRO: acesso negado")


class CrmBitrix24(SimulatedCrm):
    """``POST /rest/USER/SECRET/telephony.externalcall.register.json``, ``…show``, ``…hide``, ``…finish`` and
    ``telephony.externalCall.attachRecord`` with JSON → ``result``, or ``error`` and ``error_description``."""

    name = "crm-bitrix24"
    title = "Bitrix24"
    evidence = Text("the maker's documentation, not held against a real one")
    login = ("1", "demo-secret")
    failures: ClassVar[Mapping[str, Text]] = {"auth": Text("the secret is refused"), **SimulatedCrm.failures}
    NEEDS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "register": ("USER_ID", "PHONE_NUMBER", "TYPE"),
        "show": ("CALL_ID", "USER_ID"),
        "hide": ("CALL_ID", "USER_ID"),
        "finish": ("CALL_ID", "USER_ID", "DURATION"),
        "attachrecord": ("CALL_ID", "FILENAME"),
    }

    def forward(self) -> dict[str, Any]:
        user, secret = self.credentials
        if not self.pinned():
            return {}
        where = {"host": f"{self.host}:{self.port}", **self.pinned()}
        return {"preset": "bitrix24", **where, "user": user, "secret": secret, "origins": {"3501": "12"}}

    def take(self, request: Request) -> SimulatedReply:
        found = re.fullmatch(r"/rest/([^/]+)/([^/]+)/telephony\.external[cC]all\.(\w+)\.json", request.path)
        method = found[3].lower() if found else ""
        if not found or method not in self.NEEDS or request.method != "POST":
            return self._no(request, 404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        user, secret = self.credentials
        if self.behaviour.fail == "auth" or not (same(found[1], user) and same(found[2], secret)):
            return self._no(request, 401, "INVALID_CREDENTIALS", "Invalid request credentials")
        asked = json_body.asked(request)
        if missing := [name for name in self.NEEDS[method] if not asked.get(name)]:
            return self._no(request, 400, "ERROR_ARGUMENT", f"{missing[0]} is not specified")
        return self._done(request, method, asked)

    def _done(self, request: Request, method: str, asked: Mapping[str, Any]) -> SimulatedReply:
        call_id = str(asked.get("CALL_ID") or self._open(asked) or f"externalCall.{uuid4().hex}")
        if method != "register" and call_id not in self.calls:
            return self._no(request, 400, "ERROR_NOT_FOUND", "Call is not found")
        user, number = str(asked.get("USER_ID", "")), self._number(call_id, asked)
        self.know(request, call_id, {"event": method, **asked}, user, number)
        return json_body.reply(200, {"result": True if method in ("show", "hide") else {"CALL_ID": call_id}})

    def _open(self, asked: Mapping[str, Any]) -> str | None:
        """Return the call that was registered with the same parameters and is not finished."""
        with self._known:
            for call_id, told in self.calls.items():
                over = any(each["event"] == "finish" for each in told)
                if {**told[0], "event": ""} == {**asked, "event": ""} and not over:
                    return call_id
        return None

    def _number(self, call_id: str, asked: Mapping[str, Any]) -> str:
        first = self.calls[call_id][0] if call_id in self.calls else asked
        return str(first.get("PHONE_NUMBER", ""))

    def _no(self, request: Request, status: int, error: str, description: str) -> SimulatedReply:
        self.noted(request, f"{status} {error}")
        return json_body.reply(status, {"error": error, "error_description": description})

    def refusal(self, request: Request) -> SimulatedReply:
        if self.behaviour.fail == "auth":
            return self._no(request, 401, "INVALID_CREDENTIALS", "Invalid request credentials")
        return json_body.reply(403, {"error": "insufficient_scope", "error_description": "Access denied"})


class CrmZammad(SimulatedCrm):
    """``POST /api/v1/cti/TOKEN`` with JSON or a form: ``event`` newCall, answer or hangup, ``callId``, ``from``,
    ``to``, ``direction`` → ``{}``."""

    name = "crm-zammad"
    title = "Zammad"
    evidence = Text("the maker's documentation, not held against a real one")
    login = ("", "demo-token")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401, as nothing is documented"),
        **SimulatedCrm.failures,
    }

    def forward(self) -> dict[str, Any]:
        return {"preset": "zammad", "address": self.address, "token": self.credentials[1]}

    def take(self, request: Request) -> SimulatedReply:
        found = re.fullmatch(r"/api/v1/cti/([^/]+)", request.path)
        if not found or request.method != "POST":
            return self._no(request, 404, "No route matches")
        if self.behaviour.fail == "auth" or not same(found[1], self.credentials[1]):
            return self._no(request, 401, "Invalid token, please contact your admin!")
        asked = json_body.asked(request) or request.form
        if missing := [name for name in ("event", "callId", "from", "to", "direction") if not asked.get(name)]:
            return self._no(request, 422, f"missing {missing[0]}")
        outside = asked["from" if asked["direction"] == "in" else "to"]
        self.know(request, str(asked["callId"]), asked, str(asked.get("user", "")), str(outside))
        return json_body.reply(200, {})

    def _no(self, request: Request, status: int, error: str) -> SimulatedReply:
        self.noted(request, f"{status} {error}")
        return json_body.reply(status, {"error": error})

    def refusal(self, request: Request) -> SimulatedReply:
        return json_body.reply(401 if self.behaviour.fail == "auth" else 403, {"error": "Not authorized"})


CRMS: tuple[type[SimulatedCrm], ...] = (CrmWConnect, CrmBitrix24, CrmZammad)
