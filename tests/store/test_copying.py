"""A database is copied from SQLite to PostgreSQL and back with every row of every table, and goes on there."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, insert, select, text, update

from gateway.errors import DataUnusable
from gateway.store import copying
from gateway.store.copying import CopiedTable, copy, tables_to_copy
from gateway.store.database import Database, open_database
from gateway.store.fitting import Fitted
from gateway.store.tables import metadata
from tests.postgresql import FreshDatabase

pytestmark = pytest.mark.postgresql
ROWS = 5
HARD = "São João\\N\t\"'\r\n€😀%s\\"
"""A text that is written wrongly where anything of COPY's, SQL's or Python's signs is not escaped."""
events, counters = metadata.tables["events"], metadata.tables["counters"]
_numbers = count(1)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    found = open_database(tmp_path / "sqlite")
    found.upgrade()
    yield found
    found.close()


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Database]:
    fresh = FreshDatabase()
    found = fresh.open(tmp_path / "node")
    yield found
    found.close()
    fresh.give_back()


@pytest.fixture
def back(tmp_path: Path) -> Iterator[Database]:
    found = open_database(tmp_path / "back")
    found.upgrade()
    yield found
    found.close()


def fill(database: Database, rows: int = ROWS) -> None:
    """Put ``rows`` rows into each table, no two values alike, every column that may be empty empty in one of them."""
    with database.engine.execution_options(begin="IMMEDIATE").connect() as connection:
        for table in tables_to_copy():
            connection.execute(insert(table), [row(table, number) for number in range(rows)])
        connection.execute(update(counters).where(counters.c.name == "event").values(value=10_000))
        connection.execute(update(counters).where(counters.c.name == "call").values(value=20_000))
        connection.commit()


def row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: value(column, number) for column in table.c}


def value(column: Column[Any], number: int) -> Any:
    if column.name == "tenant":
        return ("acme", "globex")[number % 2]
    if number == 0 and column.nullable:
        return None
    unique = next(_numbers)
    if isinstance(column.type, Boolean):
        return bool(unique % 2)
    if isinstance(column.type, BigInteger | Integer):
        return unique if isinstance(column.type, Integer) else 2**40 + unique
    assert isinstance(column.type, Fitted), column
    return f"{unique}{HARD}"[: column.type.length]


def rows(database: Database, table: Table) -> Sequence[Any]:
    with database.engine.connect() as connection:
        return connection.execute(select(table).order_by(*table.primary_key)).all()


def all_rows(database: Database) -> dict[str, Sequence[Any]]:
    return {table.name: rows(database, table) for table in tables_to_copy()}


