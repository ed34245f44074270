"""Of several nodes that start at once one prepares the tables; the others wait, and say for what."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import DataUnusable
from gateway.store.partitions import beginning
from gateway.store.partitions.beginning import wait_for_turn


class BusyServer:
    """A server whose lock another node holds for ``seconds``; time passes only while it is waited for."""

    def __init__(self, seconds: float) -> None:
        self.now, self._free_at = 0.0, seconds

    def execute(self, statement: str) -> "BusyServer":
        assert statement == beginning.TRY_LOCK
        return self

    def fetchone(self) -> tuple[bool]:
        return (self.now >= self._free_at,)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def wait(server: BusyServer) -> list[Any]:
    with capture_logs() as logs:
        wait_for_turn(server, clock=server.clock, sleep=server.sleep)
    return logs


def test_who_waits_for_a_moment_says_nothing() -> None:
    assert wait(BusyServer(0.5)) == []


def test_who_waits_for_long_says_so_now_and_then() -> None:
    logs = wait(BusyServer(35))
    assert [(each["event"], each["waited_s"]) for each in logs] == [
        ("schema_waits_for_node", waited_s) for waited_s in (1, 11, 21, 31)
    ]


def test_a_node_that_has_hung_is_not_waited_for_without_end() -> None:
    server = BusyServer(float("inf"))
    with capture_logs(), pytest.raises(DataUnusable, match="60 minutes") as refused:
        wait_for_turn(server, clock=server.clock, sleep=server.sleep)
    assert "pg_locks" in str(refused.value)
    assert beginning.AT_MOST_S < server.now < beginning.AT_MOST_S + 1
