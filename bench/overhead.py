"""What the gateway adds to a click-to-call: the same command by the same client library, sent straight to a local
appliance and sent through the gateway, in turn, one pair after another.

Run with ``python -m bench.overhead``; the goal is to add at most 3 ms (p50) and 15 ms (p99). Every order is durable
before it is sent; that is part of what is measured.
"""

import argparse
import signal
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
import tomli_w
import zeep

from bench.disk import syncs_per_second
from bench.gateway_process import COMMAND, GatewayProcess, gateway_process
from bench.processes import free_port, is_open, running, wait_until
from bench.report import percentile, table
from gateway.simulators import SIMULATORS

GOAL_P50_MS, GOAL_P99_MS = 3.0, 15.0
WARM_UP = 30
EXTENSION = "3501"
LIBRARIES = {"soap": "zeep", "xmlrpc": "xmlrpc.client", "url": "requests"}
Order = Callable[[str], bool]
"""Orders a call to a number; whether the appliance accepted."""


@dataclass
class Pair:
    """One protocol: how to order directly and through the gateway, and how long each took, in milliseconds."""

    name: str
    direct: Order
    through: Order
    direct_ms: list[float] = field(default_factory=list)
    through_ms: list[float] = field(default_factory=list)

    def added_ms(self, percent: float) -> float:
        return percentile(self.through_ms, percent) - percentile(self.direct_ms, percent)


def main() -> int:
    """Exit code 1 when an order was not accepted or the gateway adds more than the goal."""
    options = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
        print(f"the disk can sync {syncs_per_second(Path(folder)):,.0f} times a second, one write after the other")
        return measure(options, Path(folder))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__)
    parser.add_argument("--orders", type=int, default=500, help="orders of each kind")
    parser.add_argument(
        "--pauses-ms", type=float, nargs="+", default=[0.0, 10.0], help="pause between two orders, a table for each"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes of the gateway")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    with ExitStack() as stack:
        appliances = {name: stack.enter_context(simulated(name, folder)) for name in LIBRARIES}
        more = configuration(appliances)
        gateway = stack.enter_context(gateway_process(folder / "gateway", workers=options.workers, more=more))
        pairs = list(make_pairs(appliances, gateway))
        met = [table_of(pairs, pause_ms, options.orders, turn) for turn, pause_ms in enumerate(options.pauses_ms)]
    print(f"\ngoal: at most {GOAL_P50_MS:g} ms (p50) and {GOAL_P99_MS:g} ms (p99) more")
    return 0 if all(met) else 1


def table_of(pairs: list[Pair], pause_ms: float, orders: int, turn: int) -> bool:
    """Measure with a pause between two orders and print it; whether the goal is reached.

    Numbers differ from turn to turn, or an order would be taken for a double click.
    """
    first = turn * (WARM_UP + orders)
    take_turns(pairs, range(first, first + WARM_UP), pause_ms)
    for pair in pairs:
        pair.direct_ms.clear()
        pair.through_ms.clear()
    take_turns(pairs, range(first + WARM_UP, first + WARM_UP + orders), pause_ms)
    print_figures(pairs, pause_ms)
    return all(reached(pair) for pair in pairs)


@contextmanager
def simulated(name: str, folder: Path) -> Iterator[str]:
    """A simulated appliance in a process of its own; its address."""
    port, log = free_port(), folder / f"{name}.log"
    with running([*COMMAND, "simulate", name, "--port", str(port)], log) as process:
        wait_until(lambda: is_open(port), {name: process}, log)
        yield f"http://127.0.0.1:{port}"


def configuration(appliances: Mapping[str, str]) -> str:
    """The appliances of the tenant ``bench``, as TOML."""
    tables = {name: SIMULATORS[name].settings(address) for name, address in appliances.items()}
    return "\n" + tomli_w.dumps({"tenants": {"bench": {"appliances": tables}}})


def make_pairs(appliances: Mapping[str, str], gateway: GatewayProcess) -> Iterator[Pair]:
    """The same library on both sides, so that its own cost cancels out."""
    service = zeep.Client(f"{appliances['soap']}/pabx?wsdl").service
    ours = zeep.Client(f"{gateway.url}/soap?wsdl").service
    yield Pair(
        "soap",
        lambda number: bool(service.MakeCall(EXTENSION, number)),
        lambda number: ours.ClickToCall(ramal=EXTENSION, telefone=number, central="soap").status == "OK",
    )
    peer = xmlrpc.client.ServerProxy(f"{appliances['xmlrpc']}/RPC2")
    us = xmlrpc.client.ServerProxy(f"{gateway.url}/xmlrpc")
    method = SIMULATORS["xmlrpc"].settings("")["method"]
    yield Pair(
        "xmlrpc",
        lambda number: bool(getattr(peer, method)(EXTENSION, number)["status"] == "OK"),
        lambda number: bool(us.ClickToCall(EXTENSION, number, "xmlrpc")["status"] == "OK"),
    )
    key = SIMULATORS["url"].settings("")["secrets"]["key"]
    straight = {"from": EXTENSION, "key": key}
    asked = {"origem": EXTENSION, "central": "url"}
    session = requests.Session()
    session.trust_env = False
    yield Pair(
        "url",
        lambda number: session.get(f"{appliances['url']}/originate", params=straight | {"to": number}).ok,
        lambda number: session.get(f"{gateway.url}/click-to-call", params=asked | {"destino": number}).ok,
    )


def take_turns(pairs: list[Pair], counts: Iterable[int], pause_ms: float) -> None:
    """One after another, each number once: nothing is taken for a double click."""
    for count in counts:
        for pair in pairs:
            number = f"479{count % 100_000_000:08}"
            for order, times in ((pair.direct, pair.direct_ms), (pair.through, pair.through_ms)):
                began = time.perf_counter()
                if not order(number):
                    raise SystemExit(f"{pair.name}: an order was not accepted")
                times.append((time.perf_counter() - began) * 1000)
                time.sleep(pause_ms / 1000)


def reached(pair: Pair) -> bool:
    return pair.added_ms(50) <= GOAL_P50_MS and pair.added_ms(99) <= GOAL_P99_MS


def print_figures(pairs: list[Pair], pause_ms: float) -> None:
    told = f"{pause_ms:g} ms between two orders" if pause_ms else "one order right behind the other"
    head = ["milliseconds", "direct p50", "p99", "gateway p50", "p99", "added p50", "p99", "ratio p50", "goal"]
    print(f"\n{told}\n" + table(head, [figures(pair) for pair in pairs]))


def figures(pair: Pair) -> list[str]:
    times = [percentile(values, percent) for values in (pair.direct_ms, pair.through_ms) for percent in (50, 99)]
    times += [pair.added_ms(50), pair.added_ms(99)]
    ratio = percentile(pair.through_ms, 50) / percentile(pair.direct_ms, 50)
    shown = [f"{value:.2f}" for value in times]
    return [LIBRARIES[pair.name], *shown, f"{ratio:.2f} x", "reached" if reached(pair) else "MISSED"]


if __name__ == "__main__":
    sys.exit(main())
