"""A store with one gateway on site."""

import pytest

from gateway.store.onsite.sites import OnsiteSite, OnsiteSites
from tests.store.conftest import T0, Store
from tests.store.conftest import open_store as open_store
from tests.store.conftest import store as store


@pytest.fixture
def sites(store: Store) -> OnsiteSites:
    return OnsiteSites(store.engine, store.journal)


@pytest.fixture
def site(sites: OnsiteSites) -> OnsiteSite:
    sites.add("acme", "escritorio", T0)
    found = sites.of("acme", "escritorio")
    assert found is not None
    return found
