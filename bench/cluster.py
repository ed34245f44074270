"""Durable events per second and their latency on SQLite, and on PostgreSQL with one to three nodes, with and without a
synchronous standby some milliseconds away, with one lane and eight; and from a ring at one node to a screen at another.

Run with ``python -m bench.cluster``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.agents import log_in_agents
from bench.load import DRAIN_S, Outcome, find_wrk, read_outcome
from bench.processes import Missing
from bench.procfs import cpu_seconds, family
from bench.report import median, percentile, ratio, table
from bench.screen_client import Exchange, Screens
from tests.cluster.nodes import Node, start_all
from tests.cluster.servers import Cluster, cluster

SCRIPT = Path(__file__).with_suffix(".lua")
WITHOUT_DOORBELL = {"PYTHONPATH": str(Path(__file__).parent / "without_doorbell")}
COMPANIES = 24
WARM_UP_S = 1.5
LANES = 8


@dataclass(slots=True)
class SetUp:
    """What is measured, and what came of it. ``standby_ms``: round trip to a synchronous standby; None: none."""

    name: str
    nodes: int = 1
    postgresql: bool = True
    standby_ms: float | None = None
    lanes: int = LANES
    doorbell: bool = True
    outcomes: list[Outcome] = field(default_factory=list)
    cpu_s: list[tuple[float, float]] = field(default_factory=list)
    """Processor time of the nodes, and of the primary, in each round."""

    @property
    def per_second(self) -> float:
        return median([outcome.per_second for outcome in self.outcomes])


@dataclass(slots=True)
class Running:
    """The processes of a set-up."""

    nodes: Sequence[Node]
    database: Cluster | None


def set_ups(standby_ms: float) -> list[SetUp]:
    away = f"standby {standby_ms:g} ms"
    return [
        SetUp("SQLite, 1 node", postgresql=False),
        SetUp("PostgreSQL, 1 node"),
        SetUp("PostgreSQL, 2 nodes", nodes=2),
        SetUp("PostgreSQL, 3 nodes", nodes=3),
        SetUp(f"1 node, {away}", standby_ms=standby_ms),
        SetUp(f"2 nodes, {away}", nodes=2, standby_ms=standby_ms),
        SetUp(f"2 nodes, {away}, 1 lane", nodes=2, standby_ms=standby_ms, lanes=1),
        SetUp(f"2 nodes, {away}, no doorbell", nodes=2, standby_ms=standby_ms, doorbell=False),
        SetUp(f"3 nodes, {away}", nodes=3, standby_ms=standby_ms),
    ]


def main() -> int:
    """Exit code 0 when every acknowledged event is a row and every ring came to the other node's screens."""
    options = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        find_wrk()
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    agree = options.ring or loads(options)
    return int(not (agree and (options.no_ring or rings(options))))


def loads(options: argparse.Namespace) -> bool:
    """Measure all set-ups in turn, and print their figures; whether each acknowledged event is a row."""
    agree = True
    measured = [each for each in set_ups(options.standby_ms) if options.only in each.name]
    for number in range(1, options.rounds + 1):
        print(f"Round {number}", flush=True)
        for each in measured:
            agree &= take_turn(each, options)
    print_figures(measured)
    return agree


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="length of each load")
    parser.add_argument("--connections", type=int, default=64, help="connections kept alive, of all nodes together")
    parser.add_argument("--workers", type=int, default=1, help="processes of each node")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--standby-ms", type=float, default=2, help="round trip to the standby")
    parser.add_argument("--only", default="", help="only set-ups whose name holds this")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--ring", action="store_true", help="nothing but the rings to another node's screens")
    which.add_argument("--no-ring", action="store_true", help="without the rings to another node's screens")
    parser.add_argument("--folder", default="/var/tmp", help="where SQLite lies; must be a real disk, not tmpfs")
    return parser.parse_args()


@contextmanager
def running(each: SetUp, options: argparse.Namespace, tenants: Sequence[str]) -> Iterator[Running]:
    """A set-up's servers, started anew, until the end of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="cti-bench-", dir=options.folder)))
        database = stack.enter_context(started(each, folder)) if each.postgresql else None
        environment = {} if each.doorbell else WITHOUT_DOORBELL
        nodes = [Node(folder, f"n{number + 1}", environment) for number in range(each.nodes)]
        for node in nodes:
            stack.callback(node.kill)
            lines = f'database = "{database.url()}"\nnode = "{node.name}"' if database else ""
            node.configure(server=lines, workers=options.workers, tenants=tenants)
        if database:
            nodes[0].cli("db", "upgrade")
            database.primary.query(f"UPDATE counters SET value = {each.lanes} WHERE name = 'lanes'")
        start_all(nodes)
        yield Running(nodes, database)


@contextmanager
def started(each: SetUp, folder: Path) -> Iterator[Cluster]:
    delay_s = (each.standby_ms or 0.0) / 2 / 1000
    with cluster(folder, delay_s=delay_s, on_disk=True, standby=each.standby_ms is not None) as found:
        yield found


def take_turn(each: SetUp, options: argparse.Namespace) -> bool:
    """Load a set-up once; whether each acknowledged event is a row."""
    names = [f"t{number:02d}" for number in range(1, COMPANIES + 1)]
    with running(each, options, names) as found:
        warm = load(found.nodes, WARM_UP_S, options.connections, seed=1)
        before = processor_time(found)
        outcome = load(found.nodes, options.seconds, options.connections, seed=2)
        after = processor_time(found)
        each.outcomes.append(outcome)
        each.cpu_s.append((after[0] - before[0], after[1] - before[1]))
        rows = count(found)
    acknowledged, unknown = warm.acknowledged + outcome.acknowledged, warm.errors + outcome.errors
    agrees = acknowledged <= rows <= acknowledged + unknown
    print(f"  {each.name}: {outcome.per_second:,.0f}/s" + ("" if agrees else f" !!! {acknowledged} but {rows} rows"))
    if outcome.errors:
        print(f"  !!! {outcome.errors} ERRORS of {outcome.sent}: {outcome.example}", flush=True)
    return agrees


def load(nodes: Sequence[Node], seconds: float, connections: int, seed: int) -> Outcome:
    """Send to all nodes at once, from one wrk for each."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        each = connections // len(nodes)
        outcomes = list(pool.map(lambda node: load_one(node, seconds, each, seed), nodes))
    first = next((outcome.example for outcome in outcomes if outcome.errors), "")
    return Outcome(
        sum(outcome.sent for outcome in outcomes),
        sum(outcome.answered for outcome in outcomes),
        sum(outcome.failed for outcome in outcomes),
        max(outcome.seconds for outcome in outcomes),
        median([outcome.p50_ms for outcome in outcomes]),
        max(outcome.p99_ms for outcome in outcomes),
        first,
    )


