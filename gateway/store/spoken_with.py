"""What is settled by it that somebody speaks with a customer: calls of the customer's that were missed before."""

from collections.abc import Callable, Iterator
from typing import Any

from gateway.store import statements
from gateway.store.bulk import Driver, Lookup
from gateway.store.candidates import CandidateCall

By = tuple[int, int]
"""The call in which somebody speaks, and when that was heard (milliseconds)."""
Settled = tuple[str, int, int]
"""Tenant and id of a call that was missed, and when that was settled."""


class SpokenWith:
    """Customers with whom somebody speaks, by number and by account."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._numbers: dict[tuple[str, str], By] = {}
        self._accounts: dict[tuple[str, int], By] = {}

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def add(self, call: CandidateCall, at: int) -> None:
        """Note that somebody speaks with the outside party of ``call``."""
        tenant, account_id = call.row["tenant"], call.row["account_id"]
        self._numbers.setdefault((tenant, call.call.number), (call.call.id, at))
        if account_id:
            self._accounts.setdefault((tenant, account_id), (call.call.id, at))

    def settle(self) -> list[Settled]:
        """Mark the customers' missed calls as returned, which must be written already; return those calls."""
        numbers, self._numbers = self._numbers, {}
        accounts, self._accounts = self._accounts, {}
        by_number = self._settle_by(statements.MISSED_CALLS, numbers, lambda tenant: (tenant,))
        by_account = self._settle_by(statements.MISSED_OF_ACCOUNTS, accounts, lambda _tenant: ())
        return [*by_number, *by_account]

    def _settle_by(
        self, lookup: Lookup, wanted: dict[tuple[str, Any], By], before: Callable[[str], tuple[str, ...]]
    ) -> Iterator[Settled]:
        for tenant in dict.fromkeys(tenant for tenant, _ in wanted):
            keys = [key for of, key in wanted if of == tenant]
            for call_id, key, missed_at in lookup.run(self._driver, keys, before(tenant)):
                by, at = wanted[tenant, key]
                if by != call_id and (missed_at or 0) <= at:
                    statements.RETURN_MISSED.run(self._driver, [{"of": call_id, "by": by, "at": at}])
                    yield tenant, call_id, at
