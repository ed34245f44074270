"""What is settled by it that somebody speaks with a customer: what was missed of the customer's calls before, and
follow-ups that are due.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.store import statements
from gateway.store.bulk import Change, Driver
from gateway.store.writing.candidates import CandidateCall

DONE = "follow_up_done"
EARLY_MS = 2 * 3600 * 1000
"""So long before its time a follow-up is done by a call, too."""

By = tuple[int, int]
"""The call in which somebody speaks, and when that was heard (milliseconds)."""
Customer = tuple[str, Any]
"""Tenant, and number or account."""
Found = tuple[Any, ...]
"""Tenant and id of a call of before, whose it is, and from when on it can be settled."""
Settled = tuple[str, int, int, str]
"""Tenant and id of a call of before, when that was settled, and what that is to the list of missed calls."""


class SpokenWith:
    """Customers with whom somebody speaks, by number and by account."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._numbers: dict[Customer, By] = {}
        self._accounts: dict[Customer, By] = {}

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
        missed = statements.MISSED_CALLS.run(self._driver, by_tenant(numbers))
        returned = [*self._return(missed, numbers)]
        missed = statements.MISSED_OF_ACCOUNTS.run(self._driver, [account for _, account in accounts])
        returned += self._return(missed, accounts)
        of_numbers, of_accounts = statements.FOLLOW_UPS_OF_NUMBERS, statements.FOLLOW_UPS_OF_ACCOUNTS
        done = self._finish(of_numbers.run(self._driver, by_tenant(numbers)), numbers)
        return [*returned, *done, *self._finish(of_accounts.run(self._driver, by_tenant(accounts)), accounts)]

    def _return(self, missed: Iterable[Found], spoken: Mapping[Customer, By]) -> list[Settled]:
        settled = [(row, spoken[row[0], row[2]], row[3] or 0) for row in missed]
        return self._settle(statements.RETURN_MISSED, settled, "returned")

    def _finish(self, due: Iterable[Found], spoken: Mapping[Customer, By]) -> list[Settled]:
        settled = [(row, spoken[row[0], row[2]], row[3] - EARLY_MS) for row in due]
        return self._settle(statements.FINISH_FOLLOW_UP, settled, DONE)

    def _settle(self, change: Change, found: Iterable[tuple[Found, By, int]], what: str) -> list[Settled]:
        """Settle calls of before, each by another one that was heard after a moment."""
        settled = [(row, by) for row, by, after in found if by[0] != row[1] and after <= by[1]]
        change.run(self._driver, [{"of": row[1], "by": by[0], "at": by[1]} for row, by in settled])
        return [(row[0], row[1], by[1], what) for row, by in settled]


def by_tenant(customers: Iterable[Customer]) -> Mapping[str, list[Any]]:
    """Return the numbers or accounts of each tenant."""
    found: dict[str, list[Any]] = defaultdict(list)
    for tenant, key in customers:
        found[tenant].append(key)
    return found
