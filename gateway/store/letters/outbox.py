"""What must be sent on: read and settled here, written by the journal together with the event that caused it.

Letters of one target that have one order key (a call's) go one after the other, those of different calls side by side.
A letter that is due while another of its key is still unsettled is parked behind that one (``blocked_by``) until it is
settled. Who sends a letter claims it by its process's name first, in the writing transaction, so nobody else does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, bindparam, func, select, update

from gateway.store import tables
from gateway.store.letters.slices import LETTERS, part_of
from gateway.store.letters.stored import UNNAMED, ClaimRequest, Letter, LetterResult, letter_of, order_key_of
from gateway.store.postgresql.named_locks import try_parts
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack
from gateway.texts.rendering import render

outbox, orders = tables.outbox, tables.orders

CLAIM_MS = 420_000
"""A letter whose sender has no name (``presence.py``) is taken from it after this long: no attempt takes longer."""
NEWEST_MS = 30_000
"""What became due within so long counts as new."""
PAGE = 64
MOST_PAGES = 16
"""For which one transaction looks for letters that need not wait for others of their call."""
SLICE = 500
OUT_OF_ORDER = 10_000
"""So many ids before the newest a letter may still turn up: several lanes write at once."""

_WAITS = outbox.c.settled_at.is_(None)
_BEFORE = outbox.alias("before")
_SETTLE = (
    update(outbox)
    .where(outbox.c.id == bindparam("of"), _WAITS, outbox.c.claimed_by.is_not_distinct_from(bindparam("holder")))
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
    .where(outbox.c.blocked_by == bindparam("of"), _WAITS, outbox.c.blocked_by.is_not(None))
    .values(blocked_by=None)
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many letters of a target are not settled, and when the oldest was written."""

    count: int = 0
    oldest_at: int | None = None

    def age_s(self, now: int) -> float:
        """Return how long the oldest has waited."""
        return max(0, now - self.oldest_at) / 1000 if self.oldest_at is not None else 0


