"""Partitions on PostgreSQL: made before they are needed, and dropped whole when everything in them is old."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Table, func, insert, select, text
from structlog.testing import capture_logs

from gateway.adapter import Delivery, Outcome
from gateway.store import tables
from gateway.store.audit import AuditFilter, AuditLog
from gateway.store.figures.log import FiguresLog
from gateway.store.figures.summing import Summing
from gateway.store.partitions import counting, dropping
from gateway.store.partitions.ahead import PartitionsAhead, next_width
from gateway.store.partitions.counting import EventCounts
from gateway.store.partitions.months import month_after, month_name, month_of, months_from
from gateway.store.removing import Ages
from gateway.store.retention import DAY_MS, HELD_UP_AT_MOST_MS, Retention
from gateway.store.writing.drafts import NoteDraft, OrderAttempt, Settlement
from gateway.store.writing.journal import Journal
from tests.store.conftest import Store
from tests.store.parted import names_of, parted_database

pytestmark = pytest.mark.postgresql

ANA, BIA, CARLOS = "4732100123", "4733334444", "4799998888"


def at(year: int, month: int, day: int = 1, hour: int = 0) -> int:
    return round(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


MONTHS = [at(2026, 3), at(2026, 4), at(2026, 5)]
NOW = at(2026, 5, 20)


class SetClock:
    """Our clock, which stands at ``now``."""

    now = NOW

    def __call__(self) -> int:
        return self.now

    def ago(self, ms: int) -> int:
        return self.now - ms


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Events by month from March to May; calls 1 to 3, 4 to 7 and from 8 on lie apart."""
    with parted_database(tmp_path, MONTHS, [0, 4, 8, 1000]) as database:
        journal = Journal(database)
        journal.start()
        yield Store(database, journal)
        journal.stop()


def keeper(store: Store, clock: SetClock | None = None, *, whole: bool = False, **ages: Ages) -> Retention:
    clock = clock or SetClock()
    return Retention(store.engine, store.journal, ages, clock=clock, rest=str, whole=whole)  # type: ignore[arg-type]


def days(**kept: int) -> Ages:
    return Ages(**{f"{name}_ms": each * DAY_MS for name, each in kept.items()})


def call(store: Store, begins: int, number: str = ANA, tenant: str = "acme") -> int:
    """A call of a minute with a leg that is kept; its id."""
    store.start("3501", number, begins, tenant=tenant)
    store.answer("3501", number, begins + 1000, tenant=tenant)
    call_id = store.end("3501", number, begins + 60_000, tenant=tenant).call_id
    leg = {"call_id": call_id, "place": 1, "tenant": tenant, "extension": "3501"}
    with store.engine.begin() as connection:
        connection.execute(insert(tables.legs).values(leg))
    return call_id


def call_each_ten_days(store: Store, count: int = 8) -> None:
    """Calls 1 to ``count``, from the first of March on."""
    for place in range(count):
        assert call(store, at(2026, 3, 1, 12) + place * 10 * DAY_MS) == place + 1


def counted(store: Store, table: Table) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def call_ids(store: Store) -> list[int]:
    with store.engine.connect() as connection:
        return [*connection.execute(select(tables.calls.c.id).order_by(tables.calls.c.id)).scalars()]


# made ahead


def test_the_next_months_are_made_before_they_begin(store: Store) -> None:
    PartitionsAhead(store.engine).work(NOW)
    assert names_of(store.database, "events")[-3:] == ["events_2026_05", "events_2026_06", "events_2026_07"]


def test_what_came_before_its_month_was_made_is_kept_and_moves_there(store: Store) -> None:
    call(store, at(2026, 6, 3))
    assert where(store, "events") == {"events_default"}
    PartitionsAhead(store.engine).work(NOW)
    assert where(store, "events") == {"events_2026_06"}
    assert len(store.events.after_for("acme", None, store.database.event_log().newest("acme")._replace(seq=0))) == 3


def test_the_next_range_of_calls_is_made_before_its_ids_are_given_out(store: Store) -> None:
    PartitionsAhead(store.engine).work(NOW)  # of the last range fewer ids are left than may be wanted at once
    for table in ("calls", "legs", "notes"):
        assert names_of(store.database, table)[-1] == f"{table}_from_1000"
    PartitionsAhead(store.engine).work(NOW)
    assert len(names_of(store.database, "calls")) == 4


