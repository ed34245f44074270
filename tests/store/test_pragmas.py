"""Settings of a connection, and what an answer that is read too late does to it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from gateway.store import diagnostic_log
from gateway.store.shared import file_counts as shared_file_counts
from gateway.store.sqlite import engine
from gateway.store.sqlite.pragmas import set_pragmas


class Keeping(sqlite3.Connection):
    """A connection whose cursors live on, as they may when Python lets go of them late."""

    kept: list[Any] = []  # noqa: RUF012

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.kept.append(super().execute(*arguments))
        return self.kept[-1]


@pytest.fixture
def cursors_live_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connect, kept = sqlite3.connect, Keeping.kept

    def keep(_connection: Any, cursor: Any, *_: Any) -> None:
        kept.append(cursor)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, **named | {"factory": Keeping}))
    monkeypatch.setattr("sqlite3.dbapi2.connect", sqlite3.connect)
    event.listen(Engine, "after_cursor_execute", keep)
    yield
    event.remove(Engine, "after_cursor_execute", keep)
    kept.clear()


def test_an_answer_that_nobody_reads_refuses_every_commit(tmp_path: Path) -> None:
    """What the module is for: this is SQLite's rule."""
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    unread = connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(sqlite3.OperationalError, match="SQL statements in progress"):
        connection.execute("COMMIT")
    unread.close()
    set_pragmas(connection, "journal_mode=WAL")
    connection.execute("COMMIT")
    connection.close()


@pytest.mark.usefixtures("cursors_live_on")
def test_every_database_opens_and_writes_though_cursors_live_on(tmp_path: Path) -> None:
    opened = engine.open_engine(tmp_path)
    engine.upgrade(opened, tmp_path)
    opened.dispose()
    diagnostic_log.open_engine(tmp_path / diagnostic_log.DATABASE).dispose()
    shared_file_counts._laid_out(str(tmp_path / "logins.db")).close()
    assert Keeping.kept
