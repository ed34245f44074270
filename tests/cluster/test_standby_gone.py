"""While no standby has it nothing is acknowledged and nothing is shown; and all goes on when one is back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.history import Answer
from tests.cluster.kill import BELIEVED_CANCEL

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
UNDER_WAY_S = 0.5
"""What was on its way when the standby went."""
AWAY_S = 10.0
RESUMED_S = 1.0
GIVEN_UP_S = 9.5
"""Within this an exchange is told that its event was not taken: 8 s, and what a busy machine adds."""


def shown(found: Cell) -> int:
    return sum(len(screen.shown) for screen in found.history.screens)


@pytest.mark.acceptance(4)
def test_nothing_is_acknowledged_or_shown_until_a_standby_is_back(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with cell(tmp_path, nodes=2, tenants=4) as found:
        found.open_screens(4)
        found.send(per_s=10, clickers=1)
        found.until_acknowledged(200)
        found.database.standby.freeze()
        time.sleep(UNDER_WAY_S)
        before = (len(found.history.acknowledged()), shown(found), len(found.history.dialled))
        time.sleep(AWAY_S)
        assert (len(found.history.acknowledged()), shown(found), len(found.history.dialled)) == before
        given_up = [event for event in found.history.events if event.answer is not Answer.ACKNOWLEDGED]
        assert given_up, "exchanges wait for ever"
        assert max(event.took_s for event in given_up) < GIVEN_UP_S
        thawed_at = time.monotonic()
        found.database.standby.thaw()
        assert wait_for(lambda: len(found.history.acknowledged()) > before[0], 20)
        resumed_s = found.history.acknowledged()[before[0]].answered_at - thawed_at
        longest_s = max(event.took_s for event in given_up)
        record_property("figure", f"given up after {longest_s:.1f} s, all goes on after {resumed_s:.2f} s")
        assert resumed_s < RESUMED_S
        findings = found.finish()
        assert not findings, str(findings)


@pytest.mark.slow
@pytest.mark.control(4)
def test_a_cancelled_commit_that_is_believed_is_acknowledged_and_shown(tmp_path: Path) -> None:
    """The control: nodes that cancel a COMMIT after 0.3 s and believe its answer."""
    with cell(tmp_path, nodes=1, tenants=2, environment=BELIEVED_CANCEL) as found:
        found.open_screens(2)
        found.send(per_s=10)
        found.until_acknowledged(40)
        found.database.standby.freeze()
        time.sleep(UNDER_WAY_S)
        acknowledged, seen = len(found.history.acknowledged()), shown(found)
        assert wait_for(lambda: len(found.history.acknowledged()) > acknowledged and shown(found) > seen, 20)


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path) -> Iterator[None]:
    """Have a failure carry the logs of all servers."""
    try:
        yield
    finally:
        for path in sorted(tmp_path.rglob("*.log")):
            print(f"--- {path.relative_to(tmp_path)}\n{path.read_text(errors='replace')[-3000:]}")
