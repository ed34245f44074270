"""Simulated providers and PBXs of the Brazilian market, and sipgate: one request (JSON, a form, a URL) places a call.

Their documents show the answer to an order that goes well; what they say to one that does not is marked where it is
not known. Most of the real ones speak https only.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in, same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.texts.text import Text

EXTENSION = "3501"
TOKEN = "demo-token"  # noqa: S105 - a simulated one
DOCUMENTED = Text("the provider's documentation, not held against the service")
REFUSED = "busy"


class Provider(SimulatedAppliance):
    """A service whose token is ``demo-token``."""

    login = ("", TOKEN)
    evidence = DOCUMENTED
    https_only: ClassVar[bool] = True
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("the token is refused"),
        REFUSED: Text("the order is refused (its words not documented)"),
        **SimulatedAppliance.failures,
    }

    @property
    def token(self) -> str:
        return self.credentials[1]

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the gateway's settings to dial on this service; none for one that speaks https only, until it has a
        certificate.
        """
        if self.https_only and not self.pinned():
            return {}
        where = {"host": f"{self.host}:{self.port}", **self.pinned()}
        return {self.name: {"preset": self.name, **where, **self.table()}}

    def table(self) -> dict[str, Any]:
        """Return the preset's settings besides the address."""
        return {"token": self.token}

    def may(self, given: str) -> bool:
        """Return whether ``given`` is the token."""
        return self.behaviour.fail != "auth" and same(given, self.token)

    @property
    def refuses(self) -> bool:
        return self.behaviour.fail == REFUSED

    def no(self, request: Request, status: int, said: Any, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"{status} {json.dumps(said, ensure_ascii=False)}", extension, number)
        return json_body.reply(status, said)

    def nowhere(self, request: Request) -> SimulatedReply:
        return self.no(request, 404, {"error": "not found"})


class BmTelecom(Provider):
    """``GET /api/call/EXTENSION/NUMBER`` → ``data.status`` ``IN_PROGRESS`` and ``data.callId``; no login."""

    name = "bmtelecom"
    title = "BmTelecom"
    login = ("", "")
    https_only = False
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("403, as nothing is documented"),
        REFUSED: Text("200 with data.status FAILED (not documented)"),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        return {}

    def answer(self, request: Request) -> SimulatedReply:
        found = re.fullmatch(r"/api/call/([^/]+)/([^/]+)", request.path)
        if not found:
            return self.nowhere(request)
        extension, number = found.groups()
        if self.behaviour.fail == "auth":
            return self.no(request, 403, {"apiStatus": "FORBIDDEN", "data": None}, extension, number)
        if self.refuses:
            data = {"status": "FAILED", "from": extension, "to": number, "error": "busy", "callId": None}
            return self.no(request, 200, {"apiStatus": "CONECTION_OK", "data": data}, extension, number)
        call_id = self.dialled(request, extension, number)
        data = {"key": call_id, "status": "IN_PROGRESS", "from": extension, "to": number, "error": None}
        return json_body.reply(
            200, {"apiStatus": "CONECTION_OK", "data": {**data, "callId": call_id, "serverMessage": None}}
        )


class UTech(Provider):
    """``GET /utech/v1/call/makecall/?token=TOKEN&source=EXTENSION&destination=NUMBER`` → ``status`` ``ok`` or
    ``error`` with its ``cause``."""

    name = "utech"
    title = "uTech PABX"
    https_only = False

    def answer(self, request: Request) -> SimulatedReply:
        query = request.query
        extension, number = query.get("source", ""), query.get("destination", "")
        if request.path != "/utech/v1/call/makecall/":
            return self.nowhere(request)
        if not self.may(query.get("token", "")) or self.refuses or not (extension and number):
            cause = "busy" if self.refuses else "invalid token or parameter"
            return self.no(request, 200, {"status": "error", "id": "", "cause": cause}, extension, number)
        return json_body.reply(200, {"status": "ok", "id": self.dialled(request, extension, number), "cause": ""})


class Evolux(Provider):
    """``POST /api/v1/call`` with the form fields ``from``, ``to`` and the header ``token`` → ``meta.status``."""

    name = "evolux"
    title = "Evolux"

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/api/v1/call" or request.method != "POST":
            return self.nowhere(request)
        extension, number = request.form.get("from", ""), request.form.get("to", "")
        if not self.may(request.header("token") or request.form.get("token", "")):
            return self._meta(request, 400, "Missing token.", extension, number)
        if self.refuses or not (extension and number):
            return self._meta(request, 400, "from and to are needed.", extension, number)
        self.dialled(request, extension, number)
        return json_body.reply(200, {"meta": {"status": 200, "message": "OK"}})

    def _meta(self, request: Request, status: int, message: str, extension: str, number: str) -> SimulatedReply:
        return self.no(request, status, {"meta": {"status": status, "message": message}}, extension, number)


class TotalVoice(Provider):
    """``POST /chamada`` with ``numero_origem``, ``numero_destino`` and the header ``Access-Token`` → ``sucesso``,
    ``dados.id``; ``DELETE /chamada/ID`` hangs up (its answer not documented)."""

    name = "totalvoice"
    title = "TotalVoice"

    def answer(self, request: Request) -> SimulatedReply:
        if not self.may(request.header("Access-Token")):
            return self._said(request, 403, "Acesso negado")
        if request.method == "DELETE" and request.path.startswith("/chamada/"):
            self.noted(request, "DELETE /chamada")
            return json_body.reply(200, _chamada(200, "chamada encerrada", None))
        if request.path != "/chamada" or request.method != "POST":
            return self.nowhere(request)
        order = json_body.asked(request)
        extension, number = str(order.get("numero_origem", "")), str(order.get("numero_destino", ""))
        if self.refuses or not (extension and number):
            return self._said(request, 400, "chamada recusada", extension, number)
        self.dialled(request, extension, number)
        return json_body.reply(200, _chamada(200, "chamada criada com sucesso", {"id": len(self.received)}))

    def _said(
        self, request: Request, status: int, message: str, extension: str = "", number: str = ""
    ) -> SimulatedReply:
        return self.no(request, status, _chamada(status, message, None), extension, number)


