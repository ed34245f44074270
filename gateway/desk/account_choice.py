"""Whose a call is, said on its card: one of several accounts, one that did not have the number, a new one, nobody's.

A form carries what its card showed of the number (``visto``) and whose the call was (``mostrada``): who says something
else than a colleague has said meanwhile is asked first. A form of an older page, which carries nothing, is not asked.
With ``alcance=ligacao`` it is about this call only, and the number stays whose it is. The call's page has the same form
(``onde=pagina``), and is answered with a piece of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Response

from gateway.desk import cards
from gateway.desk.context import Visit
from gateway.desk.customer import customer_of
from gateway.desk.formats import is_diallable
from gateway.desk.rendering import page, private
from gateway.domain.calls.matching import Ranked, RankReason
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import read
from gateway.errors import BadParameter, OwnerChanged
from gateway.store.calls import LoggedCall
from gateway.store.writing.drafts import Choice
from gateway.texts.text import Text

LONGEST = 255
THIS_CALL = "ligacao"
PAGE = "pagina"
KEPT = ("visto", "mostrada", "errada", "onde")
"""What a search hands on to the forms that it answers with."""


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody else has said whose the number is (``changed``): the account that was wanted, and its form's fields."""

    changed: OwnerChanged
    wanted: str
    endpoint: str
    fields: Mapping[str, str]


def card_of(visit: Visit, call: LoggedCall) -> dict[str, Any]:
    """Return what the template of a card needs."""
    call, shown = visit.calls.whole(call), visit.calls.shown(call)
    found = matches(visit, call)
    seen = ""
    if may_have_owner(call):
        seen = visit.services.directory.standing(visit.tenant, call.number, _forms(visit, call)).seen
    came_from = cards.came_from(visit, call)
    told = {"before": cards.before(visit, call), "came_from": came_from, "customer": customer_of(visit, call)}
    return {"call": shown, "matches": found, "seen": seen, "may_own": may_have_owner(call), **told}


def matches(visit: Visit, call: LoggedCall) -> list[Ranked]:
    """Return all accounts that have the call's number, the best first; where none has, those that its fields name."""
    directory = visit.services.directory
    found: Sequence[Ranked] = ()
    if may_have_owner(call):
        found = directory.matches(visit.tenant, _forms(visit, call), call.extension, before=call.logged_at)
    if not found and call.fields and call.direction != Direction.INTERNAL:
        found = directory.named_by(visit.tenant, call.fields)
    return list(found)


def may_have_owner(call: LoggedCall) -> bool:
    """Return whether the number of ``call`` can belong to anybody."""
    return call.direction != Direction.INTERNAL and is_diallable(call.number)


def choose(visit: Visit, call_id: int) -> Response:
    """Give the call, and from now on the calls of its number, to one of the accounts that have that; or the call alone
    to one of those that its fields name, or where that is asked for. Answers with the card. Raises ``BadParameter``.
    """
    call = _call(visit, call_id)
    account_id = _id(visit.request.form.get("conta", ""))
    ranked = next((each for each in matches(visit, call) if each.match.account_id == account_id), None)
    if ranked is None:
        expected = Text("one of the accounts with this number")
        raise BadParameter("conta", visit.request.form.get("conta", ""), expected=expected)
    choice = _choice(visit, call, account_id, ranked.match.contact)
    if ranked.reason is RankReason.IDENTIFIER or _is_for_this_call(visit):
        choice = replace(choice, number="")  # whose the number is, nobody has said
    return _decide(visit, call, choice, ranked.match.name, "choose")


def search(visit: Visit, call_id: int) -> Response:
    """Show accounts to attach the call's number to, by name or code."""
    call, asked = _call(visit, call_id), visit.request.args
    text = asked.get("busca", "").strip()[:LONGEST]
    found = visit.services.directory.search(visit.tenant, text) if len(text) > 1 else ()
    kept = {name: asked[name][:LONGEST] for name in KEPT if asked.get(name)}
    return page(visit, "_accounts.html", call=call, accounts=found, text=text, kept=kept)


