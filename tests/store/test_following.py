"""What follows the event log learns of, on SQLite."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.store.reading import following
from gateway.store.reading.following import PeopleChanged, SqliteFollower
from gateway.store.reading.log import EventLog, LoggedEvent
from gateway.store.reading.positions import Position
from tests.migrated import migrated_engine

EVENT = text(
    "INSERT INTO events (seq, tenant, kind, at, extension, call_id, payload)"
    " VALUES (:seq, 'acme', 'call_started', 1, '3501', 1, '{}')"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A new database."""
    engine = migrated_engine(tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def log(engine: Engine) -> EventLog:
    return EventLog(engine)


@pytest.fixture
def follower(log: EventLog) -> Iterator[SqliteFollower]:
    follower = SqliteFollower(log)
    yield follower
    follower.close()


def test_a_commit_by_somebody_else_changes_the_version_every_time(engine: Engine, follower: SqliteFollower) -> None:
    seen = [follower.version()]
    for value in (1, 2, 3):
        with engine.execution_options(begin="IMMEDIATE").begin() as connection:
            connection.execute(text("UPDATE counters SET value = :value"), {"value": value})
        seen.append(follower.version())
    assert len(set(seen)) == 4


def test_watching_the_version_does_not_keep_the_write_ahead_log_from_being_emptied(
    engine: Engine, follower: SqliteFollower
) -> None:
    follower.version()
    with engine.connect() as connection:
        connection.execute(text("COMMIT"))
        blocked, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
    assert blocked == 0


def test_the_database_is_not_asked_while_nobody_watches(
    follower: SqliteFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []

    def version(_: SqliteFollower) -> int:
        asked.append(None)
        return len(asked)

    monkeypatch.setattr(SqliteFollower, "version", version)
    monkeypatch.setattr(following, "UNWATCHED_S", 0.001)
    assert (follower.wait(), len(asked)) == (False, 0)
    follower.watch("acme")
    assert (follower.wait(), len(asked)) == (True, 0)  # it is rung: something has happened
    assert (follower.wait(), len(asked)) == (True, 1)
    follower.unwatch("acme")
    assert (follower.wait(), len(asked)) == (False, 1)


def test_who_begins_to_watch_wakes_a_thread_that_sleeps(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "UNWATCHED_S", 120)
    follower = SqliteFollower(log)
    thread = threading.Thread(target=follower.wait, daemon=True)
    thread.start()
    follower.watch("acme")
    thread.join(60)
    assert not thread.is_alive()
    follower.close()


class HangingLog(EventLog):
    """A log on a disk that does not answer, until it is let go on."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.asked, self.answers = threading.Event(), threading.Event()

    def newest(self, tenant: str) -> Position:
        self.asked.set()
        assert self.answers.wait(60)
        return super().newest(tenant)


def test_nobody_who_lets_go_waits_for_the_disk_of_whoever_begins_to_watch(engine: Engine) -> None:
    """The event loop lets go of screens whose pages were left."""
    log = HangingLog(engine)
    follower = SqliteFollower(log)
    begins = threading.Thread(target=follower.watch, args=("acme",), daemon=True)
    begins.start()
    assert log.asked.wait(60)
    lets_go = threading.Thread(target=follower.unwatch, args=("beta",), daemon=True)
    lets_go.start()
    lets_go.join(5)
    was_free = not lets_go.is_alive()
    log.answers.set()
    begins.join(60)
    assert was_free
    assert follower.position("acme") == log.newest("acme")
    follower.close()


def test_who_begins_where_the_last_one_has_just_let_go_begins_at_the_end_of_the_log(
    log: EventLog, follower: SqliteFollower
) -> None:
    follower.watch("acme")
    assert follower._begin("beta", now=None)
    follower.unwatch("acme")
    follower.unwatch("beta")
    assert not follower._begin("beta", now=None)
    follower.watch("beta")
    assert follower.position("beta") == log.newest("beta")


def test_events_are_those_of_the_log_read_without_keeping_it_from_being_emptied(
    engine: Engine, log: EventLog, follower: SqliteFollower
) -> None:
    follower.watch("acme")
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        for seq in (1, 2, 3):
            connection.execute(EVENT, {"seq": seq})
    given = [each for each in follower.news() if isinstance(each, LoggedEvent)]
    assert given == log.after(0)
    assert [each.seq for each in given] == [1, 2, 3]
    with engine.connect() as connection:
        connection.execute(text("COMMIT"))
        assert connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0] == 0


def change_people(engine: Engine) -> None:
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        connection.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'people'"))


def test_a_change_of_people_is_told_once(engine: Engine, follower: SqliteFollower) -> None:
    follower.watch("acme")
    change_people(engine)
    assert list(follower.news()) == [PeopleChanged()]
    assert list(follower.news()) == []


def test_a_change_of_people_is_told_before_events(engine: Engine, follower: SqliteFollower) -> None:
    """Screens are asked whether they may stay before they are told of them."""
    follower.watch("acme")
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        connection.execute(EVENT, {"seq": 1})
    change_people(engine)
    first, second = follower.news()
    assert first == PeopleChanged()
    assert isinstance(second, LoggedEvent)
    assert list(follower.news()) == []


def test_a_change_of_people_is_not_told_to_whoever_watches_only_afterwards(
    engine: Engine, follower: SqliteFollower
) -> None:
    change_people(engine)
    follower.watch("acme")
    assert list(follower.news()) == []
    follower.unwatch("acme")
    change_people(engine)
    follower.watch("beta")
    assert list(follower.news()) == []
    change_people(engine)
    assert list(follower.news()) == [PeopleChanged()]
