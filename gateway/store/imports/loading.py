"""Writes accounts of a source into the directory, and keeps out of the way of events while it does.

Each transaction holds the lock that all writers share (on PostgreSQL: that of the company's accounts) for about
``Database.loading_hold_s``: how many accounts go into one is measured and put right as it goes. What
was put right at the desk stays as long as the source says what was wrong.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.sql import ClauseElement

from gateway.domain.identifiers import Identifier
from gateway.store import tables
from gateway.store.bulk import Write, changing, written
from gateway.store.database import Database
from gateway.store.fitting import fitter
from gateway.store.imports.account_locks import lock_accounts
from gateway.store.imports.fence import fence
from gateway.store.writing.lookups import Lookup

accounts, phones, choices, identifiers = tables.accounts, tables.phones, tables.choices, tables.identifiers

DESK = "mesa"
"""The source of accounts that were opened at the desk."""
FEWEST, MOST = 20, 1000
CHECKPOINT_EVERY = 8
"""Transactions between two checkpoints: pages that several of them change are then brought home once."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone of an account. ``number`` is canonical, None when ``as_written`` does not read as one."""

    number: str | None
    contact: str = ""
    as_written: str | None = None
    no_area: bool = False
    old_mobile: bool = False


@dataclass(frozen=True, slots=True)
class LoadedAccount:
    """An account as a source has it. ``digest`` stands for all that the source said of it; ``fields`` are JSON."""

    code: str
    name: str
    phones: tuple[Phone, ...]
    digest: int | None = None
    refused: int = 0
    owner: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    fields: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory has of an account already."""

    id: int
    name: str
    source: str
    digest: int | None
    refused: int


def _by_code(count: int) -> ClauseElement:
    keys = [bindparam(f"k{i}", type_=accounts.c.code.type) for i in range(count)]
    columns = (
        accounts.c.code,
        accounts.c.id,
        accounts.c.name,
        accounts.c.source,
        accounts.c.digest,
        accounts.c.refused,
    )
    return select(*columns).where(accounts.c.tenant == bindparam("of"), accounts.c.code.in_(keys))


def _edited(count: int) -> ClauseElement:
    keys = [bindparam(f"k{i}", type_=phones.c.account_id.type) for i in range(count)]
    columns = (phones.c.id, phones.c.account_id, phones.c.number, phones.c.as_written)
    return select(*columns).where(phones.c.account_id.in_(keys), phones.c.edited_at.is_not(None))


as_stored = fitter(phones.c.as_written)
"""Fits a source's words of a telephone, by which later imports know it again."""
BY_CODE = Lookup(_by_code)
EDITED = Lookup(_edited)
WRITE_ACCOUNTS = Write(accounts, written(accounts), unique=("tenant", "code"), changing=changing(accounts))
WRITE_IDENTIFIERS = Write(
    identifiers, written(identifiers), unique=("tenant", "value", "kind", "account_id"), changing=("as_written",)
)
WRITE_PHONES = Write(phones, written(phones), unique=("tenant", "number", "account_id"))


def known_accounts(connection: Connection, tenant: str, codes: Sequence[str]) -> dict[str, Known]:
    """Return the directory's accounts with ``codes``, by code."""
    return {code: Known(*rest) for code, *rest in BY_CODE.run(connection, codes, [tenant])}


def write_accounts(connection: Connection, tenant: str, source: str, batch: Sequence[LoadedAccount], at: int) -> None:
    """Insert accounts, or replace those with the same code together with their phones and
    identifiers; see the module for the desk's
    own corrections.
    """
    before = known_accounts(connection, tenant, [account.code for account in batch])
    WRITE_ACCOUNTS.run(connection, [_account_row(tenant, source, account, at) for account in batch])
    ids = {code: known.id for code, known in before.items()}
    new = [account.code for account in batch if account.code not in ids]
    ids |= {code: known.id for code, known in known_accounts(connection, tenant, new).items()}
    by_id = {ids[account.code]: account for account in batch}
    kept = _clear(connection, [known.id for known in before.values()], by_id)
    WRITE_PHONES.run(connection, list(_phone_rows(tenant, by_id, kept)))
    _delete_identifiers(connection, [known.id for known in before.values()])
    WRITE_IDENTIFIERS.run(connection, list(_identifier_rows(tenant, by_id)))


def _clear(connection: Connection, ids: Sequence[int], by_id: Mapping[int, LoadedAccount]) -> set[tuple[int, str]]:
    """Take away what these accounts had, but not what was put right at the desk and still has its reason.

    Returns what stays, as pairs of account and the text that the source has for it.
    """
    if not ids:
        return set()
    kept, over = set(), []
    for phone_id, account_id, number, as_written in EDITED.run(connection, ids):
        said = by_id[account_id].phones
        if as_written is not None and any(phone.as_written == as_written for phone in said):
            kept.add((account_id, as_written))
        elif as_written is not None or any(phone.number == number for phone in said):
            over.append(phone_id)
    _delete_phones(connection, phones.c.account_id, ids, unedited=True)
    _delete_phones(connection, phones.c.id, over)
    return kept


