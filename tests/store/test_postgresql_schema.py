"""Making and upgrading the schema on PostgreSQL."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.store.postgresql import database as postgresql
from gateway.store.postgresql import schema as postgresql_schema
from tests.postgresql import FreshDatabase

pytestmark = pytest.mark.postgresql


def test_a_machine_that_is_slow_to_upgrade_may_take_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that hangs loses its transaction soon; a start that loads alembic meanwhile must not."""
    fresh, found = FreshDatabase(), postgresql_schema.revision

    def slow(connection: Connection) -> str | None:
        time.sleep(0.3)
        return found(connection)

    monkeypatch.setattr(postgresql, "HELD_AT_MOST_MS", 50)
    monkeypatch.setattr(postgresql_schema, "revision", slow)
    database = fresh.open(tmp_path)
    database.upgrade()
    database.close()
    fresh.give_back()