def _chamada(status: int, message: str, data: Any) -> dict[str, Any]:
    good = status == 200
    return {"status": status, "sucesso": good, "motivo": 0 if good else 1, "mensagem": message, "dados": data}


class Nvoip(Provider):
    """``POST /v2/oauth/token`` (form, Basic client) → ``access_token``; ``POST /v2/calls/`` with ``caller``, ``called``
    and the token as Bearer → ``state`` ``success``, ``callId``. A refused call has a cause in place of the id."""

    name = "nvoip"
    title = "Nvoip"
    login = ("140912001", TOKEN)

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._access = uuid4().hex

    def table(self) -> dict[str, Any]:
        return {"numbersip": self.credentials[0], "user_token": self.token}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path == "/v2/oauth/token":
            right = request.form.get("username", "") == self.credentials[0] and self.may(
                request.form.get("password", "")
            )
            if not right or not request.header("Authorization").startswith("Basic "):
                return self.no(request, 401, {"status": 401, "error": "Unauthorized", "path": request.path})
            self.noted(request, "oauth/token")
            return json_body.reply(200, {"access_token": self._access, "token_type": "bearer"})
        if request.path != "/v2/calls/":
            return self.nowhere(request)
        return self._call(request)

    def _call(self, request: Request) -> SimulatedReply:
        order = json_body.asked(request)
        extension, number = str(order.get("caller", "")), str(order.get("called", ""))
        if request.header("Authorization") != f"Bearer {self._access}":
            return self.no(request, 401, {"status": 401, "error": "Unauthorized", "path": request.path})
        if self.refuses:
            return self.no(request, 200, {"state": "success", "callId": " UNALLOCATED_NUMBER"}, extension, number)
        return json_body.reply(200, {"state": "success", "callId": self.dialled(request, extension, number)})


class Api4Com(Provider):
    """``POST /api/v1/dialer`` with ``extension``, ``phone`` and the token as the whole ``Authorization`` → ``id``."""

    name = "api4com"
    title = "Api4Com"

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/api/v1/dialer" or request.method != "POST":
            return self.nowhere(request)
        order = json_body.asked(request)
        extension, number = str(order.get("extension", "")), str(order.get("phone", ""))
        if not self.may(request.header("Authorization")):
            return self.no(request, 401, {"error": {"statusCode": 401}}, extension, number)
        if self.refuses or not (extension and number):
            return self.no(request, 422, {"error": {"statusCode": 422}}, extension, number)
        return json_body.reply(200, {"id": self.dialled(request, extension, number)})


class ThreeCPlus(Provider):
    """``POST /api/v1/agent/manual_call/enter``, then ``/dial`` with ``phone``, both with the agent's token as Bearer →
    204; 422 when the agent is not idle, or not in manual mode. Its one agent sits at extension 3501."""

    name = "3cplus"
    title = "3C Plus"

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._manual = False

    def table(self) -> dict[str, Any]:
        return {"origins": {EXTENSION: {"agent_token": self.token}}}

    def answer(self, request: Request) -> SimulatedReply:
        step = request.path.removeprefix("/api/v1/agent/manual_call/")
        if step not in ("enter", "dial") or request.method != "POST":
            return self.nowhere(request)
        if not self.may(request.header("Authorization").removeprefix("Bearer ")):
            return self.no(request, 401, {"status": 401})
        if step == "enter":
            return self._enter(request)
        number = str(json_body.asked(request).get("phone", ""))
        if self.refuses or not self._manual:
            return self.no(request, 422, {"detail": "Agente não está em modo manual"}, EXTENSION, number)
        self.dialled(request, EXTENSION, number)
        return json_body.reply(204, None)

    def _enter(self, request: Request) -> SimulatedReply:
        if self._manual or self.refuses:
            return self.no(request, 422, {"detail": "Agente não está ocioso"})
        self._manual = True
        self.noted(request, "manual_call/enter")
        return json_body.reply(204, None)


class Sipgate(Provider):
    """``POST /v2/sessions/calls`` with ``deviceId``, ``caller``, ``callee``, ``callerId``; Basic → ``sessionId``. The
    device ``e0`` is extension 3501."""

    name = "sipgate"
    title = "sipgate"
    login = ("token-DEMO", TOKEN)

    def table(self) -> dict[str, Any]:
        token_id, token = self.credentials
        place = {"token_id": token_id, "token": token, "caller_id": "+554732100123"}
        return {**place, "callee_rule": "+55{{ number }}", "origins": {EXTENSION: "e0"}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/v2/sessions/calls" or request.method != "POST":
            return self.nowhere(request)
        order = json_body.asked(request)
        number = str(order.get("callee", ""))
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            return self.no(request, 401, None, EXTENSION, number)
        if self.refuses or order.get("deviceId") != "e0" or not number:
            return self.no(request, 400, None, EXTENSION, number)
        return json_body.reply(200, {"sessionId": self.dialled(request, EXTENSION, number)})


PROVIDERS: tuple[type[Provider], ...] = (
    BmTelecom,
    UTech,
    Evolux,
    TotalVoice,
    Nvoip,
    Api4Com,
    ThreeCPlus,
    Sipgate,
)
