"""What follows the event log learns of, on SQLite."""

from pathlib import Path

from sqlalchemy import text

from gateway.store.reading.following import SqliteFollower
from gateway.store.reading.log import EventLog
from tests.migrated import migrated_engine


def test_a_commit_by_somebody_else_changes_the_version_every_time(tmp_path: Path) -> None:
    engine = migrated_engine(tmp_path)
    follower = SqliteFollower(EventLog(engine))
    seen = [follower.version()]
    for value in (1, 2, 3):
        with engine.execution_options(begin="IMMEDIATE").begin() as connection:
            connection.execute(text("UPDATE counters SET value = :value"), {"value": value})
        seen.append(follower.version())
    follower.close()
    engine.dispose()
    assert len(set(seen)) == 4


def test_watching_the_version_does_not_keep_the_write_ahead_log_from_being_emptied(tmp_path: Path) -> None:
    engine = migrated_engine(tmp_path)
    follower = SqliteFollower(EventLog(engine))
    follower.version()
    with engine.connect() as connection:
        connection.execute(text("COMMIT"))
        blocked, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
    follower.close()
    engine.dispose()
    assert blocked == 0
