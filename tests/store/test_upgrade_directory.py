"""A directory of an older version is kept as it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import gateway.store
from gateway.store.sqlite.engine import open_engine, upgrade

MIGRATIONS = Path(gateway.store.__file__).with_name("migrations")


def test_accounts_and_phones_of_the_first_schema_are_still_there(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO accounts (tenant, code, name, updated_at) VALUES ('acme', '1', 'A', 5)"))
        phone = "INSERT INTO phones (tenant, number, account_id, contact) VALUES ('acme', '4732100123', 1, 'Ana')"
        connection.execute(text(phone))
    upgrade(engine, tmp_path)
    with engine.connect() as connection:
        query = "SELECT number, contact, as_written, no_area, edited_at FROM phones"
        assert connection.execute(text(query)).all() == [("4732100123", "Ana", "4732100123", 0, None)]
        assert connection.execute(text("SELECT code, source, digest FROM accounts")).all() == [("1", "csv", None)]
    engine.dispose()
