"""The store's fixtures, for tests that write down what sources tell."""

from tests.store.conftest import open_store as open_store
from tests.store.conftest import store as store
