"""Simulated Yeastar exchanges, S-Series and P-Series, as the maker's developer guides describe them: JSON with a token
in the URL."""

from collections.abc import Mapping
from hashlib import md5
from secrets import token_hex
from typing import Any, ClassVar

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Answer, Request, SimulatedReply
from gateway.simulators.tokens import Tokens
from gateway.texts.text import Text

TOKEN_S = 1800.0
"""Seconds that a token lives: of the S-Series since it was last used, of the P-Series since it was given."""
WRONG_LOGINS = 5
TOKENS = 8
"""Valid tokens that one application may hold of a P-Series."""


class Yeastar(SimulatedAppliance):
    """An exchange that gives tokens over https."""

    evidence = Text("the maker's developer guide, not held against a real one")
    renewed: ClassVar[bool] = False
    """Whether a token lives longer when it is used."""

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._tokens = Tokens(TOKEN_S, renewed=self.renewed)

    def tables(self) -> dict[str, dict[str, Any]]:
        return self.tables_of_https(**self.table())

    def table(self) -> dict[str, Any]:
        """Return the preset's settings besides the address."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let all tokens expire."""
        self._tokens.clear()

    def nowhere(self, request: Request) -> SimulatedReply:
        self.noted(request, "404 Not Found")
        return SimulatedReply(404, "text/html", b"<html><body>404 Not Found</body></html>")


class YeastarS(Yeastar):
    """``POST /api/VERSION/login`` with the password's MD5 → ``token``; then ``extension/dial_outbound?token=T`` with
    ``extid``, ``outto``, or ``extension/dial_extension`` with ``caller``, ``callee`` → ``callid``. ``status`` says
    ``Success``, or ``Failed`` with an ``errno``; HTTP 200 always. Five wrong logins in a row lock it."""

    name = "yeastar-s"
    title = "Yeastar S"
    renewed = True
    login = ("api", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("login answers Failed, errno 20003"),
        "busy": Text("the order answers Failed, errno 10008: the extension is not idle"),
        "absent": Text("the order answers Failed, errno 10006: the extension does not exist"),
        "privilege": Text("the order answers Failed, errno 10024: no outbound calls for the extension"),
        **SimulatedAppliance.failures,
    }
    orders: ClassVar[Mapping[str, tuple[str, str]]] = {
        "extension/dial_outbound": ("extid", "outto"),
        "extension/dial_extension": ("caller", "callee"),
    }
    errors: ClassVar[Mapping[str, str]] = {"busy": "10008", "absent": "10006", "privilege": "10024"}

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._wrong = 0

    def table(self) -> dict[str, Any]:
        username, password = self.credentials
        return {"username": username, "password": password}

    def answer(self, request: Request) -> Answer:
        _, api, version, *rest = [*request.path.split("/", 3), "", "", ""]
        step = rest[0]
        if api != "api" or version not in ("v1.0.0", "v1.1.0", "v2.0.0"):
            return self.nowhere(request)
        if request.method != "POST":
            return self._no(request, step, "20001")
        if not json_body.declared(request) or not json_body.asked(request):
            return self._no(request, step, "20000")
        return self._log_in(request) if step == "login" else self._within(request, step)

    def _log_in(self, request: Request) -> SimulatedReply:
        asked, (username, password) = json_body.asked(request), self.credentials
        hashed = md5(password.encode(), usedforsecurity=False).hexdigest()
        if self._wrong >= WRONG_LOGINS:
            return self._no(request, "login", "20002")
        right = asked.get("username") == username and same(str(asked.get("password", "")), hashed)
        if not right or self.behaviour.fail == "auth":
            self._wrong += 1
            return self._no(request, "login", "20003")
        self._wrong = 0
        self.noted(request, "login")
        return json_body.reply(200, {"status": "Success", "token": self._tokens.give(token_hex(16))})

    def _within(self, request: Request, step: str) -> SimulatedReply:
        token = request.query.get("token", "")
        if not self._tokens.knows(token):
            return self._no(request, step, "20004" if token else "20005")
        if step not in self.orders:
            return self._no(request, step, "10003")
        extension, number = (str(json_body.asked(request).get(name, "")) for name in self.orders[step])
        if not (extension and number):
            return self._no(request, step, "10004", extension, number)
        if error := self.errors.get(self.behaviour.fail):
            return self._no(request, step, error, extension, number)
        return json_body.reply(200, {"status": "Success", "callid": self.dialled(request, extension, number)})

    def _no(self, request: Request, step: str, error: str, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"{step}: errno {error}", extension, number)
        return json_body.reply(200, {"status": "Failed", "errno": error})


