"""A real gateway process on a real port, for tests with clients we did not write."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.groups import kill_group
from tests.postgresql import FreshDatabase, is_wanted

STARTED: list[subprocess.Popen[bytes]] = []
DATABASES: dict[Path, FreshDatabase] = {}
"""By the data folder of the gateway that is on it."""


@dataclass
class LiveGateway:
    """A running ``cti-gateway serve``: ``url`` such as ``http://127.0.0.1:43210``, its data folder and config file."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    config: Path | None
    log: Path
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def cli(self, *arguments: str, stdin: str = "") -> str:
        """Run ``cti-gateway`` on the same data and return what it printed."""
        where = ["--data", str(self.data)] + (["--config", str(self.config)] if self.config else [])
        done = subprocess.run(
            [*command(), *arguments, *where],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


def command() -> list[str]:
    """How to run the installed command with this very interpreter."""
    return [sys.executable, "-m", "gateway"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_gateway(data: Path, *, config: Path | None = None, port: int | None = None) -> LiveGateway:
    """Start a gateway and wait until it is ready. The caller stops it."""
    port = port or free_port()
    config = on_wanted_database(data, config)
    log = data.with_suffix(".log")
    arguments = ["serve", "--listen", f"127.0.0.1:{port}", "--data", str(data)]
    arguments += ["--config", str(config)] if config else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command(), *arguments],
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    STARTED.append(process)
    gateway = LiveGateway(process, port, data, config, log)
    wait_ready(gateway)
    return gateway


def on_wanted_database(data: Path, config: Path | None) -> Path | None:
    """With ``--database postgresql``, return a copy of ``config`` that names a database, always the same for ``data``.

    A configuration that names one itself stays as it is.
    """
    if not is_wanted():
        return config
    text = config.read_text(encoding="utf-8") if config else ""
    if re.search(r"^database = ", text, re.MULTILINE):
        return config
    fresh = DATABASES.get(data) or DATABASES.setdefault(data, FreshDatabase())
    head, found, rest = text.partition("[server]")
    setting = f'[server]\ndatabase = "{fresh.url}"\naccept_loss = true\n'
    copy = config.with_suffix(".postgresql.toml") if config else data.with_suffix(".postgresql.toml")
    copy.write_text(f"{head}{setting}{rest}" if found else f"{setting}{text}", encoding="utf-8")
    return copy


def wait_ready(gateway: LiveGateway, timeout_s: float = 80) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if gateway.process.poll() is not None:
            break
        try:
            connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=2)
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
        except OSError:
            time.sleep(0.05)
    gateway.process.kill()
    raise AssertionError("the gateway did not become ready:\n" + gateway.log.read_text())


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """A test that failed half-way must not leave a gateway that slows all others."""
    yield
    for process in STARTED:
        if process.poll() is None:
            kill_group(process)
    STARTED.clear()
    while DATABASES:
        DATABASES.popitem()[1].give_back()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A gateway without configuration: one tenant ``default``, extensions by guess."""
    running = start_gateway(tmp_path_factory.mktemp("live") / "data")
    yield running
    running.stop()
