"""A gateway of our own for a benchmark: a configured tenant, a data folder of its own, a free port."""

import http.client
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import free_port, start, stop, wait_until

MODULE = ("-m", "gateway")
COMMAND = (sys.executable, *MODULE)

CONFIG = """
[server]
listen = "127.0.0.1:{port}"
data = "data"
workers = {workers}
max_screens = {max_screens}
{server}

[tenants.bench]
area_code = "47"
extensions = ["3500-3599"]
"""


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running ``cti-gateway serve``; its folder holds the configuration, the data and the log."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self) -> tuple[int]:
        """The main process, which has started all others."""
        return (self.process.pid,)

    def cli(self, *arguments: str, stdin: str = "") -> str:
        """What ``cti-gateway ARGUMENTS`` prints about this gateway. Raises ``CalledProcessError``."""
        return cli(*arguments, "--config", str(self.folder / "gateway.toml"), stdin=stdin)

    def kill(self) -> None:
        """End all its processes with SIGKILL, so that only what is stored already can be found later."""
        stop(self.process, signal.SIGKILL)

    def rows(self) -> int:
        """Events in the gateway's log."""
        with closing(sqlite3.connect(self.folder / "data" / "gateway.db")) as database:
            found: int = database.execute("SELECT count(*) FROM events").fetchone()[0]
            return found


@contextmanager
def gateway_process(
    folder: Path,
    *,
    workers: int,
    max_screens: int = 1000,
    server: str = "",
    more: str = "",
    source: Path | None = None,
    python: str = sys.executable,
) -> Iterator[GatewayProcess]:
    """Serve from ``folder``, which is made, for the length of a block; ``server`` is added to its table
    of that name and ``more`` to its configuration, ``source`` is the source tree whose gateway it is, if not this
    one, and ``python`` what runs it.

    It begins when the first worker is ready; the others may need a moment more, so warm up before measuring.
    """
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=port, workers=workers, max_screens=max_screens, server=server) + more)
    process = start([python, *MODULE, "serve", "--config", str(config)], folder / "gateway.log", source)
    try:
        wait_until(lambda: is_ready(port), {"the gateway": process}, folder / "gateway.log")
        yield GatewayProcess(folder, port, process)
    finally:
        stop(process)


def cli(*arguments: str, stdin: str = "") -> str:
    """What ``cti-gateway ARGUMENTS`` prints. Raises ``CalledProcessError``."""
    done = subprocess.run(
        [*COMMAND, *arguments], input=stdin, stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    return done.stdout


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
