"""Gateway nodes: each a process group with a data folder, a port and a log of its own, on one database."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.cluster.ports import fixed_port
from tests.live.groups import kill_group, members

READY_WITHIN_S = 60
CONFIG = """
[server]
listen = "127.0.0.1:{port}"
data = "data"
workers = {workers}
metrics_allow = ["any"]
{server}
[traffic]
record = false
[log]
format = "json"
"""
TENANT = """
[tenants.{name}]
area_code = "47"
extensions = ["3501-3599"]
{tenant}
"""
APPLIANCE = """
[tenants.{name}.appliances.pbx]
adapter = "url"
url = "http://127.0.0.1:{port}/dial?tenant={name}&number={{{{ number }}}}"
success = "^OK"
{limits}
"""


class Node:
    """One gateway; ``folder/NAME`` holds its configuration, its data, and ``gateway.log`` of all its starts."""

    def __init__(self, folder: Path, name: str, environment: dict[str, str] | None = None) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.port = fixed_port()
        self.log = self.folder / "gateway.log"
        self.config = self.folder / "gateway.toml"
        self.environment = environment or {}
        self.process: subprocess.Popen[bytes] | None = None

    def configure(
        self,
        *,
        server: str = "",
        workers: int = 1,
        tenants: Iterable[str] = (),
        tenant: str = "",
        appliance: int | None = None,
        limits: str = "",
        more: str = "",
    ) -> None:
        """Write its configuration: lines for ``[server]`` (the database), tenants, and the appliance's port."""
        parts = [CONFIG.format(port=self.port, workers=workers, server=server), more]
        for name in tenants:
            parts.append(TENANT.format(name=name, tenant=tenant))
            if appliance:
                parts.append(APPLIANCE.format(name=name, port=appliance, limits=limits))
        self.config.write_text("\n".join(parts), encoding="utf-8")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(self.config)],
                stdout=output,
                stderr=output,
                env=os.environ | {"PYTHONUNBUFFERED": "1", "CTI_LANGUAGE": "en"} | self.environment,
                start_new_session=True,
            )

    def wait(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait until it is ready. Raises ``AssertionError`` with the end of its log."""
        deadline = time.monotonic() + within_s
        while self.readiness()[0] != 200:
            assert self.is_running(), f"{self.name} ended:\n{self.told()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready: {self.readiness()}\n{self.told()}"
            time.sleep(0.1)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def readiness(self) -> tuple[int, dict[str, object]]:
        """Return status and checks of ``/readyz``; 0 where nobody answers."""
        try:
            status, body = self.get("/readyz")
            return status, dict(json.loads(body))
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}

    def get(self, path: str, *, timeout_s: float = 8) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def told(self) -> str:
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    def said(self, event: str) -> list[dict[str, object]]:
        """Return what it logged under the name ``event``."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.get("event") == event:
                    found.append(entry)
        return found

    def cli(self, *arguments: str, stdin: str = "") -> str:
        """Return what ``cti-gateway ARGUMENTS`` prints about it."""
        done = self.try_cli(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments, "--config", str(self.config)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"CTI_LANGUAGE": "en"} | self.environment,
            check=False,
        )

    def kill(self) -> None:
        """Kill all its processes, and wait until none is left."""
        if self.process:
            kill_group(self.process)
            self.process = None

    def restart(self) -> None:
        """Kill it and start it again; does not wait until it is ready."""
        self.kill()
        self.begin()

    def stop(self) -> int:
        """End it in good order, and return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.kill()
        return code

    def freeze(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, how: signal.Signals) -> None:
        assert self.process
        for pid in members(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, how)


def start_all(nodes: Sequence[Node]) -> None:
    """Start ``nodes`` side by side."""
    for node in nodes:
        node.begin()
    for node in nodes:
        node.wait()