def counted(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {found.name: found.value for found in connection.execute(select(counters))}


def ask(database: Database, query: str) -> Sequence[Any]:
    with database.engine.connect() as connection:
        return connection.execute(text(query)).all()


def test_every_row_of_every_table_arrives(sqlite: Database, postgresql: Database) -> None:
    fill(sqlite)
    told: list[CopiedTable] = []
    copy(sqlite, postgresql, on_table=told.append)
    assert all_rows(postgresql) == all_rows(sqlite)
    assert [(each.name, each.rows, each.cut) for each in told] == [(table.name, ROWS, 0) for table in tables_to_copy()]
    assert {"calls", "events", "orders", "agents", "outbox", "accounts", "phones", "audit"} <= {
        each.name for each in told
    }


def test_numbers_go_on_behind_what_is_there(sqlite: Database, postgresql: Database) -> None:
    fill(sqlite)
    before = counted(sqlite)
    copy(sqlite, postgresql, tenants=["newcomer"])
    heads = dict(ask(postgresql, "SELECT tenant, seq FROM heads"))
    assert heads == dict.fromkeys(("acme", "globex", "newcomer"), before["event"])
    assert ask(postgresql, "SELECT nextval('call_ids'), nextval('order_ids')") == [(20_001, max_order(sqlite) + 1)]
    highest = max(found.id for found in rows(sqlite, metadata.tables["audit"]))
    (next_id,) = ask(postgresql, "SELECT nextval(pg_get_serial_sequence('audit', 'id'))")
    assert next_id == (highest + 1,)
    assert counted(postgresql)["lanes"] > 1


def test_what_was_removed_by_age_stays_known_where_events_keep_their_numbers(
    sqlite: Database, postgresql: Database, back: Database
) -> None:
    with sqlite.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        gone = {"tenant": "acme", "seq": 70, "call_id": 30, "events_until": 60}
        connection.execute(insert(metadata.tables["removals"]), [gone])
    copy(sqlite, postgresql)
    assert rows(postgresql, metadata.tables["removals"]) == [("acme", 70, 30, 60)]
    copy(postgresql, back)
    assert rows(back, metadata.tables["removals"]) == []


def max_order(database: Database) -> int:
    return int(max(found.id for found in rows(database, metadata.tables["orders"])))


def test_it_comes_back_with_events_in_one_order(sqlite: Database, postgresql: Database, back: Database) -> None:
    """Each company's events keep their order, whatever its clock showed."""
    fill(sqlite)
    copy(sqlite, postgresql)
    with postgresql.engine.begin() as connection:
        connection.execute(events.delete())
        told = [("acme", 1, 50), ("acme", 2, 10), ("acme", 3, 60), ("globex", 1, 20), ("globex", 2, 55)]
        for tenant, seq, at in told:
            connection.execute(insert(events).values(row(events, 1) | {"tenant": tenant, "seq": seq, "at": at}))
        connection.execute(text("SELECT setval('call_ids', 30000)"))
    copy(postgresql, back)
    ordered = [(each.seq, each.tenant, each.at) for each in rows(back, events)]
    assert ordered == [
        (1, "globex", 20),
        (2, "acme", 50),
        (3, "acme", 10),
        (4, "globex", 55),
        (5, "acme", 60),
    ]
    others = [table.name for table in tables_to_copy() if table is not events]
    assert {name: all_rows(back)[name] for name in others} == {name: all_rows(sqlite)[name] for name in others}
    found = counted(back)
    assert (found["event"], found["call"], found["epoch"]) == (5, 30_000, 1)
    assert "lanes" not in found


def test_the_epoch_goes_along(sqlite: Database, postgresql: Database, back: Database) -> None:
    """Positions of open pages are those of the numbering, which a copy to PostgreSQL keeps."""
    with sqlite.engine.execution_options(begin="IMMEDIATE").connect() as connection:
        connection.execute(insert(counters).values(name="epoch", value=3))
        connection.commit()
    copy(sqlite, postgresql)
    assert counted(postgresql)["epoch"] == 3
    copy(postgresql, back)
    assert counted(back)["epoch"] == 4


def test_a_target_with_rows_is_refused_and_left_alone(sqlite: Database, postgresql: Database) -> None:
    fill(sqlite)
    copy(sqlite, postgresql)
    with pytest.raises(DataUnusable, match="the target is not empty: there are rows in the table"):
        copy(sqlite, postgresql)
    assert all_rows(postgresql) == all_rows(sqlite)


def test_a_row_that_did_not_arrive_keeps_everything_out(
    sqlite: Database, postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite)
    written = copying._write

    def lossy(road: Any, table: Table, chunk: Sequence[Any]) -> None:
        written(road, table, chunk[1:] if table.name == "calls" else chunk)

    monkeypatch.setattr(copying, "_write", lossy)
    with pytest.raises(DataUnusable, match="the table calls did not arrive as it was: 5 rows were read, 4 are there"):
        copy(sqlite, postgresql)
    assert not any(all_rows(postgresql).values())
    monkeypatch.undo()
    copy(sqlite, postgresql)
    assert all_rows(postgresql) == all_rows(sqlite)


def test_a_changed_value_is_noticed(sqlite: Database, postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(sqlite)
    written, calls = copying._write, metadata.tables["calls"]
    place = list(calls.c).index(calls.c.status)

    def changing(road: Any, table: Table, chunk: Sequence[Any]) -> None:
        first = (*chunk[0][:place], "x", *chunk[0][place + 1 :])
        written(road, table, [first, *chunk[1:]] if table is calls else chunk)

    monkeypatch.setattr(copying, "_write", changing)
    with pytest.raises(DataUnusable, match="the table calls did not arrive as it was: 5 rows were read, 5 are there"):
        copy(sqlite, postgresql)


def test_a_text_that_an_old_version_left_too_long_is_cut_and_counted(sqlite: Database, postgresql: Database) -> None:
    fill(sqlite, 1)
    with sqlite.engine.execution_options(begin="IMMEDIATE").connect() as connection:
        connection.exec_driver_sql("UPDATE calls SET number = ?, status = 'a' || char(0) || 'b'", ("9" * 500,))
        connection.commit()
    told: list[CopiedTable] = []
    copy(sqlite, postgresql, on_table=told.append)
    assert [(each.name, each.cut) for each in told if each.cut] == [("calls", 2)]
    (call,) = rows(postgresql, metadata.tables["calls"])
    assert call.status == "ab"
    assert 0 < len(call.number) < 500


def test_a_postgresql_that_is_written_to_is_not_copied(postgresql: Database, back: Database) -> None:
    with postgresql.engine.connect() as writing:
        writing.execute(insert(events).values(row(events, 1)))
        with pytest.raises(DataUnusable, match="another program writes to the database just now"):
            copy(postgresql, back, patience_ms=100)


def test_more_rows_than_one_chunk_arrive(
    sqlite: Database, postgresql: Database, back: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 7)
    fill(sqlite, 30)
    copy(sqlite, postgresql)
    copy(postgresql, back)
    for table in tables_to_copy():
        assert len(rows(back, table)) == 30


def test_rows_go_to_a_folder_as_the_driver_takes_them(
    sqlite: Database, postgresql: Database, back: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To make parameters of each row and fit its texts, which fit already, took a third of the time."""
    fill(sqlite)
    copy(sqlite, postgresql)
    fitted: list[Any] = []
    fit = Fitted.process_bind_param

    def noted(kind: Fitted, told: Any, dialect: Any) -> Any:
        fitted.append(told)
        return fit(kind, told, dialect)

    monkeypatch.setattr(Fitted, "process_bind_param", noted)
    found: list[CopiedTable] = []
    copy(postgresql, back, on_table=found.append)
    assert {table.name: table.rows for table in found}["calls"] == ROWS
    assert len(fitted) < 2 * ROWS * len(found), "the counters alone go by SQLAlchemy"
