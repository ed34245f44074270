"""What the gateway adds to a click-to-call: the same command by the same client library, sent straight to a local
appliance and sent through the gateway, in turn, one right behind the other.

Run with ``python -m bench.overhead``; the goal is to add at most 3 ms (p50) and 15 ms (p99). Every order is durable
before it is sent; that is part of what is measured. Orders go in rounds, and the goal is judged by the quietest one:
where the direct lines and the disk were fastest, whatever the others did. Beside it runs what users would write
instead: a PHP script behind nginx that notes the order, requests the appliance's URL and notes the outcome.
"""

import argparse
import itertools
import platform
import sys
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import tomli_w
import zeep

from bench.disk import syncs_per_second
from bench.gateway_process import COMMAND, gateway_process
from bench.php import Tuning, php_server
from bench.processes import Missing, free_port, in_folder, is_open, running, wait_until
from bench.report import percentile, table
from gateway.simulators import SIMULATORS
from gateway.simulators.url import KEY

GOAL_P50_MS, GOAL_P99_MS = 3.0, 15.0
WARM_UP = 30
EXTENSION = "3501"
DIRECT, OURS, PHP = "direct", "cti-gateway", "PHP script"
Order = Callable[[str], bool]
"""Orders a call to a number; whether the appliance accepted."""


@dataclass
class Route:
    """One way of an order to an appliance: which client library asks whom, and how long each order took, by rounds."""

    client: str
    by: str
    order: Order
    rounds_ms: list[list[float]] = field(default_factory=list)

    def took_ms(self, percent: float, turn: int) -> float:
        return percentile(self.rounds_ms[turn], percent)

    def added_ms(self, direct: "Route", percent: float, turn: int) -> float:
        return self.took_ms(percent, turn) - direct.took_ms(percent, turn)

    def reaches_goal(self, direct: "Route", turn: int) -> bool:
        return self.added_ms(direct, 50, turn) <= GOAL_P50_MS and self.added_ms(direct, 99, turn) <= GOAL_P99_MS


