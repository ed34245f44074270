"""Databases with this version's schema, migrated once in each test process and copied from then on.

A migration loads all of Alembic's scripts and takes half a second; the tests of the migrations make it themselves.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from gateway.store.database import Database, open_database
from gateway.store.sqlite.engine import DATABASE


def migrated_engine(data: Path) -> Engine:
    """The engine of the database in ``data``, which is made if it is missing."""
    return migrated_database(data).engine


def migrated_database(data: Path) -> Database:
    """The database in ``data``, which is made if it is missing."""
    if not (data / DATABASE).exists():
        data.mkdir(parents=True, exist_ok=True)
        (data / DATABASE).write_bytes(_migrated())
    return open_database(data)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        database = open_database(Path(folder))
        database.upgrade()
        database.close()  # the last connection empties the write-ahead log into the file
        assert not list(Path(folder).glob("*-wal"))
        return (Path(folder) / DATABASE).read_bytes()
