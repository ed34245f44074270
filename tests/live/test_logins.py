"""Logins at a gateway of two processes: wrong passwords count once for both, and nobody else reads its files."""

import http.client
import os
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.office import PASSWORD, agent_ana

WORKERS = 2
TRIES = 30


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder: Path = tmp_path_factory.mktemp("logins")
    config = folder / "gateway.toml"
    config.write_text(f"[server]\nworkers = {WORKERS}\n[tenants.default]\n")
    (folder / "data").mkdir()
    (folder / "data").chmod(0o755)
    before = os.umask(0)
    try:
        running = start_gateway(folder / "data", config=config)
    finally:
        os.umask(before)
    agent_ana(running)
    yield running
    running.stop()


def status(gateway: LiveGateway, password: str, address: str) -> int:
    """What a script at ``address`` is answered; each time on a new connection, which any worker may take."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30, source_address=(address, 0))
    try:
        login = b64encode(f"ana:{password}".encode()).decode()
        connection.request("GET", "/api/me", headers={"Authorization": f"Basic {login}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_all_workers_count_together_and_let_the_remembered_password_pass(gateway: LiveGateway) -> None:
    assert status(gateway, PASSWORD, "127.0.0.2") == 200
    wrong = [status(gateway, f"errada-{number}", "127.0.0.3") for number in range(TRIES)]
    assert wrong == [401] * 10 + [429] * (TRIES - 10)
    assert [status(gateway, PASSWORD, "127.0.0.2") for _ in range(10)] == [200] * 10
    assert status(gateway, PASSWORD, "127.0.0.4") == 200


def test_the_metric_has_all_of_them(gateway: LiveGateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request("GET", "/metrics")
    told = connection.getresponse().read().decode()
    connection.close()
    assert 'cti_logins_refused_total{reason="wrong"} 10.0' in told
    assert f'cti_logins_refused_total{{reason="login_at_address"}} {TRIES - 10}.0' in told


def test_no_password_and_no_key_lies_in_the_data_folder(gateway: LiveGateway) -> None:
    written = b"".join(path.read_bytes() for path in gateway.data.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written
    assert b"errada-1" not in written


def test_whatever_the_umask_nobody_else_reads_the_files_of_a_gateway_that_runs(gateway: LiveGateway) -> None:
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in gateway.data.rglob("*")}
    assert {"gateway.db", "gateway.db-wal", "traffic.db", "logins.db", "metrics"} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
