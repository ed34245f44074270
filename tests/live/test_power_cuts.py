"""A power cut takes nothing back that anybody was told: a short form of ``python -m bench.powercut``.

After each cut the next gateway begins with what a disk that forgets would have left, torn writes included.
"""

from pathlib import Path

import pytest

from bench.powercut.disk import Loss
from bench.powercut.series import Findings, Series, Wanted
from bench.powercut.shim import build
from tests.peers import need, need_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def cut(folder: Path, wanted: Wanted) -> Findings:
    """What came of a series in ``folder``, where log and disk of a cut that went wrong can be found afterwards."""
    need("cc", package="gcc")
    need_file("/usr/include/stdio.h", package="libc6-dev")
    return Series(folder / "series", build(folder), "ci", wanted).run()


@pytest.mark.parametrize("workers", [1, 2])
def test_no_promise_is_broken_by_power_cuts_under_load(tmp_path: Path, workers: int) -> None:
    """Acknowledged events are there, orders are dialled once and in time, forwards are told, and the database opens."""
    found = cut(tmp_path, Wanted(cuts=10, workers=[workers], images=6))
    assert found.problems == []
    assert found.cuts == 10
    assert min(found.events, found.orders, found.told) > 20


def test_a_disk_that_lies_is_found_out(tmp_path: Path) -> None:
    """The control: the gateway says that it syncs, and nothing is synced."""
    found = cut(tmp_path, Wanted(cuts=5, workers=[1], losses=[Loss.ALL], sync="ignored"))
    assert any("there is no gateway.db" in problem for problem in found.problems)


def test_a_gateway_that_opens_its_database_with_less_than_full_is_found_out(tmp_path: Path) -> None:
    """The control: SQLite's NORMAL keeps the database whole, and loses what was committed last."""
    found = cut(tmp_path, Wanted(cuts=5, workers=[1], losses=[Loss.ALL], synchronous="NORMAL"))
    assert any("an acknowledged event is lost" in problem for problem in found.problems)
