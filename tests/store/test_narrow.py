"""A call is written with no more columns than it needs, and none of its values is left behind by that."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import Boolean, select

from gateway.domain.calls.call import NOTHING_ATTACHED
from gateway.domain.messages import ATTACHED
from gateway.store import statements, tables
from gateway.store.call_columns import CALL_COLUMNS
from gateway.store.fitting import Fitted
from gateway.store.writing.candidates import CandidateCall, read_call
from tests.store.conftest import Store

WRITE = statements.WRITE_CALLS
REQUIRED = [column for column in tables.calls.c if not column.nullable]
NEEDED = {column.name: "x" if isinstance(column.type, Fitted) else 7 for column in REQUIRED}
TAKEN_BACK = [column.name for column in tables.calls.c if column.nullable and "fixed" not in column.info]


def row(**values: Any) -> dict[str, Any]:
    """A call of which nothing but ``values`` and what no call goes without is known."""
    return dict.fromkeys(CALL_COLUMNS) | NEEDED | values


def call(**values: Any) -> CandidateCall:
    """A call as it is read; nothing of it is in the database yet."""
    read = read_call(tuple(row(**values).values()))
    read.width, read.indexed = 0, None
    return read


def take_back(known: CandidateCall, name: str) -> None:
    if name in known.beside:
        known.beside[name] = None
    elif name in ATTACHED:
        known.call = known.call._replace(attached=NOTHING_ATTACHED)
    else:
        known.call = known.call._replace(**{name: None})


def written(store: Store, calls: Iterable[CandidateCall]) -> list[Mapping[str, Any]]:
    """The calls in the database, once ``calls`` are written."""
    with store.engine.begin() as connection:
        WRITE.run(connection, [each.to_write() for each in calls])
        return [dict(found._mapping) for found in connection.execute(select(tables.calls).order_by("id"))]


def test_what_a_call_says_no_more_is_taken_back(store: Store) -> None:
    calls = [call(id=number, **{name: some(name)}) for number, name in enumerate(TAKEN_BACK, 1)]
    assert written(store, calls) == [row(id=number, **{name: some(name)}) for number, name in enumerate(TAKEN_BACK, 1)]
    for each, name in zip(calls, TAKEN_BACK, strict=True):
        take_back(each, name)
    assert written(store, calls) == [row(id=number) for number in range(1, len(calls) + 1)]


def some(name: str) -> Any:
    kind = tables.calls.c[name].type
    return "y" if isinstance(kind, Fitted) else isinstance(kind, Boolean) or 3


def test_what_was_read_is_taken_back_as_well(store: Store) -> None:
    """As a resumed call takes back since when it was on hold, of which another process wrote."""
    written(store, [call(held_at=3, answered_at=2)])
    known = read_call(tuple(row(held_at=3, answered_at=2).values()))
    take_back(known, "held_at")
    assert written(store, [known]) == [row(answered_at=2)]


def test_calls_of_several_widths_are_written_together(store: Store) -> None:
    calls = [call(id=1), call(id=2, ended_at=4, result="busy"), call(id=3, held_at=3), call(id=4, ring_s=2), call(id=5)]
    assert written(store, calls) == [each.row for each in calls]


def test_plain_starts_and_ends_are_narrow(store: Store) -> None:
    """They are most of all events: the narrower, the cheaper each is."""
    store.start("3501", "4732100123")
    assert widths(store) == [0]
    store.end("3501", "4732100123", duration_s=9, recording_url="http://pbx/1.wav")
    assert widths(store) == [1]


def widths(store: Store) -> list[int]:
    with store.engine.connect() as connection:
        return [WRITE.width_of(found) for found in connection.execute(statements.LOGGED_CALLS)]


def test_what_stands_in_an_index_is_written_anew_where_it_is_another(store: Store) -> None:
    """In one transaction as in another one: of a new call the first write is what later ones are compared with."""
    known = call(id=1, account_id=5, call_ref="y")
    written(store, [known])
    moves: list[dict[str, Any]] = [{"extension": "z"}, {"number": "z"}, {"call_ref": "z"}]
    for moved in moves:
        known.call = known.call._replace(**moved)
        assert written(store, [known]) == [known.row]
    known.beside["account_id"] = 6
    assert written(store, [known]) == [known.row]


@pytest.mark.sqlite("PostgreSQL looks at values: an index is left alone where they stay")
def test_a_call_that_goes_on_changes_no_index_of_calls(store: Store) -> None:
    """SQLite writes a page of each index that a statement sets a column of, whatever to."""
    store.start("3501", "4732100123", call_ref="y")
    texts: list[str] = []
    with store.engine.begin() as connection:
        raw: Any = connection.connection.driver_connection
        (found,) = map(tuple, connection.execute(statements.LOGGED_CALLS))
        raw.set_trace_callback(texts.append)
        WRITE.run(connection, [read_call(found).to_write()])
        raw.set_trace_callback(None)
    anew = {part.split(" = ")[0].strip() for part in texts[0].split("DO UPDATE SET ")[1].split(",")}
    assert "status" in anew
    assert anew.isdisjoint(statements.INDEXED)
