"""No acknowledged event is ever lost, whatever dies."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.conftest import LiveGateway, command, start_gateway, wait_ready
from tests.live.groups import kill_group

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone="


class Exchange(threading.Thread):
    """Sends starts of calls one after another and remembers the numbers that were acknowledged."""

    def __init__(self, port: int, area: int) -> None:
        super().__init__(daemon=True)
        self.port, self.area = port, area
        self.acknowledged: list[str] = []
        self.going = True

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for i in range(1_000_000):
            number = f"{self.area}32{i:06}"
            try:
                connection.request("GET", START + number)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.acknowledged.append(number)
            if not self.going:
                return


def logged(gateway: LiveGateway) -> set[str]:
    return {json.loads(line)["number"] for line in gateway.cli("calls", "--format", "json").splitlines()}


def under_load(gateway: LiveGateway, then: Callable[[], None]) -> set[str]:
    """What was acknowledged while ``then`` happened in the middle of the load."""
    exchanges = [Exchange(gateway.port, area) for area in (11, 21, 31, 41, 51, 61, 71, 81)]
    for exchange in exchanges:
        exchange.start()
    deadline = time.monotonic() + 20
    while sum(len(exchange.acknowledged) for exchange in exchanges) < 400:
        assert time.monotonic() < deadline, "the gateway takes too few events to test with"
        time.sleep(0.02)
    then()
    for exchange in exchanges:
        exchange.going = False
        exchange.join(20)
    return {number for exchange in exchanges for number in exchange.acknowledged}


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def kill_everything(gateway: LiveGateway) -> None:
    kill_group(gateway.process)


def kill_main_process(gateway: LiveGateway) -> None:
    gateway.process.kill()
    gateway.process.wait(10)


def stop_in_good_order(gateway: LiveGateway) -> None:
    gateway.stop()


@pytest.mark.parametrize(
    ("death", "workers"), [(kill_everything, 1), (kill_everything, 2), (kill_main_process, 2), (stop_in_good_order, 2)]
)
def test_every_acknowledged_event_is_there_after_the_gateway_died_under_load(
    tmp_path: Path, death: Callable[[LiveGateway], None], workers: int
) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"[server]\nworkers = {workers}\n[tenants.acme]\nextensions = ['3500-3599']\n")
    gateway = start_gateway(tmp_path / "data", config=config)
    acknowledged = under_load(gateway, lambda: death(gateway))
    assert len(acknowledged) >= 400
    again = start_gateway(tmp_path / "data", config=config, port=gateway.port)
    missing = acknowledged - logged(again)
    again.stop()
    assert missing == set()


def test_a_killed_worker_is_replaced_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    gateway = start_gateway(tmp_path / "data")

    def kill_worker() -> None:
        for pid in children(gateway.process.pid):
            os.kill(pid, signal.SIGKILL)

    acknowledged = under_load(gateway, kill_worker)
    wait_ready(gateway)
    assert acknowledged <= logged(gateway)
    assert gateway.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_gateway_stops_cleanly_and_leaves_the_port_free(tmp_path: Path, how: signal.Signals) -> None:
    gateway = start_gateway(tmp_path / "data")
    began = time.monotonic()
    assert gateway.stop(how) == 0
    assert time.monotonic() - began < 10
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", gateway.port))
    assert "Traceback" not in gateway.log.read_text()


def test_a_second_gateway_on_the_same_port_is_refused_with_a_clear_sentence(
    gateway: LiveGateway, tmp_path: Path
) -> None:
    serve = [*command(), "serve", "--listen", f"127.0.0.1:{gateway.port}", "--data", str(tmp_path / "data")]
    second = subprocess.run(serve, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{gateway.port} (Address already in use)" in second.stderr
