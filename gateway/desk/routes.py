"""The addresses of the desk: by which method, with which right, answered by what, and what the audit log says of it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from werkzeug.wrappers import Response

from gateway.desk import (
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
    figures,
    integrations,
    language_choice,
    missed,
    notes,
    numbers,
    onsite_keys,
    opening,
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
from gateway.domain.audit import AuditAction
from gateway.domain.roles import Right

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
    "onsite_add": Route("POST", "/centrais/locais", Right.CHANGE_APPLIANCES, onsite_keys.add),
    "onsite_renew": Route("POST", "/centrais/locais/<name>/chave", Right.CHANGE_APPLIANCES, onsite_keys.renew),
    "onsite_revoke": Route("POST", "/centrais/locais/<name>/revogar", Right.CHANGE_APPLIANCES, onsite_keys.revoke),
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
