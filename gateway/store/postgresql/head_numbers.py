"""A tenant's numbers on PostgreSQL: its head, a row that is held to the commit, and ids from sequences.

Heads are taken in the order of their names and before anything else, so that two transactions never wait for each
other.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from gateway.domain.calls.states import Event
from gateway.store.bulk import Change, Driver, Writes
from gateway.store.postgresql.named_locks import TAKE, locks_of
from gateway.store.tables import heads
from gateway.store.writing.drafts import EventDraft, OrderDraft, WriteJob
from gateway.store.writing.lookups import Answer, nothing
from gateway.store.writing.numbers import NONE_AT_HAND

MOVE_HEADS = Change(heads.c.tenant, (heads.c.seq,), heads.c.tenant.is_not(None))
ADD_HEADS = text(
    "INSERT INTO heads (tenant, seq) SELECT missing, 0 FROM unnest(CAST(:tenants AS text[])) AS missing "
    "ON CONFLICT DO NOTHING"
)
NEXT_IDS = (
    "SELECT 'call', nextval('call_ids') FROM generate_series(1, %s) "
    "UNION ALL SELECT 'order', nextval('order_ids') FROM generate_series(1, %s)"
)
LOCK_AND_NUMBER = (
    "WITH held AS (SELECT tenant, seq FROM heads WHERE tenant = ANY(%s::text[]) ORDER BY tenant FOR UPDATE) "
    "SELECT 'head', tenant, seq FROM held "
    "UNION ALL SELECT what, '', nextval(ids) FROM (SELECT 'call' AS what, 'call_ids'::regclass AS ids "
    "FROM generate_series(1, %s) UNION ALL SELECT 'order', 'order_ids' FROM generate_series(1, %s)) AS wanted "
    "WHERE (SELECT count(*) FROM held) = %s"
)
"""Heads, then ids: none where a head is missing, for then the transaction begins anew, and they would be lost."""


class HeadsMissing(Exception):
    """``tenants`` have no heads yet: they are to be added by a transaction of their own."""

    def __init__(self, tenants: Iterable[str]) -> None:
        self.tenants = sorted(tenants)
        super().__init__(f"no heads of {', '.join(self.tenants)}")


class HeadNumbers:
    """Numbers of tenants whose heads this transaction holds."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._read: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._ids: dict[str, deque[int]] = {"call": deque(), "order": deque()}
        self._more = 4
        """How many ids to fetch when those at hand were too few: more each time, for each is a trip to the server."""

    def lock(self, drafts: Sequence[Any]) -> None:
        """Hold the heads of the drafts' tenants, then the locks that jobs name. Raises ``HeadsMissing``."""
        for _ in self._hold(drafts, 0, 0):
            pass

    def load(self, drafts: Sequence[Any]) -> Iterator[None]:
        """Lock the same, and fetch ids for the calls and orders that ``drafts`` open by what they are."""
        orders = sum(1 for draft in drafts if isinstance(draft, OrderDraft))
        starts = sum(1 for draft in drafts if isinstance(draft, EventDraft) and draft.event.event is Event.START)
        return self._hold(drafts, starts + orders, orders)

    def _hold(self, drafts: Sequence[Any], calls: int, orders: int) -> Iterator[None]:
        wanted = sorted({draft.tenant for draft in drafts if draft.tenant is not None})
        held = self._ask(LOCK_AND_NUMBER, [wanted, calls, orders, len(wanted)]) if wanted else nothing
        if names := locks_of(draft for draft in drafts if isinstance(draft, WriteJob)):
            self._ask(TAKE, names)
        yield
        for what, tenant, number in held():
            if what == "head":
                self._read[tenant] = number
            else:
                self._ids[what].append(number)
        self._last = dict(self._read)
        if len(self._read) < len(wanted):
            raise HeadsMissing(set(wanted) - self._read.keys())

    def reserve(self, drafts: Sequence[object], new_calls: Callable[[], int]) -> None:
        orders = sum(1 for draft in drafts if isinstance(draft, OrderDraft))
        self._fetch_ids(max(0, new_calls() + orders - len(self._ids["call"])), 0)

    def seq(self, tenant: str) -> int:
        self._last[tenant] += 1
        return self._last[tenant]

    def call_at_hand(self) -> int:
        return self._ids["call"][0] if self._ids["call"] else NONE_AT_HAND

    def next_call(self) -> int:
        if not self._ids["call"]:
            self._fetch_ids(self._more, 0)
            self._more *= 4
        return self._ids["call"].popleft()

    def next_order(self) -> int:
        if not self._ids["order"]:
            self._fetch_ids(0, 1)
        return self._ids["order"].popleft()

    def to_write(self) -> tuple[Writes, list[dict[str, Any]]]:
        moved = {tenant: seq for tenant, seq in self._last.items() if seq != self._read[tenant]}
        self._read = dict(self._last)
        return MOVE_HEADS, [{"of": tenant, "seq": seq} for tenant, seq in moved.items()]

    def _fetch_ids(self, calls: int, orders: int) -> None:
        self._keep_ids(self._ask_ids(calls, orders))

    def _ask_ids(self, calls: int, orders: int) -> Answer:
        return self._ask(NEXT_IDS, [calls, orders]) if calls or orders else nothing

    def _keep_ids(self, fetched: Answer) -> None:
        for what, number in fetched():
            self._ids[what].append(number)

    def _ask(self, statement: str, values: Sequence[object]) -> Answer:
        answer: Answer = self._driver.connection.execute(statement, values).fetchall
        return answer


def add_heads(connection: Connection, tenants: Iterable[str]) -> None:
    """Give ``tenants`` heads, those that have none; commit soon, for others that add the same wait."""
    connection.execute(ADD_HEADS, {"tenants": list(tenants)})