def main() -> int:
    """Exit code 1 when an order was not accepted or the gateway adds more than the goal."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overhead", description=__doc__)
    parser.add_argument("--orders", type=int, default=200, help="orders of each kind in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each table")
    parser.add_argument(
        "--pauses-ms", type=float, nargs="+", default=[0.0, 10.0], help="pause between two orders, a table for each"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes of the gateway")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies; must be a real disk, not tmpfs")
    parser.add_argument(
        "--beside", type=Path, nargs="*", default=[], help="source trees whose gateways take the same orders in turn"
    )
    parser.add_argument(
        "--pythons", nargs="*", default=[], help="other Pythons with the gateway installed, which run it in turn"
    )
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    print(f"Python {platform.python_version()}, {platform.python_compiler()}: {sys.executable}")
    with ExitStack() as stack:
        routes = list(start_all(options, folder, stack))
        numbers = (f"479{count:08}" for count in itertools.count())
        met = [table_of(routes, pause_ms, options, folder, numbers) for pause_ms in options.pauses_ms]
    print(f"\ngoal: at most {GOAL_P50_MS:g} ms (p50) and {GOAL_P99_MS:g} ms (p99) more")
    return 0 if all(met) else 1


def start_all(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[Route]:
    """Start appliances, gateways and PHP; the routes to them, the direct one of each client first."""
    appliances = {name: stack.enter_context(simulated(name, folder)) for name in ("soap", "xmlrpc", "url")}
    yield from straight(appliances)
    more = configuration(appliances)
    gateways: dict[str, dict[str, Any]] = {
        OURS: {},
        **{str(tree): {"source": tree} for tree in options.beside},
        **{python: {"python": python} for python in options.pythons},
    }
    for count, (name, how) in enumerate(gateways.items()):
        server = gateway_process(folder / f"gateway-{count}", workers=options.workers, more=more, **how)
        yield from through(stack.enter_context(server).url, name)
    try:
        target = f"{appliances['url']}/originate?key={KEY}&"
        php = php_server(folder / "php", Tuning(children=2, persistent=True), appliance=target)
        yield Route("requests", PHP, by_url(stack.enter_context(php).url))
    except Missing as missing:
        print(f"without a PHP script beside it: {missing}")


@contextmanager
def simulated(name: str, folder: Path) -> Iterator[str]:
    """A simulated appliance in a process of its own; its address."""
    port, log = free_port(), folder / f"{name}.log"
    with running([*COMMAND, "simulate", name, "--port", str(port)], log) as process:
        wait_until(lambda: is_open(port), {name: process}, log)
        yield f"http://127.0.0.1:{port}"


def configuration(appliances: Mapping[str, str]) -> str:
    """A tenant for each appliance, as TOML: an order then says no more than it does straight to the appliance."""
    tenants = {
        name: {"area_code": "47", "extensions": ["3500-3599"], "appliances": {name: SIMULATORS[name].settings(address)}}
        for name, address in appliances.items()
    }
    return "\n" + tomli_w.dumps({"tenants": tenants})


def straight(appliances: Mapping[str, str]) -> Iterator[Route]:
    """The same libraries as ``through``, so that their own cost cancels out."""
    service = zeep.Client(f"{appliances['soap']}/pabx?wsdl").service
    yield Route("zeep", DIRECT, lambda number: bool(service.MakeCall(EXTENSION, number)))
    peer = xmlrpc.client.ServerProxy(f"{appliances['xmlrpc']}/RPC2")
    dial = getattr(peer, SIMULATORS["xmlrpc"].settings("")["method"])
    yield Route("xmlrpc.client", DIRECT, lambda number: bool(dial(EXTENSION, number)["status"] == "OK"))
    address, given = f"{appliances['url']}/originate", {"from": EXTENSION, "key": KEY}
    session = session_of_its_own()
    yield Route("requests", DIRECT, lambda number: session.get(address, params=given | {"to": number}).ok)


def through(url: str, name: str) -> Iterator[Route]:
    service = zeep.Client(f"{url}/t/soap/soap?wsdl").service
    yield Route("zeep", name, lambda number: bool(service.ClickToCall(EXTENSION, number).status == "OK"))
    proxy = xmlrpc.client.ServerProxy(f"{url}/t/xmlrpc/xmlrpc")
    yield Route("xmlrpc.client", name, lambda number: bool(proxy.ClickToCall(EXTENSION, number)["status"] == "OK"))
    yield Route("requests", name, by_url(f"{url}/t/url"))


def by_url(url: str) -> Order:
    """Click-to-call by GET, at the gateway or at the script that takes its place."""
    session, given = session_of_its_own(), {"origem": EXTENSION}
    return lambda number: session.get(f"{url}/click-to-call", params=given | {"destino": number}).ok


def session_of_its_own() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def table_of(
    routes: Sequence[Route], pause_ms: float, options: argparse.Namespace, folder: Path, numbers: Iterator[str]
) -> bool:
    """Measure with a pause between two orders and print the quietest round; whether the goal is reached in it.

    No number comes twice, or its order would be taken for a double click.
    """
    take_turns(routes, itertools.islice(numbers, WARM_UP), pause_ms)
    for route in routes:
        route.rounds_ms.clear()
    syncs = []
    for _ in range(options.rounds):
        syncs.append(syncs_per_second(folder))
        take_turns(routes, itertools.islice(numbers, options.orders), pause_ms)
    turn = quietest(routes, syncs)
    told = f"{pause_ms:g} ms between two orders" if pause_ms else "one order right behind the other"
    print(f"\n{told}; the quietest of {options.rounds} rounds, {syncs[turn]:,.0f} syncs of the disk a second")
    head = ["milliseconds", "by", "p50", "p99", "added p50", "p99", "ratio p50", "goal", "added p50, all rounds"]
    print(table(head, [figures(direct, route, turn) for direct, route in compared(routes)]))
    return all(route.reaches_goal(direct, turn) for direct, route in compared(routes) if route.by == OURS)


def quietest(routes: Sequence[Route], syncs: Sequence[float]) -> int:
    """The round in which a direct order and a sync of the disk together were fastest: no gateway's figures have a say
    in it. ``syncs`` are what the disk did a second before each round.
    """
    direct = [route for route in routes if route.by == DIRECT]

    def pace_ms(turn: int) -> float:
        return sum(route.took_ms(50, turn) for route in direct) / len(direct) + 1000 / syncs[turn]

    return min(range(len(syncs)), key=pace_ms)


def take_turns(routes: Sequence[Route], numbers: Iterable[str], pause_ms: float) -> None:
    """A round: one order by each route, client by client, to each number. All sequences take turns, so that nobody
    comes more often than others behind one that still writes down how an order ended.
    """
    clients = defaultdict(list)
    for route in routes:
        route.rounds_ms.append([])
        clients[route.client].append(route)
    for count, number in enumerate(numbers):
        for ways in clients.values():
            sequences = list(itertools.permutations(ways))
            for route in sequences[count % len(sequences)]:
                began = time.perf_counter()
                if not route.order(number):
                    raise SystemExit(f"{route.client}, {route.by}: an order was not accepted")
                route.rounds_ms[-1].append((time.perf_counter() - began) * 1000)
                time.sleep(pause_ms / 1000)


def compared(routes: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
    """Each route with the direct one of its client, client by client."""
    for direct in routes:
        if direct.by == DIRECT:
            yield from ((direct, route) for route in routes if route.client == direct.client)


def figures(direct: Route, route: Route, turn: int) -> list[str]:
    shown = [route.client, route.by, *(f"{route.took_ms(percent, turn):.2f}" for percent in (50, 99))]
    if route is direct:
        return [*shown, "", "", "", "", ""]
    added = [f"{route.added_ms(direct, percent, turn):+.2f}" for percent in (50, 99)]
    ratio = f"{route.took_ms(50, turn) / direct.took_ms(50, turn):.2f} x"
    goal = ("reached" if route.reaches_goal(direct, turn) else "MISSED") if route.by == OURS else ""
    others = [route.added_ms(direct, 50, each) for each in range(len(route.rounds_ms))]
    return [*shown, *added, ratio, goal, f"{min(others):+.2f} to {max(others):+.2f}"]


if __name__ == "__main__":
    sys.exit(main())
