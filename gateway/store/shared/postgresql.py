"""What all nodes of a gateway share, in tables of PostgreSQL that nothing waits for (``tables.py``).

Where the database cannot be asked, each process goes on with values of its own, as on a data folder; a lease is not
given then.
"""

import os
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from gateway.store.shared.contract import GiveBack
from gateway.store.shared.files import DegradedNotice, Slots
from gateway.store.shared.leases import LeaseKeeper, RowLease
from gateway.store.shared.row_counts import RowCounts
from gateway.store.shared.row_presence import RowPresence
from gateway.store.shared.session import SharedSession, SharedUnavailable
from gateway.store.shared.values import AllValues, RowRecord

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

log = structlog.get_logger()


class RowSlots:
    """Places of an appliance among all nodes, each a lease. See ``SharedSlots``."""

    def __init__(self, keeper: LeaseKeeper, tenant: str, name: str, count: int) -> None:
        self._keeper = keeper
        self._names = [f"slot/{tenant}/{name}/{number}" for number in range(count)]
        self._own = Slots(None, count)
        self._notice = DegradedNotice("appliance_limit", name)

    def take(self, timeout_s: float) -> GiveBack | None:
        """Take a place of this process within ``timeout_s``, and one among all now; how to give it back, or None."""
        give_back = self._own.take(timeout_s)
        if give_back is None:
            return None
        try:
            lease = self._keeper.take(*self._names)
        except SharedUnavailable as error:
            self._notice.failed(error)
            return give_back
        self._notice.worked()
        if lease is None:
            give_back()
            return None
        return partial(_give_back, lease, give_back)


def _give_back(lease: RowLease, own: GiveBack) -> None:
    lease.release()
    own()


class SharedPostgresql:
    """What nodes share. ``connect`` opens a connection in autocommit mode, within seconds. See ``Shared``."""

    def __init__(self, connect: "Callable[[], psycopg.Connection[Any]]") -> None:
        self._session = SharedSession(connect)
        self._values = AllValues(self._session)
        # orders.owner and outbox.claimed_by take 32 characters.
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._keeper = LeaseKeeper(self._session, self._name)

    def now(self) -> float:
        return self._session.now()

    def record(self, kind: type[T], tenant: str, name: str) -> RowRecord[T]:
        return RowRecord(kind, self._session, self._values, tenant, name)

    def slots(self, tenant: str, name: str, count: int) -> RowSlots:
        return RowSlots(self._keeper, tenant, name, count)

    def counts(self) -> RowCounts:
        return RowCounts(self._session)

    def lease(self, name: str) -> RowLease | None:
        """Take the lease ``name`` if nobody has it; None also where that cannot be told, which is logged."""
        try:
            return self._keeper.take(name)
        except SharedUnavailable as error:
            log.error("lease_not_taken", lease=name, error=error.strerror)
            return None

    def presence(self) -> RowPresence:
        return RowPresence(self._session, self._keeper, self._name)

    def close(self) -> None:
        """Give back all that this process holds. Safe to call again."""
        self._keeper.close()
        self._session.close()
