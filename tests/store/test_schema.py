"""The schema that migrations make is the one the code expects."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.store.shared import tables as shared_tables
from gateway.store.sqlite.engine import open_engine, upgrade
from gateway.store.tables import metadata
from tests.store.conftest import Store
from tests.store.plans import assert_is_found_by_index, plan_of

PARTITION = re.compile(r"(events|calls|legs|notes)_(first|default|from_\d+|\d{4}_\d\d)$")


def test_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.engine.connect() as connection:
        kind = connection.dialect.name
        options = {"compare_type": True, "target_metadata": metadata, "include_object": partial(is_of_the_store, kind)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def is_of_the_store(database: str, thing: Any, name: str | None, kind: str, is_found: bool, _other: object) -> bool:
    """What nodes share beside it is made where it is missing, and has no migrations; partitions are their tables'. Some
    indexes are one kind of ``database``'s only.
    """
    if kind == "index" and not is_found and thing._ddl_if is not None:
        return bool(thing._ddl_if.dialect == database)
    return not (kind == "table" and (name in shared_tables.metadata.tables or PARTITION.match(name or "")))


def test_an_upgrade_keeps_what_is_there(tmp_path: Path) -> None:
    for _ in range(2):
        engine = open_engine(tmp_path)
        upgrade(engine, tmp_path)
        with engine.begin() as connection:
            connection.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'call'"))
            value = connection.execute(text("SELECT value FROM counters WHERE name = 'call'")).scalar()
        engine.dispose()
    assert value == 2


def test_the_call_log_is_found_by_index(store: Store) -> None:
    """The queries of every event and every screen must not read the whole log."""
    queries = [
        "SELECT * FROM calls WHERE tenant = 'a' AND logged_at >= 1 AND (end_heard_at IS NULL OR end_heard_at >= 2) "
        "AND number IN ('1', '2')",
        "SELECT * FROM calls WHERE tenant = 'a' AND logged_at >= 1 AND logged_at < 2 AND status = 'ringing'",
        "SELECT * FROM calls WHERE tenant = 'a' AND call_ref IN ('x')",
        "SELECT * FROM phones WHERE tenant = 'a' AND number IN ('1', '2')",
        "SELECT * FROM outbox WHERE tenant = 'a' AND target = 'b' AND settled_at IS NULL ORDER BY id LIMIT 1",
        "SELECT * FROM orders WHERE outcome IS NULL AND requested_at < 1",
        "SELECT * FROM events WHERE seq > 1 ORDER BY seq",
    ]
    with store.engine.connect() as connection:
        for query in queries:
            assert_is_found_by_index(connection, query)
            if connection.dialect.name == "sqlite" and "number IN" in query and "calls" in query:
                assert "ix_calls_tenant_number_logged_at" in plan_of(connection, query)


@pytest.mark.sqlite("PostgreSQL keeps an index by extension")
def test_an_extension_s_calls_are_found_by_time(store: Store) -> None:
    """In an index by extension each event would write a page of its own; one by time grows at its end."""
    of_3501 = "SELECT id FROM calls WHERE tenant = 'a' AND logged_at >= 1 AND extension = '3501'"
    with store.engine.connect() as connection:
        begin = [index["column_names"][:2] for index in inspect(connection).get_indexes("calls")]
        plan = plan_of(connection, of_3501)
    assert ["tenant", "extension"] not in begin
    assert "COVERING INDEX ix_calls_tenant_logged_at_extension (tenant=? AND logged_at>?" in plan
