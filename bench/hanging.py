"""What an appliance that hangs does to everybody else: orders to it while events come in, and orders to a healthy one.

Run with ``python -m bench.hanging``. Three phases in one run: events alone; events and orders to the healthy appliance;
the same while ``--orders`` orders go to an appliance that takes connections and never answers.
"""

import argparse
import http.client
import itertools
import json
import queue
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from bench.gateway_process import GatewayProcess, gateway_process
from bench.overhead import simulated
from bench.processes import in_folder
from bench.report import percentile, table
from gateway.simulators import SIMULATORS

EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal={extension}&telefone=4799{count:07}"
ORDER = "/click-to-call?origem={extension}&destino=4798{count:07}&central={appliance}"
CONNECTIONS = 8
numbers = itertools.count()


@dataclass
class Times:
    """How long requests of one kind took, in milliseconds, and how they ended."""

    ms: list[float] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)

    def told(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in self.ended.most_common())


def main() -> int:
    """Exit code 1 when an event was not taken, the healthy appliance missed an order, or an order got no answer."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.hanging", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="length of each phase")
    parser.add_argument("--events", type=float, default=500, help="events in a second")
    parser.add_argument("--orders", type=int, default=200, help="orders to the appliance that hangs, all at once")
    parser.add_argument("--workers", type=int, default=2, help="processes of the gateway")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    with ExitStack() as stack:
        healthy = stack.enter_context(simulated("url", folder))
        more = configuration(healthy, stack.enter_context(black_hole()))
        gateway = stack.enter_context(gateway_process(folder / "gateway", workers=options.workers, more=more))
        phase(gateway, options, seconds=2, healthy=True)
        alone = phase(gateway, options)
        quiet = phase(gateway, options, healthy=True)
        hanging = phase(gateway, options, healthy=True, hanging=options.orders)
    print_figures({"events alone": alone, "with orders": quiet, "one hangs": hanging})
    print(f"\nthe {options.orders} orders to the appliance that hangs: {hanging['hanging'].told()}")
    good = all(set(found[kind].ended) <= {"200"} for found in (alone, quiet, hanging) for kind in ("events", "healthy"))
    return 0 if good and hanging["hanging"].ended.total() == options.orders else 1


def configuration(healthy: str, hole: str) -> str:
    tables = {
        "healthy": SIMULATORS["url"].settings(healthy),
        "hole": {"adapter": "url", "url": f"{hole}/?to={{{{ number }}}}", "success": "OK", "timeout_s": 8.0},
    }
    return "\n" + tomli_w.dumps({"tenants": {"bench": {"appliances": tables}}})


@contextmanager
def black_hole() -> Iterator[str]:
    """Something that takes every connection and request, and never answers; its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for connection in taken:
            connection.close()


def phase(
    gateway: GatewayProcess,
    options: argparse.Namespace,
    *,
    seconds: float | None = None,
    healthy: bool = False,
    hanging: int = 0,
) -> dict[str, Times]:
    """Send for so long; what came of each kind."""
    seconds = seconds or options.seconds
    found = {kind: Times() for kind in ("events", "healthy", "hanging")}
    threads = [paced(gateway, found["events"], EVENT, options.events, seconds, CONNECTIONS)]
    if healthy:
        path = ORDER.replace("{appliance}", "healthy")
        threads.append(paced(gateway, found["healthy"], path, 10, seconds, 2))
    path = ORDER.replace("{appliance}", "hole")
    at_once = [(connect(gateway), path, found["hanging"]) for _ in range(hanging)]
    threads.append([threading.Thread(target=send, args=arguments) for arguments in at_once])
    everybody = [thread for group in threads for thread in group]
    for thread in everybody:
        thread.start()
    for thread in everybody:
        thread.join()
    return found


def paced(
    gateway: GatewayProcess, times: Times, path: str, per_s: float, seconds: float, connections: int
) -> list[threading.Thread]:
    """Threads that send ``per_s`` requests together; a request that is late is measured from when it was due."""
    due: queue.SimpleQueue[float] = queue.SimpleQueue()
    begins = time.perf_counter() + 0.2
    for count in range(round(per_s * seconds)):
        due.put(begins + count / per_s)

    def work() -> None:
        connection = connect(gateway)
        while True:
            try:
                at = due.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0.0, at - time.perf_counter()))
            send(connection, path, times, began=at)

    return [threading.Thread(target=work) for _ in range(connections)]


def connect(gateway: GatewayProcess) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)


def send(connection: http.client.HTTPConnection, path: str, times: Times, *, began: float | None = None) -> None:
    """One request, its time and how it ended: the status, of an order that was not accepted also its outcome."""
    count = next(numbers)
    began = began or time.perf_counter()
    target = path.format(extension=3500 + count % 100, count=count % 10_000_000)
    connection.request("GET", target, headers={"Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    times.ms.append((time.perf_counter() - began) * 1000)
    times.ended[str(answer.status) if answer.status == 200 else f"{answer.status} {why(body)}"] += 1


def why(body: bytes) -> str:
    try:
        told = json.loads(body)
        return str(told.get("outcome") or f"error {told.get('codigo')}")
    except ValueError:
        return body[:40].decode("utf-8", "replace")


def print_figures(phases: dict[str, dict[str, Times]]) -> None:
    head = ["", "events", "p50 ms", "p99 ms", "healthy orders", "p50 ms", "p99 ms"]
    print("\n" + table(head, [row(name, found) for name, found in phases.items()]))


def row(name: str, found: dict[str, Times]) -> list[str]:
    shown: list[str] = [name]
    for kind in ("events", "healthy"):
        times = found[kind].ms
        shown += [f"{len(times):,}", f"{percentile(times, 50):.2f}", f"{percentile(times, 99):.2f}"]
    return shown


if __name__ == "__main__":
    sys.exit(main())
