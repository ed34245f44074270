"""Tests with a store run on SQLite and on PostgreSQL: each has the one that its name says."""

import pytest
from sqlalchemy.exc import DBAPIError

from tests.store.conftest import Store


@pytest.mark.acceptance(1)
def test_the_store_lies_in_the_database_that_the_test_is_for(store: Store, request: pytest.FixtureRequest) -> None:
    assert store.database.kind == store.engine.dialect.name == request.node.callspec.params["open_store"]


@pytest.mark.control(1)
@pytest.mark.parametrize("open_store", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_what_one_of_them_alone_understands_fails_on_the_other(store: Store) -> None:
    with store.engine.connect() as connection, pytest.raises(DBAPIError, match="syntax error"):
        connection.exec_driver_sql("PRAGMA user_version")
