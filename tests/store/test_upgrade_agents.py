"""Agents of an older version go on as they were."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from structlog.testing import capture_logs

import gateway.store
from gateway.store.sqlite.engine import open_engine, upgrade

MIGRATIONS = Path(gateway.store.__file__).with_name("migrations")
COLUMNS = "tenant, login, name, extension, password_hash, created_at"
ANA = f"INSERT INTO agents ({COLUMNS}) VALUES ('acme', {{}}, 'A', '1', 'h', 1)"


def test_agents_of_before_are_administrators_and_the_log_says_so(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0017")
        connection.execute(text(ANA.format("'ana'")))
    with capture_logs() as logs:
        upgrade(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(text(ANA.format("'bia'")))
        found = connection.execute(text("SELECT login, role FROM agents ORDER BY login")).all()
    engine.dispose()
    assert found == [("ana", "administrator"), ("bia", "agent")]
    assert [entry["agents"] for entry in logs if entry["event"] == "agents_became_administrators"] == [1]


def test_a_new_database_speaks_of_no_agents(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    with capture_logs() as logs:
        upgrade(engine, tmp_path)
    engine.dispose()
    assert not [entry for entry in logs if entry["event"] == "agents_became_administrators"]
