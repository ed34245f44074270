"""What is settled by it that somebody speaks with a customer: what was missed of the customer's calls before, and
follow-ups that are due.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.domain.calls.windows import KNOWN_BY_ID_MS
from gateway.store import statements
from gateway.store.bulk import Driver, Writes
from gateway.store.partitions.spans import ids_since
from gateway.store.writing.candidates import CandidateCall
from gateway.store.writing.lookups import Rows, bounds

DONE = "follow_up_done"
EARLY_MS = 2 * 3600 * 1000
"""So long before its time a follow-up is done by a call, too."""

By = tuple[int, int]
"""The call in which somebody speaks, and when that was heard (milliseconds)."""
Customer = tuple[str, Any]
"""Tenant, and number or account."""
Found = tuple[Any, ...]
"""Tenant and id of a call of before, whose it is, and from when on it can be settled."""
SettledBy = tuple[str, int, By, str]
"""Tenant and id of a call of before, by what it was settled, and what that is to the list of missed calls."""
Settled = tuple[str, int, int, str]
"""Tenant and id of a call of before, when that was settled, and what that is to the list of missed calls."""


class SpokenWith:
    """Customers with whom somebody speaks, by number and by account."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._numbers: dict[Customer, By] = {}
        self._accounts: dict[Customer, By] = {}
        self._asked: Callable[[], Sequence[Rows]]
        self._returned: Sequence[SettledBy] = ()
        self._done: Sequence[SettledBy] = ()

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def add(self, call: CandidateCall, at: int) -> None:
        """Note that somebody speaks with the outside party of ``call``."""
        tenant, account_id = call.tenant, call.beside["account_id"]
        self._numbers.setdefault((tenant, call.call.number), (call.call.id, at))
        if account_id:
            self._accounts.setdefault((tenant, account_id), (call.call.id, at))

    def ask(self) -> None:
        """Ask for what is settled by it; the calls of the batch must be written already."""
        by_number, by_account = by_tenant(self._numbers), by_tenant(self._accounts)
        earliest = min((at for _, at in self._numbers.values()), default=0)
        within = bounds(ids_since(self._driver, earliest - KNOWN_BY_ID_MS))
        wanted = (by_number, by_account, by_number, by_account)
        self._asked = statements.UNSETTLED.ask(self._driver, wanted, **within)

    def settle(self) -> list[Settled]:
        """Return the customers' missed calls, which are returned now, and their follow-ups, which are done."""
        numbers, self._numbers = self._numbers, {}
        accounts, self._accounts = self._accounts, {}
        missed, of_account, due, due_of_account = self._asked()
        self._returned = _settled("returned", (missed, numbers), (of_account, accounts))
        self._done = _settled(DONE, (due, numbers), (due_of_account, accounts), early_ms=EARLY_MS)
        return [(tenant, call_id, at, what) for tenant, call_id, (_, at), what in (*self._returned, *self._done)]

    def to_write(self) -> Sequence[tuple[Writes, list[dict[str, Any]]]]:
        """Return what writes down all that ``settle`` has returned."""
        return (
            (statements.RETURN_MISSED, _rows(self._returned, "returned_at", "returned_by")),
            (statements.FINISH_FOLLOW_UP, _rows(self._done, "follow_up_done_at", "follow_up_done_in")),
        )


def _settled(what: str, *found: tuple[Iterable[Found], Mapping[Customer, By]], early_ms: int = 0) -> list[SettledBy]:
    """Return the calls of before, once each, that are settled by another one that was heard after a moment."""
    settled: dict[int, SettledBy] = {}
    for rows, spoken in found:
        for tenant, call_id, key, moment in rows:
            by = spoken[tenant, key]
            if by[0] != call_id and (moment or 0) - early_ms <= by[1]:
                settled.setdefault(call_id, (tenant, call_id, by, what))
    return list(settled.values())


def _rows(settled: Iterable[SettledBy], at: str, by: str) -> list[dict[str, Any]]:
    return [{"of": call_id, at: heard_at, by: new} for _, call_id, (new, heard_at), _ in settled]


def by_tenant(customers: Iterable[Customer]) -> Mapping[str, list[Any]]:
    """Return the numbers or accounts of each tenant."""
    found: dict[str, list[Any]] = defaultdict(list)
    for tenant, key in customers:
        found[tenant].append(key)
    return found
