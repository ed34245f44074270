"""What people put right in the directory. The source's own words stay, and imports respect it (``loading.py``)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from gateway.errors import BadParameter
from gateway.store import tables
from gateway.store.imports.account_locks import accounts_lock
from gateway.store.imports.loading import Phone
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text

accounts, phones, choices = tables.accounts, tables.phones, tables.choices

MOST = 100
"""Corrections of one account that are shown."""


@dataclass(frozen=True, slots=True)
class AccountCorrection:
    """What somebody has said of a telephone of an account at the desk. ``kind`` is ``added``, ``taken_off``,
    ``changed`` (its number) or ``chosen`` (the number's calls are this account's).
    """

    kind: str
    number: str | None
    as_written: str | None
    by: str
    at: int


class Corrections:
    """Writes in the journal's turn. ``by`` is the login of whoever does it, times are milliseconds."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def put_right(self, tenant: str, phone_id: int, number: str | None, *, by: str, at: int) -> bool:
        """Give a telephone its right number, or None to take it off the account; False when there is no such.

        Raises ``BadParameter`` when the account has that number already.
        """
        values = {"number": number, "edited_at": at, "edited_by": by}
        return self._run(tenant, lambda connection: _change(connection, tenant, phone_id, values))

    def undo(self, tenant: str, phone_id: int, read: Callable[[str, str], Phone]) -> bool:
        """Go back to what the source says, read by ``read(text, contact)``; what was added at the desk goes away."""
        return self._run(tenant, lambda connection: _undo(connection, tenant, phone_id, read))

    def add(self, tenant: str, account_id: int, number: str, contact: str, *, by: str, at: int) -> None:
        """Add a number to an account. Raises ``BadParameter`` when the account has it already."""
        row = {"tenant": tenant, "number": number, "account_id": account_id, "contact": contact}
        row |= {"edited_at": at, "edited_by": by}
        self._run(tenant, lambda connection: _add(connection, row))

    def of_account(self, tenant: str, account_id: int) -> Sequence[AccountCorrection]:
        """Return what was put right of an account, the newest first."""
        edited = select(phones).where(
            phones.c.tenant == tenant, phones.c.account_id == account_id, phones.c.edited_at.is_not(None)
        )
        chosen = select(choices).where(choices.c.tenant == tenant, choices.c.account_id == account_id)
        with self._engine.connect() as connection:
            found = [_corrected(row) for row in connection.execute(edited.limit(MOST))]
            found += [
                AccountCorrection("chosen", row.number, None, row.chosen_by, row.chosen_at)
                for row in connection.execute(chosen.limit(MOST))
            ]
        return sorted(found, key=lambda each: each.at, reverse=True)[:MOST]

    def account_id(self, tenant: str, code: str) -> int | None:
        """Return the id of the account with this code."""
        query = select(accounts.c.id).where(accounts.c.tenant == tenant, accounts.c.code == code)
        with self._engine.connect() as connection:
            found: int | None = connection.execute(query).scalar()
        return found

    def _run(self, tenant: str, work: Callable[[Connection], bool]) -> bool:
        done: bool = self._journal.run(work, tenant=tenant, lock=accounts_lock(tenant))
        return done


def _corrected(row: Row[Any]) -> AccountCorrection:
    kind = "added" if row.as_written is None else "taken_off" if row.number is None else "changed"
    return AccountCorrection(kind, row.number, row.as_written, row.edited_by or "", row.edited_at)


def _change(connection: Connection, tenant: str, phone_id: int, values: dict[str, Any]) -> bool:
    mine = (phones.c.tenant == tenant, phones.c.id == phone_id)
    account_id = connection.execute(select(phones.c.account_id).where(*mine)).scalar()
    if account_id is None:
        return False
    if values["number"] is not None:
        _refuse_twice(connection, account_id, values["number"], besides=phone_id)
    connection.execute(update(phones).where(*mine).values(values))
    return True


def _undo(connection: Connection, tenant: str, phone_id: int, read: Callable[[str, str], Phone]) -> bool:
    mine = (phones.c.tenant == tenant, phones.c.id == phone_id, phones.c.edited_at.is_not(None))
    row = connection.execute(select(phones).where(*mine)).first()
    if row is None:
        return False
    if row.as_written is None:
        connection.execute(delete(phones).where(*mine))
        return True
    phone = read(row.as_written, row.contact)
    values = {"number": phone.number, "no_area": phone.no_area, "old_mobile": phone.old_mobile}
    return _change(connection, tenant, phone_id, values | {"edited_at": None, "edited_by": None})


def _add(connection: Connection, row: dict[str, Any]) -> bool:
    _refuse_twice(connection, row["account_id"], row["number"])
    connection.execute(insert(phones).values(row))
    return True


def _refuse_twice(connection: Connection, account_id: int, number: str, besides: int = 0) -> None:
    same = select(func.count()).where(
        phones.c.account_id == account_id, phones.c.number == number, phones.c.id != besides
    )
    if connection.execute(same).scalar():
        raise BadParameter("numero", number, expected=Text("a number that the account does not have yet"))