def _delete_phones(connection: Connection, column: Any, keys: Sequence[int], *, unedited: bool = False) -> None:
    for part in _parts(keys):
        statement = delete(phones).where(column.in_(part))
        connection.execute(statement.where(phones.c.edited_at.is_(None)) if unedited else statement)


def _account_row(tenant: str, source: str, account: LoadedAccount, at: int) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "code": account.code,
        "name": account.name,
        "updated_at": at,
        "source": source,
        "digest": account.digest,
        "refused": account.refused,
        "owner": account.owner,
        "fields": account.fields,
    }


def _phone_rows(
    tenant: str, by_id: Mapping[int, LoadedAccount], kept: set[tuple[int, str]]
) -> Iterator[dict[str, Any]]:
    for account_id, account in by_id.items():
        for phone in account.phones:
            if (account_id, phone.as_written) not in kept:
                yield {
                    "tenant": tenant,
                    "number": phone.number,
                    "account_id": account_id,
                    "contact": phone.contact,
                    "as_written": phone.as_written,
                    "no_area": phone.no_area,
                    "old_mobile": phone.old_mobile,
                }


def _delete_identifiers(connection: Connection, ids: Sequence[int]) -> None:
    for part in _parts(ids):
        connection.execute(delete(identifiers).where(identifiers.c.account_id.in_(part)))


def _identifier_rows(tenant: str, by_id: Mapping[int, LoadedAccount]) -> Iterator[dict[str, Any]]:
    for account_id, account in by_id.items():
        for each in account.identifiers:
            row = {"tenant": tenant, "account_id": account_id, "kind": each.kind, "value": each.value}
            yield row | {"as_written": each.as_written}


def remove_accounts(connection: Connection, ids: Sequence[int]) -> int:
    """Remove accounts with their phones; one that has phones from the desk keeps those, and stays."""
    mine = select(phones.c.account_id).where(phones.c.account_id.in_(ids), phones.c.edited_at.is_not(None))
    theirs = set(connection.execute(mine.where(phones.c.as_written.is_(None))).scalars())
    gone = [account_id for account_id in ids if account_id not in theirs]
    _delete_phones(connection, phones.c.account_id, gone)
    _delete_phones(connection, phones.c.account_id, sorted(theirs), unedited=True)
    _delete_identifiers(connection, list(ids))
    connection.execute(update(accounts).where(accounts.c.id.in_(theirs)).values(source=DESK, digest=None))
    connection.execute(delete(choices).where(choices.c.account_id.in_(gone)))
    return int(connection.execute(delete(accounts).where(accounts.c.id.in_(gone))).rowcount)


def _parts(keys: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


class Loader:
    """A writer of its own beside the journal's, in turn with it. For one thread; close it.

    For an import it writes only while its run is not over: each method raises ``ImportSuperseded`` then.
    """

    def __init__(self, database: Database, run_id: int | None = None) -> None:
        self._run_id = run_id
        self._database = database
        self._hold_s = database.loading_hold_s
        self._lock = database.loading_lock()
        self._connection = database.loading_connection()
        self._size = FEWEST
        self._turns = 0

    def write(self, tenant: str, source: str, batch: Sequence[LoadedAccount], at: int) -> None:
        """Write all of ``batch``, in as many transactions as it takes."""
        begin = 0
        while begin < len(batch):
            part = batch[begin : begin + self._size]
            with self._turn(tenant) as connection:
                write_accounts(connection, tenant, source, part, at)
            begin += len(part)

    def remove(self, tenant: str, ids: Sequence[int]) -> int:
        """Remove accounts of ``tenant``; how many."""
        removed = begin = 0
        while begin < len(ids):
            part = ids[begin : begin + min(self._size, 500)]
            with self._turn(tenant) as connection:
                removed += remove_accounts(connection, part)
            begin += len(part)
        return removed

    @contextmanager
    def _turn(self, tenant: str) -> Iterator[Connection]:
        self._lock.take()
        try:
            began = time.perf_counter()
            with self._connection.begin():
                lock_accounts(self._connection, tenant)
                if self._run_id is not None:
                    fence(self._connection, self._run_id)
                yield self._connection
            held = time.perf_counter() - began
        finally:
            self._lock.give_back()
        self._size = round(min(max(self._size * min(2.0, self._hold_s / held), FEWEST), MOST))
        self._turns += 1
        if self._turns % CHECKPOINT_EVERY == 0:
            # Outside of the lock, so that nobody waits for it.
            self._database.after_loading(self._connection)

    def close(self) -> None:
        self._connection.close()
        self._lock.close()
