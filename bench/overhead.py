"""What the gateway adds to a click-to-call: the same command by the same client library, sent straight to a local
appliance and sent through the gateway, in turn, one right behind the other.

Run with ``python -m bench.overhead``; the goal is to add at most 3 ms (p50) and 15 ms (p99). Every order is durable
before it is sent; that is part of what is measured. Beside it runs what users would write instead: a PHP script behind
nginx that notes the order, requests the appliance's URL and notes the outcome.
"""

import argparse
import signal
import sys
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
import tomli_w
import zeep

from bench.disk import syncs_per_second
from bench.gateway_process import COMMAND, gateway_process
from bench.php import Tuning, php_server
from bench.processes import Missing, free_port, is_open, running, wait_until
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
    """One way of an order to an appliance: which client library asks whom, and how long each order took."""

    client: str
    by: str
    order: Order
    times_ms: list[float] = field(default_factory=list)

    def added_ms(self, direct: "Route", percent: float) -> float:
        return percentile(self.times_ms, percent) - percentile(direct.times_ms, percent)

    def reaches_goal(self, direct: "Route") -> bool:
        return self.added_ms(direct, 50) <= GOAL_P50_MS and self.added_ms(direct, 99) <= GOAL_P99_MS


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
    parser.add_argument(
        "--beside", type=Path, nargs="*", default=[], help="source trees whose gateways take the same orders in turn"
    )
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    with ExitStack() as stack:
        routes = list(start_all(options, folder, stack))
        met = [table_of(routes, pause_ms, options.orders, turn) for turn, pause_ms in enumerate(options.pauses_ms)]
    print(f"\ngoal: at most {GOAL_P50_MS:g} ms (p50) and {GOAL_P99_MS:g} ms (p99) more")
    return 0 if all(met) else 1


def start_all(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[Route]:
    """Start appliances, gateways and PHP; the routes to them, the direct one of each client first."""
    appliances = {name: stack.enter_context(simulated(name, folder)) for name in ("soap", "xmlrpc", "url")}
    yield from straight(appliances)
    more = configuration(appliances)
    sources = {OURS: None, **{str(tree): tree for tree in options.beside}}
    for count, (name, source) in enumerate(sources.items()):
        place = folder / f"gateway-{count}"
        server = gateway_process(place, workers=options.workers, more=more, source=source)
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
    """The appliances of the tenant ``bench``, as TOML."""
    tables = {name: SIMULATORS[name].settings(address) for name, address in appliances.items()}
    return "\n" + tomli_w.dumps({"tenants": {"bench": {"appliances": tables}}})


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
    service = zeep.Client(f"{url}/soap?wsdl").service
    asked = {"ramal": EXTENSION, "central": "soap"}
    yield Route("zeep", name, lambda number: bool(service.ClickToCall(telefone=number, **asked).status == "OK"))
    proxy = xmlrpc.client.ServerProxy(f"{url}/xmlrpc")
    yield Route(
        "xmlrpc.client", name, lambda number: bool(proxy.ClickToCall(EXTENSION, number, "xmlrpc")["status"] == "OK")
    )
    yield Route("requests", name, by_url(url))


def by_url(url: str) -> Order:
    """Click-to-call by GET, at the gateway or at the script that takes its place."""
    session, given = session_of_its_own(), {"origem": EXTENSION, "central": "url"}
    return lambda number: session.get(f"{url}/click-to-call", params=given | {"destino": number}).ok


def session_of_its_own() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def table_of(routes: Sequence[Route], pause_ms: float, orders: int, turn: int) -> bool:
    """Measure with a pause between two orders and print it; whether the goal is reached.

    Numbers differ from turn to turn, or an order would be taken for a double click.
    """
    first = turn * (WARM_UP + orders)
    take_turns(routes, range(first, first + WARM_UP), pause_ms)
    for route in routes:
        route.times_ms.clear()
    take_turns(routes, range(first + WARM_UP, first + WARM_UP + orders), pause_ms)
    print_figures(routes, pause_ms)
    return all(route.reaches_goal(direct) for direct, route in compared(routes) if route.by == OURS)


def take_turns(routes: Sequence[Route], counts: Iterable[int], pause_ms: float) -> None:
    """One order by each route, client by client; who begins changes, so that nobody always comes behind the same."""
    clients = defaultdict(list)
    for route in routes:
        clients[route.client].append(route)
    for count in counts:
        number = f"479{count % 100_000_000:08}"
        for ways in clients.values():
            begin = count % len(ways)
            for route in ways[begin:] + ways[:begin]:
                began = time.perf_counter()
                if not route.order(number):
                    raise SystemExit(f"{route.client}, {route.by}: an order was not accepted")
                route.times_ms.append((time.perf_counter() - began) * 1000)
                time.sleep(pause_ms / 1000)


def compared(routes: Sequence[Route]) -> Iterator[tuple[Route, Route]]:
    """Each route with the direct one of its client, client by client."""
    for direct in routes:
        if direct.by == DIRECT:
            yield from ((direct, route) for route in routes if route.client == direct.client)


def print_figures(routes: Sequence[Route], pause_ms: float) -> None:
    told = f"{pause_ms:g} ms between two orders" if pause_ms else "one order right behind the other"
    head = ["milliseconds", "by", "p50", "p99", "added p50", "p99", "ratio p50", "goal"]
    print(f"\n{told}\n" + table(head, [figures(direct, route) for direct, route in compared(routes)]))


def figures(direct: Route, route: Route) -> list[str]:
    shown = [route.client, route.by, *(f"{percentile(route.times_ms, percent):.2f}" for percent in (50, 99))]
    if route is direct:
        return [*shown, "", "", "", ""]
    added = [f"{route.added_ms(direct, percent):+.2f}" for percent in (50, 99)]
    ratio = f"{percentile(route.times_ms, 50) / percentile(direct.times_ms, 50):.2f} x"
    goal = ("reached" if route.reaches_goal(direct) else "MISSED") if route.by == OURS else ""
    return [*shown, *added, ratio, goal]


if __name__ == "__main__":
    sys.exit(main())
