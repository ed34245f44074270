"""What people do with the list of missed calls, written in the journal's turn."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete, insert, update

from gateway.domain.calls.missed_list import MissedEntry
from gateway.errors import MissedClaimed, MissedCleared
from gateway.store import missed, tables
from gateway.store.writing.drafts import MissedAction, MissedDraft

calls, claims = tables.calls, tables.missed_claims

KEEP_CLAIMS_MS = 24 * 3600 * 1000
"""How long a claim is kept once it is over."""


def change(connection: Connection, draft: MissedDraft) -> tuple[int, ...]:
    """Do what ``draft`` says; return the ids of the calls with which something happened by that.

    Raises ``MissedClaimed`` where somebody else calls back, ``MissedCleared`` where nothing is left to call back for.
    """
    return CHANGES[draft.action](connection, draft)


def _clear(connection: Connection, draft: MissedDraft) -> tuple[int, ...]:
    """Take the customers of the calls off the list, with the calls up to these: a later one was not seen yet."""
    entries = {call_id: _entry(connection, draft, call_id) for call_id in draft.call_ids}
    seen = {each for call_id, entry in entries.items() if entry for each in entry.call_ids if each <= call_id}
    _mark(connection, tuple(seen), at=draft.at, by=draft.by)
    return tuple(sorted(seen))


def _restore(connection: Connection, draft: MissedDraft) -> tuple[int, ...]:
    """Put calls back that were taken off, each with those of its customer that were taken off with it."""
    limits = {"since": draft.listed_since, "now": draft.at}
    cleared = missed.cleared_with(connection, draft.tenant, draft.call_ids, scope=draft.scope, **limits)
    wanted = set(draft.call_ids)
    back = {each for found in cleared if wanted & set(found.entry.call_ids) for each in found.entry.call_ids}
    _mark(connection, tuple(back), at=None, by=None)
    return tuple(sorted(back))


def _claim(connection: Connection, draft: MissedDraft) -> tuple[int, ...]:
    """Let nobody else call the customer back until ``draft.until``."""
    entry = _entry(connection, draft, draft.call_ids[0])
    if entry is None:
        raise MissedCleared(draft.call_ids[0])
    if entry.claim and entry.claim.login != draft.by:
        raise MissedClaimed(name=entry.claim.name, login=entry.claim.login, at=entry.claim.claimed_at)
    _forget(connection, draft, entry)
    row = {"call_id": entry.id, "tenant": draft.tenant, "login": draft.by, "name": draft.name}
    row |= {"extension": draft.extension, "claimed_at": draft.at, "until": draft.until}
    connection.execute(insert(claims).values(row))
    return (entry.id,)


def _release(connection: Connection, draft: MissedDraft) -> tuple[int, ...]:
    """End one's own claim."""
    entry = _entry(connection, draft, draft.call_ids[0])
    if entry is None or entry.claim is None or entry.claim.login != draft.by:
        return ()
    connection.execute(delete(claims).where(claims.c.call_id == entry.claim.call_id))
    return (entry.id,)


def _forget(connection: Connection, draft: MissedDraft, entry: MissedEntry) -> None:
    """Delete the claims of before: of the entry, and all that have been over for long."""
    connection.execute(delete(claims).where(claims.c.call_id.in_(entry.call_ids)))
    old = claims.c.until < draft.at - KEEP_CLAIMS_MS
    connection.execute(delete(claims).where(claims.c.tenant == draft.tenant, old))


def _entry(connection: Connection, draft: MissedDraft, call_id: int) -> MissedEntry | None:
    limits = {"since": draft.listed_since, "now": draft.at}
    return missed.entry_of(connection, draft.tenant, call_id, scope=draft.scope, **limits)


def _mark(connection: Connection, call_ids: tuple[int, ...], *, at: int | None, by: str | None) -> None:
    connection.execute(update(calls).where(calls.c.id.in_(call_ids)).values(cleared_at=at, cleared_by=by))


CHANGES: Mapping[MissedAction, Callable[[Connection, MissedDraft], tuple[int, ...]]] = {
    MissedAction.CLEAR: _clear,
    MissedAction.RESTORE: _restore,
    MissedAction.CLAIM: _claim,
    MissedAction.RELEASE: _release,
}
