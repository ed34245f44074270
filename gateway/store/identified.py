"""Accounts by what names them beside their telephones, for calls whose number nobody has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from gateway.domain.calls.matching import Match, Ranked, RankReason
from gateway.domain.identifiers import Identifier
from gateway.store import statements
from gateway.store.bulk import Driver


class Identified:
    """What ``load`` has read; ``of`` says whom a call's fields name."""

    def __init__(self, connection: Connection | Driver) -> None:
        self._connection = connection
        self._by_key: dict[tuple[str, str, str], list[Match]] = defaultdict(list)

    def load(self, wanted: Mapping[str, Iterable[Identifier]]) -> None:
        """Read who has the identifiers ``wanted`` of each tenant."""
        for tenant, identifiers in wanted.items():
            if values := {each.value for each in identifiers}:
                for kind, value, account_id, code, name in statements.IDENTIFIED.run(
                    self._connection, values, [tenant]
                ):
                    self._by_key[tenant, kind, value].append(Match(account_id, code, name, "", ""))

    def of(self, tenant: str, identifiers: Sequence[Identifier]) -> list[Ranked]:
        """Return all accounts of the first of ``identifiers`` that anybody has; of several none is the right one."""
        found = (self._by_key.get((tenant, *each.key), []) for each in identifiers)
        return [Ranked(match, RankReason.IDENTIFIER) for match in next(filter(None, found), [])]
