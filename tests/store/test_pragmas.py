"""Settings of a connection, and what an answer that is read too late does to it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from gateway.store import diagnostic_log
from gateway.store.shared import file_counts as shared_file_counts
from gateway.store.sqlite import engine
from gateway.store.sqlite.pragmas import set_pragmas
from gateway.store.writing.transactions import LocalTransactions


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


def changed_pages_on_disk(connection: Connection) -> bool:
    """Return whether SQLite makes a file of its own for a statement that changes many pages and may fail half-way."""
    raw: Any = connection.connection.dbapi_connection
    raw.execute("CREATE TABLE IF NOT EXISTS rows_of_it (name TEXT PRIMARY KEY, said TEXT NOT NULL)")
    raw.execute("BEGIN IMMEDIATE")
    before = unnamed_files()
    for said in ("a" * 500, "b" * 500):
        rows = [text for number in range(400) for text in (f"{number}", said)]
        groups = ", ".join(["(?, ?)"] * 400)
        raw.execute(
            f"INSERT INTO rows_of_it VALUES {groups} ON CONFLICT (name) DO UPDATE SET said = excluded.said", rows
        )
    made = unnamed_files() - before
    raw.rollback()
    return bool(made)


def unnamed_files() -> set[str]:
    """Return the open files of this process that have no name any more, as SQLite's temporary ones."""
    paths = []
    for file in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            paths.append(os.readlink(f"/proc/self/fd/{file}"))
    return {path for path in paths if path.endswith(" (deleted)")}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at open files as Linux shows them")
def test_the_journal_has_sqlite_make_no_files_for_its_batches(tmp_path: Path) -> None:
    opened = engine.open_engine(tmp_path)
    with opened.connect() as plain:
        assert changed_pages_on_disk(plain), "any other connection has them"
    writing = engine.writing_connection(opened)
    assert not changed_pages_on_disk(writing)
    writing.close()
    opened.dispose()


def test_the_journal_writes_with_settings_of_its_own(tmp_path: Path) -> None:
    opened = engine.open_engine(tmp_path)
    transactions = LocalTransactions(opened)
    named = ("temp_store", "wal_autocheckpoint", "synchronous")
    found = transactions.run(lambda connection: settings(connection, *named))
    assert found == [2, engine.PAGES_IN_LOG, 2]
    transactions.close()
    with opened.connect() as plain:
        assert settings(plain, "temp_store", "wal_autocheckpoint") == [0, 1000]
    opened.dispose()


def settings(connection: Connection, *named: str) -> list[Any]:
    return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in named]
