"""A tenant's numbers on PostgreSQL: its head, a row that is held to the commit, and ids from sequences.

Heads are taken in the order of their names and before anything else, so that two transactions never wait for each
other.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from gateway.store.bulk import Driver
from gateway.store.tables import call_ids, order_ids
from gateway.store.writing.drafts import OrderDraft, WriteJob
from gateway.store.writing.numbers import NONE_AT_HAND

LOCK_HEADS = "SELECT tenant, seq FROM heads WHERE tenant = ANY(%s::text[]) ORDER BY tenant FOR UPDATE"
MOVE_HEADS = (
    "UPDATE heads SET seq = moved.seq FROM unnest(%s::text[], %s::bigint[]) AS moved (tenant, seq) "
    "WHERE heads.tenant = moved.tenant"
)
ADD_HEADS = text(
    "INSERT INTO heads (tenant, seq) SELECT missing, 0 FROM unnest(CAST(:tenants AS text[])) AS missing "
    "ON CONFLICT DO NOTHING"
)
LOCK_NAMES = "SELECT pg_advisory_xact_lock(hashtextextended('cti-gateway ' || name, 0)) FROM unnest(%s::text[]) AS name"
NEXT_IDS = "SELECT nextval(%s::regclass) FROM generate_series(1, %s)"

OTHERS = "others"
"""The lock of jobs that name neither a company nor a lock of their own."""


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
        self._calls: deque[int] = deque()
        self._orders: deque[int] = deque()
        self._more = 4
        """How many ids to fetch when those at hand were too few: more each time, for each is a trip to the server."""

    def lock(self, drafts: Sequence[Any]) -> None:
        """Hold the heads of the drafts' tenants, then the locks that jobs name. Raises ``HeadsMissing``."""
        self._hold({draft.tenant for draft in drafts if draft.tenant is not None})
        jobs = [draft for draft in drafts if isinstance(draft, WriteJob)]
        if names := {job.lock or OTHERS for job in jobs if job.lock or job.tenant is None}:
            self._rows(LOCK_NAMES, [sorted(names)])

    def _hold(self, wanted: set[str]) -> None:
        if wanted:
            self._read = dict(self._rows(LOCK_HEADS, [sorted(wanted)]))
            self._last = dict(self._read)
            if len(self._read) < len(wanted):
                raise HeadsMissing(wanted - self._read.keys())

    def reserve(self, drafts: Sequence[object], new_calls: Callable[[], int]) -> None:
        orders = sum(1 for draft in drafts if isinstance(draft, OrderDraft))
        self._calls.extend(self._ids(call_ids.name, new_calls() + orders))
        self._orders.extend(self._ids(order_ids.name, orders))

    def seq(self, tenant: str) -> int:
        self._last[tenant] += 1
        return self._last[tenant]

    def call_at_hand(self) -> int:
        return self._calls[0] if self._calls else NONE_AT_HAND

    def next_call(self) -> int:
        if not self._calls:
            self._calls.extend(self._ids(call_ids.name, self._more))
            self._more *= 4
        return self._calls.popleft()

    def next_order(self) -> int:
        if not self._orders:
            self._orders.extend(self._ids(order_ids.name, 1))
        return self._orders.popleft()

    def flush(self) -> None:
        moved = {tenant: seq for tenant, seq in self._last.items() if seq != self._read[tenant]}
        if moved:
            self._driver.connection.execute(MOVE_HEADS, [list(moved), list(moved.values())])
            self._read = dict(self._last)

    def _ids(self, sequence: str, count: int) -> list[int]:
        return [row[0] for row in self._rows(NEXT_IDS, [sequence, count])] if count else []

    def _rows(self, statement: str, values: list[object]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._driver.connection.execute(statement, values).fetchall()
        return rows


def add_heads(connection: Connection, tenants: Iterable[str]) -> None:
    """Give ``tenants`` heads, those that have none; commit soon, for others that add the same wait."""
    connection.execute(ADD_HEADS, {"tenants": list(tenants)})
