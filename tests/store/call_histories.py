"""Calls of two companies that come, change and go by chance, and what keeps and counts their figures meanwhile."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, insert, select, update

from gateway.domain.calls.scope import EVERYTHING, CallScope, Team
from gateway.store import tables
from gateway.store.figures import log
from gateway.store.figures.counting import CountedCalls
from gateway.store.figures.log import FiguresLog
from gateway.store.figures.summing import Summing
from tests.store.conftest import T0, Store

calls, legs, orders = tables.calls, tables.legs, tables.orders
HOUR = 3_600_000
QUARTER = HOUR // 4
DAY = 24 * HOUR
START = T0 - T0 % DAY
VALUES: dict[str, tuple[Any, ...]] = {
    "direction": ("incoming", "incoming", "outgoing", "internal"),
    "extension": ("3501", "3502", ""),
    "answered_agent": ("ana", "bruno", None),
    "queue": ("Vendas", "Suporte", "", None),
    "status": ("ended", "elsewhere", "ringing", "talking"),
    "result": ("answered", "missed", "forwarded", None),
    "missed": (True, False, None),
    "answered_at": (START, None),
    "group_id": (1, 2, None),
    "waited_s": (0, 7, 90, None),
    "ring_s": (3, None),
    "talk_s": (60, None),
    "duration_s": (61, None),
    "number": ("1", "3501", "3601"),
    "answered_by": ("3501", "3601", None),
}


class SetClock:
    """Our clock, which is set."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


class MeddlingJournal:
    """Runs jobs, each behind what ``before`` does."""

    def __init__(self, store: Store, before: Callable[[], object]) -> None:
        self._store, self._before = store, before

    def run(self, work: Callable[..., Any], **how: Any) -> Any:
        self._before()
        return self._store.journal.run(work, **how)


class History:
    """Calls of two companies that come, change and go by chance."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.store, self.chance = store, chance
        self.clock = SetClock(START + 3 * DAY)
        self.newest = 0

    def values(self) -> dict[str, Any]:
        return {name: self.chance.choice(each) for name, each in VALUES.items()}

    def moment(self) -> int:
        """Mostly just now; else some time ago, as of events that lay in a spool."""
        back = self.chance.choice((HOUR, HOUR, 5 * HOUR, 4 * DAY))
        return self.clock.now - self.chance.randrange(back)

    def come(self) -> None:
        rows = []
        for _ in range(self.chance.randrange(1, 6)):
            self.newest += 1
            row = {"id": self.newest, "tenant": self.tenant(), "number_as_sent": "1"}
            row |= {"order_id": self.order() if self.chance.random() < 0.1 else None, "leg_count": None}
            rows.append(row | {"logged_at": self.moment()} | self.values())
        self.write(insert(calls), rows)

    def order(self) -> int:
        """Have a call placed by somebody."""
        row = {"id": self.newest, "tenant": "acme", "call_id": self.newest, "extension": "", "number": "1"}
        row |= {"digits": "1", "appliance": "a", "wire": "get", "client": "", "requested_at": START}
        self.write(insert(orders), [row | {"requested_by": self.chance.choice(("ana", "rita"))}])
        return self.newest

    def ring(self) -> None:
        """Let calls ring at another extension: their legs are written with them."""
        with self.store.engine.begin() as connection:
            found = connection.execute(select(calls).where(calls.c.id.in_(self.some()))).all()
            for call in found:
                place = (call.leg_count or 0) + 1
                leg = {"call_id": call.id, "place": place, "tenant": call.tenant}
                leg |= {"extension": self.chance.choice(("3501", "3601")), "agent": self.chance.choice(("ana", None))}
                connection.execute(insert(legs), [leg])
                connection.execute(update(calls).where(calls.c.id == call.id).values(leg_count=place))

    def change(self) -> None:
        names = self.chance.sample(sorted(VALUES), 2)
        values = {name: value for name, value in self.values().items() if name in names}
        self.write(update(calls).where(calls.c.id.in_(self.some())).values(values))

    def go(self) -> None:
        ids = self.some()
        self.write(delete(legs).where(legs.c.call_id.in_(ids)))
        self.write(delete(calls).where(calls.c.id.in_(ids)))

    def be_removed(self) -> None:
        """As retention does it: what is oldest."""
        before = self.clock.now - self.chance.randrange(2 * DAY, 5 * DAY)
        self.write(delete(calls).where(calls.c.tenant == self.tenant(), calls.c.logged_at < before))

    def pass_time(self) -> None:
        self.clock.now += self.chance.choice((60_000, QUARTER, HOUR, 7 * HOUR))

    def happen(self, times: int = 1) -> None:
        for _ in range(times):
            what = (self.come, self.come, self.come, self.change, self.change, self.ring, self.go, self.be_removed)
            self.chance.choice(what)()

    def tenant(self) -> str:
        return self.chance.choice(("acme", "beta"))

    def some(self) -> list[int]:
        return [self.chance.randrange(self.newest + 1) for _ in range(3)]

    def write(self, statement: Any, rows: list[dict[str, Any]] | None = None) -> None:
        with self.store.engine.begin() as connection:
            connection.execute(statement, rows) if rows else connection.execute(statement)

    def bounds(self) -> list[int]:
        step = self.chance.choice((QUARTER, HOUR, DAY, DAY, QUARTER + 1))
        first = START - DAY + self.chance.randrange(5 * DAY) // QUARTER * QUARTER
        return [first + n * step for n in range(self.chance.choice((2, 8, 25)))]


def keeper(store: Store, clock: SetClock, journal: Any = None, teams: Sequence[Team] = ()) -> Summing:
    """What keeps the sums of acme, which has ``teams``, and beta."""
    of_tenants: Any = {"clock": clock, "teams": {"acme": teams}}
    return Summing(store.engine, journal or store.journal, ("acme", "beta"), rest=str, **of_tenants)


def recounted(store: Store, tenant: str, bounds: list[int], scope: CallScope = EVERYTHING) -> CountedCalls:
    """What the calls alone say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log, "covered_hours", lambda *_: None)
        patch.setattr(log, "lasting_part", lambda scope: scope)
        patch.setattr(log, "seat_part", lambda _: None)
        return FiguresLog(store.engine).of(tenant, bounds, scope)


def count(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def log_call(store: Store, call_id: int, at: int, tenant: str = "acme", **values: Any) -> None:
    row = {"id": call_id, "tenant": tenant, "number": "1", "number_as_sent": "1", "logged_at": at, "extension": "3501"}
    row |= {"direction": "outgoing", "status": "ended"} | values
    with store.engine.begin() as connection:
        connection.execute(insert(calls), [row])
