"""Accounts by what names them beside their telephones, for calls whose number nobody has."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.domain.calls.matching import Match, Ranked, RankReason
from gateway.domain.identifiers import Identifier
from gateway.store import statements
from gateway.store.bulk import Driver


class Identified:
    """Says whom a call's fields name; what it has read once it reads no more."""

    def __init__(self, connection: Connection | Driver) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], dict[str, list[Match]]] = {}

    def of(self, tenant: str, identifiers: Sequence[Identifier]) -> list[Ranked]:
        """Return all accounts of the first of ``identifiers`` that anybody has; of several none is the right one."""
        self._read(tenant, {each.value for each in identifiers})
        found = (self._known[tenant, each.value].get(each.kind) for each in identifiers)
        return [Ranked(match, RankReason.IDENTIFIER) for match in next(filter(None, found), [])]

    def _read(self, tenant: str, values: set[str]) -> None:
        new = [value for value in values if (tenant, value) not in self._known]
        self._known |= {(tenant, value): defaultdict(list) for value in new}
        for kind, value, account_id, code, name in statements.IDENTIFIED.run(self._connection, new, [tenant]):
            self._known[tenant, value][kind].append(Match(account_id, code, name, "", ""))
