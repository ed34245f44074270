"""Which schema a database has, and which one this version works with."""

import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.store.sqlite.engine import DATABASE

MIGRATIONS = Path(__file__).parent / "migrations"


def of_database(data: Path) -> str | None:
    """Return the revision of the schema of the database in ``data``; None where there is none."""
    if not (data / DATABASE).exists():
        return None
    with closing(sqlite3.connect(data / DATABASE, timeout=10)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError:
            return None
    return str(row[0]) if row else None


def of_this_version() -> str:
    """Return the revision that this version's migrations lead to."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_current_head())
