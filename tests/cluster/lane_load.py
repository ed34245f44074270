"""Nodes that write as fast as they can (``lane_writers.py``), and how many transactions that makes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.lane_writers import Written
from tests.cluster.servers import Cluster, children, cluster
from tests.live.groups import kill_group

ONE_LOCK = "--one-lock"


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """Who writes: so many ``threads`` in each of ``nodes``, events of ``companies``."""

    seconds: float = 5
    nodes: int = 2
    threads: int = 32
    companies: int = 64
    warm_up_s: float = 1


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

    @property
    def took_ms(self) -> Sequence[float]:
        return [took for node in self.nodes for took in node.took_ms]


@contextmanager
def away(round_trip_ms: float, *, on_disk: bool = False) -> Iterator[tuple[Cluster, Path]]:
    """A primary with the gateway's schema, its synchronous standby so far away, and a folder for nodes."""
    with TemporaryDirectory(prefix="cti-lanes-") as folder:
        place = Path(folder)
        with cluster(place, delay_s=round_trip_ms / 2 / 1000, standby=round_trip_ms > 0, on_disk=on_disk) as found:
            yield found, place


def measure(found: Cluster, folder: Path, lanes: int, load: LaneLoad, *more: str) -> LaneRun:
    """Let all nodes write at once with so many ``lanes``, after a moment of which nothing counts."""
    found.primary.query(f"UPDATE counters SET value = {lanes} WHERE name = 'lanes'")
    run(found, folder, load.warm_up_s, load, *more)
    before, cpu_s = batches(found), primary_cpu_s(found)
    nodes = run(found, folder, load.seconds, load, *more)
    used_s = primary_cpu_s(found) - cpu_s
    return LaneRun(nodes, batches(found) - before, sum(node.cpu_s for node in nodes), used_s)


def run(found: Cluster, folder: Path, seconds: float, load: LaneLoad, *more: str) -> Sequence[Written]:
    """Start the nodes, let them write together, and return what each of them wrote."""
    said = ["--threads", str(load.threads), "--companies", str(load.companies), "--seconds", str(seconds)]
    started = [start(found, folder, number, *said, *more) for number in range(load.nodes)]
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
    pids = [found.primary.process.pid, *children(found.primary.process.pid)]
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    ended = int(stats[0][13]) + int(stats[0][14])
    return (ended + sum(int(stat[11]) + int(stat[12]) for stat in stats)) / os.sysconf("SC_CLK_TCK")
