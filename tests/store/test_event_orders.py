"""How far the search index has read each company's events on PostgreSQL, also when another database takes over."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.store import tables
from gateway.store.reading.event_orders import OrderOfEach
from gateway.store.search.index import Progress, SearchIndex
from tests.postgresql_log import WrittenLog, written_log

pytestmark = pytest.mark.postgresql
HOUR_MS = 3_600_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WrittenLog]:
    with written_log(tmp_path) as log:
        yield log


def read(log: WrittenLog, progress: Progress, limit: int = 100) -> tuple[list[tuple[str, int]], Progress]:
    """What is read behind ``progress``, and the progress behind that."""
    order = OrderOfEach()
    with log.database.engine.connect() as connection:
        found = order.unread(connection, progress, limit)
    return sorted((each.tenant, each.seq) for each in found), order.moved(progress, found) if found else progress


def begun(log: WrittenLog) -> Progress:
    with log.database.engine.connect() as connection:
        return OrderOfEach().beginning(connection, -1)


def checked(log: WrittenLog, progress: Progress) -> Progress | None:
    with log.database.engine.connect() as connection:
        return OrderOfEach().checked(connection, progress)


def test_each_company_is_read_behind_its_own_mark(log: WrittenLog) -> None:
    for tenant in ("acme", "acme", "rival"):
        log.commit(tenant)
    progress = begun(log)
    assert read(log, progress)[0] == []
    for tenant in ("rival", "new", "acme"):
        log.commit(tenant)
    found, progress = read(log, progress)
    assert found == [("acme", 3), ("new", 1), ("rival", 2)]
    assert dict(progress.marks) == {"acme": 3, "new": 1, "rival": 2}
    assert (progress.seq, read(log, progress)[0]) == (6, [])


def test_many_events_are_read_piece_by_piece(log: WrittenLog) -> None:
    progress = begun(log)
    for _ in range(20):
        log.commit()
    pieces = []
    while (piece := read(log, progress, limit=8))[0]:
        found, progress = piece
        pieces.append(len(found))
    assert pieces == [8, 8, 4]


def test_what_is_not_read_is_asked_for_by_company(log: WrittenLog) -> None:
    log.commit("acme")
    progress = begun(log)
    for tenant in ("acme", "rival"):
        log.commit(tenant)
    events = tables.events
    query = select(events.c.seq).where(*OrderOfEach().behind(progress, "acme"))
    with log.database.engine.connect() as connection:
        assert connection.execute(query).scalars().all() == [2]


def test_of_a_database_that_took_over_the_last_hour_is_read_again(log: WrittenLog) -> None:
    for _ in range(5):
        log.commit()
    log.run("UPDATE events SET at = seq * %s", HOUR_MS // 2)
    progress = begun(log)
    log.run("INSERT INTO counters (name, value) VALUES ('epoch', 1), ('cluster', 0)")
    again = checked(log, progress)
    assert again
    assert (again.epoch, dict(again.marks)) == (1, {"acme": 2})
    assert read(log, again)[0] == [("acme", 3), ("acme", 4), ("acme", 5)]


def test_of_another_cluster_nothing_is_known(log: WrittenLog) -> None:
    log.run("INSERT INTO counters (name, value) VALUES ('epoch', 0), ('cluster', 77)")
    progress = begun(log)
    assert checked(log, progress) == progress
    log.run("UPDATE counters SET value = 78 WHERE name = 'cluster'")
    assert checked(log, progress) is None


def test_marks_are_kept_in_the_file(log: WrittenLog, tmp_path: Path) -> None:
    log.commit("acme")
    index = SearchIndex(tmp_path)
    progress = begun(log)
    index.begin(progress)
    log.commit("rival")
    after = read(log, progress)[1]
    assert index.add({}, progress, after)
    assert index.progress() == after
    assert index.add({}, progress, after) is False, "another process has come further"
    index.close()
