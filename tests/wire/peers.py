"""A small core with the real interface, and an entrance around it, for tests that need no sockets."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.test import Client, TestResponse

from gateway.adapter import Outcome
from gateway.config.tables import Config
from gateway.domain.messages import Message, PlaceCall
from gateway.handlers import Reply
from gateway.wire.http import Front
from gateway.wire.traffic import Recorder

NOW = 1_772_619_300.0
OFFICE = "10.0.0.7"
OUTSIDE = "203.0.113.9"
AGENTS = {("default", "ana", "segredo"): "ana", ("acme", "ana", "segrédo"): "ana"}


class RecordingCore:
    """Remembers the messages it gets and answers them with ids from 1; ``fail_with`` is raised instead."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.fail_with: Exception | None = None
        self.outcome = Outcome.ACCEPTED

    def within(self, seconds: float) -> "RecordingCore":
        return self

    def handle(self, message: Message) -> Reply:
        if self.fail_with is not None:
            raise self.fail_with
        self.messages.append(message)
        if isinstance(message, PlaceCall):
            accepted = self.outcome is Outcome.ACCEPTED
            return Reply(accepted, "a central respondeu", len(self.messages), self.outcome)
        return Reply(True, "chamada registrada", len(self.messages))


def verify_agent(tenant: str, login: str, password: str, _address: str) -> str | None:
    return AGENTS.get((tenant, login, password))


def desk(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    told = (environ["cti.tenant"], environ["cti.client"], environ["SCRIPT_NAME"], environ["PATH_INFO"])
    return [" ".join(f"<{part}>" for part in told).encode()]


def metrics(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"metrics"]


def make_front(
    core: RecordingCore,
    config: Mapping[str, Any] | None = None,
    *,
    health: Callable[[], Mapping[str, bool]] = lambda: {"database": True},
    recorder: Recorder | None = None,
) -> Front:
    """An entrance with ``config`` as TOML would give it."""
    return Front(
        Config.model_validate(config or {}),
        core,
        verify_agent=verify_agent,
        desk=desk,
        health=health,
        metrics=metrics,
        recorder=recorder,
        clock=lambda: NOW,
    )


class Peer:
    """A client at ``address`` of an entrance with a recording core."""

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        address: str = OFFICE,
        recorder: Recorder | None = None,
    ) -> None:
        self.core = RecordingCore()
        self.front = make_front(self.core, config, recorder=recorder)
        self.client = Client(self.front)
        self.address = address

    def send(self, method: str, path: str, *, address: str | None = None, **options: Any) -> TestResponse:
        environ = {"REMOTE_ADDR": self.address if address is None else address} | options.pop("environ", {})
        return self.client.open(path, method=method, environ_overrides=environ, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.send("POST", path, **options)
