"""The entrance: one WSGI application that finds the company and the wire, and lets nothing escape."""

import copy
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from gateway.config.tables import Config
from gateway.errors import MetricsNotAllowed, NotReplayable, UnknownTenant
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import SourceGuesses
from gateway.store.traffic import TrafficEntry
from gateway.texts.text import Text
from gateway.wire import no_company
from gateway.wire.auth import Guesses
from gateway.wire.click_to_call import Dialing
from gateway.wire.clients import Networks, Proxies, asker
from gateway.wire.counts import NO_OPERATION
from gateway.wire.intake import Intake, MessageHandler, VerifyAgent, count, explain
from gateway.wire.listeners import Listener
from gateway.wire.onsite import PREFIX as ONSITE
from gateway.wire.operations import EVENTS
from gateway.wire.sites import Sites, take_tenant, without_tenant
from gateway.wire.soap.encoded import ENCODED
from gateway.wire.soap.endpoint import LITERAL, Soap
from gateway.wire.traffic import Recorder, environ_of
from gateway.wire.transport import JSON, LANGUAGE, TEXT, Answer, Environ, Transport, answer, language_of, refuse_as_text
from gateway.wire.webhooks.endpoint import Webhooks
from gateway.wire.webhooks.gates import source_gates
from gateway.wire.webhooks.lookups import LookUpNumber, nobody
from gateway.wire.webhooks.sources import PREFIX
from gateway.wire.xmlrpc import XmlRpc

log = structlog.get_logger()

StartResponse = Callable[..., Any]
WsgiApplication = Callable[[Environ, StartResponse], Iterable[bytes]]

LISTENERS = "/wconnect/WConnect_WSDL_"
HEARING, HEARING_POSTS = (Listener, Webhooks), (Soap, XmlRpc)
"""Wires at whose addresses exchanges tell something, whatever the method, or where it is POST. Made once: every request
is asked.
"""


