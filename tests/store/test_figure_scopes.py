"""Figures of those who see a part of the calls come from sums of their own, and are those that the calls say."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from gateway.domain.calls.scope import CallScope, Team, scope_of
from gateway.domain.numbering.extensions import Extensions
from gateway.domain.roles import Role
from gateway.errors import BusyError
from gateway.store import tables
from gateway.store.directory import Agent
from gateway.store.figures.counting import Figures
from gateway.store.figures.log import FiguresLog
from gateway.store.figures.scopes import AHEAD_MS, KEPT_MS, name_of, read_scope
from gateway.store.figures.sums import distrust, read_summed
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

calls, scopes, scope_sums = tables.calls, tables.figure_scopes, tables.figure_scope_sums
SALES = Team("sales", "", Extensions((("3500", "3509"), ("35", "35"))), frozenset({"Vendas"}), frozenset({"ana"}))
OTHERS = Team("others", "", Extensions((("3601", "3601"),)), frozenset({"Suporte"}))
RITA = CallScope(login="rita", seat="3601", led=(SALES,), joined=(OTHERS,))
SCOPES = (
    RITA,
    replace(RITA, seated_at=START + 2 * DAY),
    replace(RITA, led=(OTHERS,), joined=(), seated_at=START),
    CallScope(login="bruno", all_missed=True, seat="3502", seated_at=START + DAY),
)
BOUNDS = [START, START + HOUR]


def look(store: Store, clock: SetClock, scope: CallScope = RITA, bounds: list[int] = BOUNDS) -> Figures:
    found = FiguresLog(store.engine, store.journal, clock=clock).of("acme", bounds, scope)
    return sum(found.intervals, Figures())


def summed_until(store: Store, scope: CallScope) -> int:
    with store.engine.connect() as connection:
        found = read_scope(connection, "acme", name_of(scope))
    return found.until if found else 0


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_figures_of_a_part_are_those_of_its_calls_whatever_happens(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    history = History(store, chance)
    summed = keeper(store, history.clock, MeddlingJournal(store, lambda: chance.random() < 0.3 and history.happen()))
    figures, compared = FiguresLog(store.engine, store.journal, clock=history.clock), 0
    for _ in range(12):
        history.happen(8)
        history.pass_time()
        if chance.random() < 0.7:
            summed.work(history.clock.now)
        bounds = history.bounds()
        for tenant in ("acme", "beta"):
            for scope in SCOPES:
                found = figures.of(tenant, bounds, scope)
                assert found == recounted(store, tenant, bounds, scope), (tenant, bounds, scope)
                compared += found.intervals != [Figures()] * len(found.intervals)
    assert compared >= 8
    for _ in range(10):
        keeper(store, history.clock).work(history.clock.now)
    assert summed_until(store, RITA) == history.clock.ago(30 * 60_000) // HOUR * HOUR
    whole = [START - 2 * DAY, START + 5 * DAY]
    for scope in SCOPES:
        assert figures.of("acme", whole, scope) == recounted(store, "acme", whole, scope)


def test_hours_are_read_from_the_sums_of_who_asked_before(store: Store) -> None:
    for place, extension in enumerate(("3501", "3700")):
        log_call(store, place + 1, START, extension=extension)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    assert look(store, clock).placed == 1
    keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        assert connection.execute(select(scope_sums.c.placed).where(scope_sums.c.kind == "quarter")).scalar() == 1
        connection.execute(update(scope_sums).values(placed=7))
    assert look(store, clock).placed == 7
    assert look(store, clock, replace(RITA, led=())).placed == 0


def test_a_seat_of_today_is_counted_beside_the_sums(store: Store) -> None:
    """Who sits down anew each day has the same sums still."""
    for place, extension in enumerate(("3501", "3700", "3700")):
        log_call(store, place + 1, START + place * QUARTER, extension=extension)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    for seated_at, placed in ((START, 3), (START + 2 * QUARTER, 2), (START + HOUR, 1)):
        assert look(store, clock, replace(RITA, seat="3700", seated_at=seated_at)).placed == placed
    assert count(store, scopes) == 2  # with the seat 3601 for good, and without any


def test_an_hour_that_changes_is_summed_anew_for_everybody(store: Store) -> None:
    log_call(store, 1, START)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    log_call(store, 2, START + 1)
    assert look(store, clock).placed == 2
    keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        found = connection.execute(select(scope_sums.c.placed).where(scope_sums.c.kind == "quarter")).scalar()
    assert (count(store, tables.figures_changed), found) == (0, 2)


def test_a_call_that_comes_to_be_seen_is_noted(store: Store) -> None:
    """By whatever lets it be seen: where it was, of whom its legs and its order are."""
    changes = ({"answered_by": "3501"}, {"number": "3502"}, {"leg_count": 1}, {"order_id": 4})
    for place in range(len(changes)):
        log_call(store, place + 1, START + place * HOUR, extension="3700", direction="internal")
    keeper(store, SetClock(START + 6 * HOUR)).work(0)
    for place, values in enumerate(changes):
        with store.engine.begin() as connection:
            connection.execute(update(calls).where(calls.c.id == place + 1).values(values))
        assert count(store, tables.figures_changed) == place + 1


def test_sums_that_a_version_of_before_has_written_beside_are_not_trusted(store: Store) -> None:
    """It sums hours anew without those of scopes."""
    log_call(store, 1, START)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        connection.execute(update(tables.figures_summed).values(version=tables.figures_summed.c.version + 1))
        connection.execute(update(scope_sums).values(placed=7))
    assert look(store, clock).placed == 1
    keeper(store, clock).work(0)
    assert look(store, clock).placed == 1
    assert summed_until(store, RITA) == START + 4 * HOUR


def test_days_are_summed_anew_where_a_version_of_before_has_written_hours_of_scopes(store: Store) -> None:
    """It moves all versions that it knows, and leaves out the days."""
    log_call(store, 1, START - DAY)
    log_call(store, 2, START - 3 * DAY)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        for table in (tables.figures_summed, scopes):
            connection.execute(update(table).values(version=table.c.version + 1))
        connection.execute(update(scope_sums).where(scope_sums.c.kind == "person24").values(placed=7))
    bounds = [START - 4 * DAY, START]
    figures = FiguresLog(store.engine)
    for _ in range(2):
        assert figures.of("acme", bounds, RITA).people["3501"].placed == 2
        keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        connection.execute(update(scope_sums).where(scope_sums.c.kind == "person24").values(placed=7))
    assert figures.of("acme", bounds, RITA).people["3501"].placed == 14


def test_hours_whose_calls_went_with_a_partition_are_not_trusted(store: Store) -> None:
    for place in range(2):
        log_call(store, place + 1, START + place * HOUR)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    with store.engine.begin() as connection:
        distrust(connection, {"acme": START + HOUR - 1})
        assert read_summed(connection, "acme").good_days_since == 0  # type: ignore[union-attr]
        connection.execute(update(scope_sums).values(placed=7))
    assert look(store, clock, RITA, [START, START + HOUR, START + 2 * HOUR]).placed == 1 + 7
    keeper(store, clock).work(0)
    assert look(store, clock).placed == 1


def test_sums_that_nobody_looks_at_go(store: Store) -> None:
    log_call(store, 1, START)
    keeper(store, clock := SetClock(START + 5 * HOUR)).work(0)
    look(store, clock)
    keeper(store, clock).work(0)
    clock.now += KEPT_MS + 2 * DAY
    look(store, clock, SCOPES[2])
    keeper(store, clock).work(0)
    assert (count(store, scopes), summed_until(store, RITA)) == (1, 0)


LED = (replace(SALES, supervisors=frozenset({"rita"})), OTHERS)


def add_agent(store: Store, login: str, role: Role, extension: str = "") -> None:
    store.directory.save_agent(Agent(0, "acme", login, login, extension, role=role), "unusable", START)


def test_the_first_look_of_who_leads_a_team_is_read_from_sums(store: Store) -> None:
    """Of the last weeks; what is older is summed when somebody has looked."""
    add_agent(store, "rita", Role.SUPERVISOR)
    add_agent(store, "bruno", Role.AGENT)
    long_ago = START - AHEAD_MS - 2 * DAY
    for place, at in enumerate((long_ago, START - DAY, START)):
        log_call(store, place + 1, at)
    keeper(store, clock := SetClock(START + 5 * HOUR), teams=LED).work(0)
    rita = scope_of(Role.SUPERVISOR, "rita", "", LED)
    assert (count(store, scopes), summed_until(store, rita)) == (1, START + 4 * HOUR)
    assert summed_since(store, rita) == (clock.ago(AHEAD_MS)) // HOUR * HOUR
    with store.engine.begin() as connection:
        connection.execute(update(scope_sums).values(placed=7))
    assert look(store, clock, rita).placed == 7
    keeper(store, clock, teams=LED).work(0)
    assert summed_since(store, rita) == 0
    assert look(store, clock, rita, [long_ago, START + HOUR]).placed == 1 + 7 + 7


def test_sums_of_who_leads_no_team_any_more_go(store: Store) -> None:
    add_agent(store, "rita", Role.SUPERVISOR)
    log_call(store, 1, START)
    keeper(store, clock := SetClock(START + 5 * HOUR), teams=LED).work(0)
    clock.now += KEPT_MS + DAY
    keeper(store, clock, teams=LED).work(0)
    assert count(store, scopes) == 1
    add_agent(store, "rita", Role.AGENT)
    keeper(store, clock, teams=LED).work(0)
    assert (count(store, scopes), count(store, scope_sums)) == (0, 0)


def test_nothing_is_summed_ahead_where_supervisors_see_all(store: Store) -> None:
    add_agent(store, "rita", Role.SUPERVISOR)
    log_call(store, 1, START)
    keeper(store, SetClock(START + 5 * HOUR)).work(0)
    assert count(store, scopes) == 0


def summed_since(store: Store, scope: CallScope) -> int:
    with store.engine.connect() as connection:
        found = read_scope(connection, "acme", name_of(scope))
    return found.since if found else -1


def test_figures_are_shown_although_it_cannot_be_written_that_they_were_asked_for(store: Store) -> None:
    class Full:
        def run(self, *_: object, **how: object) -> None:
            raise BusyError("full")

    log_call(store, 1, START)
    figures = FiguresLog(store.engine, Full())  # type: ignore[arg-type]
    with capture_logs() as logs:
        assert figures.of("acme", BOUNDS, RITA).intervals[0].placed == 1
    assert [entry["event"] for entry in logs] == ["figures_not_noted"]
