"""Lanes: where the distance of the standby is the limit, eight of them make several times the transactions of one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.lane_load import ONE_LOCK, LaneLoad, away, measure
from tests.cluster.servers import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
LOAD = LaneLoad(seconds=4, warm_up_s=0.5)
ROUND_TRIP_MS = 10
"""So far away that the commit takes longer than the processors, however busy they are."""
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Cluster, Path]]:
    with away(ROUND_TRIP_MS) as found:
        yield found


@pytest.fixture(scope="module")
def one_lane(place: tuple[Cluster, Path]) -> float:
    return measure(*place, 1, LOAD).batches_per_s


@pytest.mark.acceptance(11)
def test_eight_lanes_make_three_times_the_transactions_of_one(
    place: tuple[Cluster, Path], one_lane: float, record_property: Record
) -> None:
    eight = measure(*place, 8, LOAD)
    assert all(node.took_ms for node in eight.nodes), "a node wrote nothing"
    record_property("figure", f"{eight.batches_per_s / one_lane:.1f} times")
    assert eight.batches_per_s >= 3 * one_lane


@pytest.mark.control(11)
def test_a_lock_of_all_makes_them_one_lane_again(place: tuple[Cluster, Path], one_lane: float) -> None:
    assert measure(*place, 8, LOAD, ONE_LOCK).batches_per_s < 2 * one_lane
