"""The one way from a wire to the handlers: may you, what do you mean, do it, count it."""

import copy
import secrets
from collections.abc import Callable
from time import perf_counter
from typing import Any, Protocol

import structlog

from gateway import __version__
from gateway.domain.messages import Message, Origin
from gateway.errors import BadCredentials, BusyError, GatewayError, InternalError, NotReplayable
from gateway.handlers import Reply
from gateway.traffic.masking import MASK
from gateway.traffic.told import tell
from gateway.wire.counts import NO_OPERATION, REQUESTS
from gateway.wire.operations import OPERATIONS
from gateway.wire.parameters import LOGIN, EitherReading, Operation, Sender, Texts
from gateway.wire.sites import Site

log = structlog.get_logger()

REPLAY_OF = "cti.replay_of"
"""In the environ of an event that an agent sends again: its number in the traffic log. No client can set it."""

VerifyAgent = Callable[[str, str, str, str], str | None]
"""``verify_agent(tenant, login, password, address)``: the login of the agent, or None when the password is wrong."""


class MessageHandler(Protocol):
    """What decides: ``gateway.handlers.Core``."""

    def handle(self, message: Message) -> Reply: ...

    def within(self, seconds: float) -> "MessageHandler": ...


class Intake:
    """Performs operations for every wire."""

    def __init__(self, core: MessageHandler, *, verify_agent: VerifyAgent, clock: Callable[[], float]) -> None:
        self._core = core
        self._verify_agent = verify_agent
        self._clock = clock
        # Bound here: a module's logger looks at each line for how logs are set up, also for one that nobody wants.
        self._log = structlog.get_logger().bind()

    def perform(
        self,
        operation: Operation,
        texts: Texts,
        environ: dict[str, Any],
        site: Site,
        *,
        wire: str,
        token: str = "",
    ) -> Reply:
        """Do ``operation`` with the parameters ``texts``; ``token`` is what came among the parameters.

        Raises ``AccessError``, ``RequestError``, ``BusyError``, ``DialError`` and whatever is a defect.
        """
        environ["cti.operation"] = operation.name
        began = perf_counter()
        try:
            reply = self._perform(operation, texts, environ, site, wire, token)
        except Exception as error:
            count(wire, operation.name, error)
            raise
        REQUESTS.note(wire, operation.name, "ok", perf_counter() - began)
        return reply

    def _perform(
        self, operation: Operation, texts: Texts, environ: dict[str, Any], site: Site, wire: str, token: str
    ) -> Reply:
        login, replay_of = None, environ.get(REPLAY_OF)
        if token:
            tell(environ, [token])
        if replay_of:
            if operation.dials or any(MASK.decode() in texts.get(name, "") for name in operation.names):
                raise NotReplayable(operation.name)
        elif operation.dials:
            texts = with_key(texts, environ)
            login = site.gate.admit_dialling(environ, token, self._verify_from(environ), in_body=login_in(texts))
            if isinstance(texts, EitherReading) and login == texts[LOGIN[0]]:
                texts = with_key(texts.as_login(), environ)
        else:
            site.gate.admit_event(environ, token)
        origin = Origin(wire, environ["cti.client"], replay_of)
        message = operation.build(texts, Sender(site.name, site.zone, origin, int(self._clock() * 1000), login))
        if message is None:
            given = login_in(texts)
            if given and not self._verify_from(environ)(site.name, *given):
                raise BadCredentials
            return Reply(True, f"cti-gateway {__version__}", 0)
        reply = self._core.handle(message)
        environ["cti.call_id"] = reply.call_id
        self._log.debug(
            "operation_performed",
            operation=operation.name,
            wire=wire,
            tenant=site.name,
            call_id=reply.call_id,
        )
        return reply

    def within(self, seconds: float) -> "Intake":
        """Return this intake for one request that is answered within so many seconds."""
        other = copy.copy(self)
        other._core = self._core.within(seconds)
        return other

    def now(self) -> int:
        """Return the moment, in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def take(self, message: Message, environ: dict[str, Any], *, wire: str, operation: str) -> Reply:
        """Handle a message that a wire made itself, of a sender who may; it is counted as ``operation``.

        Raises ``BusyError`` and whatever is a defect.
        """
        operation = operation if operation in OPERATIONS else NO_OPERATION
        began = perf_counter()
        try:
            reply = self._core.handle(message)
        except Exception as error:
            count(wire, operation, error)
            raise
        REQUESTS.note(wire, operation, "ok", perf_counter() - began)
        environ["cti.call_id"] = reply.call_id
        return reply

    def not_understood(self, wire: str) -> None:
        """Count a request that was taken, and of which nothing could be made."""
        REQUESTS.note(wire, NO_OPERATION, "refused")

    def _verify_from(self, environ: dict[str, Any]) -> Callable[[str, str, str], str | None]:
        """Return a function that verifies a login for this client: wrong ones count by address as well."""
        address = environ["cti.client"]
        return lambda tenant, login, password: self._verify_agent(tenant, login, password, address)


def with_key(texts: Texts, environ: dict[str, Any]) -> Texts:
    """Return the parameters with the header ``Idempotency-Key``, quoted or not, where they name no key themselves."""
    key = environ.get("HTTP_IDEMPOTENCY_KEY", "").strip().strip('"')
    return texts if texts.get("id_pedido") or not key else {**texts, "id_pedido": key}


def login_in(texts: Texts) -> tuple[str, str] | None:
    """Return the agent's login and password among the parameters, where the classic WConnect has them."""
    login, password = (texts.get(name, "") for name in LOGIN)
    return (login, password) if login or password else None


def count(wire: str, operation: str, error: Exception) -> None:
    """Count a request that failed with ``error``."""
    REQUESTS.note(wire, operation, result_of(error))


def result_of(error: Exception) -> str:
    if isinstance(error, BusyError):
        return "busy"
    return "refused" if isinstance(error, GatewayError) and error.side == "client" else "error"


def explain(error: Exception, environ: dict[str, Any], wire: str) -> GatewayError:
    """Log why a request failed, once, and return what its client may know of it."""
    facts = {"wire": wire, "client": environ["cti.client"], "tenant": environ.get("cti.tenant")}
    facts["operation"] = environ.get("cti.operation")
    if isinstance(error, GatewayError):
        log.warning("request_refused", code=error.code, error=type(error).__name__, **facts)
        return error
    incident = f"incidente-{secrets.token_hex(4)}"
    log.error("request_failed", incident=incident, exc_info=error, **facts)
    return InternalError(incident)
