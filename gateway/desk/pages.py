"""The desk as one WSGI application: which address is answered by what, and who may ask."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from gateway.config.tables import TenantSettings
from gateway.desk import (
    access,
    account_choice,
    account_page,
    agents,
    api,
    appliances,
    auditing,
    board,
    call_log,
    diagnosis,
    directory,
    exports,
    failures,
    figures,
    framing,
    integrations,
    language_choice,
    missed,
    notes,
    numbers,
    opening,
    origins,
    own_account,
    panel,
    people,
    phone_links,
    programs,
    quality,
    recordings,
    sources,
    traffic,
    views,
)
from gateway.desk.context import Services, Visit
from gateway.desk.rendering import private, protected
from gateway.domain.audit import AuditAction
from gateway.domain.roles import Right
from gateway.errors import BadCredentials, PasswordToChange, UnknownTenant
from gateway.logins.named_pages import is_preflight
from gateway.store.directory import Agent

CALL_ID = "<int(max=9007199254740991):call_id>"
ENTRY_ID = "<int(max=9007199254740991):entry_id>"
AGENT_ID = "<int(max=9007199254740991):agent_id>"
ACCOUNT_ID = "<int(max=9007199254740991):account_id>"
FILTER_ID = "<int(max=9007199254740991):filter_id>"
LETTER_ID = "<int(max=9007199254740991):letter_id>"
FORWARD_CHANGED = AuditAction.FORWARD_CHANGED
RUN_ID = "<int(max=9007199254740991):run_id>"


class Route(NamedTuple):
    """An address, by which method, the right that it takes, the view that answers, and the line that this leaves in the
    audit log, where it leaves one.
    """

    method: str
    path: str
    right: Right
    view: Callable[..., Response]
    audit: AuditAction | None = None


ROUTES: Mapping[str, Route] = {
    "static": Route("GET", "/static/<path:name>", Right.OPEN, views.static),
    "login": Route("GET", "/login", Right.OPEN, views.login),
    "log_in": Route("POST", "/login", Right.OPEN, views.log_in),
    "log_out": Route("POST", "/logout", Right.OWN_ACCOUNT, views.log_out),
    "cti_script": Route("GET", "/cti/v1.js", Right.OPEN, panel.script),
    "panel": Route("GET", "/painel", Right.SEE_SCREEN, panel.panel),
    "panel_login": Route("GET", "/painel/entrar", Right.OPEN, panel.login),
    "panel_log_in": Route("POST", "/painel/entrar", Right.OPEN, views.log_in),
    "panel_log_out": Route("POST", "/painel/sair", Right.OWN_ACCOUNT, views.log_out),
    "screen": Route("GET", "/", Right.SEE_SCREEN, views.screen),
    "language": Route("POST", "/idioma", Right.OWN_ACCOUNT, language_choice.choose),
    "now": Route("GET", "/telas/agora", Right.SEE_SCREEN, views.now),
    "recent": Route("GET", "/telas/recentes", Right.SEE_SCREEN, views.recent),
    "card": Route("GET", f"/telas/ligacao/{CALL_ID}", Right.SEE_SCREEN, views.card),
    "shown": Route("POST", f"/telas/ligacao/{CALL_ID}/mostrada", Right.SEE_SCREEN, views.shown),
    "choose": Route(
        "POST", f"/telas/ligacao/{CALL_ID}/conta", Right.WORK_CALLS, account_choice.choose, AuditAction.CALL_CORRECTED
    ),
    "search": Route("GET", f"/telas/ligacao/{CALL_ID}/contas", Right.WORK_CALLS, account_choice.search),
    "attach": Route(
        "POST",
        f"/telas/ligacao/{CALL_ID}/vincular",
        Right.WORK_CALLS,
        account_choice.attach,
        AuditAction.CALL_CORRECTED,
    ),
    "dial_page": Route("GET", "/discar", Right.DIAL, phone_links.ask),
    "manifest": Route("GET", "/manifest.webmanifest", Right.OPEN, phone_links.manifest),
    "dial": Route("POST", "/discar", Right.DIAL, views.dial),
    "call_log": Route("GET", "/ligacoes", Right.SEE_CALLS, call_log.call_log),
    "calls_csv": Route("GET", "/ligacoes.csv", Right.EXPORT_CALLS, exports.page_as_csv, AuditAction.EXPORTED),
    "calls_xlsx": Route("GET", "/ligacoes.xlsx", Right.EXPORT_CALLS, exports.page_as_xlsx, AuditAction.EXPORTED),
    "save_filter": Route("POST", "/ligacoes/filtros", Right.OWN_ACCOUNT, call_log.save_filter),
    "remove_filter": Route("POST", f"/ligacoes/filtros/{FILTER_ID}/apagar", Right.OWN_ACCOUNT, call_log.remove_filter),
    "call": Route("GET", f"/ligacoes/{CALL_ID}", Right.SEE_CALLS, views.call),
    "account": Route("GET", f"/contas/{ACCOUNT_ID}", Right.SEE_ACCOUNTS, account_page.account),
    "opening": Route("POST", "/ficha", Right.OWN_ACCOUNT, opening.choose),
    "people": Route("GET", "/pessoas", Right.SEE_PEOPLE, people.people),
    "agents": Route("GET", "/pessoas/agentes", Right.READ_AGENTS, agents.agents),
    "agent": Route("GET", f"/pessoas/agentes/{AGENT_ID}", Right.READ_AGENTS, agents.agent),
    "agent_add": Route("POST", "/pessoas/agentes", Right.CHANGE_AGENTS, agents.add),
    "agent_add_list": Route("POST", "/pessoas/agentes/lista", Right.CHANGE_AGENTS, agents.add_list),
    "agent_change": Route("POST", f"/pessoas/agentes/{AGENT_ID}", Right.CHANGE_AGENTS, agents.change),
    "agent_lock": Route("POST", f"/pessoas/agentes/{AGENT_ID}/bloquear", Right.CHANGE_AGENTS, agents.lock),
    "agent_unlock": Route("POST", f"/pessoas/agentes/{AGENT_ID}/desbloquear", Right.CHANGE_AGENTS, agents.unlock),
    "agent_password": Route("POST", f"/pessoas/agentes/{AGENT_ID}/senha", Right.CHANGE_AGENTS, agents.new_password),
    "agent_remove": Route("POST", f"/pessoas/agentes/{AGENT_ID}/remover", Right.CHANGE_AGENTS, agents.remove),
    "password": Route("GET", "/senha", Right.OWN_ACCOUNT, own_account.password),
    "password_change": Route("POST", "/senha", Right.OWN_ACCOUNT, own_account.change_password),
    "sessions": Route("GET", "/sessoes", Right.OWN_ACCOUNT, own_account.sessions),
    "session_end": Route("POST", "/sessoes/encerrar", Right.OWN_ACCOUNT, own_account.end_session),
    "extension": Route("GET", "/ramal", Right.OWN_ACCOUNT, own_account.extension),
    "extension_take": Route("POST", "/ramal", Right.OWN_ACCOUNT, own_account.sit),
    "audit": Route("GET", "/auditoria", Right.READ_AUDIT, auditing.audit),
    "audit_export": Route("GET", "/auditoria.csv", Right.READ_AUDIT, auditing.export, AuditAction.AUDIT_READ),
    "recording": Route(
        "GET", f"/ligacoes/{CALL_ID}/gravacao", Right.SEE_CALLS, recordings.listen, AuditAction.LISTENED
    ),
    "note_recording": Route(
        "GET",
        f"/ligacoes/{CALL_ID}/gravacao/<int(max=9999):place>",
        Right.SEE_CALLS,
        recordings.listen_to_note,
        AuditAction.LISTENED,
    ),
    "board": Route("GET", "/agora", Right.SEE_BOARD, board.board),
    "figures": Route("GET", "/indicadores", Right.SEE_FIGURES, figures.figures),
    "why": Route("GET", "/porque", Right.EXPLAIN, diagnosis.why),
    "hang_up": Route("POST", f"/ligacoes/{CALL_ID}/desligar", Right.DIAL, views.hang_up),
    "mark_over": Route(
        "POST", f"/ligacoes/{CALL_ID}/encerrada", Right.WORK_CALLS, views.mark_over, AuditAction.CALL_MARKED_OVER
    ),
    "appliances": Route("GET", "/centrais", Right.READ_APPLIANCES, appliances.appliances),
    "appliance_preview": Route("GET", "/centrais/pedido", Right.READ_APPLIANCES, appliances.preview),
    "appliance_probe": Route(
        "POST", "/centrais/sondar", Right.CHANGE_APPLIANCES, appliances.probe, AuditAction.APPLIANCE_PROBED
    ),
    "traffic": Route("GET", "/trafego", Right.READ_TRAFFIC, traffic.traffic, AuditAction.TRAFFIC_READ),
    "traffic_entry": Route(
        "GET", f"/trafego/{ENTRY_ID}", Right.READ_TRAFFIC, traffic.traffic_entry, AuditAction.TRAFFIC_READ
    ),
    "replay": Route(
        "POST", f"/trafego/{ENTRY_ID}/reenviar", Right.CHANGE_TRAFFIC, traffic.replay, AuditAction.TRAFFIC_SENT_AGAIN
    ),
    "sources": Route("GET", "/fontes", Right.READ_SOURCES, sources.sources),
    "source": Route("GET", "/fontes/<name>", Right.READ_SOURCES, sources.source, AuditAction.SOURCE_READ),
    "directory": Route("GET", "/cadastro", Right.READ_DIRECTORY, directory.directory_page),
    "import_run": Route("GET", f"/cadastro/{RUN_ID}", Right.READ_DIRECTORY, directory.import_run),
    "import_now": Route(
        "POST", "/cadastro/importar", Right.CHANGE_DIRECTORY, directory.import_now, AuditAction.DIRECTORY_IMPORTED
    ),
    "quality": Route("GET", "/qualidade", Right.READ_DIRECTORY, quality.quality),
    "quality_export": Route("GET", "/qualidade.csv", Right.READ_DIRECTORY, quality.export, AuditAction.EXPORTED),
    "quality_correct": Route(
        "POST", "/qualidade/corrigir", Right.CHANGE_DIRECTORY, quality.correct, AuditAction.DIRECTORY_CORRECTED
    ),
    "quality_add": Route(
        "POST", "/qualidade/acrescentar", Right.CHANGE_DIRECTORY, quality.add, AuditAction.DIRECTORY_CORRECTED
    ),
    "integrations": Route("GET", "/integracoes", Right.READ_FORWARDS, integrations.integrations),
    "letter": Route("GET", f"/integracoes/{LETTER_ID}", Right.READ_FORWARDS, integrations.letter),
    "letters_retry": Route("POST", "/integracoes/reenviar", Right.CHANGE_FORWARDS, integrations.retry, FORWARD_CHANGED),
    "letters_drop": Route("POST", "/integracoes/desistir", Right.CHANGE_FORWARDS, integrations.drop, FORWARD_CHANGED),
    "letters_move": Route("POST", "/integracoes/mover", Right.CHANGE_FORWARDS, integrations.move, FORWARD_CHANGED),
    "api_forwards": Route("GET", "/api/forwards", Right.READ_FORWARDS, integrations.api_forwards),
    "api_letters": Route("GET", "/api/forwards/events", Right.READ_FORWARDS, integrations.api_letters),
    "api_letter": Route("GET", f"/api/forwards/events/{LETTER_ID}", Right.READ_FORWARDS, integrations.api_letter),
    "api_letters_retry": Route(
        "POST", "/api/forwards/retry", Right.CHANGE_FORWARDS, integrations.api_retry, FORWARD_CHANGED
    ),
    "api_letters_drop": Route(
        "POST", "/api/forwards/drop", Right.CHANGE_FORWARDS, integrations.api_drop, FORWARD_CHANGED
    ),
    "api_letters_move": Route(
        "POST", "/api/forwards/move", Right.CHANGE_FORWARDS, integrations.api_move, FORWARD_CHANGED
    ),
    "number": Route("GET", "/numero", Right.EXPLAIN, numbers.number),
    "note": Route("POST", f"/ligacoes/{CALL_ID}/anotacao", Right.WORK_CALLS, notes.save),
    "missed": Route("GET", "/perdidas", Right.SEE_MISSED, missed.missed),
    "missed_badge": Route("GET", "/telas/perdidas", Right.SEE_MISSED, missed.badge),
    "missed_clear": Route("POST", "/perdidas/resolvidas", Right.WORK_MISSED, missed.clear, AuditAction.MISSED_CLEARED),
    "missed_restore": Route(
        "POST", "/perdidas/desfazer", Right.WORK_MISSED, missed.restore, AuditAction.MISSED_RESTORED
    ),
    "missed_claim": Route("POST", f"/perdidas/{CALL_ID}/assumir", Right.WORK_MISSED, missed.claim),
    "missed_release": Route("POST", f"/perdidas/{CALL_ID}/liberar", Right.WORK_MISSED, missed.release),
    "missed_call": Route("POST", f"/perdidas/{CALL_ID}/ligar", Right.WORK_MISSED, missed.call_back),
    "follow_up_done": Route("POST", f"/perdidas/{CALL_ID}/retornado", Right.WORK_MISSED, missed.follow_up_done),
    "programs": Route("GET", "/extensao", Right.OWN_ACCOUNT, programs.programs),
    "program_make": Route("POST", "/extensao", Right.OWN_ACCOUNT, programs.make, AuditAction.PROGRAM_CONNECTED),
    "program_revoke": Route(
        "POST",
        "/extensao/<session_id>/revogar",
        Right.OWN_ACCOUNT,
        programs.revoke,
        AuditAction.PROGRAM_REVOKED,
    ),
    "events": Route("GET", "/events", Right.SEE_CALLS, views.events),
    "api_calls": Route("GET", "/api/calls", Right.SEE_CALLS, api.calls),
    "api_calls_csv": Route("GET", "/api/calls.csv", Right.EXPORT_CALLS, exports.api_csv, AuditAction.EXPORTED),
    "api_calls_xlsx": Route("GET", "/api/calls.xlsx", Right.EXPORT_CALLS, exports.api_xlsx, AuditAction.EXPORTED),
    "api_call": Route("GET", f"/api/calls/{CALL_ID}", Right.SEE_CALLS, api.call),
    "api_why": Route("GET", f"/api/calls/{CALL_ID}/why", Right.EXPLAIN, api.why),
    "api_hang_up": Route("POST", f"/api/calls/{CALL_ID}/hangup", Right.DIAL, api.hang_up),
    "api_over": Route("POST", f"/api/calls/{CALL_ID}/over", Right.WORK_CALLS, api.over, AuditAction.CALL_MARKED_OVER),
    "api_dial": Route("POST", "/api/dial", Right.DIAL, api.dial),
    "api_outcomes": Route("GET", "/api/outcomes", Right.SEE_CALLS, notes.api_outcomes),
    "api_note": Route("GET", f"/api/calls/{CALL_ID}/note", Right.SEE_CALLS, notes.api_note),
    "api_note_save": Route("PUT", f"/api/calls/{CALL_ID}/note", Right.WORK_CALLS, notes.api_save),
    "api_follow_up_done": Route(
        "POST", f"/api/calls/{CALL_ID}/note/done", Right.WORK_MISSED, missed.api_follow_up_done
    ),
    "api_missed": Route("GET", "/api/missed", Right.SEE_MISSED, missed.api_missed),
    "api_missed_clear": Route(
        "POST", "/api/missed/clear", Right.WORK_MISSED, missed.api_clear, AuditAction.MISSED_CLEARED
    ),
    "api_missed_restore": Route(
        "POST", "/api/missed/restore", Right.WORK_MISSED, missed.api_restore, AuditAction.MISSED_RESTORED
    ),
    "api_missed_claim": Route("POST", f"/api/missed/{CALL_ID}/claim", Right.WORK_MISSED, missed.api_claim),
    "api_missed_release": Route("POST", f"/api/missed/{CALL_ID}/release", Right.WORK_MISSED, missed.api_release),
    "api_imports": Route("GET", "/api/imports", Right.READ_DIRECTORY, directory.api_imports),
    "api_account": Route("GET", f"/api/accounts/{ACCOUNT_ID}", Right.SEE_ACCOUNTS, account_page.api_account),
    "api_me": Route("GET", "/api/me", Right.OWN_ACCOUNT, api.me),
    "api_appliances": Route("GET", "/api/appliances", Right.LIST_APPLIANCES, api.appliances),
    "api_openapi": Route("GET", "/api/openapi.json", Right.OPEN, api.openapi),
    "api_webhook_schema": Route("GET", "/api/webhooks.schema.json", Right.OPEN, api.webhook_schema),
}
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
