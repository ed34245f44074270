"""What is wrong with the directory, a page at a time: every list is bounded, whatever the size of the directory.

The lists of flawed telephones follow partial indexes. Numbers of several accounts are looked for along the index of
numbers, so many entries at a time. Frequent callers are counted over the newest calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Row, Select, and_, func, literal_column, select

from gateway.store import tables
from gateway.store.statements import OWNERS

accounts, phones, calls = tables.accounts, tables.phones, tables.calls

WINDOW = 20_000
"""Entries of the index that are looked through at a time for numbers of several accounts."""
WINDOWS = 20
NEWEST_CALLS = 50_000
CALLERS_SINCE_MS = 30 * 24 * 3600 * 1000
FREQUENT = 2
SHORTEST = 8


class Flaw(StrEnum):
    """What can be wrong with a telephone, or was."""

    NO_AREA = "no_area"
    OLD_MOBILE = "old_mobile"
    UNREADABLE = "unreadable"
    EDITED = "edited"


# Word for word the conditions of the partial indexes, or SQLite would not use them.
CONDITIONS = {
    Flaw.NO_AREA: "phones.no_area AND phones.edited_at IS NULL",
    Flaw.OLD_MOBILE: "phones.old_mobile AND phones.edited_at IS NULL",
    Flaw.UNREADABLE: "phones.number IS NULL AND phones.edited_at IS NULL",
    Flaw.EDITED: "phones.edited_at IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """A telephone with its account. ``as_written`` is the source's own text, None when it was added at the desk."""

    id: int
    number: str | None
    as_written: str | None
    contact: str
    edited_at: int | None
    edited_by: str | None
    account_id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody without an account who called, or was called, more than once."""

    number: str
    calls: int
    last_at: int


@dataclass(frozen=True, slots=True)
class SharedNumbers:
    """Numbers of several accounts, and where to look on; None when all were looked at."""

    groups: Sequence[Sequence[PhoneLine]]
    after: str | None


class Quality:
    """Reads what is wrong; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def flawed(self, tenant: str, flaw: Flaw, *, after_id: int = 0, limit: int = 50) -> Sequence[PhoneLine]:
        """Return the telephones with this flaw behind ``after_id``."""
        query = _lines().where(phones.c.tenant == tenant, literal_column(CONDITIONS[flaw]), phones.c.id > after_id)
        return self._read(query.order_by(phones.c.id).limit(limit))

    def all_flawed(self, tenant: str, flaw: Flaw) -> Iterator[PhoneLine]:
        """Yield all telephones with this flaw, a thousand at a time."""
        last = 0
        while found := self.flawed(tenant, flaw, after_id=last, limit=1000):
            yield from found
            last = found[-1].id

    def phone(self, tenant: str, phone_id: int) -> PhoneLine | None:
        """Return one telephone of the tenant."""
        return next(iter(self._read(_lines().where(phones.c.tenant == tenant, phones.c.id == phone_id))), None)

    def shared(self, tenant: str, *, after: str = "", limit: int = 50, windows: int = WINDOWS) -> SharedNumbers:
        """Return the numbers of more than one account behind ``after``; looks through so many windows of the index at
        most.
        """
        numbers: list[str] = []
        last: str | None = after
        for _ in range(windows):
            found, last = self._window(tenant, str(last))
            numbers += found
            if last is None or len(numbers) >= limit:
                break
        if len(numbers) > limit:
            numbers, last = numbers[:limit], numbers[limit - 1]
        return SharedNumbers(self._groups(tenant, numbers), last)

    def all_shared(self, tenant: str) -> Iterator[Sequence[PhoneLine]]:
        """Yield all numbers of more than one account."""
        after: str | None = ""
        while after is not None:
            found = self.shared(tenant, after=after)
            yield from found.groups
            after = found.after

    def _window(self, tenant: str, after: str) -> tuple[list[str], str | None]:
        """Return the shared numbers among the next entries of the index, and the last number that was seen whole."""
        entries = select(phones.c.number).where(phones.c.tenant == tenant, phones.c.number > after)
        with self._engine.connect() as connection:
            seen = list(connection.execute(entries.order_by(phones.c.number).limit(WINDOW)).scalars())
        if len(seen) < WINDOW:
            return _repeated(seen), None
        # The last number may go on in the next window. One that fills a window alone is passed over as a whole.
        whole = [number for number in seen if number != seen[-1]]
        return (_repeated(whole), whole[-1]) if whole else ([seen[-1]], seen[-1])

    def _groups(self, tenant: str, numbers: Sequence[str]) -> Sequence[Sequence[PhoneLine]]:
        query = _lines().where(phones.c.tenant == tenant, phones.c.number.in_(numbers))
        lines = self._read(query.order_by(phones.c.number, phones.c.id).limit(20 * len(numbers))) if numbers else []
        return [list(group) for _, group in groupby(lines, key=lambda line: line.number)]

    def callers(self, tenant: str, now: int, *, limit: int = 100) -> Sequence[Caller]:
        """Return the callers without an account who called most, among the newest calls of the last thirty days."""
        newest = select(calls.c.number, calls.c.account_id, calls.c.direction, calls.c.logged_at)
        newest = newest.where(calls.c.tenant == tenant, calls.c.logged_at >= now - CALLERS_SINCE_MS)
        recent = newest.order_by(calls.c.logged_at.desc()).limit(NEWEST_CALLS).subquery()
        # Extensions, short codes and words in place of a number have fewer digits than any number with its DDD.
        outside = func.length(recent.c.number) >= SHORTEST
        unknown = and_(recent.c.account_id.is_(None), recent.c.direction != "internal", outside)
        counted = select(recent.c.number, func.count(), func.max(recent.c.logged_at)).where(unknown)
        counted = counted.group_by(recent.c.number).having(func.count() >= FREQUENT)
        with self._engine.connect() as connection:
            rows = connection.execute(counted.order_by(func.count().desc(), recent.c.number).limit(limit * 2)).all()
            owned = {number for _, number, *_ in OWNERS.run(connection, {tenant: [row[0] for row in rows]})}
        return [Caller(*row) for row in rows if row[0].isdigit() and row[0] not in owned][:limit]

    def _read(self, query: Select[Any]) -> Sequence[PhoneLine]:
        with self._engine.connect() as connection:
            return [_line(row) for row in connection.execute(query)]


def _lines() -> Select[Any]:
    own = [phones.c[name] for name in ("id", "number", "as_written", "contact", "edited_at", "edited_by", "account_id")]
    query = select(*own, accounts.c.code, accounts.c.name)
    return query.join_from(phones, accounts, accounts.c.id == phones.c.account_id)


def _line(row: Row[Any]) -> PhoneLine:
    return PhoneLine(**row._mapping)


def _repeated(numbers: Sequence[str]) -> list[str]:
    """Return which of ``numbers``, in order, stand there more than once."""
    return [number for number, same in groupby(numbers) if len(list(same)) > 1]
