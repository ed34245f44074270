"""Whatever is killed, nothing acknowledged is lost, told or dialled twice; and where something is lost, we see it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.kill import BELIEVED_CANCEL, Plan, Report, run

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
PLAN = Plan(events=2000)
Figure = Callable[[str, object], None]
NODES = {"n1", "n2", "n3"}


@pytest.mark.acceptance(3, 6, 7)
def test_a_killed_node_a_frozen_node_and_a_lost_primary_lose_nothing(tmp_path: Path, record_property: Figure) -> None:
    report = run(tmp_path, PLAN)
    record_property("figure", figure(report))
    assert not report.findings, f"{report.line()}\n{report.findings}"
    assert report.acknowledged >= PLAN.events
    assert report.nodes == report.screens_on == NODES
    assert report.dialled > 0
    assert max(report.resets) <= 1, "one failover, which no node can know to have lost nothing"


@pytest.mark.slow
@pytest.mark.acceptance(3)
def test_nothing_is_lost_where_the_standby_was_cut_off_before(tmp_path: Path, record_property: Figure) -> None:
    report = run(tmp_path, replace(PLAN, cut_before_s=0.5, freeze_s=1))
    record_property("figure", figure(report))
    assert not report.findings, f"{report.line()}\n{report.findings}"
    assert report.nodes == NODES


@pytest.mark.slow
@pytest.mark.control(3)
def test_an_asynchronous_standby_loses_events_and_screens_begin_anew_once(
    tmp_path: Path, record_property: Figure
) -> None:
    """The control of the two tests above; a screen whose company has lost nothing goes on."""
    plan = replace(PLAN, events=1500, synchronous=False, cut_before_s=0.5, promote_after_s=0.3, freeze_s=0)
    report = run(tmp_path, plan)
    record_property("figure", figure(report))
    assert len(report.findings.lost) > 50
    assert report.findings.screens
    assert max(report.resets) == 1


@pytest.mark.slow
@pytest.mark.control(3)
def test_a_cancelled_commit_that_is_believed_loses_events(tmp_path: Path, record_property: Figure) -> None:
    """The control: nodes that cancel a COMMIT and believe its answer."""
    report = run(
        tmp_path,
        replace(PLAN, events=1500, cut_before_s=2.0, promote_after_s=0.3, freeze_s=0, environment=BELIEVED_CANCEL),
    )
    record_property("figure", figure(report))
    assert report.findings.lost


def figure(report: Report) -> str:
    return f"{len(report.findings.lost)} of {report.acknowledged} lost"
