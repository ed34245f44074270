"""Several workers of one node fill one spool; one empties it, and another goes on when that one is killed."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store.spool.draining import LOCK
from gateway.store.spool.file import DATABASE
from tests.cluster.cell import cell, wait_for
from tests.cluster.nodes import Node
from tests.cluster.test_spool import MANY, WITHIN_S, assert_in_order, kept, send
from tests.live.groups import members

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]


def waiting(node: Node) -> int:
    """Return how many events lie in the node's spool."""
    with closing(sqlite3.connect(node.folder / "data" / DATABASE)) as spool:
        return int(spool.execute("SELECT count(*) FROM spooled").fetchone()[0])


def drainer(node: Node) -> int | None:
    """Return the process that has the right to empty the node's spool (proc(5): /proc/locks), None: nobody."""
    inode = (node.folder / "data" / LOCK).stat().st_ino
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" not in line]
    found = {int(line[4]) for line in lines if line[1] == "FLOCK" and line[5].endswith(f":{inode}")}
    ours = found & set(members(node.process.pid)) if node.process else set()
    return next(iter(ours), None)


@pytest.mark.acceptance(14)
def test_another_worker_goes_on_where_the_one_that_drains_is_killed(tmp_path: Path) -> None:
    with cell(tmp_path, nodes=1, tenants=8, workers=2, server="spool = true", standby=False) as found:
        (node,) = found.nodes
        found.database.primary.kill()
        send(found, found.tenants)
        assert wait_for(lambda: len(kept(found)) >= 2 * MANY, WITHIN_S), f"{len(kept(found))} kept\n{found.logs()}"
        found.quiet()
        held = waiting(node)
        found.database.primary.start()
        # A thousand events are written down in 0.15 s.
        assert wait_for(lambda: 0 < waiting(node) < held, WITHIN_S, every_s=0.002), node.told()
        first = drainer(node)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert wait_for(lambda: waiting(node) == 0, WITHIN_S), node.told()
        assert drainer(node) not in (None, first)
        findings = found.finish()
        assert not findings, str(findings)
        assert_in_order(found, MANY)
