"""A simulated Asterisk REST interface (ARI), as recorded from Asterisk 20.20: it answers at once and never tells
whether the extension answers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from time import monotonic
from typing import Any, ClassVar

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.asterisk_calls import BUSY, Calls, extension_of
from gateway.simulators.credentials import logged_in
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.texts.text import Text, verbatim

CHANNELS = "/ari/channels"
NO_TECHNOLOGY = "no-technology"
REALM = {"WWW-Authenticate": 'Basic realm="Asterisk REST Interface"'}


class AsteriskAri(SimulatedAppliance):
    """``POST /ari/channels`` (parameters as JSON, form or query), ``GET`` and ``DELETE /ari/channels/ID``,
    ``GET /ari/asterisk/ping``; Basic or ``?api_key=user:password``."""

    name = "asterisk-ari"
    title = "Asterisk (ARI)"
    evidence = Text("recorded from Asterisk 20.20.1")
    login = ("ariuser", "aripass")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401 'Authentication required'"),
        "privilege": Text("403 'Write access denied': a read-only user"),
        BUSY: Text("the extension is busy: 200 all the same, and the channel is gone a moment later"),
        NO_TECHNOLOGY: Text("500 'Allocation failed': the endpoint's technology or SIP peer is unknown"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._calls = Calls("", self.behaviour.ring_s)
        self._channels: dict[str, dict[str, Any]] = {}

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        place = {"host": self.host, "port": self.port, "context": "from-internal", **tls}
        return {self.name: {"preset": "asterisk-ari", **place, "username": username, "password": password}}

    def answer(self, request: Request) -> SimulatedReply:
        key = request.query.get("api_key", "") == ":".join(self.credentials)
        if self.behaviour.fail == "auth" or not (key or logged_in(request, self.credentials)):
            return self._no(request, 401, "Authentication required", REALM)
        if request.path == "/ari/asterisk/ping" and request.method == "GET":
            self.noted(request, "ping")
            stamp = {"ping": "pong", "timestamp": _now(), "asterisk_id": "02:fc:00:00:00:01"}
            return _reply(200, stamp)
        if request.path == CHANNELS and request.method == "POST":
            return self._originate(request, "")
        if request.path.startswith(f"{CHANNELS}/") and "/" not in request.path.removeprefix(f"{CHANNELS}/"):
            return self._channel(request, request.path.removeprefix(f"{CHANNELS}/"))
        return self._no(request, 404, "Resource not found")

    def _channel(self, request: Request, channel_id: str) -> SimulatedReply:
        if request.method == "POST":
            return self._originate(request, channel_id)
        if request.method not in ("GET", "DELETE"):
            return self._no(request, 405, "Invalid method")
        if request.method == "DELETE" and self._calls.hang_up(channel_id):
            self.noted(request, "hangup")
            return _reply(204, None)
        if not self._calls.alive(channel_id):
            return self._no(request, 404, "Channel not found")
        self.noted(request, "channel")
        return _reply(200, self._shown(channel_id))

    def _originate(self, request: Request, channel_id: str) -> SimulatedReply:
        if self.behaviour.fail == "privilege":
            return self._no(request, 403, "Write access denied")
        fields = _fields(request)
        if fields is None:
            return self._no(request, 400, "Error parsing request body")
        fields["channelId"] = channel_id or fields.get("channelId", "")
        extension, number = extension_of(fields.get("endpoint", "")), fields.get("extension", "")
        if refused := self._refusal(fields):
            return self._no(request, *refused, {}, extension, number)
        if self.behaviour.fail == NO_TECHNOLOGY:
            self.noted(request, "originate: Allocation failed", extension, number)
            return _reply(500, {"error": "Allocation failed"})
        return self._place(request, fields, extension, number)

    def _place(self, request: Request, fields: dict[str, str], extension: str, number: str) -> SimulatedReply:
        call_id = fields["channelId"] or self._calls.new_id()
        channel = _channel_of(call_id, fields)
        if self.behaviour.fail == BUSY:
            self.noted(request, "originate: 200 (busy)", extension, number)
            return _reply(200, channel)
        self._calls.begin(call_id)
        self._channels = {kept: one for kept, one in self._channels.items() if self._calls.alive(kept)}
        self._channels[call_id] = {**channel, "_answers_at": monotonic() + self.behaviour.ring_s}
        self.dialled(request, extension, number, call_id=call_id)
        return _reply(200, channel)

    def _refusal(self, fields: Mapping[str, str]) -> tuple[int, str] | None:
        endpoint = fields.get("endpoint", "")
        if not endpoint:
            return 400, "Endpoint must be specified"
        if not (fields.get("extension") or fields.get("app")):
            return 400, "Application or extension must be specified"
        if "/" not in endpoint:
            return 400, "Invalid endpoint specified"
        if fields["channelId"] and self._calls.alive(fields["channelId"]):
            return 409, "Channel with given unique ID already exists"
        return None

    def _shown(self, channel_id: str) -> dict[str, Any]:
        channel = dict(self._channels[channel_id])
        answered = monotonic() >= channel.pop("_answers_at")
        return {**channel, "state": "Up" if answered else "Ringing"}

    def _no(
        self,
        request: Request,
        status: int,
        message: str,
        lines: Mapping[str, str] | None = None,
        extension: str = "",
        number: str = "",
    ) -> SimulatedReply:
        self.noted(request, f"{status} {message}", extension, number)
        return _reply(status, {"message": message}, lines)


def _fields(request: Request) -> dict[str, str] | None:
    """Return the parameters of query, form and JSON as texts; None when the JSON is none."""
    fields = {**request.query, **request.form}
    if request.body and not request.form:
        try:
            given = json.loads(request.body)
        except ValueError:
            return None
        if not isinstance(given, dict):
            return None
        fields.update({name: str(value) for name, value in given.items()})
    return fields


def _channel_of(call_id: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a channel as Asterisk writes it; always ``Down`` in the answer that makes it."""
    extension = extension_of(fields["endpoint"])
    context = fields["endpoint"].partition("@")[2] or fields.get("context", "default")
    caller = {"name": "", "number": fields.get("callerId", "")}
    return {
        "id": call_id,
        "name": f"{fields['endpoint']}-00000025;1",
        "state": "Down",
        "protocol_id": "",
        "caller": caller,
        "connected": dict(caller),
        "accountcode": "",
        "dialplan": {
            "context": context,
            "exten": extension,
            "priority": 1,
            "app_name": "AppDial2",
            "app_data": "(Outgoing Line)",
        },
        "creationtime": _now(),
        "language": "en",
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _reply(status: int, said: dict[str, Any] | None, lines: Mapping[str, str] | None = None) -> SimulatedReply:
    body = b"" if said is None else json.dumps(said, separators=(",", ":")).encode()
    head = {
        "Server": "Asterisk",
        "Date": formatdate(usegmt=True),
        **(lines or {}),
        "Cache-Control": "no-cache, no-store",
        **({"Content-type": "application/json"} if said is not None else {}),
        "Content-Length": str(len(body)),
    }
    return SimulatedReply.exactly(f"{status} {HTTPStatus(status).phrase}", head, body)
