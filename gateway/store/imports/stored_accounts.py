"""The directory as an import reads it, to see what changed."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Engine, select

from gateway.store import tables
from gateway.store.imports.loading import Known, known_accounts

accounts = tables.accounts

PAGE = 1000


class StoredAccounts:
    """Reads accounts in small steps: no transaction stays open between two of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, tenant: str, codes: Sequence[str]) -> Mapping[str, Known]:
        """Return the stored accounts with ``codes``, by code."""
        with self._engine.connect() as connection:
            return known_accounts(connection, tenant, codes)

    def codes_of(self, tenant: str, source: str) -> Iterator[Mapping[str, int]]:
        """Yield all accounts that ``source`` brought, as pages of codes with ids."""
        last = ""
        while True:
            query = select(accounts.c.code, accounts.c.id, accounts.c.source)
            query = query.where(accounts.c.tenant == tenant, accounts.c.code > last)
            with self._engine.connect() as connection:
                rows = connection.execute(query.order_by(accounts.c.code).limit(PAGE)).all()
            if not rows:
                return
            yield {row.code: row.id for row in rows if row.source == source}
            last = rows[-1].code
