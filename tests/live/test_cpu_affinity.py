"""A running worker keeps to one processor while it is busy."""

import http.client
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.server.cpu_affinity import can_move
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.test_durability import children

COSTLY = f"<methodCall><methodName>Teste</methodName><params>{'<param/>' * 4000}</params></methodCall>".encode()


def keep_busy(gateway: LiveGateway, enough: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    while not enough.is_set():
        connection.request("POST", "/xmlrpc", COSTLY, {"Content-Type": "text/xml"})
        connection.getresponse().read()
    connection.close()


def until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(
    not can_move() or len(os.sched_getaffinity(0)) < 2, reason="this system leaves a process no choice of processors"
)
def test_a_worker_keeps_to_one_processor_only_while_it_is_busy(tmp_path: Path) -> None:
    def keeps_to_one() -> bool:
        return any(len(os.sched_getaffinity(pid)) == 1 for pid in children(gateway.process.pid))

    gateway = start_gateway(tmp_path / "data")
    enough = threading.Event()
    load = [threading.Thread(target=keep_busy, args=(gateway, enough)) for _ in range(3)]
    for thread in load:
        thread.start()
    try:
        until(keeps_to_one)
    finally:
        enough.set()
        for thread in load:
            thread.join(30)
    until(lambda: not keeps_to_one())
    assert gateway.stop() == 0