def attach(visit: Visit, call_id: int) -> Response:
    """Give the call's number to an account, to a new one called ``nome``, or (``nenhuma``) to nobody. Raises
    ``BadParameter``.

    The account ``errada`` loses it. Where this call only is meant, which may be one of a withheld number, the number
    stays whose it is. Answers with the card.
    """
    call, form = _call(visit, call_id), visit.request.form
    alone = _is_for_this_call(visit) and call.direction != Direction.INTERNAL
    if not (may_have_owner(call) or alone):
        raise BadParameter("ligacao", str(call_id), expected=Text("a call with an outside number"))
    contact, account_id = form.get("contato", "").strip()[:LONGEST], _id(form.get("conta", ""))
    name = "" if account_id or form.get("nenhuma") else form.get("nome", "").strip()[:LONGEST]
    if not (account_id or name or form.get("nenhuma")):
        raise BadParameter("nome", name, expected=Text("the name of the new account, or an existing account"))
    choice = _choice(visit, call, account_id, contact, name=name, attach=True, wrong=_id(form.get("errada", "")))
    if alone:
        choice = replace(choice, number="", attach=False, wrong=0)
    return _decide(visit, call, choice, name or _name_of(visit, account_id), "attach")


def _choice(visit: Visit, call: LoggedCall, account_id: int, contact: str, **more: Any) -> Choice:
    return Choice(
        tenant=visit.tenant,
        call_id=call.id,
        account_id=account_id,
        contact=contact,
        number=call.number,
        by=visit.me.login,
        at=visit.at,
        forms=tuple(_forms(visit, call)),
        seen=visit.request.form.get("visto"),
        shown=_shown(visit),
        **more,
    )


def _is_for_this_call(visit: Visit) -> bool:
    return visit.request.form.get("alcance") == THIS_CALL


def _shown(visit: Visit) -> int | None:
    """Return the account that the page showed for the call, 0 for none; None where an older page does not say."""
    shown = visit.request.form.get("mostrada")
    return None if shown is None else _id(shown)


def _decide(visit: Visit, call: LoggedCall, choice: Choice, wanted: str, endpoint: str) -> Response:
    """Have it written down, or ask where somebody else has said otherwise meanwhile."""
    on_page = visit.request.form.get("onde") == PAGE
    template = "_call_owner.html" if on_page else "_card.html"
    try:
        visit.services.decide(choice)
    except OwnerChanged as changed:
        now = _call(visit, call.id)
        asked = Question(changed, wanted, endpoint, _again(visit, changed, now))
        return page(visit, template, status=changed.http_status, **card_of(visit, now), asked=asked)
    if on_page:
        return private(Response(status=204, headers={"HX-Refresh": "true"}))
    return page(visit, template, **card_of(visit, _call(visit, call.id)))


def _again(visit: Visit, changed: OwnerChanged, now: LoggedCall) -> Mapping[str, str]:
    """Return the hidden fields of the form to send once more, with what another agent has decided meanwhile
    (``visto``, ``mostrada``).
    """
    names = ("conta", "nome", "contato", "nenhuma", "errada", "alcance", "onde")
    given = {name: visit.request.form[name][:LONGEST] for name in names if visit.request.form.get(name)}
    lost = {"errada": str(changed.account_id)} if changed.added else {}
    return given | lost | {"visto": changed.seen, "mostrada": str(now.account_id or 0)}


def _forms(visit: Visit, call: LoggedCall) -> Sequence[str]:
    """Return the forms in which the directory may have the call's number, the canonical one first."""
    return read(call.number, visit.services.core.tenant(visit.tenant).numbers_for(call.extension)).candidates


def _name_of(visit: Visit, account_id: int) -> str:
    found = visit.services.directory.account(visit.tenant, account_id) if account_id else None
    return found.name if found else ""


def _call(visit: Visit, call_id: int) -> LoggedCall:
    return visit.calls.whole(visit.calls.find(call_id))


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
