"""Each of three nodes is killed in turn under load: what fifty screens saw, and what became of each order."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.cluster.cell import LOGIN, PASSWORD, Cell, cell, wait_for
from tests.cluster.checker import Findings, check
from tests.cluster.clients import Screen
from tests.cluster.history import History, ScreenHistory, Stored

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(500)]
SCREENS, NODES = 50, 3
BETWEEN_KILLS = 400
"""Events that are acknowledged before the next node is killed."""
CLICKERS = 10
UNKNOWN_WITHIN_S = 150
Figure = Callable[[str, object], None]


class ForgetfulScreen(Screen):
    """The control: a page that goes on with what comes next, wherever it had been."""

    def move_on(self) -> None:
        super().move_on()
        self.seen.position = None
        time.sleep(1)


@dataclass(frozen=True, slots=True)
class Rolling:
    """What came of the kills. ``settled_s``: how long after the last kill no order was without an outcome."""

    cell: Cell
    findings: Findings
    stored: Stored
    forgetful: Sequence[ScreenHistory]
    settled_s: float


@pytest.fixture(scope="module")
def rolling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolling]:
    folder = tmp_path_factory.mktemp("rolling")
    with cell(folder, nodes=NODES, tenants=10, pbx_takes_s=1.0) as found:
        found.open_screens(SCREENS)
        forgetful = open_forgetful(found)
        found.send(per_s=12, clickers=CLICKERS)
        found.until_acknowledged(BETWEEN_KILLS, 120)
        for count, node in enumerate(found.nodes, start=2):
            # All CRMs click, and wait, in step: a moment chosen by events alone may find nobody dialling.
            assert wait_for(lambda: found.pbx.now > CLICKERS / 2, 60, every_s=0.01), found.logs()
            node.restart()
            killed = time.monotonic()
            node.wait()
            found.until_acknowledged(count * BETWEEN_KILLS, 120)
        found.quiet()
        wait_for(lambda: not unsettled(found), UNKNOWN_WITHIN_S)
        settled_s = time.monotonic() - killed
        findings = found.finish()
        yield Rolling(found, findings, found.stored(), forgetful, settled_s)


def open_forgetful(found: Cell) -> list[ScreenHistory]:
    """Open pages that remember no position, one at each node."""
    pages = [
        ForgetfulScreen(found.history, found.nodes, found.tenants[place], place, login=LOGIN, password=PASSWORD)
        for place in range(NODES)
    ]
    found.begin(pages)
    for page in pages:
        assert page.is_open.wait(60), found.logs()
    return [page.seen for page in pages]


def unsettled(found: Cell) -> list[tuple[object, ...]]:
    return found.database.writable.query("SELECT id FROM orders WHERE outcome IS NULL")


@pytest.mark.acceptance(6)
def test_each_screen_saw_each_event_of_its_company_once_and_in_order(rolling: Rolling, record_property: Figure) -> None:
    seen = [screen for screen in rolling.cell.history.screens if screen not in rolling.forgetful]
    assert len(seen) == SCREENS
    assert wrong_screens(rolling, seen) == []
    assert set().union(*(screen.nodes for screen in seen)) == {node.name for node in rolling.cell.nodes}
    assert max(screen.resets for screen in seen) == 0
    record_property("figure", f"{len(seen)} screens, {sum(len(screen.shown) for screen in seen)} events shown")


@pytest.mark.control(6)
def test_a_screen_that_remembers_no_position_has_missed_events(rolling: Rolling) -> None:
    assert len(wrong_screens(rolling, rolling.forgetful)) == NODES


def wrong_screens(rolling: Rolling, screens: Sequence[ScreenHistory]) -> list[str]:
    """Return what is wrong with ``screens`` alone."""
    only = History()
    only.screens = list(screens)
    return list(check(only, rolling.stored).screens)


@pytest.mark.acceptance(7)
def test_each_order_was_dialled_once_at_most_and_has_an_outcome(rolling: Rolling, record_property: Figure) -> None:
    found = rolling.findings
    assert (found.orders_lost, found.dialled_twice, found.dialled_without_row) == ([], [], [])
    outcomes = Counter(order.outcome for order in rolling.stored.orders)
    assert outcomes["unknown"] > 0, f"nobody died while dialling: {outcomes}"
    assert outcomes[None] == 0
    assert rolling.settled_s < UNKNOWN_WITHIN_S
    figure = (
        f"{len(rolling.cell.history.dialled)} dialled, {outcomes['unknown']} unknown within {rolling.settled_s:.0f} s"
    )
    record_property("figure", figure)


@pytest.mark.acceptance(3)
def test_nothing_acknowledged_was_lost_or_stored_twice(rolling: Rolling) -> None:
    found = rolling.findings
    assert (found.lost, found.twice, found.gaps) == ([], [], [])
    assert rolling.cell.history.nodes() == {node.name for node in rolling.cell.nodes}
