"""The desk as one WSGI application: which address is answered by what, and who may ask."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from gateway.config.tables import TenantSettings
from gateway.desk import (
    access,
    api,
    auditing,
    failures,
    framing,
    origins,
    programs,
    views,
)
from gateway.desk.context import Services, Visit
from gateway.desk.rendering import private, protected
from gateway.desk.routes import ROUTES
from gateway.domain.audit import AuditAction
from gateway.errors import BadCredentials, PasswordToChange, UnknownTenant
from gateway.logins.named_pages import is_preflight
from gateway.store.directory import Agent

LOG_IN = ("log_in", "panel_log_in")
BEFORE_THE_PASSWORD = (
    "password",
    "password_change",
    "log_out",
    "language",
    "api_openapi",
    "login",
    "panel_login",
    *LOG_IN,
)
"""What an agent gets who has not yet changed a first password."""
FILES = ("static", "cti_script")
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
                for name, (method, path, *_) in ROUTES.items()
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
        route = ROUTES[endpoint]
        view = route.view
        if endpoint in FILES:
            return view(visit, **arguments)
        visit = self._identified(visit)
        visit.require(route.right)
        if visit.agent and visit.agent.first_password and endpoint not in BEFORE_THE_PASSWORD:
            return _to_own_password(visit)
        by_named_page = origins.is_by_named_page(visit.request, visit.settings.crm.origins)
        writes = visit.request.method in api.WRITES
        if writes and not by_named_page and not visit.token:  # no browser adds a token by itself
            access.check_source(visit.request)
            if endpoint in LOG_IN:
                return view(visit) if access.is_own_login(visit.request) else views.stale_login(visit)
            if visit.secret:
                access.check_form(visit.request, visit.secret)
        elif visit.agent and visit.secret:
            access.check_page(visit.request, visit.secret)
        if endpoint.startswith("api_"):
            api.check_parameters(endpoint, visit)
        response = view(visit, **arguments)
        if route.audit and response.status_code < HTTPStatus.BAD_REQUEST and _is_asked_for(visit):
            auditing.note(visit, route.audit, arguments)
        return response

    def _identified(self, visit: Visit) -> Visit:
        request, tenant = visit.request, visit.tenant
        if visit.by_program and (agent := self._by_password(visit)):
            return replace(visit, agent=agent, secret="")
        if visit.by_program and (found := access.agent_of_token(self._services.directory, request, tenant, visit.at)):
            agent, token = found
            return programs.noted(replace(visit, agent=agent, secret="", token=token))
        framed = access.is_own_or_opened(request) or origins.is_by_named_page(request, visit.settings.crm.origins)
        if found := access.agent_of_cookie(self._services.directory, request, tenant, visit.at, framed=framed):
            agent, cookie = found
            return replace(visit, agent=agent, secret=cookie)
        return visit

    def _by_password(self, visit: Visit) -> Agent | None:
        """Return the agent of HTTP Basic; a wrong password leaves a line in the audit log. Raises as
        ``agent_of_password``.
        """
        try:
            return access.agent_of_password(self._services.verifier, visit.request, visit.tenant)
        except BadCredentials:
            given = visit.request.authorization
            auditing.note_login(visit, (given and given.username) or "", AuditAction.LOGIN_FAILED)
            raise


def _is_asked_for(visit: Visit) -> bool:
    """Return whether a person asks, not a page that renews a piece of itself."""
    return visit.request.method == "POST" or not visit.by_htmx


def _to_own_password(visit: Visit) -> Response:
    """Lead who has a first password to where it is changed. Raises ``PasswordToChange`` for a program and the panel."""
    if visit.by_program or visit.in_panel:  # no other page stands in a CRM's frame
        raise PasswordToChange
    if visit.by_htmx:
        return private(Response(status=401, headers={"HX-Redirect": visit.url("password")}))
    return private(redirect(visit.url("password"), 303))
