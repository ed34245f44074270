"""The list of missed calls, read: those that nobody has dealt with, who calls back, what was taken off by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, false, func, literal_column, select

from gateway.domain.calls.missed_list import Claim, MissedCall, MissedEntry, admitted, by_customer, entry_with
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.calls.windows import KNOWN_BY_ID_MS
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.call_scope import visible
from gateway.store.partitions.spans import EVERY_ID, ids_since

calls, accounts, orders, claims = tables.calls, tables.accounts, tables.orders, tables.missed_claims

MOST_OPEN = 3000
"""Missed calls that are looked at, the newest; more than anybody would work through."""
MOST_CLEARED = 200
"""Calls that were taken off by hand that are looked at, the newest."""
MOST_CALLED_BACK = 50
"""Calls of who calls back that are looked at, the newest."""
OVER = ("ended", "over", "lost", "elsewhere", "refused", "unreachable")
# As the index has it: SQLite finds a partial index by the words of its condition.
OPEN: tuple[ColumnElement[Any], ...] = (
    literal_column("calls.missed"),
    calls.c.returned_at.is_(None),
    calls.c.cleared_at.is_(None),
)
BY_OPEN_ONES = "INDEXED BY ix_calls_missed_open"
"""SQLite takes two indexes in the wanted order for equally good, though one of them holds all calls."""


@dataclass(frozen=True, slots=True)
class ClearedEntry:
    """Missed calls of a customer that ``by`` took off the list at ``at`` (milliseconds since 1970 UTC)."""

    entry: MissedEntry
    by: str
    at: int


class MissedList:
    """Reads the list of missed calls; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entries(self, tenant: str, *, since: int, now: int, scope: CallScope = EVERYTHING) -> list[MissedEntry]:
        """Return an entry for each customer whose calls were missed from ``since`` on; who waits longest first."""
        query = _select(scope).where(calls.c.tenant == tenant, calls.c.logged_at >= since, *OPEN)
        query = query.with_hint(calls, BY_OPEN_ONES, "sqlite")
        with self._engine.connect() as connection:
            query = query.where(*_heard_since(connection, since))
            rows = connection.execute(query.order_by(calls.c.logged_at.desc()).limit(MOST_OPEN)).all()
            found = [_missed(row) for row in rows]
            entries = by_customer(found, _claims(connection, tenant, found, now)) if found else []
        return entries if scope.everything else admitted(entries)

    def entry(
        self, tenant: str, call_id: int, *, since: int, now: int, scope: CallScope = EVERYTHING
    ) -> MissedEntry | None:
        """Return the entry of the call, however old that is, with its customer's other calls as far as the list goes
        back (``since``), at least; None where it is dealt with, or may not be seen.
        """
        with self._engine.connect() as connection:
            return entry_of(connection, tenant, call_id, since=since, now=now, scope=scope)

    def cleared(
        self, tenant: str, *, cleared_since: int, since: int, scope: CallScope = EVERYTHING
    ) -> list[ClearedEntry]:
        """Return what was taken off by hand from ``cleared_since`` on, the latest first, of the calls as far as the
        list goes back (``since``), at least.
        """
        query = _select_cleared(tenant, scope).where(calls.c.cleared_at >= cleared_since)
        query = query.order_by(calls.c.cleared_at.desc(), calls.c.id.desc()).limit(MOST_CLEARED)
        with self._engine.connect() as connection:
            query = query.where(*_heard_since(connection, min(since, cleared_since - KNOWN_BY_ID_MS)))
            return sorted(_cleared(connection.execute(query).all()), key=lambda cleared: -cleared.at)


def cleared_with(
    connection: Connection, tenant: str, call_ids: Sequence[int], *, since: int, now: int, scope: CallScope
) -> list[ClearedEntry]:
    """Return what was taken off by hand at the same moments as the calls."""
    moments = select(calls.c.cleared_at, calls.c.logged_at).where(calls.c.tenant == tenant, calls.c.id.in_(call_ids))
    found = [row for row in connection.execute(moments) if row.cleared_at is not None]
    if not found:
        return []
    query = _select_cleared(tenant, scope).where(calls.c.cleared_at.in_({row.cleared_at for row in found}))
    first = min(now, *(row.logged_at for row in found))
    query = query.where(*_heard_since(connection, min(since, first - KNOWN_BY_ID_MS)))
    return list(_cleared(connection.execute(query).all()))


def _select_cleared(tenant: str, scope: CallScope) -> Select[Any]:
    found = _select(scope).add_columns(calls.c.cleared_at, calls.c.cleared_by)
    return found.where(calls.c.tenant == tenant, visible(scope))


