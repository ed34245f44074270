"""The desk as one WSGI application: which address is answered by what, and who may ask."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from gateway.config.tables import TenantSettings
from gateway.desk import (
    access,
    account_choice,
    api,
    appliances,
    diagnosis,
    directory,
    failures,
    framing,
    language_choice,
    numbers,
    origins,
    panel,
    people,
    quality,
    sources,
    traffic,
    views,
)
from gateway.desk.context import Services, Visit
from gateway.desk.rendering import protected
from gateway.errors import CredentialsNeeded, UnknownTenant
from gateway.logins.named_pages import is_preflight

CALL_ID = "<int(max=9007199254740991):call_id>"
ENTRY_ID = "<int(max=9007199254740991):entry_id>"
RUN_ID = "<int(max=9007199254740991):run_id>"
ROUTES: dict[str, tuple[str, str, Callable[..., Response]]] = {
    "static": ("GET", "/static/<path:name>", views.static),
    "login": ("GET", "/login", views.login),
    "log_in": ("POST", "/login", views.log_in),
    "log_out": ("POST", "/logout", views.log_out),
    "cti_script": ("GET", "/cti/v1.js", panel.script),
    "panel": ("GET", "/painel", panel.panel),
    "panel_login": ("GET", "/painel/entrar", panel.login),
    "panel_log_in": ("POST", "/painel/entrar", views.log_in),
    "panel_log_out": ("POST", "/painel/sair", views.log_out),
    "screen": ("GET", "/", views.screen),
    "language": ("POST", "/idioma", language_choice.choose),
    "now": ("GET", "/telas/agora", views.now),
    "recent": ("GET", "/telas/recentes", views.recent),
    "card": ("GET", f"/telas/ligacao/{CALL_ID}", views.card),
    "shown": ("POST", f"/telas/ligacao/{CALL_ID}/mostrada", views.shown),
    "choose": ("POST", f"/telas/ligacao/{CALL_ID}/conta", account_choice.choose),
    "search": ("GET", f"/telas/ligacao/{CALL_ID}/contas", account_choice.search),
    "attach": ("POST", f"/telas/ligacao/{CALL_ID}/vincular", account_choice.attach),
    "dial": ("POST", "/discar", views.dial),
    "call_log": ("GET", "/ligacoes", views.call_log),
    "call": ("GET", f"/ligacoes/{CALL_ID}", views.call),
    "account": ("GET", "/contas/<int(max=9007199254740991):account_id>", views.account),
    "people": ("GET", "/pessoas", people.people),
    "why": ("GET", "/porque", diagnosis.why),
    "hang_up": ("POST", f"/ligacoes/{CALL_ID}/desligar", views.hang_up),
    "mark_over": ("POST", f"/ligacoes/{CALL_ID}/encerrada", views.mark_over),
    "appliances": ("GET", "/centrais", appliances.appliances),
    "appliance_preview": ("GET", "/centrais/pedido", appliances.preview),
    "appliance_probe": ("POST", "/centrais/sondar", appliances.probe),
    "traffic": ("GET", "/trafego", traffic.traffic),
    "traffic_entry": ("GET", f"/trafego/{ENTRY_ID}", traffic.traffic_entry),
    "replay": ("POST", f"/trafego/{ENTRY_ID}/reenviar", traffic.replay),
    "sources": ("GET", "/fontes", sources.sources),
    "source": ("GET", "/fontes/<name>", sources.source),
    "directory": ("GET", "/cadastro", directory.directory_page),
    "import_run": ("GET", f"/cadastro/{RUN_ID}", directory.import_run),
    "import_now": ("POST", "/cadastro/importar", directory.import_now),
    "quality": ("GET", "/qualidade", quality.quality),
    "quality_export": ("GET", "/qualidade.csv", quality.export),
    "quality_correct": ("POST", "/qualidade/corrigir", quality.correct),
    "quality_add": ("POST", "/qualidade/acrescentar", quality.add),
    "number": ("GET", "/numero", numbers.number),
    "events": ("GET", "/events", views.events),
    "api_calls": ("GET", "/api/calls", api.calls),
    "api_call": ("GET", f"/api/calls/{CALL_ID}", api.call),
    "api_why": ("GET", f"/api/calls/{CALL_ID}/why", api.why),
    "api_hang_up": ("POST", f"/api/calls/{CALL_ID}/hangup", api.hang_up),
    "api_over": ("POST", f"/api/calls/{CALL_ID}/over", api.over),
    "api_dial": ("POST", "/api/dial", api.dial),
    "api_imports": ("GET", "/api/imports", directory.api_imports),
    "api_me": ("GET", "/api/me", api.me),
    "api_appliances": ("GET", "/api/appliances", api.appliances),
    "api_openapi": ("GET", "/api/openapi.json", api.openapi),
}
FILES = ("static", "cti_script")
LOG_IN = ("log_in", "panel_log_in")
OPEN_TO_ALL = (*FILES, "login", "panel_login", *LOG_IN, "api_openapi")
LARGEST_FORM = 64 * 1024


class DeskRequest(Request):
    """A request no larger than a form of ours."""

    max_content_length = LARGEST_FORM
    max_form_memory_size = LARGEST_FORM


class Desk:
    """Pages, events and JSON, as a WSGI application.

    The company is in ``environ["cti.tenant"]``, the client's address in ``environ["cti.client"]``;
    ``SCRIPT_NAME`` may hold ``/t/COMPANY``, which every link and cookie respects.
    """

    def __init__(self, services: Services, *, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._services = services
        self._clock = clock
        self._urls = Map(
            [
                Rule(path, endpoint=name, methods=[method], merge_slashes=False, strict_slashes=False)
                for name, (method, path, _) in ROUTES.items()
            ]
        )

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer one request; nothing but an answer ever leaves."""
        request = DeskRequest(environ)
        return protected(self._respond(request), self._framers(request))(environ, start_response)

    def _framers(self, request: Request) -> Sequence[str]:
        """Return the web pages that may frame the answer: those that the company names, and only the panel."""
        settings = self._services.config.tenants.get(str(request.environ.get("cti.tenant", "")))
        return settings.crm.origins if settings and framing.is_panel(request.path) else ()

    def _respond(self, request: Request) -> Response:
        tenant = str(request.environ.get("cti.tenant", ""))
        settings = self._services.config.tenants.get(tenant)
        if settings is None:
            return failures.of_nobody(UnknownTenant(tenant), self._services.config.server.language)
        named = settings.crm.origins
        if origins.is_for_scripts(request) and is_preflight(request.environ):
            return origins.shared(origins.preflight(request, named), request, named)
        visit = self._stranger(request, tenant, settings)
        try:
            response = self._answer(visit)
        except Exception as error:
            response = failures.answer(visit, error)
        return origins.shared(response, request, named)

    def _stranger(self, request: Request, tenant: str, settings: TenantSettings) -> Visit:
        """Return a visit of which only the company is known."""
        urls = self._urls.bind("desk", request.root_path or "/", path_info=request.path, default_method=request.method)
        return Visit(request, urls, self._services, tenant, settings, self._clock(), None, access.new_secret())

    def _answer(self, visit: Visit) -> Response:
        """Find the view, find out who asks, let the view answer."""
        endpoint, arguments = visit.urls.match()
        view = ROUTES[endpoint][2]
        if endpoint in FILES:
            return view(visit, **arguments)
        visit = self._identified(visit)
        if endpoint not in OPEN_TO_ALL and visit.agent is None:
            raise CredentialsNeeded(by_token=False)
        by_named_page = origins.is_by_named_page(visit.request, visit.settings.crm.origins)
        if visit.request.method == "POST" and not by_named_page:
            access.check_source(visit.request)
            if endpoint in LOG_IN:
                return view(visit) if access.is_own_login(visit.request) else views.stale_login(visit)
            if visit.secret:
                access.check_form(visit.request, visit.secret)
        elif visit.agent and visit.secret:
            access.check_page(visit.request, visit.secret)
        if endpoint.startswith("api_"):
            api.check_parameters(endpoint, visit)
        return view(visit, **arguments)

    def _identified(self, visit: Visit) -> Visit:
        request, tenant = visit.request, visit.tenant
        if visit.by_program and (agent := access.agent_of_password(self._services.verifier, request, tenant)):
            return replace(visit, agent=agent, secret="")
        framed = access.is_own_or_opened(request) or origins.is_by_named_page(request, visit.settings.crm.origins)
        if found := access.agent_of_cookie(self._services.directory, request, tenant, visit.at, framed=framed):
            agent, cookie = found
            return replace(visit, agent=agent, secret=cookie)
        return visit
