"""Figures from sums are those that the calls say, whatever became of the calls since, on each kind of database."""

import random
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from structlog.testing import capture_logs

from gateway.store import tables
from gateway.store.figures import day_summing, summing
from gateway.store.figures.counting import Figures
from gateway.store.figures.log import FiguresLog
from gateway.store.figures.sums import read_summed
from tests.store.call_histories import (
    DAY,
    HOUR,
    QUARTER,
    START,
    History,
    MeddlingJournal,
    SetClock,
    count,
    keeper,
    log_call,
    recounted,
)
from tests.store.conftest import Store

sums, changed, summed = tables.figure_sums, tables.figures_changed, tables.figures_summed
calls = tables.calls


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_figures_are_those_of_the_calls_whatever_happens(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    history = History(store, chance)
    summed = keeper(store, history.clock, MeddlingJournal(store, lambda: chance.random() < 0.3 and history.happen()))
    compared = 0
    for _ in range(12):
        history.happen(8)
        history.pass_time()
        if chance.random() < 0.7:
            summed.work(history.clock.now)
        bounds = history.bounds()
        for tenant in ("acme", "beta"):
            found = FiguresLog(store.engine).of(tenant, bounds)
            assert found == recounted(store, tenant, bounds), (tenant, bounds)
            compared += found.intervals != [Figures()] * len(found.intervals)
    assert compared >= 4
    for _ in range(10):
        keeper(store, history.clock).work(history.clock.now)
    assert count(store, changed) == 0
    with store.engine.connect() as connection:
        known = read_summed(connection, "acme")
    assert known
    assert (known.since, known.until <= history.clock.now) == (0, True)
    whole = [START - 2 * DAY, known.until]
    assert FiguresLog(store.engine).of("acme", whole) == recounted(store, "acme", whole)


def test_whole_hours_are_read_from_their_sums(store: Store) -> None:
    log_call(store, 1, START)
    keeper(store, SetClock(START + 5 * HOUR)).work(0)
    with store.engine.begin() as connection:
        connection.execute(update(sums).values(placed=7))
    found = FiguresLog(store.engine).of("acme", [START, START + QUARTER, START + HOUR])
    assert [each.placed for each in found.intervals] == [7, 0]
    assert found.people["3501"].placed == 7


def test_an_hour_that_is_not_over_is_counted_from_its_calls(store: Store) -> None:
    log_call(store, 1, START)
    clock = SetClock(START + HOUR + 29 * 60_000)
    keeper(store, clock).work(0)
    assert count(store, sums) == 0
    clock.now += 60_000
    keeper(store, clock).work(0)
    assert kinds(store) == ["person", "person24", "quarter"]


def test_what_changes_while_it_is_counted_is_counted_again(store: Store) -> None:
    log_call(store, 1, START)

    def meddle() -> None:
        with store.engine.begin() as connection:
            connection.execute(update(calls).values(direction="incoming"))

    keeper(store, clock := SetClock(START + 5 * HOUR), MeddlingJournal(store, meddle)).work(0)
    bounds = [START, START + HOUR]
    assert FiguresLog(store.engine).of("acme", bounds).intervals[0].received == 1
    assert count(store, changed) == 1
    keeper(store, clock).work(0)
    assert count(store, changed) == 0
    assert FiguresLog(store.engine).of("acme", bounds).intervals[0].received == 1


def test_sums_of_a_process_that_is_behind_are_not_written(store: Store) -> None:
    log_call(store, 1, START)
    clock = SetClock(START + 5 * HOUR)

    def others() -> None:
        """Another process sums the same, with a call that the first one has not counted."""
        meddling.before = bool
        log_call(store, 2, START + 1)
        keeper(store, clock).work(0)

    class Meddling(MeddlingJournal):
        before: Callable[[], object] = staticmethod(bool)

    meddling = Meddling(store, lambda: meddling.before())
    behind = keeper(store, clock, meddling)
    behind.work(0)
    with store.engine.begin() as connection:
        connection.execute(update(calls).values(extension="3502"))
    meddling.before = others
    behind.work(0)
    assert FiguresLog(store.engine).of("acme", [START, START + HOUR]).intervals[0].placed == 2


def kinds(store: Store) -> list[str]:
    with store.engine.connect() as connection:
        return sorted(connection.execute(select(sums.c.kind)).scalars())


def test_people_and_queues_of_whole_days_are_read_from_the_sums_of_days(store: Store) -> None:
    """Of a month 45 names by the hour are 33,000 rows, by the day 1,400."""
    log_calls_of_days(store)
    bounds = [START - 3 * DAY - HOUR, START + HOUR]
    expected = recounted(store, "acme", bounds)
    with store.engine.begin() as connection:
        within = (sums.c.begins_at >= START - 3 * DAY, sums.c.begins_at < START)
        gone = delete(sums).where(sums.c.kind.in_(("person", "queue")), *within)
        assert connection.execute(gone).rowcount == 6 * 3
    assert FiguresLog(store.engine).of("acme", bounds) == expected


def test_of_a_day_of_which_an_hour_has_changed_the_others_are_read_by_the_hour(store: Store) -> None:
    log_calls_of_days(store)
    bounds = [START - 3 * DAY - HOUR, START + HOUR]
    with store.engine.begin() as connection:
        connection.execute(update(calls).where(calls.c.logged_at == START - 2 * DAY).values(direction="incoming"))
        wrong = (sums.c.kind == "person24", sums.c.begins_at == START - 2 * DAY)
        connection.execute(update(sums).where(*wrong).values(placed=99))
    assert FiguresLog(store.engine).of("acme", bounds) == recounted(store, "acme", bounds)


def test_days_are_summed_of_hours_that_a_version_of_before_has_summed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And again whenever it writes hours beside a newer one."""
    monkeypatch.setattr(day_summing, "AT_ONCE_MS", DAY)
    clock = log_calls_of_days(store)
    bounds = [START - 3 * DAY - HOUR, START + HOUR]
    expected = recounted(store, "acme", bounds)
    for known in ({"days_version": None, "days_since": None}, {"version": summed.c.version + 1}):
        with store.engine.begin() as connection:
            connection.execute(update(summed).values(known))
            connection.execute(update(sums).where(sums.c.kind.in_(("person24", "queue24"))).values(placed=99))
        assert FiguresLog(store.engine).of("acme", bounds) == expected
        keeper(store, clock).work(0)
        with store.engine.connect() as connection:
            assert read_summed(connection, "acme").good_days_since == 0  # type: ignore[union-attr]
            of_days = select(sums.c.placed).where(sums.c.kind == "person24")
            assert set(connection.execute(of_days).scalars()) == {4}
        assert FiguresLog(store.engine).of("acme", bounds) == expected


def test_days_are_read_as_far_as_they_are_summed(store: Store) -> None:
    """An upgrade has just begun to sum them."""
    log_calls_of_days(store)
    bounds = [START - 3 * DAY - HOUR, START + HOUR]
    with store.engine.begin() as connection:
        connection.execute(update(summed).values(days_since=START - DAY))
        older = (sums.c.kind == "person24", sums.c.begins_at < START - DAY)
        assert connection.execute(update(sums).where(*older).values(placed=99)).rowcount == 3
    assert FiguresLog(store.engine).of("acme", bounds) == recounted(store, "acme", bounds)


def test_a_period_of_which_much_has_changed_is_read_by_the_hour(store: Store) -> None:
    """SQLite takes 500 parts of a statement at most."""
    log_calls_of_days(store)
    rows = [{"tenant": "acme", "hour_at": START - hour * 2 * HOUR, "changes": 1} for hour in range(600)]
    with store.engine.begin() as connection:
        connection.execute(insert(changed), rows)
    bounds = [START - 51 * DAY, START + HOUR]
    assert FiguresLog(store.engine).of("acme", bounds) == recounted(store, "acme", bounds)


def log_calls_of_days(store: Store) -> SetClock:
    """Four calls of each of five days, and their sums."""
    for day in range(-4, 1):
        for place, hours in enumerate((0, 10, 10, 23)):
            log_call(store, 100 + 10 * day + place, START + day * DAY + hours * HOUR, queue="Vendas")
    keeper(store, clock := SetClock(START + 2 * DAY)).work(0)
    return clock


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_a_day_begins_where_the_company_is(store: Store, zone: str) -> None:
    """Also of a company whose time zone changes: sums know nothing of it."""
    moment = datetime.fromtimestamp(START / 1000, ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    first = int(moment.timestamp() * 1000)
    for place, at in enumerate((first - 1, first, first + HOUR - 1, first + HOUR)):
        log_call(store, place + 1, at)
    keeper(store, SetClock(START + 5 * DAY)).work(0)
    found = FiguresLog(store.engine).of("acme", [first, first + HOUR, first + 2 * HOUR])
    assert [each.placed for each in found.intervals] == [2, 1]
    assert found.people["3501"].placed == 3


def test_bounds_that_begin_no_quarter_are_right(store: Store) -> None:
    """As those of Liberia were until 1972, 44 minutes and 30 seconds off."""
    odd = START + 15 * 60_000 + 30_000
    for place, at in enumerate((odd - 1, odd, odd + HOUR - 1, odd + HOUR)):
        log_call(store, place + 1, at)
    keeper(store, SetClock(START + 5 * DAY)).work(0)
    found = FiguresLog(store.engine).of("acme", [odd, odd + HOUR, odd + 2 * HOUR])
    assert [each.placed for each in found.intervals] == [2, 1]


def test_older_calls_are_summed_a_day_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after the upgrade of a long log: in turns, which give the events theirs."""
    for place in range(30):
        log_call(store, place + 1, START - place * 20 * DAY)
    monkeypatch.setattr(summing, "AT_ONCE_S", 0)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    assert 0 < count(store, sums) <= 3 * 30 / 10
    with capture_logs() as logs:
        for _ in range(40):
            keeper(store, clock).work(0)
    assert count(store, sums) == 3 * 30
    assert [entry["event"] for entry in logs] == ["figures_summed"]
    whole = [START - 700 * DAY, START + HOUR]
    assert FiguresLog(store.engine).of("acme", whole) == recounted(store, "acme", whole)


def test_a_company_without_calls_costs_no_row(store: Store) -> None:
    keeper(store, SetClock(START)).work(0)
    assert count(store, tables.figures_summed) == 0


def test_nothing_is_summed_while_older_calls_are_filled_in(store: Store) -> None:
    log_call(store, 1, START)
    counter = tables.counters
    with store.engine.begin() as connection:
        connection.execute(update(counter).where(counter.c.name == "missed_to_fill").values(value=1))
    keeper(store, SetClock(START + DAY)).work(0)
    assert count(store, sums) == 0