def entry_of(
    connection: Connection, tenant: str, call_id: int, *, since: int, now: int, scope: CallScope = EVERYTHING
) -> MissedEntry | None:
    """Return the entry of the call, however old that is, with its customer's other calls as far as the list goes back
    (``since``), at least; None where it is dealt with, or may not be seen.
    """
    wanted = _select(scope).where(calls.c.tenant == tenant)
    this = wanted.add_columns(calls.c.logged_at).where(calls.c.id == call_id, visible(scope), *OPEN)
    call = connection.execute(this).first()
    if call is None:
        return None
    earliest = min(since, min(now, call.logged_at) - KNOWN_BY_ID_MS)
    wanted = wanted.where(*_heard_since(connection, earliest))
    found = {row.id: _missed(row) for row in (call, *_alike(connection, wanted, call))}
    if not call.account_id and (known := next((each for each in found.values() if each.account_id), None)):
        found |= {row.id: _missed(row) for row in _of_account(connection, wanted, known.account_id)}
    entries = by_customer(found.values(), _claims(connection, tenant, found.values(), now))
    return entry_with(call_id, admitted(entries))


def _alike(connection: Connection, wanted: Select[Any], call: Row[Any]) -> Iterable[Row[Any]]:
    """Yield open calls of the same account, and of the same numbers."""
    of_account = _of_account(connection, wanted, call.account_id) if call.account_id else ()
    numbers = {call.number, *(row.number for row in of_account)}
    query = wanted.where(calls.c.number.in_(numbers), *OPEN)
    return (*of_account, *connection.execute(query.limit(MOST_OPEN)).all())


def _of_account(connection: Connection, wanted: Select[Any], account_id: int | None) -> Sequence[Row[Any]]:
    return connection.execute(wanted.where(calls.c.account_id == account_id, *OPEN).limit(MOST_OPEN)).all()


def _select(scope: CallScope) -> Select[Any]:
    columns = (calls.c.id, calls.c.number, calls.c.extension, func.coalesce(calls.c.ended_at, calls.c.logged_at))
    whose = (calls.c.account_id, calls.c.account_name, calls.c.account_code, calls.c.contact, accounts.c.owner)
    told = (calls.c.queue, calls.c.line, calls.c.line_name, calls.c.caller_name)
    # What is not known makes a condition neither true nor false.
    may_be_seen = func.coalesce(visible(scope), false()).label("admitted")
    query = select(*columns, *whose, *told, may_be_seen).join_from(
        calls, accounts, accounts.c.id == calls.c.account_id, isouter=True
    )
    return query.join(orders, orders.c.id == calls.c.order_id, isouter=True)


def _heard_since(connection: Connection, at: int) -> Sequence[ColumnElement[bool]]:
    """Return conditions of all calls that were logged ``at`` or later (milliseconds): where calls lie apart by their
    ids, others are not looked through.
    """
    span = ids_since(connection, at)
    return () if span == EVERY_ID else (calls.c.id >= span.first, calls.c.id < span.end)


def _missed(row: Row[Any]) -> MissedCall:
    return MissedCall._make(row[: len(MissedCall._fields)])


def _cleared(rows: Sequence[Row[Any]]) -> Iterable[ClearedEntry]:
    """Yield what was taken off at once of one customer."""
    acts: dict[tuple[int, str], list[MissedCall]] = {}
    for row in rows:
        acts.setdefault((row.cleared_at, row.cleared_by), []).append(_missed(row))
    for (at, by), found in acts.items():
        yield from (ClearedEntry(entry, by, at) for entry in by_customer(found))


# who calls back


def _claims(connection: Connection, tenant: str, found: Iterable[MissedCall], now: int) -> list[Claim]:
    """Return the claims that hold: their time is not over, and neither is the call in which the customer is called."""
    query = select(*(claims.c[name] for name in Claim._fields)).where(claims.c.tenant == tenant, claims.c.until > now)
    claimed = [Claim(*row) for row in connection.execute(query)]
    if not claimed:
        return []
    entries = by_customer(found)
    return [claim for claim in claimed if not _is_over(connection, tenant, claim, entries)]


def _is_over(connection: Connection, tenant: str, claim: Claim, entries: Sequence[MissedEntry]) -> bool:
    entry = next((entry for entry in entries if claim.call_id in entry.call_ids), None)
    numbers = {call.number for call in entry.calls} if entry else set()
    account_ids = {call.account_id for call in entry.calls if call.account_id} if entry else set()
    for row in _called_since(connection, tenant, claim):
        if row.number in numbers or row.account_id in account_ids:
            return row.ended_at is not None or row.status in OVER
    return False


def _called_since(connection: Connection, tenant: str, claim: Claim) -> Sequence[Any]:
    """Return the calls that the claim's extension made since, the newest first."""
    mine = (calls.c.tenant == tenant, calls.c.extension == claim.extension, calls.c.logged_at >= claim.claimed_at)
    query = select(calls.c.number, calls.c.account_id, calls.c.ended_at, calls.c.status).where(*mine)
    query = query.where(*_heard_since(connection, claim.claimed_at))
    query = query.where(calls.c.direction == Direction.OUTGOING).order_by(calls.c.logged_at.desc(), calls.c.id.desc())
    return connection.execute(query.limit(MOST_CALLED_BACK)).all()