class Front:
    """The WSGI application.

    ``verify_agent(tenant, login, password, address)`` returns the agent's login or None; ``desk`` serves every address
    that is no machine's, with ``cti.tenant`` and ``cti.client`` in its environ; ``health()`` tells which
    parts are ready; ``metrics`` serves ``/metrics``; ``recorder`` keeps what machines ask and are told; ``guesses``
    counts wrong secrets of sources and wrong tokens of events, in this process only where it is not given; ``look_up``
    tells sources whose a number is; ``onsite`` is where gateways on site connect.
    """

    def __init__(
        self,
        config: Config,
        core: MessageHandler,
        *,
        verify_agent: VerifyAgent,
        desk: WsgiApplication,
        health: Callable[[], Mapping[str, bool]],
        metrics: WsgiApplication,
        recorder: Recorder | None = None,
        guesses: Guesses | None = None,
        look_up: LookUpNumber = nobody,
        onsite: WsgiApplication | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        guesses = guesses or SourceGuesses(Attempts())
        self._sites = Sites(config, guesses)
        self._proxies = Proxies(config.server.trusted_proxies)
        self._desk = desk
        self._health = health
        self._language = config.server.language
        self._recorder = recorder
        self._onsite = onsite
        self._plain: Mapping[str, WsgiApplication] = {
            "/healthz": lambda environ, start: send(answer(200, TEXT, b"ok\n"), environ, start),
            "/readyz": lambda environ, start: send(self._readiness(), environ, start),
            "/metrics": guarded(metrics, Networks(config.server.metrics_allow)),
        }
        intake = Intake(core, verify_agent=verify_agent, clock=clock)
        self._routes = routes(intake, config.server.max_body_bytes)
        gates = source_gates(config, guesses, clock=clock)
        limit, keeps = config.server.max_body_bytes, recorder is not None
        self._webhooks = Webhooks(intake, gates, max_body_bytes=limit, look_up=look_up, keeps_requests=keeps)
        self._own_paths = {
            (name, tenant.click_to_call.path): self._routes["/click-to-call"]
            for name, tenant in config.tenants.items()
            if tenant.click_to_call.path
        }
        self._own_names = frozenset(path for _, path in self._own_paths)

    def without_desk(self, instead: WsgiApplication) -> "Front":
        """Return this entrance with ``instead`` in the place of the desk."""
        other = copy.copy(self)
        other._desk = instead
        other._onsite = None
        return other

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        environ[LANGUAGE] = self._language
        self._proxies.identify(environ)
        environ["REQUEST_METHOD"] = environ["REQUEST_METHOD"].upper()
        named = take_tenant(environ)
        path = environ["PATH_INFO"]
        if self._onsite is not None and path.startswith(ONSITE):
            return self._onsite(environ, start_response)
        transport = self._transport(path)
        if transport is not None:
            return send(self._serve(transport, environ, named), environ, start_response)
        if path in self._plain:
            return self._plain[path](environ, start_response)
        return self._serve_people(environ, start_response, named)

    def only_hears(self, method: str, path: str) -> bool:
        """Return whether a request is an exchange's that tells something: little work, but for what is written down.

        Orders may come at the same addresses of SOAP and XML-RPC.
        """
        transport = self._transport(without_tenant(path))
        return isinstance(transport, HEARING) or (method == "POST" and isinstance(transport, HEARING_POSTS))

    def _transport(self, path: str) -> Transport | None:
        """Return the wire that serves ``path`` for every company; None where one has made it its own."""
        found = self._routes.get(path)
        if found is None and path.startswith(PREFIX) and path not in self._own_names:
            return self._webhooks
        return found

    def replay(self, entry: TrafficEntry, by: str) -> Answer:
        """Serve an event of the traffic log again, for the agent ``by``. Raises ``NotReplayable``."""
        environ = environ_of(entry, by)
        take_tenant(environ)
        transport = self._transport(environ["PATH_INFO"])
        if transport is None:
            raise NotReplayable(Text("the entry {id}", id=entry.id))
        return self._serve(transport, environ, entry.tenant)

    def _serve(self, transport: Transport, environ: Environ, named: str | None) -> Answer:
        """Have ``transport`` serve the request, and keep both sides of it where that is wanted."""
        recorder = self._recorder
        if recorder is None:
            return self._answer(transport, environ, named)
        began = recorder.begin(environ)
        made = self._answer(transport, environ, named)
        recorder.end(environ, made, transport.wire, began)
        return made

    def _answer(self, transport: Transport, environ: Environ, named: str | None) -> Answer:
        """Return the answer of ``transport``, or its refusal where it fails."""
        try:
            site = self._sites.find(environ, named)
            environ["cti.tenant"], environ["cti.site"], environ[LANGUAGE] = site.name, site, site.language
            return transport.serve(environ, site)
        except Exception as error:
            if "cti.operation" not in environ:
                count(transport.wire, NO_OPERATION, error)
            return transport.refuse(explain(error, environ, transport.wire), environ)

    def _serve_people(self, environ: Environ, start_response: StartResponse, named: str | None) -> Iterable[bytes]:
        try:
            site = self._sites.find(environ, named)
        except UnknownTenant as error:
            return send(no_company.refuse(error, environ), environ, start_response)
        own = self._own_paths.get((site.name, environ["PATH_INFO"]))
        if own is not None:
            return send(self._serve(own, environ, site.name), environ, start_response)
        if environ["PATH_INFO"].startswith(PREFIX):
            return send(self._serve(self._webhooks, environ, site.name), environ, start_response)
        environ["cti.tenant"] = site.name
        return self._desk(environ, start_response)

    def _readiness(self) -> Answer:
        try:
            checks = dict(self._health())
        except Exception as error:
            log.error("health_failed", exc_info=error)
            checks = {"health": False}
        return answer(200 if all(checks.values()) else 503, JSON, json.dumps(checks).encode())


def guarded(metrics: WsgiApplication, readers: Networks) -> WsgiApplication:
    """Return ``metrics`` guarded: it names companies and appliances, so only ``readers`` may ask."""

    def serve(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if readers.admit(environ):
            return metrics(environ, start_response)
        return send(refuse_as_text(MetricsNotAllowed(*asker(environ)), language_of(environ)), environ, start_response)

    return serve


def routes(intake: Intake, limit: int) -> Mapping[str, Transport]:
    """Return which wire serves which address; some clients add a slash."""
    xmlrpc = XmlRpc(intake, max_body_bytes=limit)
    dialing = Dialing(intake, max_body_bytes=limit)
    exact: dict[str, Transport] = {
        f"{LISTENERS}{event.name}.php": Listener(event, intake, max_body_bytes=limit) for event in EVENTS
    }
    exact |= {
        LITERAL.path: Soap(intake, LITERAL, max_body_bytes=limit),
        ENCODED.path: Soap(intake, ENCODED, max_body_bytes=limit),
        "/xmlrpc": xmlrpc,
        "/RPC2": xmlrpc,
        "/click-to-call": dialing,
        "/api/clicktodial": dialing,
    }
    return exact | {f"{path}/": transport for path, transport in exact.items()}


def send(made: Answer, environ: Environ, start_response: StartResponse) -> list[bytes]:
    """Hand an answer to the WSGI server; HEAD gets its headers only."""
    start_response(made.status, made.headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [made.body]
