"""What can be told of calls of before: how they ended, and which were missed."""

from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.store import filling_missed
from gateway.store.filling import Filler
from gateway.store.writing.journal import Journal
from tests.store.conftest import T0, Store
from tests.store.test_filling import end, old_folder


def found(store_engine: object) -> list[tuple[str | None, bool]]:
    with store_engine.connect() as connection:  # type: ignore[attr-defined]
        rows = connection.execute(text("SELECT result, missed FROM calls ORDER BY id")).all()
    return [(row.result, bool(row.missed)) for row in rows]


def test_calls_of_0_1_0_are_filled_in_once_their_words_are_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling_missed, "SLICE", 2)
    database = old_folder(tmp_path, [end("NOANSWER"), end(None), end("ocupado"), end("ANSWERED"), end(None)])
    engine = database.engine
    with engine.begin() as connection:
        connection.execute(text("UPDATE calls SET recording_url = 'http://pbx/1.wav' WHERE id = 5"))
        connection.execute(text("UPDATE calls SET direction = 'outgoing' WHERE id = 3"))
    journal = Journal(database)
    journal.start()
    filler = Filler(engine, journal)
    assert (filler.fill(), filler.fill_missed()) == (3, 2)
    assert found(engine) == [
        ("missed", True),
        ("unknown", False),
        ("busy", False),
        ("answered", False),
        ("answered", False),
    ]
    assert filler.fill_missed() == 0, "what was looked at is not looked at again"
    journal.stop()
    engine.dispose()


def test_a_missed_call_of_before_was_returned_by_the_first_that_was_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling_missed, "SLICE", 2)
    for number in ("4732100123", "anonymous", "4733330000"):
        store.start("3501", number, T0)
        store.end("3501", number, T0 + 20_000, result="NOANSWER")
    for at in (100_000, 200_000, 300_000):
        store.start("4732100123", "3502", T0 + at)
        store.end("4732100123", "3502", T0 + at + 60_000, result="BUSY" if at == 100_000 else "ANSWERED")
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET returned_at = NULL, returned_by = NULL"))
        connection.execute(text("UPDATE counters SET value = 6 WHERE name = 'missed_to_fill'"))
    Filler(store.engine, store.journal).fill_missed()
    calls = sorted(store.calls.recent("acme"), key=lambda call: call.id)
    assert [(bool(call.missed), call.returned_by, call.returned_at) for call in calls] == [
        (True, 5, T0 + 200_000),
        (True, None, None),
        (True, None, None),
        *[(False, None, None)] * 3,
    ]


def test_a_group_of_before_is_one_missed_call_or_none(store: Store) -> None:
    for at in (0, 1_000_000):
        for extension in ("3501", "3502"):
            store.start(extension, "4732100123", T0 + at)
        store.end("3501", "4732100123", T0 + at + 20_000, result="NOANSWER")
    store.end("3502", "4732100123", T0 + 20_000 + 1_000_000, result="NOANSWER")
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE calls SET missed = NULL"))
        connection.execute(text("UPDATE calls SET status = 'elsewhere', answered_by = '3502' WHERE id = 2"))
        connection.execute(text("UPDATE counters SET value = 4 WHERE name = 'missed_to_fill'"))
    Filler(store.engine, store.journal).fill_missed()
    assert [missed for _, missed in found(store.engine)] == [False, False, True, False]
