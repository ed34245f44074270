"""What boards and figures read, on both kinds of database: statements that one of them may not take."""

import pytest
from sqlalchemy import text

from gateway.store import board
from gateway.store.board import BoardLog
from gateway.store.figures.log import FiguresLog
from tests.store.conftest import T0, Store

HOUR = 3_600_000
ANA, BETO = "4732100123", "4732100124"


def test_extensions_with_calls_since_then_are_found_and_no_more_than_the_bound(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for extension, at in (("3501", T0), ("3502", T0 + HOUR), ("3503", T0 + HOUR), ("3503", T0 + 2 * HOUR)):
        store.start(extension, ANA, at)
    store.start("3504", ANA, T0 + HOUR, tenant="rival")
    assert BoardLog(store.engine).extensions("acme", T0 + HOUR) == ["3502", "3503"]
    assert BoardLog(store.engine).extensions("nobody", 0) == []
    monkeypatch.setattr(board, "MOST_EXTENSIONS", 2)
    assert BoardLog(store.engine).extensions("acme", 0) == ["3501", "3502"]


@pytest.mark.sqlite("PostgreSQL goes from one extension to the next by an index")
def test_extensions_of_a_week_are_found_without_reading_its_calls(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.engine.connect() as connection:
        given = {"tenant": "acme", "since": T0, "most": 9, "newest": 9}
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {board._EXTENSIONS}"), given).all()
    by_time = "SEARCH calls USING COVERING INDEX ix_calls_tenant_logged_at_extension (tenant=? AND logged_at>?)"
    assert by_time in [row[3] for row in plan]
    for n, extension in enumerate(("3501", "3503", "3502", "3502")):
        store.start(extension, f"473333000{n}", T0 + n)
    monkeypatch.setattr(board, "NEWEST_HEARD", 3)
    assert BoardLog(store.engine).extensions("acme", T0) == ["3502", "3503"]


def test_calls_are_counted_by_interval_person_and_queue(store: Store) -> None:
    store.start("3501", ANA, T0, queue="Vendas")
    store.answer("3501", ANA, T0 + 10_000)
    store.end("3501", ANA, T0 + 70_000)
    store.start("3502", BETO, T0 + HOUR)
    counted = FiguresLog(store.engine).of("acme", (T0, T0 + HOUR, T0 + 2 * HOUR, T0 + 3 * HOUR))
    assert [each.answered for each in counted.intervals] == [1, 0, 0]
    assert [each.received for each in counted.intervals] == [1, 1, 0]
    assert set(counted.people) == {"3501", "3502"}
    assert counted.queues["Vendas"].talked_s == 60


def test_calls_of_one_interval_are_counted(store: Store) -> None:
    store.start("3501", ANA, T0)
    (found,) = FiguresLog(store.engine).of("acme", (T0, T0 + HOUR)).intervals
    assert found.received == 1
