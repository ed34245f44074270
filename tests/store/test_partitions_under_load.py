"""The oldest of three months of several companies is dropped while they write and read, and somebody reads for long:
nobody fails, and nobody waits for a second.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.store.partitions import ahead
from gateway.store.partitions.months import month_of, months_from
from gateway.store.removing import Ages
from gateway.store.retention import DAY_MS, Retention
from gateway.store.writing.journal import Journal
from tests.store.conftest import Store
from tests.store.parted import names_of, parted_database

pytestmark = [pytest.mark.postgresql, pytest.mark.slow]

COMPANIES = ("acme", "globex", "initech")
CALLS = 6000
"""Of each month."""
READS_FOR_S = 3.0
FILL = """
    INSERT INTO calls (id, tenant, direction, extension, number, number_as_sent, logged_at, start_heard_at, status)
    SELECT i, (ARRAY['acme', 'globex', 'initech'])[i % 3 + 1], 'incoming', '3501', '47' || i, '47' || i,
        {first} + i * {step}, {first} + i * {step}, 'ended' FROM generate_series(1, {count}::bigint) AS i;
    INSERT INTO legs (call_id, place, tenant, extension) SELECT id, 1, tenant, '3501' FROM calls WHERE id % 5 = 0;
    INSERT INTO events (seq, tenant, kind, at, extension, call_id, payload)
    SELECT row_number() OVER (PARTITION BY tenant ORDER BY id), tenant, 'call_ended', logged_at, '3501', id, '{{}}'
    FROM calls;
    INSERT INTO heads (tenant, seq) SELECT tenant, max(seq) FROM events GROUP BY tenant;
    SELECT setval('call_ids', {count});
"""


@dataclass
class Load:
    """Threads that write and read without a pause, what went wrong, and how long the slowest took (seconds)."""

    store: Store
    errors: list[BaseException] = field(default_factory=list)
    slowest_s: float = 0.0
    done: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)

    def write(self, tenant: str) -> None:
        now = round(time.time() * 1000)
        self.store.start("3501", "4732100123", now, tenant=tenant)
        self.store.end("3501", "4732100123", now + 1, tenant=tenant)

    def read(self, tenant: str) -> None:
        log = self.store.database.event_log()
        newest = log.newest(tenant)
        log.after_for(tenant, None, newest._replace(seq=newest.seq - 20))
        self.store.calls.recent(tenant, limit=20)

    def run(self, work: Callable[[str], None], tenant: str) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                work(tenant)
            except Exception as error:
                self.errors.append(error)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.done += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        jobs = [(work, tenant) for work in (self.write, self.read) for tenant in COMPANIES[:2]]
        threads = [threading.Thread(target=self.run, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join(60)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two months and the present one of three companies, in partitions by month."""
    months = months_from(month_of(round(time.time() * 1000)) - 45 * DAY_MS, 2)
    ids = [0, CALLS, 2 * CALLS, 10 * CALLS]
    with parted_database(tmp_path, [*months, *months_from(months[-1], 1)[1:]], ids) as database:
        step = (months[2] - months[0]) // (2 * CALLS)
        with database.engine.begin() as connection:
            connection.execute(text(FILL.format(first=months[0], step=step, count=2 * CALLS)))
        journal = Journal(database)
        journal.start()
        yield Store(database, journal)
        journal.stop()


@pytest.fixture
def load(store: Store) -> Load:
    found = Load(store)
    for work in (found.write, found.read):  # what is loaded and compiled at the first time
        work("acme")
    return found


def drop_under_load(load: Load) -> None:
    """Drop what is older than the second month, while somebody else reads for long."""
    store = load.store
    second = months_from(month_of(round(time.time() * 1000)) - 45 * DAY_MS, 1)[1]
    kept_ms = round(time.time() * 1000) - second - DAY_MS
    ages = {tenant: Ages(events_ms=kept_ms, calls_ms=kept_ms) for tenant in COMPANIES}
    reading = threading.Event()
    with load.running():
        reader = threading.Thread(target=_read_for_long, args=(store, reading))
        reader.start()
        assert reading.wait(60)
        retention = Retention(store.engine, store.journal, ages)
        until = time.monotonic() + 60
        while len(names_of(store.database, "events")) > 3 or len(names_of(store.database, "calls")) > 2:
            assert time.monotonic() < until
            retention.work(round(time.time() * 1000))
        reader.join(60)


def _read_for_long(store: Store, reading: threading.Event) -> None:
    with store.engine.connect() as connection:
        connection.execute(text("SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM calls)"))
        reading.set()
        connection.execute(text(f"SELECT pg_sleep({READS_FOR_S})"))


@pytest.mark.acceptance(16)
def test_nobody_fails_or_waits_for_a_second(load: Load, record_property: Callable[[str, object], None]) -> None:
    drop_under_load(load)
    record_property("figure", f"{load.done} writes and reads, slowest {load.slowest_s:.2f} s")
    assert load.errors == []
    assert load.done > 100
    assert load.slowest_s < 1.0


@pytest.mark.control(16)
def test_a_drop_that_waits_for_its_turn_makes_all_others_wait(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LOCKED_AT_MOST_MS", 0)  # PostgreSQL's default: for ever
    drop_under_load(load)
    assert load.slowest_s > 1.0