def test_calls_beyond_all_ranges_are_kept_and_move_when_theirs_is_made(store: Store) -> None:
    store.database.engine.dispose()
    with store.engine.begin() as connection:
        connection.execute(text("SELECT setval('call_ids', 2000)"))
    found = call(store, NOW)
    assert (found, where(store, "calls"), where(store, "legs")) == (2001, {"calls_default"}, {"legs_default"})
    PartitionsAhead(store.engine).work(NOW)
    assert (where(store, "calls"), where(store, "legs")) == ({"calls_from_1000"}, {"legs_from_1000"})
    assert store.end("3501", ANA, NOW + 90_000).call_id == found


def where(store: Store, table: str) -> set[str]:
    with store.engine.connect() as connection:
        return {*connection.execute(text(f"SELECT tableoid::regclass::text FROM {table}")).scalars()}


def test_it_is_noted_when_a_range_is_reached(store: Store) -> None:
    call_each_ten_days(store, 5)
    PartitionsAhead(store.engine).work(NOW)
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT first_id, reached_at FROM call_ranges ORDER BY first_id")).all()
    assert rows == [(0, 0), (4, NOW), (8, None), (1000, None)]


def test_a_partition_that_somebody_reads_is_made_later(store: Store) -> None:
    call(store, at(2026, 6, 3))
    with store.engine.connect() as reader, capture_logs() as logs:
        reader.execute(text("SELECT count(*) FROM events"))
        PartitionsAhead(store.engine).work(NOW)
        assert [each["event"] for each in logs] == ["partition_put_off", "partition_put_off", "partition_made"]
        assert where(store, "events") == {"events_default"}
    PartitionsAhead(store.engine).work(NOW)
    assert where(store, "events") == {"events_2026_06"}


@pytest.mark.parametrize(
    ("before", "given_out", "in_days", "width"),
    [
        (100_000, 50_000, 500, 100_000),
        (1_000_000, 500_000, 10, 1_500_000),
        (100_000, 50_000, 0.02, 800_000),
        (40_000_000, 20_000_000, 1, 50_000_000),
    ],
)
def test_a_range_is_about_a_month_wide(before: int, given_out: int, in_days: float, width: int) -> None:
    assert next_width(before, given_out, round(in_days * DAY_MS)) == width


def test_months_follow_each_other() -> None:
    assert months_from(at(2026, 11, 30, 23), 2) == [at(2026, 11), at(2026, 12), at(2027, 1)]
    assert (month_of(at(2027, 1)), month_after(at(2026, 12, 31)), month_name(at(2026, 2, 3))) == (
        at(2027, 1),
        at(2027, 1),
        "2026_02",
    )


# dropped whole


def test_a_month_of_which_all_is_old_is_dropped(store: Store) -> None:
    call_each_ten_days(store)
    with capture_logs() as logs:
        keeper(store, acme=days(events=45)).work(NOW)  # from 5 April on
    assert names_of(store.database, "events") == ["events_2026_04", "events_2026_05"]
    assert {"event": "partition_dropped", "partition": "events_2026_03", "log_level": "info"} in logs
    assert counted(store, tables.events) == 3 * 4
    assert call_ids(store) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_it_is_said_what_went_and_screens_behind_it_start_afresh(store: Store) -> None:
    call_each_ten_days(store)
    keeper(store, acme=days(events=45)).work(NOW)
    (entry,) = AuditLog(store.engine, store.journal).newest("acme", AuditFilter(), limit=10)
    assert '"events": 12' in entry.detail
    assert store.database.event_log().removed("acme") == 12


def test_a_month_in_which_another_company_keeps_something_stays_and_goes_by_company(store: Store) -> None:
    call_each_ten_days(store)
    call(store, at(2026, 3, 5), tenant="globex")
    keeper(store, acme=days(events=45)).work(NOW)
    assert names_of(store.database, "events")[0] == "events_2026_03"
    assert counted(store, tables.events) == 3 * 5


