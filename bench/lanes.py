"""Transactions a second of two nodes that write many companies, with one lane of writing and with eight.

Run with ``python -m bench.lanes``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.procfs import TICKS, cpu_seconds, family, stat_of
from bench.report import percentile, table
from gateway.store.database import open_database
from tests.cluster.lane_writers import Written
from tests.cluster.servers import Cluster, cluster
from tests.live.groups import kill_group

LANES = 8
WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class LaneRun:
    """What was measured. Processor times are of all nodes, and of the primary."""

    nodes: Sequence[Written]
    batches: int
    nodes_cpu_s: float
    primary_cpu_s: float

    @property
    def seconds(self) -> float:
        return max(node.seconds for node in self.nodes)

    @property
    def events(self) -> int:
        return sum(len(node.took_ms) for node in self.nodes)

    @property
    def batches_per_s(self) -> float:
        return self.batches / self.seconds

    def percentile_ms(self, percent: float) -> float:
        return percentile([took for node in self.nodes for took in node.took_ms], percent)


@contextmanager
def away(round_trip_ms: float) -> Iterator[tuple[Cluster, Path]]:
    """A primary with the gateway's schema, its synchronous standby so far away, and a folder for nodes."""
    with TemporaryDirectory(prefix="cti-lanes-") as folder:
        place = Path(folder)
        with cluster(place, delay_s=round_trip_ms / 2 / 1000, standby=round_trip_ms > 0) as found:
            database = open_database(place / "data", found.url())
            database.upgrade()
            database.close()
            yield found, place


def measure(found: Cluster, folder: Path, lanes: int, options: argparse.Namespace, *more: str) -> LaneRun:
    """Let all nodes write at once with so many ``lanes``, after a moment of which nothing counts."""
    found.primary.query(f"UPDATE counters SET value = {lanes} WHERE name = 'lanes'")
    run(found, folder, WARM_UP_S, options, *more)
    before, cpu_s = batches(found), primary_cpu_s(found)
    nodes = run(found, folder, options.seconds, options, *more)
    used_s = primary_cpu_s(found) - cpu_s
    return LaneRun(nodes, batches(found) - before, sum(node.cpu_s for node in nodes), used_s)


def run(found: Cluster, folder: Path, seconds: float, options: argparse.Namespace, *more: str) -> Sequence[Written]:
    """Start the nodes, let them write together, and return what each of them wrote."""
    load = ["--threads", str(options.threads), "--companies", str(options.companies), "--seconds", str(seconds)]
    started = [start(found, folder, number, *load, *more) for number in range(options.nodes)]
    try:
        for node in started:
            assert line_of(node) == "ready\n", "a node did not start"
        for node in started:
            tell(node, "go\n")
        return [Written(**json.loads(line_of(node))) for node in started]
    finally:
        for node in started:
            with suppress(subprocess.TimeoutExpired):
                node.wait(10)
            kill_group(node)


def line_of(node: "subprocess.Popen[str]") -> str:
    assert node.stdout
    return node.stdout.readline()


def tell(node: "subprocess.Popen[str]", line: str) -> None:
    assert node.stdin
    node.stdin.write(line)
    node.stdin.flush()


def start(found: Cluster, folder: Path, number: int, *more: str) -> "subprocess.Popen[str]":
    data = folder / f"node-{number}"
    command = [sys.executable, "-m", "tests.cluster.lane_writers", found.url(), str(data), str(10 + number), *more]
    log = (folder / f"node-{number}.log").open("a")
    with log:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )


def batches(found: Cluster) -> int:
    """Return how many transactions of lanes there have been: each moves on the row of its writer."""
    return int(found.primary.query("SELECT sum(n) FROM writers")[0][0] or 0)


def primary_cpu_s(found: Cluster) -> float:
    """Return the processor time of the primary, with that of connections that have ended."""
    assert found.primary.process
    stat = stat_of(found.primary.process.pid)
    return cpu_seconds(family(found.primary.process.pid)) + (int(stat[13]) + int(stat[14])) / TICKS


def main() -> int:
    """Exit code 1 when eight lanes make fewer transactions than asked for."""
    options = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    for round_trip_ms in options.standby_ms:
        with away(round_trip_ms) as (found, folder):
            for _number in range(options.rounds):
                one = measure(found, folder, 1, options)
                many = measure(found, folder, LANES, options)
                locked = measure(found, folder, LANES, options, "--one-lock")
                for name, each in (("1 lane", one), (f"{LANES} lanes", many), (f"{LANES} lanes, one lock", locked)):
                    rows.append(figures(f"{round_trip_ms:g} ms, {name}", each, one))
    head = ["standby, lanes", "batches/s", "of 1 lane", "events/s", "events/batch", "p50 ms", "p99 ms"]
    print(table([*head, "nodes CPU", "PG CPU", "node µs/batch", "PG µs/batch"], rows))
    return 0


def figures(name: str, each: LaneRun, one: LaneRun) -> list[str]:
    shown = [f"{each.batches_per_s:,.0f}", f"{each.batches_per_s / one.batches_per_s:.2f}"]
    shown += [f"{each.events / each.seconds:,.0f}", f"{each.events / each.batches:.1f}"]
    shown += [f"{each.percentile_ms(percent):.1f}" for percent in (50, 99)]
    shown += [f"{used / each.seconds:.0%}" for used in (each.nodes_cpu_s, each.primary_cpu_s)]
    shown += [f"{used / each.batches * 1e6:.0f}" for used in (each.nodes_cpu_s, each.primary_cpu_s)]
    return [name, *shown]


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lanes", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="length of each load")
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=32, help="producers of each node")
    parser.add_argument("--companies", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--standby-ms", type=float, nargs="+", default=[2, 10], help="round trips to the standby")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
