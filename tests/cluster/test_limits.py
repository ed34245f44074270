"""An appliance that stands three orders at once, four nodes, and two hundred orders: no more than three at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.clients import FAILURES

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]
MOST, NODES, ORDERS, AT_ONCE = 3, 4, 200, 12
LIMITS = f"max_orders = {MOST}\nmax_wait_s = 15"


def click(found: Cell, number: int) -> int:
    """Order a call at one of the nodes in turn; return the status, 0 where the node died."""
    path = f"/t/t01/click-to-call?origem=35{10 + number % 80}&destino=4799{number:06d}&id_pedido={number}"
    try:
        return found.nodes[number % NODES].get(path, timeout_s=30)[0]
    except FAILURES:
        return 0


@pytest.mark.acceptance(13)
def test_whole_nodes_keep_an_appliance_s_limit_together_though_one_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with cell(tmp_path, nodes=NODES, tenants=1, standby=False, limits=LIMITS, pbx_takes_s=0.1) as found:
        killing = Thread(target=kill_in_the_middle, args=[found])
        killing.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = Counter(pool.map(lambda number: click(found, number), range(ORDERS)))
        killing.join()
        dialled = Counter(each.number for each in found.history.dialled)
    record_property("figure", f"{sum(dialled.values())} dialled, {found.pbx.most} at once; told {dict(told)}")
    assert found.pbx.most <= MOST
    assert set(dialled.values()) == {1}
    assert told[200] >= ORDERS - ORDERS // NODES, "the others' orders all went out"


def kill_in_the_middle(found: Cell) -> None:
    """Kill a node when a quarter has been dialled, with what it is dialling then."""
    assert wait_for(lambda: len(found.history.dialled) >= ORDERS // 4, 60)
    found.nodes[0].kill()