def load_one(node: Node, seconds: float, connections: int, seed: int) -> Outcome:
    whole_s = seconds + DRAIN_S
    command = [find_wrk(), "--threads", "1", "--connections", str(connections), "--duration", f"{whole_s:.0f}s"]
    command += ["--timeout", "60s", "--latency", "--script", str(SCRIPT), f"http://127.0.0.1:{node.port}", "--"]
    command += [str(seconds), str(seed * 100 + node.port % 100), str(COMPANIES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=whole_s + 60, check=False)
    return read_outcome(done.stdout + done.stderr)


def processor_time(found: Running) -> tuple[float, float]:
    """Seconds of the nodes and of the primary so far."""
    nodes = [pid for node in found.nodes if node.process for pid in family(node.process.pid)]
    primary = found.database.primary.process if found.database else None
    return cpu_seconds(nodes), cpu_seconds(family(primary.pid)) if primary else 0.0


def count(found: Running) -> int:
    if found.database:
        return int(found.database.primary.query("SELECT count(*) FROM events")[0][0])
    import sqlite3

    with sqlite3.connect(found.nodes[0].folder / "data" / "gateway.db") as database:
        return int(database.execute("SELECT count(*) FROM events").fetchone()[0])


def print_figures(measured: Sequence[SetUp]) -> None:
    head = [
        "durable events",
        "median/s",
        "least/s",
        "most/s",
        "p50 ms",
        "p99 ms",
        "node CPU µs",
        "PG CPU µs",
        "of first",
    ]
    rows = [figures(each, measured[0]) for each in measured]
    print("\n" + table(head, rows) + "\n", flush=True)


def figures(each: SetUp, first: SetUp) -> list[str]:
    rates = [outcome.per_second for outcome in each.outcomes]
    events = sum(outcome.acknowledged for outcome in each.outcomes) or 1
    shown = [f"{rate:,.0f}" for rate in (each.per_second, min(rates), max(rates))]
    shown += [f"{median([getattr(outcome, name) for outcome in each.outcomes]):.1f}" for name in ("p50_ms", "p99_ms")]
    shown += [f"{sum(cpu[side] for cpu in each.cpu_s) / events * 1e6:.0f}" for side in (0, 1)]
    return [each.name, *shown, ratio(each.per_second, first.per_second)]


def rings(options: argparse.Namespace) -> bool:
    """Time rings at one node until they are on screens at another; whether all came."""
    rows, all_came = [], True
    for each in (
        SetUp("doorbell", nodes=2),
        SetUp(f"doorbell, standby {options.standby_ms:g} ms", nodes=2, standby_ms=options.standby_ms),
        SetUp("no doorbell", nodes=2, doorbell=False),
    ):
        with running(each, options, ["bench"]) as found:
            took_ms, expected = asyncio.run(time_rings(found.nodes))
        all_came &= len(took_ms) == expected
        shown = [f"{percentile(took_ms, percent):.1f}" for percent in (50, 95, 99, 100)]
        rows.append([f"ring to another node's screen, {each.name}", *shown, f"{len(took_ms)} of {expected}"])
    print(table(["", "p50 ms", "p95 ms", "p99 ms", "longest", "arrived"], rows), flush=True)
    return all_came


async def time_rings(
    nodes: Sequence[Node], *, screens: int = 20, rings: int = 600, per_second: float = 100
) -> tuple[list[float], int]:
    """Milliseconds from just before each ring was sent to the first node until a screen at the second one had it."""
    sessions = log_in_agents(nodes[0], 5)  # type: ignore[arg-type]
    watching = Screens(nodes[1].port)
    for number in range(screens):
        await watching.add(sessions[number % len(sessions)])
    async with Exchange(nodes[0].port) as exchange:
        sent = await exchange.send([session.extension for session in sessions], count=rings, per_second=per_second)
    await asyncio.sleep(2)
    await watching.close()
    took = [
        (heard - call.at) * 1000
        for call in sent
        for screen in watching.open
        if screen.extension == call.extension
        for heard in screen.heard.get(call.call_id, [])
    ]
    expected = sum(screen.extension == call.extension for call in sent for screen in watching.open)
    return took, expected


if __name__ == "__main__":
    sys.exit(main())
