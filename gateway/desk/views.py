"""The pages: one function for each, from a visit to an answer."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import access, account_choice, assets, auditing, cards, dialling
from gateway.desk.context import Visit
from gateway.desk.problems import said
from gateway.desk.rendering import page, streamed
from gateway.desk.session_checks import MayStay, OpenSession
from gateway.domain.audit import AuditAction
from gateway.domain.masking import hidden_in
from gateway.domain.roles import Right
from gateway.errors import GatewayError, LoginsBusy, TooManyAttempts
from gateway.store.calls import LoggedCall
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.directory import token_hash
from gateway.store.orders import Tried
from gateway.store.reading.positions import Position
from gateway.texts.text import Text


def static(visit: Visit, name: str) -> Response:
    """Serve a file of the package."""
    return assets.serve(visit.request, name)


# logging in and out


def login(visit: Visit, *, problem: Text | str = "", status: int = 200) -> Response:
    """Show the login form, with a fresh token: a cookie that was there before may be another page's."""
    visit = replace(visit, agent=None, secret=access.new_secret())
    wanted = access.local_path(visit.request.values.get("next"), visit.request.root_path)
    template = "panel_login.html" if visit.in_panel else "login.html"
    response = page(visit, template, status=status, problem=problem, wanted=wanted or "")
    access.remember(response, visit.request, access.LOGIN_COOKIE, visit.secret, seconds=access.LOGIN_PAGE_S)
    return response


def stale_login(visit: Visit) -> Response:
    """Show the login form once more, where it was filled in on an old page."""
    return login(visit, problem=Text("The login page was old. Log in once more."), status=403)


def log_in(visit: Visit) -> Response:
    """Open a session and go where the agent wanted to go."""
    form = visit.request.form
    try:
        agent = visit.services.verifier.verify(
            visit.tenant, form.get("usuario", "").strip(), form.get("senha", ""), access.address_of(visit.request)
        )
    except (TooManyAttempts, LoginsBusy) as error:
        return login(visit, problem=error.said(visit.language), status=error.http_status)
    if agent is None:
        auditing.note_login(visit, form.get("usuario", "").strip(), AuditAction.LOGIN_FAILED)
        return login(visit, problem=Text("Wrong user name or password."), status=401)
    _end_session(visit)  # a browser has one: whoever was logged in here before is no more
    if visit.asked_language:
        visit.services.directory.choose_language(agent.id, visit.asked_language)
    client, browser = access.address_of(visit.request)[:64], visit.request.headers.get("User-Agent", "")[:255]
    token = visit.services.directory.open_session(
        agent, visit.at, lifetime_ms=access.SESSION_MS, client=client, browser=browser
    )
    auditing.note_login(visit, agent.login, AuditAction.LOGGED_IN)
    wanted = access.local_path(form.get("next"), visit.request.root_path)
    response = redirect(wanted or visit.home, 303)
    cookie = access.session_cookie(visit.request, framed=visit.in_panel and bool(visit.settings.crm.origins))
    access.remember(response, visit.request, cookie, token, seconds=access.SESSION_MS // 1000)
    access.forget(response, visit.request, access.LOGIN_COOKIE)
    return response


def log_out(visit: Visit) -> Response:
    """Close the session; whoever chose an extension leaves it."""
    if visit.me.chooses_extension and visit.me.extension:
        visit.services.people.sit(visit.me.id, "", auditing.actor(visit))
    _end_session(visit)
    auditing.note_login(visit, visit.me.login, AuditAction.LOGGED_OUT)
    response = redirect(visit.url(visit.login), 303)
    access.forget(response, visit.request, access.COOKIE)
    if access.cookies(visit.request, access.FRAMED_COOKIE):
        access.forget(response, visit.request, access.FRAMED_COOKIE)
    return response


def _end_session(visit: Visit) -> None:
    """Close the sessions of this browser, also one that another page may have given it, and their streams."""
    found = (access.cookies(visit.request, name) for name in (access.COOKIE, access.FRAMED_COOKIE))
    for cookie in chain.from_iterable(found):
        visit.services.directory.close_session(cookie)
        visit.services.hub.end_session(access.session_mark(cookie))


# the agent's screen


def screen(visit: Visit) -> Response:
    """Show the agent's screen. The log's end is read first: what happens meanwhile comes as an event.

    Who chooses the extension, and has none, is asked for it.
    """
    if visit.me.chooses_extension and not visit.me.extension:
        return redirect(visit.url("extension"), 303)
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "screen.html", seq=seq, **_cards(visit), recent=cards.of_extension(visit), mine=True)


def now(visit: Visit) -> Response:
    """Show the cards of the calls that go on."""
    return page(visit, "_cards.html", **_cards(visit))


def recent(visit: Visit) -> Response:
    """Show the agent's last calls."""
    return page(visit, "_recent.html", recent=cards.of_extension(visit), mine=True)


