"""Accounts by number, ranked: for a batch of events at once, or for one card."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from gateway.domain.calls.matching import Match, Ranked, ranked
from gateway.domain.calls.windows import KNOWN_BY_ID_MS
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.partitions.spans import EVERY_ID, ids_since

FOREVER = 2**62


class Matches:
    """What ``load`` has read, ranked by ``of``. Only contacts ``before`` a moment count (milliseconds)."""

    def __init__(self, connection: Connection | Driver, *, before: int = FOREVER) -> None:
        self._connection = connection
        self._before = before
        self._by_number: dict[tuple[str, str], list[Match]] = defaultdict(list)

    def read(self, wanted: Mapping[str, set[str]]) -> None:
        """Read who has the numbers ``wanted`` of each tenant."""
        for _ in self.load(wanted):
            pass

    def load(self, wanted: Mapping[str, set[str]]) -> Iterator[None]:
        """Read the same together with others (``lookups.load_together``)."""
        owners = statements.OWNERS.ask(self._connection, wanted)
        yield
        found = [
            (tenant, Match(account_id, code, name, contact, number, owner, updated_at, chosen_at))
            for tenant, number, contact, account_id, name, code, owner, updated_at, chosen_at in owners()
        ]
        last = self._last_contacts(found)
        for tenant, match in found:
            at = last.get(match.account_id)
            self._by_number[tenant, match.number].append(replace(match, last_contact_at=at) if at else match)

    def of(self, tenant: str, candidates: Sequence[str], extension: str = "") -> list[Ranked]:
        """Return all matches, the best first."""
        found = [match for number in candidates for match in self._by_number.get((tenant, number), ())]
        return ranked(found, candidates, extension) if found else []

    def _last_contacts(self, found: Iterable[tuple[str, Match]]) -> dict[int, int]:
        """Return when each account was spoken with last, where that matters: where there is a choice, which is rare."""
        owners: dict[tuple[str, str], set[int]] = defaultdict(set)
        for tenant, match in found:
            owners[tenant, match.number].add(match.account_id)
        rivals = {account_id for accounts in owners.values() if len(accounts) > 1 for account_id in accounts}
        if not rivals:
            return {}
        lately = ids_since(self._connection, round(time.time() * 1000) - KNOWN_BY_ID_MS)
        if lately == EVERY_ID:
            return dict(statements.LAST_CONTACTS.run(self._connection, rivals, [self._before]))
        recent = statements.LATELY_IN_CONTACT.run(self._connection, rivals, [*lately, self._before])
        # Older calls are asked for only of those with whom nobody has spoken since.
        others = rivals - {account_id for account_id, _ in recent}
        return dict((*recent, *statements.LAST_CONTACTS.run(self._connection, others, [self._before])))
