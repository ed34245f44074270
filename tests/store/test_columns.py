"""What is said of a column in ``tables/`` is what is written, shown and told of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import Boolean, Connection, Table, select

from gateway.store import statements, tables
from gateway.store.bulk import written
from gateway.store.call_columns import CALL_COLUMNS
from gateway.store.call_fields import BESIDE, EVENT_FIELDS, KNOWN_EVENT_FIELDS, LOG_FIELDS, SCREEN_FIELDS
from gateway.store.calls import LoggedCall
from gateway.store.fitting import Fitted
from tests.store.conftest import Store

WriteRows = Callable[[Connection, Sequence[Mapping[str, Any]]], None]


def write_calls(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    write = statements.WRITE_CALLS
    values = [tuple(row[name] for name in CALL_COLUMNS) for row in rows]
    write.run(connection, [(write.width_of(each), each) for each in values])


WRITES: list[tuple[Table, WriteRows]] = [
    (tables.calls, write_calls),
    (tables.choices, statements.WRITE_CHOICES.run),
]


def row_of(table: Table, text: str, number: int) -> dict[str, Any]:
    """A row whose columns that may change differ with ``text`` and ``number``; its key is always the same."""
    row: dict[str, Any] = {column.name: text if isinstance(column.type, Fitted) else number for column in table.c}
    row |= {column.name: number > 1 for column in table.c if isinstance(column.type, Boolean)}
    return row | {column.name: "x" if isinstance(column.type, Fitted) else 7 for column in table.primary_key}


@pytest.mark.parametrize(("table", "write"), WRITES)
def test_a_row_that_is_written_again_changes_but_for_what_is_fixed(
    store: Store, table: Table, write: WriteRows
) -> None:
    before, after = row_of(table, "before", 1), row_of(table, "after", 2)
    with store.engine.begin() as connection:
        write(connection, [before])
        write(connection, [after])
        found = dict(connection.execute(select(table)).one()._mapping)
    fixed = {column.name for column in table.c if column.primary_key or "fixed" in column.info}
    assert found == after | {name: before[name] for name in fixed}


def test_whose_a_call_is_and_who_was_to_dial_is_not_written_again() -> None:
    fixed = {column.name for column in tables.calls.c if "fixed" in column.info}
    assert fixed == {"id", "tenant", "logged_at", "order_id", "returned_at", "returned_by", "cleared_at", "cleared_by"}


def test_an_order_is_written_without_what_comes_of_it() -> None:
    later = {"dialled_by", "outcome", "detail", "peer_ref", "settled_at", "sentence"}
    assert set(tables.orders.c.keys()) - set(written(tables.orders)) == later
    assert "id" not in written(tables.attempts)


def test_screens_are_told_nothing_that_scripts_cannot_look_up() -> None:
    renamed = {column: name for name, column in BESIDE.items()}
    assert {renamed.get(tables.calls.c[name], name) for name in SCREEN_FIELDS} <= set(LOG_FIELDS)
    assert set(SCREEN_FIELDS) == {*EVENT_FIELDS, *KNOWN_EVENT_FIELDS} - {"account_id"}


def test_a_logged_call_has_all_fields_that_are_told() -> None:
    assert set(LOG_FIELDS) <= {field.name for field in fields(LoggedCall)} | {"certainty", "rang"}


def test_a_field_keeps_its_place_for_those_who_read_columns_by_number() -> None:
    first = ("id", "tenant", "direction", "extension", "number", "account", "started_at", "ended_at", "duration_s")
    assert LOG_FIELDS[:11] == (*first, "recording_url", "status")
    assert LOG_FIELDS[11:18] == (
        *("contact", "appliance", "detail", "paired_by", "certainty", "group_id", "transferred_to"),
    )
    assert LOG_FIELDS[18:24] == ("result", "result_text", "over_by", "over_at", "call_ref", "request_id")
