"""Whose a call is, as its card shows it: the account's code, fields of it, and links into the CRM."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.desk.context import Visit
from gateway.desk.crm_links import shown_link
from gateway.desk.formats import identifier_name, is_diallable
from gateway.domain.identifiers import plain
from gateway.domain.masking import hidden_in, is_masked, masked
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import read
from gateway.store.calls import LoggedCall
from gateway.store.directory import AccountCard
from gateway.texts.text import Text

FIRST = 5
"""Fields on the card where the configuration does not say which."""
OWNER = "owner"
TELLING = ("number", "international", "caller_name", "contact")
"""What links do without where the company keeps telephones from the agent."""
Row = tuple[Text | str, str]


@dataclass(frozen=True, slots=True)
class Customer:
    """What a card shows of whose a call is. ``rows`` are pairs of label and text, ``record`` is the address that opens
    by itself, at ``opens`` (``ring``, ``answer``; empty: it does not).
    """

    account: AccountCard | None = None
    rows: Sequence[Row] = ()
    link: str | None = None
    contact_link: str | None = None
    new_link: str | None = None
    record: str | None = None
    opens: str = ""


def customer_of(visit: Visit, call: LoggedCall) -> Customer:
    """Return what is shown of whose ``call`` is; nothing for an internal one."""
    if call.direction == Direction.INTERNAL:
        return Customer()
    call = visit.calls.whole(call)
    account = account_of(visit, call.account_id) if call.account_id else None
    crm, values = visit.settings.crm, _values(visit, call, account)
    if account is None:
        unknown = not call.account_id and is_diallable(call.number)
        link = shown_link(crm.new_link, values) if unknown else None
        return Customer(new_link=link, record=link, opens=_opens(visit, call, new=True) if link else "")
    link = shown_link(crm.link, values)
    contact = shown_link(crm.contact_link, values) if call.contact else None
    opens = _opens(visit, call, new=False) if link else ""
    return Customer(account, rows_on_card(visit, account), link, contact, record=link, opens=opens)


def account_of(visit: Visit, account_id: int) -> AccountCard | None:
    """Return an account as the visitor may see it: with its telephones hidden, also where its fields tell them, from
    whom the company keeps them.
    """
    found = visit.services.directory.account(visit.tenant, account_id)
    if found is None or not visit.masks_numbers:
        return found
    numbers = [number for number, _ in found.phones]
    fields = {name: _hidden(text, numbers) for name, text in found.fields.items()}
    return replace(found, phones=tuple((masked(number), who) for number, who in found.phones), fields=fields)


def account_link(visit: Visit, account: AccountCard) -> str | None:
    """Return the link into the CRM of an account by itself, without a call."""
    return shown_link(visit.settings.crm.link, {**account.fields, **_of_account(account), "tenant": visit.tenant})


def rows_on_card(visit: Visit, account: AccountCard) -> list[Row]:
    """Return the fields that the card shows: as the configuration says, else the first ones."""
    wanted = visit.settings.crm.fields
    if wanted is None:
        return [(visit.field_label(name), text) for name, text in list(account.fields.items())[:FIRST]]
    return [row for name in wanted for row in _rows_of(visit, account, name)]


def rows_besides(visit: Visit, account: AccountCard) -> list[Row]:
    """Return all fields of the account, those of the card first."""
    first = [plain(name) for name in visit.settings.crm.fields or ()]
    order = sorted(account.fields, key=lambda name: first.index(plain(name)) if plain(name) in first else len(first))
    return [(visit.field_label(name), account.fields[name]) for name in order]


def identifiers_besides(account: AccountCard) -> list[tuple[str, str]]:
    """Return what names the account that no field of it tells already."""
    told = {plain(name) for name in account.fields}
    return [(kind, text) for kind, text in account.identifiers if kind not in told]


def owner_name(visit: Visit, account: AccountCard) -> str:
    """Return who looks after the account, by name where that is known."""
    owner = account.owner or ""
    return visit.names.get(owner) or visit.colleagues.get(owner) or owner


def _rows_of(visit: Visit, account: AccountCard, wanted: str) -> Iterator[Row]:
    """Yield what the account has by the name ``wanted``: a field, else an identifier, else who looks after it."""
    name = plain(wanted)
    found = [(visit.field_label(each), text) for each, text in account.fields.items() if plain(each) == name]
    yield from found
    if not found:
        yield from ((identifier_name(kind), text) for kind, text in account.identifiers if kind == name)
        if name == OWNER and account.owner:
            yield Text("Looked after by"), owner_name(visit, account)


def _opens(visit: Visit, call: LoggedCall, *, new: bool) -> str:
    """Return when the agent wants the record of such a call opened."""
    chosen = visit.opening
    if new and not chosen.new:
        return ""
    return chosen.outgoing if call.direction == Direction.OUTGOING else chosen.incoming


def _values(visit: Visit, call: LoggedCall, account: AccountCard | None) -> Mapping[str, str]:
    """Return what links may use: what the exchange sent, the account's fields, and what stands for all."""
    number = read(call.number, visit.services.core.tenant(visit.tenant).numbers_for(call.extension))
    fixed = _of_account(account) | {
        "contact": call.contact or "",
        "number": call.number,
        "international": number.e164 or call.number,
        "caller_name": call.caller_name or "",
        "direction": call.direction,
        "extension": call.extension,
        "login": visit.me.login,
        "call_id": str(call.id),
        "tenant": visit.tenant,
    }
    if visit.masks_numbers:
        told = {**_plain(account.fields if account else {}), **fixed}
        return {name: text for name, text in told.items() if name not in TELLING and not is_masked(text)}
    return {**_plain(call.fields), **_plain(account.fields if account else {}), **fixed}


def _of_account(account: AccountCard | None) -> dict[str, str]:
    if account is None:
        return dict.fromkeys(("code", "account_id", "name", "owner"), "")
    owner = account.owner or ""
    return {"code": account.code, "account_id": str(account.id), "name": account.name, "owner": owner}


def _hidden(text: str, numbers: Sequence[str]) -> str:
    for number in numbers:
        text = hidden_in(text, number)
    return text


def _plain(fields: Mapping[str, str]) -> dict[str, str]:
    return {plain(name): text for name, text in fields.items()}
