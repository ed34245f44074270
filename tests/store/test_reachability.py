"""Readers of a PostgreSQL server that hangs, is slow, or is gone."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from gateway.errors import DatabaseAway, DataUnusable
from gateway.store.database import explained
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from gateway.store.postgresql.reachability import Reachability, ReadingConnection
from tests.postgresql import FreshDatabase, server
from tests.postgresql_log import until

pytestmark = pytest.mark.postgresql
LONGEST_S = 60
"""Generous: what is asserted is that it ends, on a busy machine as well."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[PostgresqlDatabase]:
    fresh = FreshDatabase()
    opened = fresh.open(tmp_path / "data")
    yield opened
    opened.close()
    fresh.give_back()


def read(database: PostgresqlDatabase, statement: str = "SELECT 1") -> object:
    with database.engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


def test_who_reads_from_a_server_that_hangs_is_told_soon(database: PostgresqlDatabase) -> None:
    read(database)
    with server().frozen(), capture_logs() as logs:
        began = time.monotonic()
        with pytest.raises(DatabaseAway):
            read(database)
        assert time.monotonic() - began < LONGEST_S
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(DatabaseAway):
                read(database)
        assert time.monotonic() - began < 1, "who comes later waits as well"
    until(lambda: is_readable(database))
    until(lambda: "database_back" in [line["event"] for line in logs] or is_readable(database))
    assert [line["event"] for line in logs].count("database_away") == 1


def test_the_log_says_why_a_server_is_away_without_its_password(tmp_path: Path) -> None:
    for address, said in (
        ("host=127.0.0.1 port=1 user=cti password=segredo dbname=cti connect_timeout=2", "Connection refused"),
        ("postgresql:/cti:segredo@127.0.0.1/cti", ""),
    ):
        reachability = Reachability(partial(psycopg.connect, address), every_s=60, within_s=1)
        with capture_logs() as logs:
            reachability.doubt()
            until(lambda logs=logs: bool(logs))  # type: ignore[misc]
        reachability.close()
        assert logs[0]["event"] == "database_away"
        assert said in logs[0]["reason"]
        assert "segredo" not in str(logs)


def is_readable(database: PostgresqlDatabase) -> bool:
    try:
        return read(database) == 1
    except DatabaseAway:
        return False


def test_a_statement_that_is_under_way_when_the_server_hangs_ends(database: PostgresqlDatabase) -> None:
    found: list[object] = []

    def wait() -> None:
        try:
            found.append(read(database, "SELECT pg_sleep(600)"))
        except DatabaseAway as error:
            found.append(error)

    reader = threading.Thread(target=wait, daemon=True)
    reader.start()
    until(lambda: server().run("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"))
    with server().frozen():
        reader.join(LONGEST_S)
        assert [type(each) for each in found] == [DatabaseAway]


def test_a_slow_statement_of_a_server_that_answers_goes_on(
    database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReadingConnection, "PATIENCE_S", 0.0)
    read(database)
    doubted: list[float] = []
    doubt = Reachability.doubt
    monkeypatch.setattr(Reachability, "doubt", lambda self: (doubted.append(time.monotonic()), doubt(self))[1])
    assert read(database, "SELECT 7 FROM pg_sleep(1.5)") == 7
    assert doubted, "nobody asked whether the server answers"
    assert read(database) == 1


def test_nobody_queues_for_a_connection_while_the_server_is_doubted(
    database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reachability, "is_doubted", True)
    held = [database.engine.connect() for _ in range(32)]
    try:
        began = time.monotonic()
        with pytest.raises(DatabaseAway):
            database.engine.connect()
        assert time.monotonic() - began < 2, "it waited for a connection"
    finally:
        for connection in held:
            connection.close()
    assert read(database) == 1


def test_a_server_that_is_gone_is_said_so_with_the_reason(tmp_path: Path) -> None:
    database = open_postgresql(f"postgresql://cti@/nothing?host={tmp_path}", tmp_path / "data")
    try:
        with pytest.raises(DatabaseAway):
            read(database)
        with pytest.raises(DataUnusable, match=r"cannot be reached .*No such file") as told, explained(database):
            database.revision()
        assert "pg_hba" in str(told.value.advice)
    finally:
        database.close()


def test_a_server_that_lets_nobody_else_in_is_not_away(database: PostgresqlDatabase) -> None:
    """Those who are in may go on."""
    server().run(f"ALTER DATABASE {database.engine.url.database} CONNECTION LIMIT 0")
    server().run("CREATE ROLE limited LOGIN")
    try:
        limited = open_postgresql(str(database.engine.url).replace("+psycopg://cti@", "://limited@"), database.data)
        with pytest.raises(DatabaseAway):
            read(limited)
        until(lambda: not limited._reachability.is_doubted)
        assert not limited._reachability.is_away
        limited.close()
    finally:
        server().run("DROP ROLE limited")
        server().run(f"ALTER DATABASE {database.engine.url.database} CONNECTION LIMIT -1")
