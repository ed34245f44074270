"""How many call events are refused while the gateway is replaced under load: plainly, and by a successor.

python -m bench.restart
"""

import argparse
import http.client
import itertools
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.gateway_process import COMMAND, is_ready
from bench.processes import free_port, start, stop, wait_until

CONFIG = """
[server]
listen = "127.0.0.1:{port}"
take_over = {take_over}
workers = {workers}
[tenants.bench]
extensions = ["3500-3599"]
"""
EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=35{:02d}&telefone=47{:08d}&id_ligacao={}"
SETTLE_S = 2.0


@dataclass
class Senders:
    """Exchanges that send an event each ``every_s`` and never repeat one; every other one keeps its connection."""

    port: int
    count: int
    every_s: float = 0.02
    told: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    longest_s: float = 0.0

    @contextmanager
    def sending(self) -> Iterator[None]:
        end = threading.Event()
        threads = [threading.Thread(target=self._send, args=(number, end)) for number in range(self.count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def _send(self, number: int, end: threading.Event) -> None:
        keeps = number % 2 == 1
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        for sent in itertools.count():
            if end.is_set():
                break
            name = f"{number}-{sent}"
            began = time.monotonic()
            self._one(connection, EVENT.format(number, sent, name), name)
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            if not keeps:
                connection.close()
            end.wait(self.every_s)
        connection.close()

    def _one(self, connection: http.client.HTTPConnection, path: str, name: str) -> None:
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.told[type(error).__name__] += 1
            return
        self.told[str(answer.status)] += 1
        if answer.status == 200 and body.startswith(b"OK"):
            self.acknowledged.add(name)

    @property
    def refused(self) -> int:
        """Events that were not acknowledged."""
        return sum(self.told.values()) - self.told["200"]


def main(arguments: list[str] | None = None) -> int:
    """Print both ways side by side; 1 when a successor lost an event."""
    options = read_options(arguments)
    lost = 0
    with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
        for name, replace in (("plain restart", plainly), ("taken over", by_successor)):
            senders = measure(Path(folder) / name.replace(" ", "-"), options, replace)
            lost = senders.refused
            sent = sum(senders.told.values())
            print(
                f"{name:>14}: {sent} sent, {lost} refused ({dict(senders.told)}), longest {senders.longest_s:.2f} s",
                flush=True,
            )
    return 1 if lost else 0


Gateway = subprocess.Popen[bytes]
Replace = Callable[[Path, int, Gateway], Gateway]


def measure(folder: Path, options: argparse.Namespace, replace: Replace) -> Senders:
    """Replace a gateway ``options.times`` times while events are sent."""
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "gateway.toml"
    take_over = "true" if replace is by_successor else "false"
    config.write_text(CONFIG.format(port=port, take_over=take_over, workers=options.workers))
    running = serve(folder, port)
    senders = Senders(port, options.senders)
    try:
        with senders.sending():
            time.sleep(SETTLE_S)
            for _ in range(options.times):
                running = replace(folder, port, running)
                time.sleep(SETTLE_S)
    finally:
        stop(running)
    return senders


def serve(folder: Path, port: int) -> Gateway:
    process = start([*COMMAND, "serve", "--config", str(folder / "gateway.toml")], folder / "gateway.log")
    wait_until(lambda: is_ready(port), {"the gateway": process}, folder / "gateway.log")
    return process


def plainly(folder: Path, port: int, running: Gateway) -> Gateway:
    """Stop, then start."""
    running.send_signal(signal.SIGTERM)
    running.wait(60)
    return serve(folder, port)


def by_successor(folder: Path, port: int, running: Gateway) -> Gateway:
    """Start another one, which takes over."""
    successor = serve(folder, port)
    running.wait(60)
    return successor


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.restart", description=__doc__.splitlines()[0])
    parser.add_argument("--senders", type=int, default=16, help="exchanges; half of them keep their connection open")
    parser.add_argument("--times", type=int, default=3, help="how often the gateway is replaced")
    parser.add_argument("--workers", type=int, default=1, help="the gateway's processes")
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