def test_calls_go_with_their_partition_and_all_that_hangs_on_them(store: Store) -> None:
    call_each_ten_days(store, 2)
    dialled = order(store, at(2026, 3, 25))
    note(store, 1)
    assert dialled == 3
    for place in range(5):
        call(store, at(2026, 5, 1 + place))
    keeper(store, acme=days(calls=40)).work(NOW)
    for table in ("calls", "legs", "notes"):
        assert names_of(store.database, table) == [f"{table}_from_4", f"{table}_from_8"]
    assert call_ids(store) == [4, 5, 6, 7, 8]
    kept = [tables.events, tables.orders, tables.attempts, tables.agent_notes, tables.missed_claims]
    assert [counted(store, table) for table in kept] == [3 * 5, 0, 0, 0, 0]
    assert counted(store, tables.call_ranges) == 2


def test_figures_of_calls_go_with_their_partition(store: Store) -> None:
    call_each_ten_days(store)
    clock = SetClock()
    summing = Summing(store.engine, store.journal, ("acme",), clock=clock, rest=str)  # type: ignore[arg-type]
    summing.work(NOW)
    figures, whole = FiguresLog(store.engine), [at(2026, 3), at(2026, 3, 31), NOW]
    assert [each.received for each in figures.of("acme", whole).intervals] == [3, 5]
    keeper(store, acme=days(calls=40)).work(NOW)
    left = len(call_ids(store))
    assert left < 8
    for _ in range(2):
        assert [each.received for each in figures.of("acme", whole).intervals] == [0, left]
        summing.work(NOW)
    assert counted(store, tables.figure_sums) == 3 * left


def test_events_of_dropped_calls_go_from_months_that_stay(store: Store) -> None:
    call_each_ten_days(store, 2)
    call(store, at(2026, 3, 31, 23) + 3_570_000)  # it ends in April
    for place in range(5):
        call(store, at(2026, 4, 25 + place))
    assert counted(store, tables.events) == 3 * 8
    keeper(store, acme=days(calls=40)).work(NOW)  # from 10 April on
    assert call_ids(store) == [4, 5, 6, 7, 8]
    assert counted(store, tables.events) == 3 * 5


def test_calls_that_somebody_is_to_follow_up_stay(store: Store) -> None:
    call_each_ten_days(store)
    note(store, 2, follow_up_at=NOW + DAY_MS)
    keeper(store, acme=days(calls=40)).work(NOW)
    assert names_of(store.database, "calls")[0] == "calls_from_0"
    assert call_ids(store) == [2, 5, 6, 7, 8]


def test_the_range_that_ids_are_given_out_of_stays(store: Store) -> None:
    call_each_ten_days(store, 3)
    clock = SetClock()
    clock.now = at(2027, 5)
    keeper(store, clock, acme=days(calls=40)).work(clock.now)
    assert names_of(store.database, "calls")[0] == "calls_from_0"
    assert call_ids(store) == []
    assert call(store, clock.now) == 4


def order(store: Store, begins: int) -> int:
    placed = store.order("3501", CARLOS, begins)
    accepted = Delivery(Outcome.ACCEPTED, "")
    attempts = (OrderAttempt("pbx", accepted, begins, begins + 10),)
    store.journal.write(Settlement("acme", placed.order_id, accepted, begins + 20, attempts))
    return placed.call_id


def note(store: Store, call_id: int, follow_up_at: int | None = None) -> None:
    said = {"outcome": None, "follow_up_at": follow_up_at, "at": at(2026, 3, 2)}
    store.journal.write(NoteDraft("acme", call_id, "Pediu orçamento", base=0, by="ana", name="Ana", **said))


# left until a partition can go whole


def test_rows_stay_until_their_partition_can_go_where_that_is_said(store: Store) -> None:
    call_each_ten_days(store)
    noted = at(2026, 3, 31)
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE call_ranges SET reached_at = {noted} WHERE first_id = 4"))
    clock = SetClock()
    keeping = keeper(store, clock, whole=True, acme=days(calls=35, events=35))  # from 15 April on
    keeping.work(NOW)
    assert call_ids(store) == [4, 5, 6, 7, 8]
    assert counted(store, tables.events) == 3 * 4  # from 1 April on
    clock.now = at(2026, 6, 5)
    keeping.work(clock.now)
    assert call_ids(store) == [8]
    assert names_of(store.database, "calls") == ["calls_from_8"]
    assert names_of(store.database, "events") == ["events_2026_05"]


