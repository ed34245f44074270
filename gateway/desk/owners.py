"""Whose a call is, said on its card: one of several accounts, an account that did not have the number, a new one."""

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from gateway.desk import board
from gateway.desk.context import Visit
from gateway.desk.formats import is_diallable
from gateway.desk.rendering import page
from gateway.domain.matching import Ranked
from gateway.domain.messages import Direction
from gateway.domain.numbers import read
from gateway.errors import BadParameter
from gateway.store.calls import LoggedCall
from gateway.store.drafts import Choice

LONGEST = 255


def matches(visit: Visit, call: LoggedCall) -> list[Ranked]:
    """All accounts that have the call's number, the best first."""
    if call.direction == Direction.INTERNAL or not is_diallable(call.number):
        return []
    numbers = visit.services.core.tenant(visit.tenant).numbers_for(call.extension)
    candidates = read(call.number, numbers).candidates
    directory = visit.services.directory
    return list(directory.matches(visit.tenant, candidates, call.extension, before=call.logged_at))


def choose(visit: Visit, call_id: int) -> Response:
    """The call is one account's, and calls of its number are so from now on. Answers with the card."""
    call = _call(visit, call_id)
    account_id = _id(visit.request.form.get("conta", ""))
    found = (ranked.match for ranked in matches(visit, call) if ranked.match.account_id == account_id)
    match = next(found, None)
    if match is None:
        raise BadParameter("conta", visit.request.form.get("conta", ""), expected="uma das contas com este número")
    return _decide(visit, call, account_id, match.contact)


def search(visit: Visit, call_id: int) -> Response:
    """Accounts to attach the call's number to, by name or code."""
    call = _call(visit, call_id)
    text = visit.request.args.get("busca", "").strip()[:LONGEST]
    found = visit.services.directory.search(visit.tenant, text) if len(text) > 1 else ()
    return page(visit, "_accounts.html", call=call, accounts=found, text=text)


def attach(visit: Visit, call_id: int) -> Response:
    """Give the call's number to an account, or to a new one called ``nome``. Answers with the card."""
    call = _call(visit, call_id)
    if not is_diallable(call.number) or call.direction == Direction.INTERNAL:
        raise BadParameter("ligacao", str(call_id), expected="uma ligação com número de fora")
    form = visit.request.form
    contact = form.get("contato", "").strip()[:LONGEST]
    account_id = _id(form.get("conta", "")) or _new_account(visit, form.get("nome", "").strip()[:LONGEST])
    by, at = visit.me.login, visit.at
    if account_id not in {ranked.match.account_id for ranked in matches(visit, call)}:
        visit.services.corrections.add(visit.tenant, account_id, call.number, contact, by=by, at=at)
    return _decide(visit, call, account_id, contact)


def _new_account(visit: Visit, name: str) -> int:
    if not name:
        raise BadParameter("nome", name, expected="o nome da conta nova, ou uma conta existente")
    return visit.services.corrections.open_account(visit.tenant, name, at=visit.at)


def _decide(visit: Visit, call: LoggedCall, account_id: int, contact: str) -> Response:
    choice = Choice(visit.tenant, call.id, account_id, contact, call.number[:32], visit.me.login, visit.at)
    visit.services.decide(choice)
    decided = _call(visit, call.id)
    others = matches(visit, decided)
    return page(visit, "_card.html", call=decided, before=board.before(visit, decided), matches=others)


def _call(visit: Visit, call_id: int) -> LoggedCall:
    found = visit.services.calls.get(visit.tenant, call_id)
    if found is None:
        raise NotFound
    return found


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
