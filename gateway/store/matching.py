"""Accounts by number, ranked: for a batch of events at once, or for one card."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from gateway.domain.calls.matching import Match, Ranked, ranked
from gateway.store import statements
from gateway.store.bulk import Driver

FOREVER = 2**62


class Matches:
    """What ``load`` has read, ranked by ``of``. Only contacts ``before`` a moment count (milliseconds)."""

    def __init__(self, connection: Connection | Driver, *, before: int = FOREVER) -> None:
        self._connection = connection
        self._before = before
        self._by_number: dict[tuple[str, str], list[Match]] = defaultdict(list)

    def load(self, wanted: Mapping[str, set[str]]) -> None:
        """Read who has the numbers ``wanted`` of each tenant."""
        for tenant, numbers in wanted.items():
            if numbers:
                self._load(tenant, numbers)

    def of(self, tenant: str, candidates: Sequence[str], extension: str = "") -> list[Ranked]:
        """Return all matches, the best first."""
        found = [match for number in candidates for match in self._by_number.get((tenant, number), ())]
        return ranked(found, candidates, extension) if found else []

    def _load(self, tenant: str, numbers: Iterable[str]) -> None:
        rows = statements.OWNERS.run(self._connection, numbers, [tenant])
        found = [
            Match(account_id, code, name, contact, number, owner, updated_at, chosen_at)
            for number, contact, account_id, name, code, owner, updated_at, chosen_at in rows
        ]
        owners: dict[str, set[int]] = defaultdict(set)
        for match in found:
            owners[match.number].add(match.account_id)
        # The last contact only matters where there is a choice, which is seldom.
        rivals = {account_id for accounts in owners.values() if len(accounts) > 1 for account_id in accounts}
        last = dict(statements.LAST_CONTACTS.run(self._connection, rivals, [self._before])) if rivals else {}
        for match in found:
            at = last.get(match.account_id)
            self._by_number[tenant, match.number].append(replace(match, last_contact_at=at) if at else match)
