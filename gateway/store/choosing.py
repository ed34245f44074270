"""Whose a number is, as agents say: written in one transaction, and not over what somebody else has said meanwhile."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from gateway.domain.calls.decision import EventKind
from gateway.errors import BadParameter, OwnerChanged
from gateway.store import statements, tables
from gateway.store.bulk import Driver
from gateway.store.imports.account_locks import lock_accounts
from gateway.store.imports.loading import DESK
from gateway.store.partitions.spans import CLOCKS_MS
from gateway.store.writing.drafts import Choice
from gateway.texts.text import Text

accounts, phones, choices, events = tables.accounts, tables.phones, tables.choices, tables.events
COLUMNS: Sequence[ColumnElement[Any]] = (
    accounts.c.id,
    accounts.c.name,
    phones.c.as_written,
    phones.c.edited_by,
    phones.c.edited_at,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that has the number. ``added``: it has it only because somebody said so at the desk."""

    account_id: int
    name: str
    added: bool
    by: str | None
    at: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Who has a number: ``owners``, and which of them was chosen, by whom and when (milliseconds)."""

    owners: tuple[Holder, ...]
    chosen: int | None = None
    by: str | None = None
    at: int | None = None

    @property
    def seen(self) -> str:
        """A short name of all this, by which a page says what it showed."""
        text = f"{self.chosen}.{self.at}.{sorted(owner.account_id for owner in self.owners)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def owner(self) -> Holder | None:
        """Whose the number is: as was chosen, else who got it last at the desk, else the first."""
        chosen = next((owner for owner in self.owners if owner.account_id == self.chosen), None)
        return chosen or max(self.owners, key=lambda owner: owner.at or 0, default=None)


def standing(connection: Connection, tenant: str, number: str, forms: Sequence[str]) -> Standing:
    """Return who has ``number``, in any of its ``forms``, at this moment."""
    here = (phones.c.tenant == tenant, phones.c.number.in_([*forms, number]))
    query = select(*COLUMNS).join(accounts, accounts.c.id == phones.c.account_id).where(*here).order_by(phones.c.id)
    found = {row.id: _holder(row) for row in connection.execute(query)}
    made = connection.execute(select(choices).where(choices.c.tenant == tenant, choices.c.number == number)).first()
    owners = tuple(found.values())
    return Standing(owners, made.account_id, made.chosen_by, made.chosen_at) if made else Standing(owners)


def choose(connection: Connection, driver: Driver, draft: Choice, call: Mapping[str, Any]) -> Row[Any] | None:
    """Write down whose the number of ``call``, a row, is; the account, None for nobody.

    Raises ``BadParameter`` for an account that is not of the company, ``OwnerChanged`` when the number or the call is
    another's than the page showed.
    """
    lock_accounts(connection, draft.tenant)
    _refuse_changed(connection, draft)
    _refuse_changed_call(connection, draft, call)
    account_id = draft.account_id
    if not account_id and draft.name:
        account_id = _open_account(connection, draft.tenant, draft.name, draft.at)
    account = connection.execute(statements.ACCOUNT, {"of": draft.tenant, "id": account_id}).first()
    if account is None and account_id:
        raise BadParameter("conta", str(account_id), expected=Text("an account of this company"))
    if draft.wrong:
        _take_off(connection, draft)
    if account is not None:
        _give(connection, driver, draft, account_id)
    return account


def _holder(row: Row[Any]) -> Holder:
    return Holder(row.id, row.name, row.as_written is None, row.edited_by, row.edited_at)


def _refuse_changed(connection: Connection, draft: Choice) -> None:
    if draft.seen is None or not draft.number:
        return
    now = standing(connection, draft.tenant, draft.number, draft.forms)
    owner = now.owner
    if now.seen == draft.seen or owner is None or owner.account_id == draft.account_id:
        return
    chosen = owner.account_id == now.chosen
    raise OwnerChanged(
        account_id=owner.account_id,
        account=owner.name,
        by=now.by if chosen else owner.by,
        at=now.at if chosen else owner.at,
        added=owner.added,
        seen=now.seen,
    )


def _refuse_changed_call(connection: Connection, draft: Choice, call: Mapping[str, Any]) -> None:
    now = call["account_id"] or 0
    wanted = None if draft.name and not draft.account_id else draft.account_id
    if draft.shown is None or now in (draft.shown, wanted):
        return
    by, at = _who_decided(connection, call, draft.at)
    name = call["account_name"] or ""
    raise OwnerChanged(account_id=now, account=name, by=by, at=at, added=False, seen=draft.seen or "", of_call=True)


def _who_decided(connection: Connection, call: Mapping[str, Any], now: int) -> tuple[str | None, int | None]:
    """Return who last said whose the call is, and when; nobody where the directory alone did."""
    query = select(events.c.payload, events.c.at).where(
        events.c.call_id == call["id"],
        events.c.kind == EventKind.ACCOUNT_CHOSEN.value,
        events.c.at >= call["logged_at"] - CLOCKS_MS,
        events.c.at < now + CLOCKS_MS,
    )
    row = connection.execute(query.order_by(events.c.seq.desc()).limit(1)).first()
    return (json.loads(row.payload).get("by"), row.at) if row else (None, None)


def _open_account(connection: Connection, tenant: str, name: str, at: int) -> int:
    """Write an account that no source has brought, with a code such as ``mesa-3f9a01c2``; its id."""
    code = f"{DESK}-{secrets.token_hex(4)}"
    row = {"tenant": tenant, "code": code, "name": name, "updated_at": at, "source": DESK}
    connection.execute(insert(accounts).values(row))
    wanted = select(accounts.c.id).where(accounts.c.tenant == tenant, accounts.c.code == code)
    account_id: int = connection.execute(wanted).scalar_one()
    return account_id


def _give(connection: Connection, driver: Driver, draft: Choice, account_id: int) -> None:
    if not draft.number:
        return
    chosen = {"tenant": draft.tenant, "number": draft.number, "account_id": account_id}
    chosen |= {"chosen_at": draft.at, "chosen_by": draft.by}
    statements.WRITE_CHOICES.run(driver, [chosen])
    if draft.attach and not _has(connection, draft, account_id):
        row = {"tenant": draft.tenant, "number": draft.number, "account_id": account_id}
        row |= {"contact": draft.contact, "edited_at": draft.at, "edited_by": draft.by}
        connection.execute(insert(phones).values(row))


def _has(connection: Connection, draft: Choice, account_id: int) -> bool:
    query = select(phones.c.id).where(phones.c.account_id == account_id, phones.c.number.in_(_forms(draft)))
    return connection.execute(query).first() is not None


def _take_off(connection: Connection, draft: Choice) -> None:
    """Take the number off the wrong account. What a source brought stays, without its number, so that it can be undone
    and imports respect it.
    """
    mine = and_(phones.c.tenant == draft.tenant, phones.c.account_id == draft.wrong, phones.c.number.in_(_forms(draft)))
    connection.execute(delete(phones).where(mine, phones.c.as_written.is_(None)))
    connection.execute(update(phones).where(mine).values(number=None, edited_at=draft.at, edited_by=draft.by))
    made = (choices.c.tenant == draft.tenant, choices.c.number == draft.number, choices.c.account_id == draft.wrong)
    connection.execute(delete(choices).where(*made))


def _forms(draft: Choice) -> list[str]:
    return [*draft.forms, draft.number]