def test_calls_of_a_range_that_lasts_for_long_go_by_their_age_all_the_same(store: Store) -> None:
    assert call(store, at(2026, 3, 1)) == 1
    assert call(store, at(2026, 4, 1)) == 2
    keeper(store, whole=True, acme=days(calls=10)).work(NOW)  # 45 days before 10 May
    assert call_ids(store) == [2]


# behind a long reader


def test_what_somebody_reads_is_dropped_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    call_each_ten_days(store)
    monkeypatch.setattr(dropping, "TRIES", 2)
    keeping = keeper(store, acme=days(events=45))
    with store.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM events"))
        with capture_logs() as logs:
            keeping.work(NOW)
        assert "partition_not_dropped" in [each["event"] for each in logs]
        assert counted(store, tables.events) == 3 * 8  # nor is it removed row by row meanwhile
    keeping.work(NOW)
    assert names_of(store.database, "events") == ["events_2026_04", "events_2026_05"]


def test_what_cannot_be_dropped_for_hours_is_removed_row_by_row(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    call_each_ten_days(store)
    monkeypatch.setattr(dropping, "TRIES", 1)
    clock = SetClock()
    keeping = keeper(store, clock, acme=days(events=45))
    with store.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM events"))
        keeping.work(NOW)
        clock.now = NOW + HELD_UP_AT_MOST_MS
        keeping.work(clock.now)
    assert counted(store, tables.events) == 3 * 4


# counted


def test_events_that_are_there_once_each_are_no_news(store: Store) -> None:
    call_each_ten_days(store, 3)
    call(store, at(2026, 3, 5), tenant="globex")
    assert miscounts(store) == []


@pytest.mark.parametrize(
    ("damage", "found", "different"),
    [
        ("DELETE FROM events WHERE tenant = 'acme' AND seq = 5", 8, 8),
        ("INSERT INTO events SELECT seq, tenant, kind, at + 3456000000, extension, call_id, payload FROM events"
         " WHERE tenant = 'acme' AND seq = 5", 10, 9),
        ("UPDATE events SET seq = 6, at = at + 1 WHERE tenant = 'acme' AND seq = 5", 9, 8),
    ],
)  # fmt: skip
def test_an_event_that_is_missing_or_there_twice_is_told(store: Store, damage: str, found: int, different: int) -> None:
    call_each_ten_days(store, 3)
    call(store, at(2026, 3, 5), tenant="globex")
    with store.engine.begin() as connection:
        connection.execute(text(damage))
    assert miscounts(store) == [("acme", found, different)]


def test_events_that_went_by_age_are_not_missed(store: Store) -> None:
    call_each_ten_days(store)
    keeper(store, acme=days(events=45)).work(NOW)
    assert miscounts(store) == []
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE tenant = 'acme' AND seq = 20"))
    assert miscounts(store) == [("acme", 11, 11)]


def test_numbers_that_came_from_sqlite_may_have_gaps(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("INSERT INTO heads (tenant, seq) VALUES ('acme', 70)"))
        connection.execute(text("UPDATE counters SET value = 70 WHERE name = 'event'"))
    call_each_ten_days(store, 1)
    assert miscounts(store) == []


def test_it_goes_on_where_it_came_to_and_begins_again_a_day_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_each_ten_days(store, 3)
    monkeypatch.setattr(counting, "AT_ONCE", 4)
    monkeypatch.setattr(counting, "AT_ONCE_S", 0.0)
    counts = EventCounts(store.engine)
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE seq = 9"))
    told = []
    for turn in range(4):
        with capture_logs() as logs:
            counts.work(NOW + turn)
        told.append(len(logs))
    assert told == [0, 0, 1, 0]
    with capture_logs() as logs:
        for turn in range(3):
            counts.work(NOW + DAY_MS + 3 + turn)
    assert len(logs) == 1


def miscounts(store: Store) -> list[tuple[str, int, int]]:
    with capture_logs() as logs:
        EventCounts(store.engine).work(NOW)
    assert all(each["event"] == "events_miscounted" and each["log_level"] == "error" for each in logs)
    return [(each["tenant"], each["found"], each["different"]) for each in logs]
