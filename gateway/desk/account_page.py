"""An account by itself: its telephones and contacts, what names it, its fields, what was put right, its calls."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.customer import account_link, account_of, identifiers_besides, owner_name, rows_besides
from gateway.desk.rendering import as_json, page
from gateway.domain.masking import masked
from gateway.store.calls import CallFilter, iso
from gateway.store.corrections import AccountCorrection
from gateway.store.directory import AccountCard

PAGE_SIZE = 20
BEFORE = "antes"


def account(visit: Visit, account_id: int) -> Response:
    """Show an account; ``antes`` is the id of the call that the page of calls begins behind. Raises ``NotFound``."""
    seq = visit.services.log.newest(visit.tenant)
    found = _account(visit, account_id)
    before = visit.request.args.get(BEFORE, "")
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    wanted = CallFilter(account_id=account_id, before_id=before_id)
    recent = visit.calls.recent(wanted, limit=PAGE_SIZE + 1)
    shown, more = recent[:PAGE_SIZE], len(recent) > PAGE_SIZE
    older = visit.url("account", account_id=account_id, **{BEFORE: shown[-1].id}) if more else None
    newest = visit.url("account", account_id=account_id) if before_id else None
    known: dict[str, Any] = {
        "rows": rows_besides(visit, found),
        "identifiers": identifiers_besides(found),
        "owner": owner_name(visit, found),
        "link": account_link(visit, found),
        "corrections": _corrections(visit, account_id),
        "older": older,
        "newest": newest,
    }
    return page(visit, "account.html", account=found, recent=shown, seq=seq, **known)


def api_account(visit: Visit, account_id: int) -> Response:
    """Show an account for scripts. Raises ``NotFound``."""
    found = _account(visit, account_id)
    phones = [{"number": number, "contact": contact} for number, contact in found.phones]
    named = [{"kind": kind, "value": value} for kind, value in found.identifiers]
    plain = {"account_id": found.id, "account_code": found.code, "name": found.name, "owner": found.owner}
    besides = {"source": found.source, "updated_at": iso(found.updated_at), "link": account_link(visit, found)}
    return as_json(plain | {"phones": phones, "identifiers": named, "fields": dict(found.fields)} | besides)


def _corrections(visit: Visit, account_id: int) -> Sequence[AccountCorrection]:
    """Return what was put right of the account, as the visitor may see it."""
    found = visit.services.corrections.of_account(visit.tenant, account_id)
    if not visit.masks_numbers:
        return found
    return [_hidden(each) for each in found]


def _hidden(told: AccountCorrection) -> AccountCorrection:
    number, written = (text and masked(text) for text in (told.number, told.as_written))
    return replace(told, number=number, as_written=written)


def _account(visit: Visit, account_id: int) -> AccountCard:
    found = account_of(visit, account_id)
    if found is None:
        raise NotFound
    return found
