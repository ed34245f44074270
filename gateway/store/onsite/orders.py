"""Orders on their way to gateways on site: put here by whoever dials, fetched by the site, answered by it.

A site is shown an order, and has to *take* it before it dials: one that was not taken surely was not dialled, so it may
be withdrawn. One that was taken and not answered is unknown. Nobody can take one twice.
"""

import json
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, tuple_, update

from gateway.clock import milliseconds
from gateway.store.onsite.answers import note_late, order_of
from gateway.store.onsite.shown_orders import ShownOrder
from gateway.store.onsite.sites import OnsiteSite
from gateway.store.tables import onsite_orders as table
from gateway.store.writing.journal import Journal

KEPT_MS = 24 * 3600 * 1000
WITHIN_S = 5.0
MOST_SHOWN = 16
"""Orders that a site is shown at once."""


class OnsiteOrderState(StrEnum):
    """How far an order is on its way."""

    WAITING = "waiting"
    GIVEN = "given"
    """The site has taken it and dials."""
    ANSWERED = "answered"
    GIVEN_UP = "given_up"
    """Nobody waits for the answer any more; the order is unknown."""
    WITHDRAWN = "withdrawn"
    """It was given up before the site took it."""


UNANSWERED = (OnsiteOrderState.WAITING.value, OnsiteOrderState.GIVEN.value, OnsiteOrderState.GIVEN_UP.value)


@dataclass(frozen=True, slots=True)
class OnsiteOrder(ShownOrder):
    """One order for ``site``, as it is kept; ``answer`` is what came of it."""

    site: str
    state: OnsiteOrderState
    expires_at: int
    answer: Mapping[str, Any] | None = None


class OnsiteOrders:
    """Reads by the engine; writes in the journal's turn. Safe for many threads."""

    def __init__(self, engine: Engine, journal: Journal, clock: Callable[[], int] = milliseconds) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock
        self.changed = threading.Condition()
        """Rung when this process put an order here or took an answer; those of another show only to whoever looks."""

    def put(
        self, tenant: str, site: str, appliance: str, kind: str, fields: Mapping[str, str], *, now: int, expires_at: int
    ) -> str:
        """Have an order wait for the site and return its id. Raises ``BusyError``."""
        row = {
            "id": secrets.token_hex(16),
            "tenant": tenant,
            "site": site,
            "appliance": appliance,
            "kind": kind,
            "fields": json.dumps(dict(fields), ensure_ascii=False),
            "state": OnsiteOrderState.WAITING.value,
            "made_at": now,
            "expires_at": expires_at,
        }
        self._run(tenant, lambda connection: _put(connection, row, now))
        self.ring()
        return str(row["id"])

    def waiting(self, sites: Collection[tuple[str, str]], now: int) -> Mapping[tuple[str, str], Sequence[OnsiteOrder]]:
        """Return those that wait for each of ``sites`` (tenant and name) for which any do, the oldest first."""
        these = tuple_(table.c.tenant, table.c.site).in_(sorted(sites))
        query = select(table).where(these, table.c.state == OnsiteOrderState.WAITING.value, table.c.expires_at > now)
        found: defaultdict[tuple[str, str], list[OnsiteOrder]] = defaultdict(list)
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(table.c.made_at)):
                found[row.tenant, row.site].append(_order(row))
        return {site: orders[:MOST_SHOWN] for site, orders in found.items()}

    def of(self, tenant: str, order: str) -> OnsiteOrder | None:
        """Return one by its id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == order, table.c.tenant == tenant)).first()
        return _order(row) if row else None

    def take(self, site: OnsiteSite, order: str, now: int) -> OnsiteOrder | None:
        """Give an order to the site; None where it waits no more. Raises ``BusyError``."""
        mine = (table.c.id == order, table.c.tenant == site.tenant, table.c.site == site.name)
        statement = update(table).where(
            *mine, table.c.state == OnsiteOrderState.WAITING.value, table.c.expires_at > now
        )
        if not self._change(site.tenant, statement.values(state=OnsiteOrderState.GIVEN.value)):
            return None
        return self.of(site.tenant, order)

    def answer(self, site: OnsiteSite, order: str, answer: Mapping[str, Any]) -> bool:
        """Write what came of an order that the site had; False where it is answered already, or was not its own.

        Where the order is settled meanwhile, the answer is added to its history. Raises ``BusyError``.
        """
        is_new = self._run(site.tenant, lambda connection: self._answered(connection, site, order, answer))
        self.ring()
        return bool(is_new)

    def _answered(self, connection: Connection, site: OnsiteSite, order: str, answer: Mapping[str, Any]) -> bool:
        mine = (table.c.id == order, table.c.tenant == site.tenant, table.c.site == site.name)
        found = connection.execute(select(table).where(*mine, table.c.state.in_(UNANSWERED))).first()
        if found is None:
            return False
        facts = {"state": OnsiteOrderState.ANSWERED.value, "answer": json.dumps(dict(answer), ensure_ascii=False)}
        connection.execute(update(table).where(*mine).values(facts))
        placed = order_of(connection, site.tenant, json.loads(found.fields))
        if placed and (placed.outcome or found.state == OnsiteOrderState.GIVEN_UP.value):
            times, language = (found.made_at, self._clock()), self._journal.language_of(site.tenant)
            note_late(connection, placed, answer, kind=found.kind, times=times, language=language)
        return True

    def give_up(self, tenant: str, order: str) -> bool:
        """Say that nobody waits for the answer to an order that a site took; False where it is answered already.

        Raises ``BusyError``.
        """
        mine = (table.c.id == order, table.c.tenant == tenant, table.c.state == OnsiteOrderState.GIVEN.value)
        return self._change(tenant, update(table).where(*mine).values(state=OnsiteOrderState.GIVEN_UP.value))

    def withdraw(self, tenant: str, order: str) -> bool:
        """Give an order up; False where the site has taken it already. Raises ``BusyError``."""
        mine = (table.c.id == order, table.c.tenant == tenant, table.c.state == OnsiteOrderState.WAITING.value)
        return self._change(tenant, update(table).where(*mine).values(state=OnsiteOrderState.WITHDRAWN.value))

    def wait(self, within_s: float) -> None:
        """Wait until this process hears of something new, at most so long."""
        with self.changed:
            self.changed.wait(within_s)

    def ring(self) -> None:
        """Have all look that wait."""
        with self.changed:
            self.changed.notify_all()

    def _change(self, tenant: str, statement: Any) -> bool:
        return bool(self._run(tenant, lambda connection: connection.execute(statement).rowcount))

    def _run(self, tenant: str, work: Any) -> Any:
        return self._journal.run(work, tenant=tenant, timeout_s=WITHIN_S)


def _put(connection: Connection, row: Mapping[str, Any], now: int) -> None:
    connection.execute(delete(table).where(table.c.made_at < now - KEPT_MS))
    connection.execute(table.insert().values(row))


def _order(row: Row[Any]) -> OnsiteOrder:
    return OnsiteOrder(
        id=row.id,
        site=row.site,
        appliance=row.appliance,
        kind=row.kind,
        fields=json.loads(row.fields),
        state=OnsiteOrderState(row.state),
        expires_at=row.expires_at,
        answer=json.loads(row.answer) if row.answer else None,
    )
