"""What version 0.1.0 dropped of its calls comes back from the event log, while events pass."""

import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

import gateway.store
from gateway.store import filling
from gateway.store.database import Database, open_database
from gateway.store.filling import Filler
from gateway.store.writing.journal import Journal
from tests.store.conftest import T0, Store

MIGRATIONS = Path(gateway.store.__file__).with_name("migrations")


def old_folder(folder: Path, ends: list[dict[str, object]]) -> Database:
    """A data folder of version 0.1.0 with one call and one end for each of ``ends``, as it wrote them."""
    database = open_database(folder)
    engine = database.engine
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        calls = [{"id": n + 1} for n in range(len(ends))]
        connection.execute(
            text(
                "INSERT INTO calls (id, tenant, direction, extension, number, number_as_sent, logged_at, status)"
                " VALUES (:id, 'acme', 'incoming', '3501', '4732100123', '4732100123', 1, 'ended')"
            ),
            calls,
        )
        rows = [{"seq": n + 1, "call_id": n + 1, "payload": json.dumps(end)} for n, end in enumerate(ends)]
        for row, end in zip(rows, ends, strict=True):
            row["call_id"] = end.get("call_id", row["call_id"])
        connection.execute(
            text(
                "INSERT INTO events (seq, tenant, kind, at, extension, call_id, payload)"
                " VALUES (:seq, 'acme', 'call_ended', 1, '3501', :call_id, :payload)"
            ),
            rows,
        )
        connection.execute(text("UPDATE counters SET value = :n WHERE name IN ('call', 'event')"), {"n": len(ends)})
    database.upgrade()
    return database


def results(engine: Engine) -> list[tuple[str | None, str | None]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT result, result_text FROM calls ORDER BY id"))]  # type: ignore[misc]


def end(resultado: str | None, **more: object) -> dict[str, object]:
    received = {"wire": "get", "ramal": "3501"} | ({"resultado": resultado} if resultado else {})
    return {"status": "ended", "duration_s": 0, "received": received} | more


def test_calls_of_before_get_the_words_that_lie_in_the_event_log(tmp_path: Path, monkeypatch: object) -> None:
    filling.SLICE, whole = 2, filling.SLICE
    try:
        database = old_folder(tmp_path, [end("NOANSWER"), end(None), end("ocupado"), end("SALE"), end("16")])
        engine = database.engine
        assert results(engine) == [(None, None)] * 5, "nothing of it is done by the migration"
        journal = Journal(database)
        journal.start()
        assert Filler(engine, journal).fill() == 4
        wanted = [("missed", "NOANSWER"), (None, None), ("busy", "ocupado"), ("unknown", "SALE"), ("missed", "16")]
        assert results(engine) == wanted
        assert Filler(engine, journal).fill() == 0, "what was looked through is not looked through again"
        journal.stop()
        engine.dispose()
    finally:
        filling.SLICE = whole


def test_the_first_end_counts_and_not_its_repeat(tmp_path: Path) -> None:
    ends = [end("BUSY"), end("NOANSWER", call_id=1, repeat=True), end("CANCEL", repeat=True)]
    database = old_folder(tmp_path, ends)
    engine = database.engine
    journal = Journal(database)
    journal.start()
    Filler(engine, journal).fill()
    assert results(engine) == [("busy", "BUSY"), (None, None), ("cancelled", "CANCEL")]
    journal.stop()
    engine.dispose()


def test_filling_that_is_stopped_goes_on_at_the_next_start(tmp_path: Path) -> None:
    database = old_folder(tmp_path, [end("BUSY")])
    engine = database.engine
    journal = Journal(database)
    journal.start()
    stopped = Filler(engine, journal)
    stopped.stop()
    assert (stopped.fill(), results(engine)) == (0, [(None, None)])
    filler = Filler(engine, journal)
    filler.start()
    filler._thread.join(10)
    filler.stop()
    assert results(engine) == [("busy", "BUSY")]
    journal.stop()
    engine.dispose()


class Ahead(Filler):
    """Another process does all the rest while this one has read a slice and not written it yet."""

    other: Filler | None = None

    def _read(self, upto: int) -> filling.Slice:
        found = super()._read(upto)
        if self.other is not None:
            other, self.other = self.other, None
            assert other.fill() == 2
        return found


def test_of_two_processes_one_fills_and_the_other_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "SLICE", 1)
    database = old_folder(tmp_path, [end("BUSY"), end("NOANSWER")])
    engine = database.engine
    journal = Journal(database)
    journal.start()
    late = Ahead(engine, journal)
    late.other = Filler(engine, journal)
    assert late.fill() == 0
    assert results(engine) == [("busy", "BUSY"), ("missed", "NOANSWER")]
    journal.stop()
    engine.dispose()


def test_an_end_says_how_it_ended_and_is_kept(store: Store) -> None:
    store.start("3501", "4732100123")
    store.end("3501", "4732100123", result="NO ANSWER", duration_s=0)
    (call,) = store.calls.recent("acme")
    assert (call.result, call.result_text, call.as_json()["result"]) == ("missed", "NO ANSWER", "missed")
    assert list(call.as_json())[18:22] == ["result", "result_text", "over_by", "over_at"]


def test_a_repeat_adds_the_result_that_the_first_end_lacked(store: Store) -> None:
    store.start("3501", "4732100123")
    store.end("3501", "4732100123", T0 + 1000)
    store.end("3501", "4732100123", T0 + 2000, result="BUSY")
    store.end("3501", "4732100123", T0 + 3000, result="NOANSWER")
    (call,) = store.calls.recent("acme")
    assert (call.result, call.result_text) == ("busy", "BUSY")
