"""A database on PostgreSQL of before there were partitions becomes one that has them, with nothing written anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from gateway.errors import DataUnusable
from gateway.store.partitions.beginning import FIRST_WIDTH, preparing
from gateway.store.partitions.layout import is_parted, parts_of
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from gateway.store.revisions import MIGRATIONS
from tests.postgresql import server

pytestmark = pytest.mark.postgresql

PARTED = ("events", "calls", "legs", "notes")
FUTURE = 4_102_444_800_000
"""2100: what a clock showed that was wrong."""
EVENT = "INSERT INTO events VALUES ({seq}, 'acme', 'call_started', {at}, '3501', 1, '{{}}')"
CALL = (
    "INSERT INTO calls (id, tenant, direction, extension, number, number_as_sent, logged_at, status)"
    " VALUES ({id}, 'acme', 'incoming', '3501', '4732100123', '4732100123', {at}, 'ended')"
)
LEG = "INSERT INTO legs (call_id, place, tenant, extension) VALUES ({id}, 1, 'acme', '3501')"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[PostgresqlDatabase]:
    """A database as it was, with calls 1 to 3 and their events; the last event has a time of far in the future."""
    name = "cti_unparted"
    server().run(f"DROP DATABASE IF EXISTS {name}")
    server().run(f"CREATE DATABASE {name} TEMPLATE cti_template")
    for table in PARTED:
        server().run(f"CREATE TABLE whole (LIKE {table} INCLUDING ALL); DROP TABLE {table} CASCADE", name)
        server().run(f"ALTER TABLE whole RENAME TO {table}", name)
        for (index,) in server().run(f"SELECT indexname FROM pg_indexes WHERE tablename = '{table}'", name):
            wanted = f"pk_{table}" if index == "whole_pkey" else index.replace("whole_", f"ix_{table}_old_")
            server().run(f"ALTER INDEX {index} RENAME TO {wanted}", name)
    server().run(
        "ALTER TABLE events DROP CONSTRAINT pk_events, ADD CONSTRAINT pk_events PRIMARY KEY (tenant, seq)", name
    )
    server().run("DROP TABLE call_ranges; SELECT setval('call_ids', 3)", name)
    for place in (1, 2, 3):
        server().run(EVENT.format(seq=place, at=FUTURE if place == 3 else place), name)
        server().run(CALL.format(id=place, at=place), name)
        server().run(LEG.format(id=place), name)
    opened = open_postgresql(server().url(name), tmp_path)
    yield opened
    opened.close()


def upgrade(database: PostgresqlDatabase) -> None:
    """As a start does it, up to the revisions with partitions."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config).get_revision("0041")
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{script.down_revision}'"))
    with database.direct_connection() as driver, preparing(driver), database._patient_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0042")


def files(connection: Connection, suffix: str = "") -> list[int]:
    """Which files the tables lie in: others once they are written anew."""
    return [connection.execute(text(f"SELECT pg_relation_filenode('{each}{suffix}')")).scalar_one() for each in PARTED]


def test_the_tables_become_the_first_partitions_as_they_are(old: PostgresqlDatabase) -> None:
    with old.engine.connect() as connection:
        before = files(connection)
    upgrade(old)
    with old.engine.connect() as connection:
        assert files(connection, "_first") == before
        assert all(is_parted(connection, table) for table in PARTED)
        assert [each.name for each in parts_of(connection, "calls")] == ["calls_first"]
        ids = connection.execute(
            text("SELECT id FROM calls_first JOIN legs_first ON id = call_id ORDER BY id")
        ).scalars()
        assert [*ids] == [1, 2, 3]
        ranges = connection.execute(text("SELECT * FROM call_ranges")).all()
        assert ranges == [(0, 2 * FIRST_WIDTH, 0)]


def test_what_lies_beyond_them_is_kept_in_the_partition_of_all_other_times(old: PostgresqlDatabase) -> None:
    upgrade(old)
    with old.engine.connect() as connection:
        where = connection.execute(text("SELECT seq, tableoid::regclass::text FROM events ORDER BY seq")).all()
    assert where == [(1, "events_first"), (2, "events_first"), (3, "events_default")]


def test_every_index_is_that_of_a_new_database(old: PostgresqlDatabase) -> None:
    upgrade(old)
    found = "SELECT indexdef FROM pg_indexes WHERE tablename IN ('events', 'calls', 'legs', 'notes')"
    new = sorted(each.split(" ON ")[1] for (each,) in server().run(found, "cti_template"))
    with old.engine.connect() as connection:
        assert sorted(each.split(" ON ")[1] for each in connection.execute(text(found)).scalars()) == new


def test_a_start_that_was_ended_in_between_is_gone_on_with(old: PostgresqlDatabase) -> None:
    with old.direct_connection() as driver, preparing(driver):
        pass
    upgrade(old)
    with old.engine.connect() as connection:
        assert all(is_parted(connection, table) for table in PARTED)


def test_tables_of_another_program_are_left_as_they_are(tmp_path: Path) -> None:
    server().run("DROP DATABASE IF EXISTS cti_stranger")
    server().run("CREATE DATABASE cti_stranger")
    server().run("CREATE TABLE events (tenant text, seq bigint, at bigint); CREATE SEQUENCE call_ids", "cti_stranger")
    database = open_postgresql(server().url("cti_stranger"), tmp_path)
    with pytest.raises(DataUnusable, match="events"):
        database.upgrade()
    database.close()
    assert server().run("SELECT count(*) FROM pg_indexes WHERE tablename = 'events'", "cti_stranger") == [(0,)]


def test_rows_are_looked_through_before_others_have_to_wait(old: PostgresqlDatabase) -> None:
    """While the tables are changed nothing is scanned: what the rows are below is known, and the index there."""
    with old.direct_connection() as driver, preparing(driver):
        known = driver.execute("SELECT conname FROM pg_constraint WHERE conname LIKE '%%_below' AND convalidated")
        assert sorted(name for (name,) in known) == ["calls_below", "legs_below", "notes_below"]
        assert driver.execute("SELECT to_regclass('events_key')").fetchone()[0] == "events_key"
