"""The call log is read in the order of ids, and at once, however long it is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from gateway.store import calls as reading
from gateway.store.calls import CallFilter, CallLog, LoggedCall
from gateway.store.sqlite.engine import open_engine, upgrade
from tests.store.conftest import T0, Store

MANY = 200_000


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallLog]:
    """A log of many calls, a second apart, of a hundred extensions; the two oldest are of a number of their own."""
    folder = tmp_path_factory.mktemp("long")
    engine = open_engine(folder)
    upgrade(engine, folder)
    with engine.begin() as connection:
        connection.execute(
            text(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
                " INSERT INTO calls (id, tenant, direction, extension, number, number_as_sent, logged_at, status)"
                " SELECT i, 'acme', 'incoming', 3500 + i % 100,"
                " CASE WHEN i < 3 THEN '2133334444' ELSE '47' || (32100000 + i) END, '', :t0 + i * 1000, 'ended'"
                " FROM n"
            ),
            {"many": MANY, "t0": T0},
        )
    yield CallLog(engine)
    engine.dispose()


@contextmanager
def steps_counted(engine: Engine) -> Iterator[list[None]]:
    """Give a list that grows with each thousand steps of SQLite's machine on the engine's connections."""
    steps: list[None] = []

    def begin(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(lambda: steps.append(None), 1000)

    event.listen(engine, "begin", begin)
    yield steps
    event.remove(engine, "begin", begin)
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(None, 1000)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [MANY, MANY - 1]),
        ({"extension": "3501"}, [MANY - 99, MANY - 199]),
        ({"number": "4732"}, [MANY, MANY - 1]),
        ({"number": "21"}, [2, 1]),
        ({"number": "2133334444"}, [2, 1]),
        ({"before_id": 3}, [2, 1]),
        ({"before_id": 3, "extension": "3501"}, [1]),
        ({"extension": "9999"}, []),
        ({"since": T0 + MANY * 1000 - 1000}, [MANY, MANY - 1]),
        ({"since": T0 + 1000, "number": "21"}, [2, 1]),
        ({"since": T0 + 2000, "until": T0 + 3000}, [2]),
    ],
)
def test_the_newest_calls_are_found_at_once(long_log: CallLog, wanted: Mapping[str, Any], found: list[int]) -> None:
    with steps_counted(long_log._engine) as steps:
        newest = [call.id for call in long_log.recent("acme", CallFilter(**wanted), limit=2)]
    assert newest == found
    # To sort what an index finds takes over two million steps; one look through the index by time, where nothing is
    # found of an extension, 1.2 million.
    assert len(steps) < (250 if found else 1500)


def test_calls_are_in_the_order_of_their_ids_wherever_the_nearest_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "NEAR", 3)
    for n in range(8):
        store.start("3501" if n % 2 else "3502", f"473333000{n}", T0 - n * 60_000)
    ids = [call.id for call in store.calls.recent("acme")]
    assert ids == sorted(ids, reverse=True)
    assert [len(store.calls.recent("acme", CallFilter(extension="3501"), limit=limit)) for limit in (1, 3, 9)] == [
        1,
        3,
        4,
    ]
    assert store.calls.recent("other") == []


@pytest.mark.sqlite("PostgreSQL knows how many calls each index holds")
def test_a_page_of_all_calls_is_not_sorted(store: Store) -> None:
    """Each page would look through the whole log: a million calls are a thousand pages."""
    asked: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    for wanted in (CallFilter(), CallFilter(extension="3501")):
        asked.clear()
        assert list(store.calls.pages("acme", wanted)) == []
        (query, values) = asked[-1]
        with store.engine.connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
        assert plan[0] == "SEARCH calls USING INTEGER PRIMARY KEY (rowid>?)"
        assert "TEMP B-TREE" not in " ".join(plan)


def test_each_call_is_made_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has 64 fields: to make it again for its only leg took more than all else of an export."""
    for n in range(3):
        store.start("3501", f"473333000{n}", T0 + n * 60_000)
    made: list[int] = []
    make = LoggedCall.__init__

    def noted(self: LoggedCall, *args: Any, **values: Any) -> None:
        made.append(values["id"])
        make(self, *args, **values)

    monkeypatch.setattr(LoggedCall, "__init__", noted)
    found = store.calls.recent("acme")
    assert made == [call.id for call in found] == [3, 2, 1]
    assert [[leg.extension for leg in call.legs] for call in found] == [["3501"]] * 3