class YeastarP(Yeastar):
    """``POST /openapi/v1.0/get_token`` with ``username``, ``password`` → ``access_token``; then
    ``POST call/dial?access_token=T`` with ``caller``, ``callee`` → ``call_id``; ``GET del_token?access_token=T``.
    ``errcode`` 0 is a success. Every request needs a header ``User-Agent: OpenAPI``; eight tokens may live at once."""

    name = "yeastar-p"
    title = "Yeastar P"
    login = ("client-demo", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("get_token answers FAILURE (its errcode not documented)"),
        "busy": Text("the order answers FAILURE (its errcode not documented)"),
        **SimulatedAppliance.failures,
    }
    EXPIRED: ClassVar[int] = 10004
    """A token that is not known: seen in other clients' code only."""
    OTHER: ClassVar[int] = 1
    """Any other refusal: the guide says that it is not 0."""

    def table(self) -> dict[str, Any]:
        client_id, client_secret = self.credentials
        return {"client_id": client_id, "client_secret": client_secret}

    def answer(self, request: Request) -> Answer:
        step = request.path.removeprefix("/openapi/v1.0/")
        if request.header("User-Agent") != "OpenAPI" or (request.method, step) not in (
            ("POST", "get_token"),
            ("POST", "call/dial"),
            ("GET", "del_token"),
        ):
            return self.nowhere(request)
        if step == "get_token":
            return self._get_token(request)
        token = request.query.get("access_token", "")
        if not self._tokens.knows(token):
            return self._no(request, step, self.EXPIRED)
        if step == "call/dial":
            return self._dial(request)
        self._tokens.end(token)
        return self._yes(request, step, {})

    def _get_token(self, request: Request) -> SimulatedReply:
        asked, (username, password) = json_body.asked(request), self.credentials
        right = asked.get("username") == username and same(str(asked.get("password", "")), password)
        if not right or self.behaviour.fail == "auth" or not json_body.declared(request) or len(self._tokens) >= TOKENS:
            return self._no(request, "get_token", self.OTHER)
        token = {"access_token": self._tokens.give(token_hex(16)), "access_token_expire_time": int(TOKEN_S)}
        return self._yes(request, "get_token", {**token, "refresh_token": token_hex(16)})

    def _dial(self, request: Request) -> SimulatedReply:
        asked = json_body.asked(request) if json_body.declared(request) else {}
        extension, number = str(asked.get("caller", "")), str(asked.get("callee", ""))
        if self.behaviour.fail == "busy" or not (extension and number):
            return self._no(request, "call/dial", self.OTHER, extension, number)
        call_id = self.dialled(request, extension, number)
        return json_body.reply(200, {"errcode": 0, "errmsg": "SUCCESS", "call_id": call_id})

    def _yes(self, request: Request, step: str, more: Mapping[str, Any]) -> SimulatedReply:
        self.noted(request, step)
        return json_body.reply(200, {"errcode": 0, "errmsg": "SUCCESS", **more})

    def _no(self, request: Request, step: str, code: int, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"{step}: errcode {code}", extension, number)
        return json_body.reply(200, {"errcode": code, "errmsg": "FAILURE"})