def card(visit: Visit, call_id: int) -> Response:
    """Show the pop-up card of one call."""
    call = _call(visit, call_id)
    template = "_call_owner.html" if visit.request.args.get("onde") == account_choice.PAGE else "_card.html"
    return page(visit, template, **account_choice.card_of(visit, call))


def shown(visit: Visit, call_id: int) -> Response:
    """Note that a page shows a call's card, for the diagnosis."""
    if visit.services.receipts:
        me, kind = visit.me, ReceiptKind.SHOWN.value
        visit.services.receipts.add(DeliveryReceipt(visit.at, visit.tenant, me.extension, me.login, "", kind, call_id))
    return Response(status=204)


def dial(visit: Visit) -> Response:
    """Place a call, to ``numero`` or to the telephone of a call or account; answers with a notice, or with the call's
    page where there is no script.
    """
    form = visit.request.form
    number = form.get("numero", "") or dialling.number_of(
        visit, form.get("ligacao", ""), form.get("conta", ""), form.get("posicao", "")
    )
    try:
        reply = dialling.place(visit, number, appliance=form.get("central", ""), key=form.get("id_pedido", ""))
    except GatewayError as error:
        told = said(error, visit.language)
        told = hidden_in(told, number) if visit.masks_numbers else told
        return page(visit, "_notice.html", status=error.http_status, outcome="refused", message=told)
    if not visit.by_htmx:
        return redirect(visit.url("call", call_id=reply.call_id), 303)
    return page(visit, "_notice.html", outcome=reply.outcome, message=reply.message)


def hang_up(visit: Visit, call_id: int) -> Response:
    """End a call that was placed from here; answers like ``dial``."""
    try:
        reply = dialling.hang_up(visit, _call(visit, call_id))
    except GatewayError as error:
        return page(
            visit,
            "_notice.html",
            status=error.http_status,
            outcome="refused",
            message=said(error, visit.language),
            what="hangup",
        )
    if not visit.by_htmx:
        return redirect(visit.url("call", call_id=call_id), 303)
    return page(visit, "_notice.html", outcome=reply.outcome, message=reply.message, what="hangup")


def mark_over(visit: Visit, call_id: int) -> Response:
    """Mark a call as over, as its agent says; answers with the card, or with the call's page where there
    is no script.
    """
    dialling.mark_over(visit, _call(visit, call_id))
    if not visit.by_htmx:
        return redirect(visit.url("call", call_id=call_id), 303)
    return card(visit, call_id)


def events(visit: Visit) -> Response:
    """Open the stream of events; ``escopo=empresa`` also tells of everybody else's calls, in brief."""
    request = visit.request
    last = request.headers.get("Last-Event-ID") or request.args.get("last_event_id") or ""
    seen = Position.read(last)
    whole = request.args.get("escopo") == "empresa" or request.args.get("scope") == "tenant"
    me, session = visit.me, access.session_mark(key) if (key := visit.secret or visit.token) else ""
    screen = visit.services.hub.subscribe(
        visit.tenant,
        me.extension,
        seen,
        login=me.login,
        session=session,
        whole_tenant=whole,
        scope=visit.scope,
        masked=visit.masks_numbers,
        may_stay=_still_logged_in(visit),
    )
    return streamed(screen)


def _still_logged_in(visit: Visit) -> OpenSession | MayStay:
    """Return what to look up to find out whether the visitor's session goes on, or the login by HTTP Basic is
    unchanged; it reads a steady clock.
    """
    directory, me, secret = visit.services.directory, visit.me, visit.secret or visit.token
    if not secret:
        before = directory.agent_with_hash(me.tenant, me.login)
        return lambda: directory.agent_with_hash(me.tenant, me.login) == before
    ahead_ms = visit.at - int(time.monotonic() * 1000)
    return OpenSession((token_hash(secret), bool(visit.token)), me, ahead_ms)


# the call log


def call(visit: Visit, call_id: int) -> Response:
    """Show everything that is known of one call."""
    seq = visit.services.log.newest(visit.tenant)
    found = _call(visit, call_id)
    known: dict[str, Any] = {
        "before": cards.before(visit, found, limit=10),
        "came_from": cards.came_from(visit, found, mine=False),
        "consultations": visit.calls.consultations(found),
        "history": _history(visit, found),
        "why": visit.services.explainer.explain(visit.tenant, call_id) if visit.may(Right.EXPLAIN) else None,
    }
    return page(visit, "call.html", seq=seq, **account_choice.card_of(visit, found) | known)


def _history(visit: Visit, call: LoggedCall) -> Sequence[Tried]:
    """Return what appliances were asked for this call."""
    orders = visit.services.orders
    placed = orders.of_call(visit.tenant, call.id) if orders and call.appliance else None
    return orders.history(visit.tenant, placed.id) if orders and placed else ()


def _cards(visit: Visit) -> Mapping[str, Any]:
    return {"cards": [account_choice.card_of(visit, call) for call in cards.going_on(visit)]}


def _call(visit: Visit, call_id: int) -> LoggedCall:
    return visit.calls.find(call_id)
