"""A turn of the outbox: what came of letters is written, and those that are due are claimed, in one transaction.

Letters of one target that have one order key (a call's) go one after the other, those of different calls side by side.
A letter that is due while another of its key is still unsettled is parked behind that one (``blocked_by``) until it is
settled. Who sends a letter claims it by its process's name first, so nobody else does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from gateway.store.letters.slices import LETTERS, part_of
from gateway.store.letters.stored import ClaimRequest, Letter, letter_of
from gateway.store.postgresql.named_locks import try_parts
from gateway.store.tables import outbox

CLAIM_MS = 420_000
"""A letter whose sender has no name (``presence.py``) is taken from it after this long: no attempt takes longer."""
NEWEST_MS = 30_000
"""What became due within so long counts as new."""
PAGE = 64
MOST_PAGES = 16
"""For which one transaction looks for letters that need not wait for others of their call."""

WAITS = outbox.c.settled_at.is_(None)
_BEFORE = outbox.alias("before")
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == bindparam("of"), WAITS, outbox.c.claimed_by.is_not_distinct_from(bindparam("holder")))
    .values(
        {name: bindparam(f"new_{name}") for name in ("settled_at", "state", "reason", "outcome", "detail", "sentence")}
        | {
            name: func.coalesce(bindparam(f"new_{name}", type_=outbox.c[name].type), outbox.c[name])
            for name in ("due_at", "attempted_at", "request", "answer")
        }
        | {"claimed_by": None}
    )
)
_RELEASE = (
    update(outbox)
    .where(outbox.c.blocked_by == bindparam("of"), WAITS, outbox.c.blocked_by.is_not(None))
    .values(blocked_by=None)
)


def take_turn(
    connection: Connection,
    told: Sequence[Mapping[str, Any]],
    wanted: Sequence[ClaimRequest],
    recovered: Sequence[tuple[str, str]],
    now: int,
    holder: str,
) -> Sequence[Letter]:
    """Write what is ``told`` of letters, let those of targets that have ``recovered`` be due at ``now``, and claim for
    ``holder`` those that are ``wanted``; return these.
    """
    if told:
        connection.execute(_SETTLE, told)
        settled = [{"of": each["of"]} for each in told if each["new_state"]]
        if settled:
            connection.execute(_RELEASE, settled)
    for tenant, target in recovered:
        put_off = (*open_of(tenant, target), outbox.c.due_at > now, outbox.c.claimed_by.is_(None))
        connection.execute(update(outbox).where(*put_off).values(due_at=now))
    parts = {part_of(request.tenant, request.target): request for request in wanted}
    free = try_parts(connection, LETTERS, parts)
    held = _under_way(connection) if free else {}
    return [
        letter
        for part, request in parts.items()
        if part in free
        for letter in _claim(connection, request, held.get((request.tenant, request.target), 0), now, holder)
    ]


def open_of(tenant: str, target: str) -> Sequence[Any]:
    """Return the conditions of the letters of a target that may be tried, now or later."""
    return outbox.c.tenant == tenant, outbox.c.target == target, WAITS, outbox.c.blocked_by.is_(None)


def _claim(connection: Connection, request: ClaimRequest, held: int, now: int, holder: str) -> Sequence[Letter]:
    """Claim for a target of which ``held`` letters are under way."""
    free = min(request.most, request.parallel - held)
    claimed: list[Row[Any]] = []
    for since, until in _windows(request, now):
        for _page in range(MOST_PAGES):
            if len(claimed) >= free:
                break
            rows = connection.execute(_due(request, since, until)).all()
            first = [row for row in rows if row.before is None][: free - len(claimed)]
            _hold(connection, [row.id for row in first], now, holder)
            _park(connection, [{"of": row.id, "behind": row.before} for row in rows if row.before is not None])
            claimed += first
            if len(rows) < PAGE:
                break
    return [letter_of(row, holder) for row in claimed]


def _windows(request: ClaimRequest, now: int) -> Sequence[tuple[int, int]]:
    """Return in which order letters are looked for, by when they became due."""
    newest = (now - NEWEST_MS, now)
    return (newest, (-1, now - NEWEST_MS)) if request.newest else ((-1, now),)


def _under_way(connection: Connection) -> Mapping[tuple[str, str], int]:
    """Return how many letters of each target are claimed, in one statement: a turn may be for a hundred of them."""
    counted = select(outbox.c.tenant, outbox.c.target, func.count()).where(outbox.c.claimed_by.is_not(None), WAITS)
    rows = connection.execute(counted.group_by(outbox.c.tenant, outbox.c.target))
    return {(tenant, target): count for tenant, target, count in rows}


def _due(request: ClaimRequest, since: int, until: int) -> Select[Any]:
    """Return the letters that became due behind ``since`` and until ``until``, each with the one before it."""
    same = (_BEFORE.c.tenant == outbox.c.tenant, _BEFORE.c.target == outbox.c.target)
    earlier = (_BEFORE.c.order_key == outbox.c.order_key, _BEFORE.c.id < outbox.c.id, _BEFORE.c.settled_at.is_(None))
    before = select(func.max(_BEFORE.c.id)).where(*same, *earlier).scalar_subquery()
    query = select(outbox, before.label("before")).where(*open_of(request.tenant, request.target))
    query = query.where(outbox.c.due_at > since, outbox.c.due_at <= until, outbox.c.claimed_by.is_(None))
    return query.order_by(outbox.c.due_at, outbox.c.id).limit(PAGE)


def _hold(connection: Connection, ids: Sequence[int], now: int, holder: str) -> None:
    if ids:
        held = {"due_at": now + CLAIM_MS, "attempts": outbox.c.attempts + 1, "claimed_by": holder}
        connection.execute(update(outbox).where(outbox.c.id.in_(ids)).values(**held))


def _park(connection: Connection, parked: Sequence[Mapping[str, int]]) -> None:
    if parked:
        behind = update(outbox).where(outbox.c.id == bindparam("of")).values(blocked_by=bindparam("behind"))
        connection.execute(behind, parked)