class Outbox:
    """The letters that wait, for the processes that send them. Every method raises what the database does, and those
    that write ``BusyError``.
    """

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._is_in_order = engine.dialect.name == "sqlite"

    # to be sent

    def turn(
        self,
        results: Sequence[LetterResult],
        wanted: Sequence[ClaimRequest],
        now: int,
        recovered: Sequence[tuple[str, str]] = (),
    ) -> Sequence[Letter]:
        """Write down what came of letters and claim those that are due, in one transaction; return the claimed ones.

        A target that another process is at just now is left to that one, but for what came of letters. What waits for
        another attempt at a target that has ``recovered`` is due at once.
        """
        holder = self.holder()
        told = [self._told(result) for result in results]
        claimed: Sequence[Letter] = self._journal.run(
            lambda connection: _turn(connection, told, wanted, recovered, now, holder),
            lock=LETTERS,
            parts=dict.fromkeys(part_of(*key) for key in (*(each.letter.key for each in results), *recovered)),
        )
        return claimed

    def _told(self, result: LetterResult) -> Mapping[str, Any]:
        settled_at = None if result.state is None else result.at
        return {
            "of": result.letter.id,
            "holder": result.letter.holder,
            "new_settled_at": settled_at,
            "new_state": result.state and result.state.value,
            "new_reason": result.reason and result.reason.value,
            "new_outcome": result.outcome and result.outcome.value,
            "new_detail": render(result.text, self._journal.language_of(result.letter.tenant)),
            "new_sentence": pack(result.text),
            "new_due_at": result.due_at,
            "new_attempted_at": result.at if result.attempted else None,
            "new_request": result.request,
            "new_answer": result.answer,
        }

    def next_due(self, tenant: str, target: str) -> int | None:
        """Return when the next letter of a target is due; None when none waits."""
        due = select(func.min(outbox.c.due_at)).where(*_open_of(tenant, target))
        with self._engine.connect() as connection:
            return connection.execute(due).scalar()

    def news(self, after: int) -> tuple[int, Sequence[tuple[str, str]]]:
        """Return the newest letter's id, and whose letters were written behind ``after``."""
        with self._engine.connect() as connection:
            newest: int = connection.execute(select(func.max(outbox.c.id))).scalar() or 0
            if newest <= after and self._is_in_order:
                return newest, ()
            whose = select(outbox.c.tenant, outbox.c.target).where(*self._behind(after)).distinct()
            return newest, [(row.tenant, row.target) for row in connection.execute(whose)]

    def _behind(self, after: int) -> Sequence[Any]:
        """Return the conditions of what was written behind ``after``. Where ids do not come in the order of commits, a
        letter may turn up before one that was seen: of those, what nobody has taken yet is news.
        """
        if self._is_in_order:
            return (outbox.c.id > after,)
        return outbox.c.id > after - OUT_OF_ORDER, _WAITS, outbox.c.blocked_by.is_(None), outbox.c.claimed_by.is_(None)

    def newest(self) -> int:
        """Return the newest letter's id."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(outbox.c.id))).scalar() or 0

    def older_than(self, tenant: str, target: str, kind: str, before: int, most: int = PAGE) -> Sequence[Letter]:
        """Return the oldest letters of a kind that nobody is sending and that wait since before ``before``."""
        old = select(outbox).where(outbox.c.tenant == tenant, outbox.c.target == target, outbox.c.kind == kind, _WAITS)
        old = old.where(outbox.c.waits_since < before, outbox.c.claimed_by.is_(None))
        return self._letters(old.order_by(outbox.c.waits_since).limit(most))

    def from_the_future(self, tenant: str, target: str, now: int) -> Sequence[Letter]:
        """Return letters that were put off before the clock was set back, so that their time would come too late."""
        last = func.coalesce(outbox.c.attempted_at, outbox.c.waits_since)
        put_off = select(outbox).where(*_open_of(tenant, target), outbox.c.due_at > now, last > now)
        put_off = put_off.where(outbox.c.claimed_by.is_(None))
        return self._letters(put_off.order_by(outbox.c.id).limit(SLICE))

    def abandoned(self, now: int) -> Sequence[Letter]:
        """Return the letters that were under way when whoever sent them died."""
        held = self._held(outbox.c.claimed_by != self.holder())
        alive = self._journal.presence.alive
        dead = {name for name in {letter.holder for letter, _ in held} if name and name != UNNAMED and not alive(name)}
        return [
            letter
            for letter, until in held
            if letter.holder in dead or (letter.holder == UNNAMED and not now < until <= now + CLAIM_MS)
        ]

    def claimed(self) -> Sequence[Letter]:
        """Return the letters that this process has claimed."""
        return [letter for letter, _ in self._held(outbox.c.claimed_by == self.holder())]

    def holder(self) -> str:
        """Return the name under which this process claims letters."""
        return self._journal.presence.name() or UNNAMED

    def _held(self, whose: Any) -> Sequence[tuple[Letter, int]]:
        query = select(outbox).where(_WAITS, outbox.c.claimed_by.is_not(None), whose)
        with self._engine.connect() as connection:
            return [(letter_of(row, row.claimed_by), row.due_at) for row in connection.execute(query)]

    def carry_over(self, now: int) -> int:
        """Give letters of before their place in the order of their call, a slice at a time; return how many were found.

        Their age counts from now: they were written when every event was delivered, however late.
        """
        query = select(outbox.c.id, outbox.c.kind, outbox.c.body).where(_WAITS, outbox.c.order_key.is_(None))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(outbox.c.id).limit(SLICE)).all()
        keys = [{"of": row.id, "key": order_key_of(row.kind, row.body), "since": now} for row in rows]
        if keys:
            self._journal.run(partial(_carry_over, keys), lock=LETTERS)
        return len(rows)

    def _letters(self, query: Select[Any]) -> Sequence[Letter]:
        with self._engine.connect() as connection:
            return [letter_of(row, row.claimed_by) for row in connection.execute(query)]

    # to be looked at

    def waiting(self) -> int:
        """Return how many letters are not settled."""
        query = select(func.count()).select_from(outbox).where(_WAITS)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def waiting_by_target(self) -> Mapping[tuple[str, str], Waiting]:
        """Return how many letters are not settled, by (tenant, target)."""
        oldest, first = func.min(outbox.c.id), outbox.alias()
        groups = select(outbox.c.tenant, outbox.c.target, func.count().label("waiting"), oldest.label("oldest"))
        grouped = groups.where(_WAITS).group_by(outbox.c.tenant, outbox.c.target).subquery()
        query = select(grouped, first.c.created_at).join(first, first.c.id == grouped.c.oldest)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {(row.tenant, row.target): Waiting(row.waiting, row.created_at) for row in rows}

    def abandoned_orders(self, before: int) -> Sequence[tuple[str, int]]:
        """Return tenant and id of the orders of which no end will come any more: their process is dead, or they are
        from before ``before``.
        """
        query = select(orders.c.tenant, orders.c.id, orders.c.owner, orders.c.requested_at).where(
            orders.c.outcome.is_(None)
        )
        with self._engine.connect() as connection:
            open_orders = connection.execute(query).all()
        alive = self._journal.presence.alive
        over = [row for row in open_orders if row.requested_at < before or (row.owner and not alive(row.owner))]
        return [(row.tenant, row.id) for row in over]


def _open_of(tenant: str, target: str) -> Sequence[Any]:
    """Return the conditions of the letters of a target that may be tried, now or later."""
    return outbox.c.tenant == tenant, outbox.c.target == target, _WAITS, outbox.c.blocked_by.is_(None)


def _turn(
    connection: Connection,
    told: Sequence[Mapping[str, Any]],
    wanted: Sequence[ClaimRequest],
    recovered: Sequence[tuple[str, str]],
    now: int,
    holder: str,
) -> Sequence[Letter]:
    if told:
        connection.execute(_SETTLE, told)
        settled = [{"of": each["of"]} for each in told if each["new_state"]]
        if settled:
            connection.execute(_RELEASE, settled)
    for tenant, target in recovered:
        put_off = (*_open_of(tenant, target), outbox.c.due_at > now, outbox.c.claimed_by.is_(None))
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
    counted = select(outbox.c.tenant, outbox.c.target, func.count()).where(outbox.c.claimed_by.is_not(None), _WAITS)
    rows = connection.execute(counted.group_by(outbox.c.tenant, outbox.c.target))
    return {(tenant, target): count for tenant, target, count in rows}


def _due(request: ClaimRequest, since: int, until: int) -> Select[Any]:
    """Return the letters that became due behind ``since`` and until ``until``, each with the one before it."""
    same = (_BEFORE.c.tenant == outbox.c.tenant, _BEFORE.c.target == outbox.c.target)
    earlier = (_BEFORE.c.order_key == outbox.c.order_key, _BEFORE.c.id < outbox.c.id, _BEFORE.c.settled_at.is_(None))
    before = select(func.max(_BEFORE.c.id)).where(*same, *earlier).scalar_subquery()
    query = select(outbox, before.label("before")).where(*_open_of(request.tenant, request.target))
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


def _carry_over(keys: Sequence[Mapping[str, Any]], connection: Connection) -> None:
    known: dict[str, Any] = {"order_key": bindparam("key"), "waits_since": bindparam("since")}
    connection.execute(update(outbox).where(outbox.c.id == bindparam("of"), _WAITS).values(known), keys)
