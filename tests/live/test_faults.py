"""What a running gateway does when its disk is full, or its database is gone."""

import contextlib
import http.client
import json
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.groups import kill_group
from tests.live.processes import until

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123"


def get(gateway: LiveGateway, path: str) -> tuple[int, str]:
    """One request on a connection of its own, so that it may reach any worker."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def failed_checks(gateway: LiveGateway) -> set[str]:
    status, body = get(gateway, "/readyz")
    failed = {name for name, good in json.loads(body).items() if not good}
    assert status == (503 if failed else 200)
    return failed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this test needs to mount a file system: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=False)


def test_a_full_disk_is_told_and_over_when_there_is_room_again(small_disk: Path) -> None:
    gateway = start_gateway(small_disk / "data")
    assert get(gateway, START)[0] == 200
    filler = small_disk / "filler"
    fill(filler)
    # What is left of the write-ahead log's last pages may still take a few.
    until(lambda: get(gateway, START)[0] == 503, "the event is refused")
    until(lambda: failed_checks(gateway) == {"write"}, "the readiness says so", timeout_s=4)
    filler.unlink()
    until(lambda: get(gateway, START)[0] == 200, "events are taken again")
    assert failed_checks(gateway) == set()
    assert gateway.stop() == 0


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[LiveGateway]:
    config = tmp_path / "gateway.toml"
    config.write_text("[server]\nworkers = 2\n[tenants.acme]\nextensions = ['3500-3599']\n")
    gateway = start_gateway(tmp_path / "data", config=config)
    yield gateway
    gateway.stop()


def test_a_lost_database_stops_every_worker_within_two_seconds_and_one_put_back_lets_them_go_on(
    two_workers: LiveGateway,
) -> None:
    database = two_workers.data / "gateway.db"
    for _ in range(8):
        assert get(two_workers, START)[0] == 200
    kept = two_workers.data / "kept"
    database.rename(kept)
    shutil.copy(kept, database)
    ends = time.monotonic() + 2
    answers = [get(two_workers, START) for _ in range(16)]
    assert {status for status, _ in answers} == {503}
    assert "ERRO 425" in answers[0][1]
    assert failed_checks(two_workers) >= {"file"}
    assert time.monotonic() < ends + 10
    kept.rename(database)
    assert {get(two_workers, START)[0] for _ in range(16)} == {200}
    until(lambda: not failed_checks(two_workers), "it is ready again")


class Hanging:
    """A server that takes requests and answers none."""

    def __enter__(self) -> "Hanging":
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connected = threading.Event()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._open.append(self._listening.accept()[0])
                self.connected.set()

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for connection in self._open:
            connection.close()


DIAL = "/click-to-call?origem=3501&destino=4732100123&id_pedido=p-1"


def crashed(tmp_path: Path, table: str, hang: Hanging, path: str) -> LiveGateway:
    """A gateway that was killed while it waited for ``hang``; ``table`` says what it does there."""
    config = tmp_path / "gateway.toml"
    config.write_text(table.replace("PORT", str(hang.port)))
    gateway = start_gateway(tmp_path / "data", config=config)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request("GET", path)
    assert hang.connected.wait(10)
    kill_group(gateway.process)
    connection.close()
    return gateway


def test_an_order_repeated_after_a_crash_is_answered_at_once(tmp_path: Path) -> None:
    table = """
    [tenants.acme.appliances.pbx]
    adapter = "url"
    url = "http://127.0.0.1:PORT/?to={{ number }}"
    success = "ok"
    """
    with Hanging() as hang:
        before = crashed(tmp_path, table, hang, DIAL)
        gateway = start_gateway(tmp_path / "data", config=before.config)
        began = time.monotonic()
        status, body = get(gateway, DIAL)
        took_s = time.monotonic() - began
        gateway.stop()
    assert (status, "O gateway parou durante a tentativa" in body) == (504, True)
    assert took_s < 5, "without the mend it is 20 s"


def test_an_event_that_was_being_forwarded_at_a_crash_goes_out_at_once(tmp_path: Path) -> None:
    table = """
    [tenants.acme.forwards.crm]
    adapter = "url"
    url = "http://127.0.0.1:PORT/?to={{ telefone }}"
    success = "ok"
    """
    with Hanging() as hang:
        before = crashed(tmp_path, table, hang, START)
        hang.connected.clear()
        gateway = start_gateway(tmp_path / "data", config=before.config)
        again = hang.connected.wait(20)
        gateway.stop()
    assert again, "without the mend it takes two minutes"


class Listening(Hanging):
    """A CRM that takes every event."""

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self._listening.accept()[0]
                with connection, contextlib.suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    self.connected.set()


def test_after_a_time_without_files_to_open_everything_works_again(tmp_path: Path) -> None:
    lenient = free_port()
    table = f"""
    [server]
    lenient_listen = "127.0.0.1:{lenient}"
    [tenants.acme.forwards.crm]
    adapter = "url"
    url = "http://127.0.0.1:PORT/?to={{{{ telefone }}}}"
    success = "ok"
    """
    with Listening() as crm:
        config = tmp_path / "gateway.toml"
        config.write_text(table.replace("PORT", str(crm.port)))
        gateway = start_gateway(tmp_path / "data", config=config)
        kept_open = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
        kept_open.request("GET", "/healthz")
        kept_open.getresponse().read()
        with no_file_left(worker_of(gateway)):
            for _ in range(8):
                kept_open.request("GET", START)
                kept_open.getresponse().read()
                time.sleep(0.05)
            for port in (gateway.port, lenient):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
            time.sleep(0.5)
        until(lambda: get(gateway, START)[0] == 200, "events are taken")
        until(lambda: not failed_checks(gateway), "it is ready")
        assert crm.connected.wait(20), "the waiting event is passed on"
        with socket.create_connection(("127.0.0.1", lenient), timeout=20) as exchange:
            exchange.sendall(f"GET {START} HTTP/1.0\r\n\r\n".encode())
            assert b"OK " in exchange.makefile("rb").read()
        number = "4732109999"
        get(gateway, START.replace("4732100123", number))
        until(lambda: number in gateway.cli("traffic", "--format", "json"), "the traffic log goes on")
        assert gateway.stop() == 0


def worker_of(gateway: LiveGateway) -> int:
    found = subprocess.run(
        ["pgrep", "-P", str(gateway.process.pid), "-f", "spawn_main"], capture_output=True, check=True
    )
    return int(found.stdout.split()[0])


@contextlib.contextmanager
def no_file_left(pid: int) -> Iterator[None]:
    """Let the process open nothing more inside the block."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
