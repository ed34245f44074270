"""What must be sent on: read and settled here, written by the journal together with the event that caused it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select, update

from gateway.adapter import EVENT_FIELDS, Delivery
from gateway.domain.links import safe_link
from gateway.store import tables
from gateway.store.journal import Journal
from gateway.texts.packing import pack
from gateway.texts.rendering import render

outbox, orders = tables.outbox, tables.orders

CLAIM_MS = 120_000
"""A letter whose sender died is due again after this long; longer than any attempt may take."""
LONGEST_WAIT_MS = 300_000
"""No letter is put off for longer; one that is due later still was put off before the clock was set back."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on its way to one target; ``attempts`` made so far, this one not counted."""

    id: int
    tenant: str
    target: str
    kind: str
    fields: Mapping[str, str]
    created_at: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many letters of a target are not settled, and when the oldest was written."""

    count: int = 0
    oldest_at: int | None = None

    def age_s(self, now: int) -> float:
        """Return how long the oldest has waited."""
        return max(0, now - self.oldest_at) / 1000 if self.oldest_at is not None else 0


class Outbox:
    """Letters of one target go out in order: only the oldest unsettled one can be claimed."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def claim(self, tenant: str, target: str, now: int) -> Letter | None:
        """Claim the oldest waiting letter if it is due, for ``CLAIM_MS``. Raises ``BusyError``."""
        if not self._due(tenant, target, now):
            return None
        letter: Letter | None = self._journal.run(lambda connection: self._claim(connection, tenant, target, now))
        return letter

    def _claim(self, connection: Connection, tenant: str, target: str, now: int) -> Letter | None:
        row = connection.execute(_oldest(tenant, target)).first()
        if row is None or not self._is_due(row, now):
            return None
        held = {"due_at": now + CLAIM_MS, "attempts": row.attempts + 1, "claimed_by": self._journal.presence.name()}
        connection.execute(update(outbox).where(outbox.c.id == row.id).values(**held))
        return Letter(row.id, row.tenant, row.target, row.kind, _fields(row.body), row.created_at, row.attempts)

    def _is_due(self, row: Row[Any], now: int) -> bool:
        """Return whether the letter's time has come, its claimant died, or its time is from before the clock was set
        back.
        """
        if not now < row.due_at <= now + max(LONGEST_WAIT_MS, CLAIM_MS):
            return True
        return row.claimed_by is not None and not self._journal.presence.alive(row.claimed_by)

    def _due(self, tenant: str, target: str, now: int) -> bool:
        """Return whether a letter is due, looked up without the write lock, so that an idle target costs nothing."""
        with self._engine.connect() as connection:
            row = connection.execute(_oldest(tenant, target)).first()
        return row is not None and self._is_due(row, now)

    def settle(self, letter: Letter, delivery: Delivery, now: int) -> None:
        """Settle the letter: accepted, or given up with its last outcome."""
        values = {"settled_at": now, **self._told(letter, delivery)}
        statement = update(outbox).where(outbox.c.id == letter.id).values(**values)
        self._journal.run(lambda connection: connection.execute(statement) and None)

    def postpone(self, letter: Letter, delivery: Delivery, due_at: int) -> None:
        """Try again at ``due_at``; the letters behind it wait too."""
        values = {"due_at": due_at, "claimed_by": None, **self._told(letter, delivery)}
        statement = update(outbox).where(outbox.c.id == letter.id).values(**values)
        self._journal.run(lambda connection: connection.execute(statement) and None)

    def _told(self, letter: Letter, delivery: Delivery) -> Mapping[str, str]:
        detail = render(delivery.text, self._journal.language_of(letter.tenant))
        return {"outcome": delivery.outcome.value, "detail": detail, "sentence": pack(delivery.text)}

    def waiting(self) -> int:
        """Return how many letters are not settled."""
        query = select(func.count()).select_from(outbox).where(outbox.c.settled_at.is_(None))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def waiting_by_target(self) -> Mapping[tuple[str, str], Waiting]:
        """Return how many letters are not settled, by (tenant, target)."""
        oldest, first = func.min(outbox.c.id), outbox.alias()
        groups = select(outbox.c.tenant, outbox.c.target, func.count().label("waiting"), oldest.label("oldest"))
        grouped = groups.where(outbox.c.settled_at.is_(None)).group_by(outbox.c.tenant, outbox.c.target).subquery()
        query = select(grouped, first.c.created_at).join(first, first.c.id == grouped.c.oldest)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {(row.tenant, row.target): Waiting(row.waiting, row.created_at) for row in rows}

    def abandoned_orders(self, before: int) -> Sequence[int]:
        """Return the orders of which no end will come any more: their process is dead, or they are from before
        ``before``.
        """
        query = select(orders.c.id, orders.c.owner, orders.c.requested_at).where(orders.c.outcome.is_(None))
        with self._engine.connect() as connection:
            open_orders = connection.execute(query).all()
        alive = self._journal.presence.alive
        return [row.id for row in open_orders if row.requested_at < before or (row.owner and not alive(row.owner))]


def _oldest(tenant: str, target: str) -> Select[Any]:
    waiting = (outbox.c.tenant == tenant, outbox.c.target == target, outbox.c.settled_at.is_(None))
    return select(outbox).where(*waiting).order_by(outbox.c.id).limit(1)


def _fields(body: str) -> Mapping[str, str]:
    """Return the fields as this version's templates ask for them, whichever version wrote them down."""
    fields: dict[str, str] = dict.fromkeys(EVENT_FIELDS, "") | json.loads(body)
    return fields | {"url_audio": safe_link(fields.get("url_audio")) or ""}
