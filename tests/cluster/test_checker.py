"""The checker finds each kind of wrong in a history that was made up wrong, and nothing in a right one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.cluster.checker import END, START, check, shown_of
from tests.cluster.history import (
    RESET,
    Answer,
    Dialled,
    History,
    LoggedRow,
    OrderRow,
    SentEvent,
    SentOrder,
    Shown,
    Stored,
)

TENANTS, CALLS = ("acme", "globex"), 5


def run() -> tuple[History, Stored]:
    """A run in which all is well: each event stored and shown, each order dialled once."""
    history, rows = History(), []
    for tenant in TENANTS:
        rows += [
            LoggedRow(tenant, seq, kind, "3501", (seq + 1) // 2, f"4732{(seq + 1) // 2:06}")
            for seq, kind in enumerate((START, END) * CALLS, start=1)
        ]
        screen = history.open_screen(tenant, "3501")
        screen.shown = [shown_of(row) for row in rows if row.tenant == tenant]
        for key in ("a", "b"):
            history.add(SentOrder(tenant, key, f"4799{key}", "n1", Answer.ACKNOWLEDGED, 0.1))
            history.add(Dialled(tenant, f"4799{key}"))
    for row in rows:
        history.add(SentEvent(row.tenant, row.kind, row.number, "n1", Answer.ACKNOWLEDGED, 0.0, 0.1, row.call_id))
    orders = [OrderRow(tenant, key, f"4799{key}", "accepted") for tenant in TENANTS for key in ("a", "b")]
    return history, Stored(rows, orders, heads=dict.fromkeys(TENANTS, 2 * CALLS))


def without(rows: Sequence[LoggedRow], place: int) -> list[LoggedRow]:
    return [row for i, row in enumerate(rows) if i != place]


def lose_the_last(history: History, stored: Stored) -> Stored:
    return replace(stored, events=without(stored.events, 2 * CALLS - 1))


def store_twice(history: History, stored: Stored) -> Stored:
    return replace(stored, events=[*stored.events, replace(stored.events[0], seq=2 * CALLS + 1)])


def skip_a_number(history: History, stored: Stored) -> Stored:
    return replace(stored, events=[*stored.events[:-1], replace(stored.events[-1], seq=2 * CALLS + 1)])


def leave_the_head_behind(history: History, stored: Stored) -> Stored:
    return replace(stored, heads={**stored.heads, "acme": 2 * CALLS - 1})


def show_not(history: History, stored: Stored) -> Stored:
    del history.screens[0].shown[3]
    return stored


def show_twice(history: History, stored: Stored) -> Stored:
    history.screens[0].shown.insert(3, history.screens[0].shown[2])
    return stored


def show_out_of_order(history: History, stored: Stored) -> Stored:
    shown = history.screens[0].shown
    shown[4], shown[5] = shown[5], shown[4]
    return stored


def show_what_was_lost(history: History, stored: Stored) -> Stored:
    history.events = history.events[:-1]
    return replace(stored, events=without(stored.events, len(stored.events) - 1), heads={})


def reset_behind_what_is_there(history: History, stored: Stored) -> Stored:
    history.screens[1].shown.insert(4, Shown("1.3", RESET))
    return stored


def reset_after_what_was_lost(history: History, stored: Stored) -> Stored:
    history.screens[1].shown[3:4] = [replace(history.screens[1].shown[3], call_id=99), Shown("1.4", RESET)]
    return stored


def lose_an_order(history: History, stored: Stored) -> Stored:
    history.dialled = [each for each in history.dialled if (each.tenant, each.number) != ("acme", "4799a")]
    return replace(stored, orders=stored.orders[1:])


def dial_twice(history: History, stored: Stored) -> Stored:
    history.add(history.dialled[0])
    return stored


def dial_without_a_row(history: History, stored: Stored) -> Stored:
    history.add(Dialled("acme", "4799c"))
    return stored


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = check(*run())
    assert not found, str(found)


def test_a_reset_that_leaves_nothing_out_is_right() -> None:
    history, stored = run()
    history.screens[0].shown[4:7] = [Shown("1.7", RESET)]
    assert not check(history, stored)
    assert [screen.resets for screen in history.screens] == [1, 0]


def test_what_was_not_acknowledged_may_be_stored_or_not() -> None:
    history, stored = run()
    unclear = SentEvent("acme", START, "4732999999", "n1", Answer.UNCLEAR, 0.0, 0.1)
    history.add(unclear)
    history.events[0] = replace(history.events[0], answer=Answer.UNCLEAR)
    assert not check(history, stored)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lose_the_last, {"lost": 1, "screens": 1, "gaps": 1}),
        (store_twice, {"twice": 1, "gaps": 1, "screens": 1}),
        (skip_a_number, {"gaps": 1, "screens": 1}),
        (leave_the_head_behind, {"gaps": 1}),
        (show_not, {"screens": 1}),
        (show_twice, {"screens": 1}),
        (show_out_of_order, {"screens": 1}),
        (show_what_was_lost, {"screens": 1}),
        (reset_behind_what_is_there, {"screens": 1}),
        (reset_after_what_was_lost, {"screens": 1}),
        (lose_an_order, {"orders_lost": 1}),
        (dial_twice, {"dialled_twice": 1}),
        (dial_without_a_row, {"dialled_without_row": 1}),
    ],
)
def test_each_wrong_is_found(spoil: Callable[[History, Stored], Stored], found: dict[str, int]) -> None:
    history, stored = run()
    counts = check(history, spoil(history, stored)).counts()
    assert {name: count for name, count in counts.items() if count} == found


def test_nodes_are_those_that_acknowledged_something() -> None:
    history, _ = run()
    history.add(SentEvent("acme", START, "1", "n2", Answer.REFUSED, 0.0, 0.1))
    assert history.nodes() == {"n1"}
