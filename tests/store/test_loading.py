"""How much an import puts into one transaction."""

import pytest

from gateway.store.imports.loading import FEWEST, MOST, LoadedAccount, Loader
from tests.store.conftest import Store

ACCOUNTS = [LoadedAccount(str(number), "Padaria", ()) for number in range(600)]


@pytest.mark.parametrize(("hold_s", "turns"), [(1e-9, 600 // FEWEST), (3600.0, 5)])
def test_transactions_are_as_large_as_the_database_allows_for(store: Store, hold_s: float, turns: int) -> None:
    store.database.loading_hold_s = hold_s  # type: ignore[misc]
    loader = Loader(store.database)
    loader.write("acme", "csv", ACCOUNTS, 1)
    assert loader._turns == turns  # 20, 40, 80, 160 and the rest where it may take its time
    assert FEWEST <= loader._size <= MOST
    loader.close()
