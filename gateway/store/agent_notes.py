"""What agents wrote of calls, read: the note of a call, the last ones of a customer, follow-ups that are due."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, or_, select

from gateway.domain.calls.ghosts import is_of_nobody
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.masking import hidden_in, masked
from gateway.store import tables
from gateway.store.call_scope import visible
from gateway.store.calls import LoggedCall

notes, calls, orders, accounts = tables.agent_notes, tables.calls, tables.orders, tables.accounts

MOST_DUE = 1000
"""Follow-ups that are looked at, the oldest."""
# As the index has it: SQLite finds a partial index by the words of its condition.
DUE: tuple[ColumnElement[Any], ...] = (notes.c.follow_up_at.is_not(None), notes.c.follow_up_done_at.is_(None))


@dataclass(frozen=True, slots=True)
class AgentNote:
    """What an agent wrote of a call. Times are milliseconds since 1970 UTC.

    ``outcome`` is a code of the configuration; ``author`` wrote last, at ``updated_at``; who saves says which
    ``revision`` was changed.
    """

    call_id: int
    text: str
    outcome: str | None
    follow_up_at: int | None
    follow_up_done_at: int | None
    follow_up_done_by: str | None
    author: str
    author_name: str
    updated_at: int
    revision: int
    number: str = ""

    def masked(self) -> "AgentNote":
        """Return it with the telephone of its call hidden in the text."""
        return replace(self, text=hidden_in(self.text, self.number))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A customer whom somebody is to call again, as the ``note`` of a call says."""

    note: AgentNote
    number: str
    extension: str
    account_id: int | None
    account: str | None
    account_code: str | None
    contact: str | None
    owner: str | None

    @property
    def due_at(self) -> int:
        """When the customer is to be called again."""
        return self.note.follow_up_at or 0

    def masked(self) -> "FollowUp":
        """Return it with the customer's telephone masked, also in what was told of it."""
        account = self.account and hidden_in(self.account, self.number)
        contact = self.contact and hidden_in(self.contact, self.number)
        return replace(self, note=self.note.masked(), number=masked(self.number), account=account, contact=contact)

    def is_looked_after_by(self, login: str, extension: str) -> bool:
        """Return whether it is the agent's own: who wrote it, or looks after the account."""
        return self.note.author == login or self.owner in (login, extension)


COLUMNS = tuple(notes.c[name] for name in AgentNote.__dataclass_fields__)


class AgentNotes:
    """Reads what agents wrote; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, tenant: str, call_id: int) -> AgentNote | None:
        """Return the note of a call."""
        found = self._read(select(*COLUMNS).where(notes.c.tenant == tenant, notes.c.call_id == call_id))
        return found[0] if found else None

    def before(self, call: LoggedCall, *, limit: int = 3) -> Sequence[AgentNote]:
        """Return the last notes of earlier calls with the same account, else with the same number, newest first."""
        if call.account_id:
            same = notes.c.account_id == call.account_id
        elif not is_of_nobody(call.number):
            same = notes.c.number == call.number
        else:
            return []
        earlier = (notes.c.call_id < call.id, or_(notes.c.text != "", notes.c.outcome.is_not(None)))
        query = select(*COLUMNS).where(notes.c.tenant == call.tenant, same, *earlier)
        return self._read(query.order_by(notes.c.call_id.desc()).limit(limit))

    def of_account(self, tenant: str, account_id: int, *, limit: int = 20) -> Sequence[AgentNote]:
        """Return the last notes of an account's calls, newest first."""
        query = select(*COLUMNS).where(notes.c.tenant == tenant, notes.c.account_id == account_id)
        return self._read(query.order_by(notes.c.call_id.desc()).limit(limit))

    def due(self, tenant: str, *, until: int, login: str = "", scope: CallScope = EVERYTHING) -> Sequence[FollowUp]:
        """Return follow-ups that are due before ``until``, the oldest first: ``login``'s own, and those of calls that
        ``scope`` admits.
        """
        query = _select_due().where(notes.c.tenant == tenant, notes.c.follow_up_at < until, *DUE)
        query = query.where(or_(notes.c.author == login, visible(scope)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(notes.c.follow_up_at, notes.c.call_id).limit(MOST_DUE)).all()
        return [FollowUp(AgentNote(*row[: len(COLUMNS)]), *row[len(COLUMNS) :]) for row in rows]

    def _read(self, query: Select[Any]) -> Sequence[AgentNote]:
        with self._engine.connect() as connection:
            return [AgentNote(*row) for row in connection.execute(query)]


def _select_due() -> Select[Any]:
    whose = (calls.c.account_id, calls.c.account_name, calls.c.account_code, calls.c.contact, accounts.c.owner)
    query = select(*COLUMNS, calls.c.number, calls.c.extension, *whose).join_from(
        notes, calls, calls.c.id == notes.c.call_id
    )
    query = query.join(accounts, accounts.c.id == calls.c.account_id, isouter=True)
    return query.join(orders, orders.c.id == calls.c.order_id, isouter=True)
