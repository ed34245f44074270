"""Orders and their attempts, read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, func, select

from gateway.adapter import Delivery, Outcome
from gateway.store import rows, statements, tables
from gateway.store.writing.drafts import OrderAttempt
from gateway.store.writing.journal import Journal
from gateway.texts.packing import unpack
from gateway.texts.text import Text

orders, attempts, calls = tables.orders, tables.attempts, tables.calls


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt, as it was written down. Times are milliseconds since 1970 UTC."""

    order_id: int
    kind: str
    appliance: str
    outcome: str
    detail: str
    peer_ref: str | None
    began_at: int
    ended_at: int
    sentence: str | None = None

    @property
    def told(self) -> Text:
        """What came of it; ``detail`` is the same in the company's language."""
        return unpack(self.sentence, words=self.detail)

    @property
    def took_ms(self) -> int:
        """How long the appliance took, its turn not counted."""
        return self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class Placed:
    """An order of ours. ``appliance`` is who dialled, ``outcome`` None while that is under way; ``over`` says that
    its call has ended.
    """

    id: int
    call_id: int
    extension: str
    digits: str
    appliance: str
    outcome: str | None
    peer_ref: str | None
    over: bool


NEWEST_REF = (
    select(attempts.c.peer_ref)
    .where(attempts.c.order_id == orders.c.id, attempts.c.kind == "dial", attempts.c.peer_ref.is_not(None))
    .order_by(attempts.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
"""The appliance's id of a call that it told of when its order was settled already."""
COLUMNS = tuple(attempts.c[name] for name in Tried.__dataclass_fields__)


def note(journal: Journal, tenant: str, order_id: int, made: OrderAttempt) -> None:
    """Add ``made`` to an order's history. Raises ``BusyError``."""
    said = rows.kept(made.delivery.text, journal.language_of(tenant))
    row = rows.attempt(made, tenant, order_id, said)
    journal.run(lambda connection: statements.WRITE_ATTEMPTS.run(connection, [row]), tenant=tenant)


class OrderLog:
    """Reads orders; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def outcome(self, order_id: int) -> Delivery | None:
        """Return how an order ended, None while it is under way."""
        columns = (orders.c.outcome, orders.c.detail, orders.c.peer_ref, orders.c.sentence)
        query = select(*columns).where(orders.c.id == order_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None or row.outcome is None:
            return None
        return Delivery(Outcome(row.outcome), unpack(row.sentence, words=row.detail or ""), row.peer_ref)

    def owner(self, order_id: int) -> str | None:
        """Return the process that tries an order (``store/shared/presence.py``)."""
        with self._engine.connect() as connection:
            found: str | None = connection.execute(select(orders.c.owner).where(orders.c.id == order_id)).scalar()
        return found

    def of_call(self, tenant: str, call_id: int) -> Placed | None:
        """Return the order that placed a call of the tenant, if one did."""
        ref = func.coalesce(orders.c.peer_ref, NEWEST_REF).label("known_ref")
        query = select(orders, calls.c.ended_at, ref).join_from(orders, calls, calls.c.id == orders.c.call_id)
        query = query.where(orders.c.tenant == tenant, orders.c.call_id == call_id).order_by(orders.c.id)
        with self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).first()
        if row is None:
            return None
        dialled_by = row.dialled_by or row.appliance
        over = row.ended_at is not None
        return Placed(row.id, row.call_id, row.extension, row.digits, dialled_by, row.outcome, row.known_ref, over)

    def history(self, tenant: str, order_id: int) -> Sequence[Tried]:
        """Return the attempts of an order of the tenant, oldest first."""
        query = select(*COLUMNS).where(attempts.c.order_id == order_id, attempts.c.tenant == tenant)
        return self._tried(query.order_by(attempts.c.id))

    def latest(self, tenant: str, appliance: str, *, limit: int = 10) -> Sequence[Tried]:
        """Return the newest attempts at an appliance, newest first."""
        query = select(*COLUMNS).where(attempts.c.tenant == tenant, attempts.c.appliance == appliance)
        return self._tried(query.order_by(attempts.c.began_at.desc(), attempts.c.id.desc()).limit(limit))

    def _tried(self, query: Select[Any]) -> Sequence[Tried]:
        with self._engine.connect() as connection:
            return [Tried(*row) for row in connection.execute(query)]
