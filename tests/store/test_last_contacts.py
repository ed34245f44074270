"""Which call of an account was the last one: found at the end of an index, however many calls it has."""

import pytest
from sqlalchemy import insert

from gateway.store import statements, tables
from tests.store.conftest import T0, Store

MANY = 20_000


@pytest.fixture
def spoken(store: Store) -> Store:
    """Two accounts with calls, one of them with many, and one without."""
    names = {"tenant": "acme", "source": "s", "updated_at": T0}
    accounts = [names | {"id": n, "code": str(n), "name": f"A{n}"} for n in (1, 2, 3)]
    call = {"tenant": "acme", "direction": "incoming", "extension": "", "number": "1", "number_as_sent": "1"}
    call |= {"status": "ended"}
    rows = [call | {"id": n, "account_id": 1, "logged_at": T0 + n} for n in range(1, MANY)]
    rows.append(call | {"id": MANY, "account_id": 2, "logged_at": T0 + 5})
    with store.engine.begin() as connection:
        connection.execute(insert(tables.accounts), accounts)
        connection.execute(insert(tables.calls), rows)
    return store


def test_the_last_call_before_a_moment_is_found(spoken: Store) -> None:
    with spoken.engine.connect() as connection:
        found = dict(statements.LAST_CONTACTS.run(connection, [1, 2, 3], [T0 + 1000]))
        assert found == {1: T0 + 999, 2: T0 + 5}
        lately = dict(statements.LATELY_IN_CONTACT.run(connection, [1, 2, 3], [1, MANY, T0 + 10 * MANY]))
        assert lately == {1: T0 + MANY - 1}


@pytest.mark.sqlite("PostgreSQL counts no steps")
def test_an_account_with_many_calls_takes_no_longer(spoken: Store) -> None:
    """Counted in steps of SQLite's machine."""
    with spoken.engine.connect() as connection:
        steps: list[int] = []
        driver = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.append(1) or 0, 10)  # type: ignore[union-attr, func-returns-value]
        assert dict(statements.LAST_CONTACTS.run(connection, [1], [T0 + 10 * MANY])) == {1: T0 + MANY - 1}
        driver.set_progress_handler(None, 10)  # type: ignore[union-attr]
    assert len(steps) < 20
