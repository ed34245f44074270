"""A simulated Grandstream UCM, as its API guide describes it: a challenge, its MD5, a cookie, and then the order."""

import json
from collections.abc import Mapping
from hashlib import md5
from secrets import token_hex
from typing import Any, ClassVar

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.tokens import Tokens
from gateway.texts.text import Text

COOKIE_S = 600.0
"""Seconds that a cookie lives without a request; about 300 on some firmware."""
NO = -1
"""The status of a refusal: the guide says that it is not 0, its numbers are not recorded."""


class GrandstreamUcm(SimulatedAppliance):
    """``POST /api`` of JSON: ``challenge``, ``login`` with ``token`` = MD5 of challenge and password, then
    ``dialOutbound`` (``caller``, ``outbound``) or ``dialExtension`` (``caller``, ``callee``) with the cookie;
    ``status`` 0 is a success."""

    name = "grandstream-ucm"
    title = "Grandstream UCM"
    evidence = Text("the maker's documentation, not held against a real one")
    login = ("cdrapi", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("login answers a status that is not 0"),
        "busy": Text("the order answers a status that is not 0"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._challenges: list[str] = []
        self._cookies = Tokens(COOKIE_S, renewed=True)

    def tables(self) -> dict[str, dict[str, Any]]:
        user, password = self.credentials
        return self.tables_of_https(user=user, password=password)

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/api" or request.method != "POST":
            self.noted(request, "404 Not Found")
            return SimulatedReply.text(404, "Not Found")
        asked = _asked(request.body)
        action = str(asked.get("action", ""))
        if action == "challenge":
            self._challenges = [*self._challenges[-99:], token_hex(8)]
            return self._yes(request, action, {"challenge": self._challenges[-1]})
        if action == "login":
            return self._log_in(request, asked)
        if not self._cookies.knows(str(asked.get("cookie", ""))):
            return self._no(request, f"{action}: no session")
        number = {"dialOutbound": "outbound", "dialExtension": "callee"}.get(action)
        return self._dial(request, action, str(asked.get("caller", "")), str(asked.get(number or "", "")))

    def _log_in(self, request: Request, asked: Mapping[str, Any]) -> SimulatedReply:
        user, password = self.credentials
        rights = [md5((each + password).encode(), usedforsecurity=False).hexdigest() for each in self._challenges]
        right = asked.get("user") == user and any(same(str(asked.get("token", "")), each) for each in rights)
        if not right or self.behaviour.fail == "auth":
            return self._no(request, "login")
        # A challenge is answered once.
        self._challenges = []
        return self._yes(request, "login", {"cookie": self._cookies.give(f"sid{token_hex(8)}")})

    def _dial(self, request: Request, action: str, extension: str, number: str) -> SimulatedReply:
        if self.behaviour.fail == "busy" or not (extension and number):
            return self._no(request, action, extension, number)
        self.dialled(request, extension, number)
        return _said({}, 0)

    def _yes(self, request: Request, action: str, response: dict[str, str]) -> SimulatedReply:
        self.noted(request, action)
        return _said(response, 0)

    def _no(self, request: Request, text: str, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"{text}: status {NO}", extension, number)
        return _said({}, NO)


def _asked(body: bytes) -> Mapping[str, Any]:
    try:
        whole = json.loads(body)
    except ValueError:
        return {}
    asked = whole.get("request") if isinstance(whole, dict) else None
    return asked if isinstance(asked, dict) else {}


def _said(response: dict[str, str], status: int) -> SimulatedReply:
    return SimulatedReply(200, "application/json", json.dumps({"response": response, "status": status}).encode())
