"""What is settled by it that somebody speaks with a customer: what was missed of the customer's calls before, and
follow-ups that are due.
"""

from collections.abc import Callable, Iterator
from typing import Any

from gateway.store import statements
from gateway.store.bulk import Change, Driver, Lookup
from gateway.store.candidates import CandidateCall

DONE = "follow_up_done"
EARLY_MS = 2 * 3600 * 1000
"""So long before its time a follow-up is done by a call, too."""

By = tuple[int, int]
"""The call in which somebody speaks, and when that was heard (milliseconds)."""
Settled = tuple[str, int, int, str]
"""Tenant and id of a call of before, when that was settled, and what that is to the list of missed calls."""


class SpokenWith:
    """Customers with whom somebody speaks, by number and by account."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._numbers: dict[tuple[str, Any], By] = {}
        self._accounts: dict[tuple[str, Any], By] = {}

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def add(self, call: CandidateCall, at: int) -> None:
        """Note that somebody speaks with the outside party of ``call``."""
        tenant, account_id = call.tenant, call.beside["account_id"]
        self._numbers.setdefault((tenant, call.call.number), (call.call.id, at))
        if account_id:
            self._accounts.setdefault((tenant, account_id), (call.call.id, at))

    def settle(self) -> list[Settled]:
        """Mark the customers' missed calls, which must be written already, as returned, their follow-ups as
        done.
        """
        numbers, self._numbers = self._numbers, {}
        accounts, self._accounts = self._accounts, {}
        return [
            *self._return(statements.MISSED_CALLS, numbers, lambda tenant: (tenant,)),
            *self._return(statements.MISSED_OF_ACCOUNTS, accounts, lambda _tenant: ()),
            *self._finish(statements.FOLLOW_UPS_OF_NUMBERS, numbers),
            *self._finish(statements.FOLLOW_UPS_OF_ACCOUNTS, accounts),
        ]

    def _return(
        self, lookup: Lookup, wanted: dict[tuple[str, Any], By], before: Callable[[str], tuple[str, ...]]
    ) -> Iterator[Settled]:
        for tenant in dict.fromkeys(tenant for tenant, _ in wanted):
            keys = [key for of, key in wanted if of == tenant]
            for call_id, key, missed_at in lookup.run(self._driver, keys, before(tenant)):
                yield from self._settle(
                    statements.RETURN_MISSED, (tenant, call_id), wanted[tenant, key], missed_at or 0, "returned"
                )

    def _finish(self, lookup: Lookup, wanted: dict[tuple[str, Any], By]) -> Iterator[Settled]:
        for tenant in dict.fromkeys(tenant for tenant, _ in wanted):
            keys = [key for of, key in wanted if of == tenant]
            for call_id, key, due_at in lookup.run(self._driver, keys, (tenant,)):
                yield from self._settle(
                    statements.FINISH_FOLLOW_UP,
                    (tenant, call_id),
                    wanted[tenant, key],
                    due_at - EARLY_MS,
                    "follow_up_done",
                )

    def _settle(self, change: Change, of: tuple[str, int], by: By, not_before: int, what: str) -> Iterator[Settled]:
        """Settle a call of before by another one that was heard after ``not_before``."""
        (tenant, call_id), (by_id, at) = of, by
        if by_id != call_id and not_before <= at:
            change.run(self._driver, [{"of": call_id, "by": by_id, "at": at}])
            yield tenant, call_id, at, what
