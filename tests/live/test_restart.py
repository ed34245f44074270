"""A gateway is replaced under load, and no exchange notices."""

import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.restart import Senders
from tests.live.conftest import LiveGateway, command, free_port, start_gateway

CONFIG = """
[server]
take_over = true
drain_s = 1
lenient_listen = "127.0.0.1:{lenient}"
[tenants.default]
extensions = ["3500-3599"]
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[LiveGateway]:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(lenient=free_port()))
    started = start_gateway(tmp_path / "data", config=config)
    yield started
    if started.process.poll() is None:
        started.stop()


def lenient_port(running: LiveGateway) -> int:
    assert running.config
    return int(running.config.read_text().partition("127.0.0.1:")[2].partition('"')[0])


def readiness(port: int) -> tuple[int, dict[str, bool]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def second(running: LiveGateway, config: Path) -> subprocess.CompletedProcess[str]:
    """Another gateway on the same data that is expected to end by itself."""
    arguments = ["serve", "--listen", f"127.0.0.1:{running.port}", "--data", str(running.data), "--config", str(config)]
    return subprocess.run([*command(), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_successor_takes_over_under_load_and_no_event_is_refused_on_either_port(running: LiveGateway) -> None:
    shared = running.data / "appliances"
    shared.mkdir()
    (shared / "acme.pabx").write_text("{}")
    main, lenient = Senders(running.port, 6), Senders(lenient_port(running), 2)
    with main.sending(), lenient.sending():
        time.sleep(0.5)
        successor = start_gateway(running.data, config=running.config, port=running.port)
        assert running.process.wait(60) == 0
        time.sleep(0.5)
    try:
        assert (main.refused, lenient.refused) == (0, 0), (main.told, lenient.told)
        with closing(sqlite3.connect(running.data / "gateway.db")) as database:
            kept = database.execute("SELECT count(*) FROM events").fetchone()[0]
        assert kept == len(main.acknowledged) + len(lenient.acknowledged)
        assert (
            shared / "acme.pabx"
        ).exists()  # how appliances are doing outlives a gateway that is followed by another
        log = running.log.read_text()
        assert "taken_over " in log
        assert "Traceback" not in log
    finally:
        assert successor.stop() == 0


def test_a_gateway_told_to_stop_says_so_first_and_still_serves(running: LiveGateway) -> None:
    assert readiness(running.port) == (200, {**readiness(running.port)[1], "accepting": True})
    senders = Senders(running.port, 2)
    unfinished = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(2)]
    unfinished[0].sendall(b"POST /soap HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
    unfinished[1].sendall(b"GET / HT")
    running.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 0.8
    while readiness(running.port)[0] == 200 and time.monotonic() < until:
        time.sleep(0.01)
    status, checks = readiness(running.port)
    assert (status, checks["accepting"], checks["writer"]) == (503, False, True)
    senders._one(
        http.client.HTTPConnection("127.0.0.1", running.port, timeout=5),
        "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123",
        "1",
    )
    assert senders.refused == 0
    # Who never ends is not waited for.
    assert running.process.wait(20) == 0
    assert "Traceback" not in running.log.read_text()
    for each in unfinished:
        each.close()


def test_a_successor_that_does_not_fit_says_so_and_the_running_one_goes_on(
    running: LiveGateway, tmp_path: Path
) -> None:
    assert running.config
    other = tmp_path / "other.toml"
    other.write_text("[server]\ntake_over = true\n")
    refused = second(running, other)
    assert (refused.returncode, "another server.lenient_listen" in refused.stderr) == (1, True), refused.stderr
    with closing(sqlite3.connect(running.data / "gateway.db")) as database, database:
        (ours,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    refused = second(running, running.config)
    assert refused.returncode == 1
    assert f"the gateway that runs has schema 0001, this version needs {ours}. Stop the gateway" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert readiness(running.port)[0] == 200
    with closing(sqlite3.connect(running.data / "gateway.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (ours,))


def test_without_the_setting_a_second_gateway_is_refused_as_before(running: LiveGateway, tmp_path: Path) -> None:
    plain = tmp_path / "plain.toml"
    plain.write_text("[server]\n")
    refused = second(running, plain)
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{running.port} (Address already in use)" in refused.stderr
    assert "set server.take_over = true in both" in refused.stderr
    assert readiness(running.port)[0] == 200


def test_a_gateway_beside_another_leaves_its_state_alone_and_one_alone_begins_anew(running: LiveGateway) -> None:
    state = running.data / "appliances" / "acme.pabx"
    state.parent.mkdir()
    state.write_text("{}")
    beside = start_gateway(running.data)
    beside.stop()
    assert state.exists()
    running.stop()
    alone = start_gateway(running.data)
    alone.stop()
    assert not state.exists()
