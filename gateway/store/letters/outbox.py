"""What must be sent on: read and settled here, written by the journal together with the event that caused it.

Which letters may be sent, in which order and by whom, is in ``turns.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Select, bindparam, func, select, update

from gateway.store import tables
from gateway.store.letters.slices import LETTERS, part_of
from gateway.store.letters.stored import UNNAMED, ClaimRequest, Letter, LetterResult, letter_of, order_key_of
from gateway.store.letters.turns import CLAIM_MS, PAGE, WAITS, open_of, take_turn
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack
from gateway.texts.rendering import render

outbox, orders = tables.outbox, tables.orders

SLICE = 500
OUT_OF_ORDER = 10_000
"""So many ids before the newest a letter may still turn up: several lanes write at once."""


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
            lambda connection: take_turn(connection, told, wanted, recovered, now, holder),
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
        due = select(func.min(outbox.c.due_at)).where(*open_of(tenant, target))
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
        return outbox.c.id > after - OUT_OF_ORDER, WAITS, outbox.c.blocked_by.is_(None), outbox.c.claimed_by.is_(None)

    def newest(self) -> int:
        """Return the newest letter's id."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(outbox.c.id))).scalar() or 0

    def older_than(self, tenant: str, target: str, kind: str, before: int, most: int = PAGE) -> Sequence[Letter]:
        """Return the oldest letters of a kind that nobody is sending and that wait since before ``before``."""
        old = select(outbox).where(outbox.c.tenant == tenant, outbox.c.target == target, outbox.c.kind == kind, WAITS)
        old = old.where(outbox.c.waits_since < before, outbox.c.claimed_by.is_(None))
        return self._letters(old.order_by(outbox.c.waits_since).limit(most))

    def from_the_future(self, tenant: str, target: str, now: int) -> Sequence[Letter]:
        """Return letters that were put off before the clock was set back, so that their time would come too late."""
        last = func.coalesce(outbox.c.attempted_at, outbox.c.waits_since)
        put_off = select(outbox).where(*open_of(tenant, target), outbox.c.due_at > now, last > now)
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
        query = select(outbox).where(WAITS, outbox.c.claimed_by.is_not(None), whose)
        with self._engine.connect() as connection:
            return [(letter_of(row, row.claimed_by), row.due_at) for row in connection.execute(query)]

    def carry_over(self, now: int) -> int:
        """Give letters of before their place in the order of their call, a slice at a time; return how many were found.

        Their age counts from now: they were written when every event was delivered, however late.
        """
        query = select(outbox.c.id, outbox.c.kind, outbox.c.body).where(WAITS, outbox.c.order_key.is_(None))
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
        query = select(func.count()).select_from(outbox).where(WAITS)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def waiting_by_target(self) -> Mapping[tuple[str, str], Waiting]:
        """Return how many letters are not settled, by (tenant, target)."""
        oldest, first = func.min(outbox.c.id), outbox.alias()
        groups = select(outbox.c.tenant, outbox.c.target, func.count().label("waiting"), oldest.label("oldest"))
        grouped = groups.where(WAITS).group_by(outbox.c.tenant, outbox.c.target).subquery()
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


def _carry_over(keys: Sequence[Mapping[str, Any]], connection: Connection) -> None:
    known: dict[str, Any] = {"order_key": bindparam("key"), "waits_since": bindparam("since")}
    connection.execute(update(outbox).where(outbox.c.id == bindparam("of"), WAITS).values(known), keys)
