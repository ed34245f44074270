"""Transactions a second of nodes that write many companies, with one lane of writing, with eight, and with eight that a
lock of all makes one again.

Run with ``python -m bench.lanes``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import signal
import sys

from bench.report import percentile, table
from tests.cluster.lane_load import ONE_LOCK, LaneLoad, LaneRun, away, measure

LANES = 8


def main() -> int:
    """Print a table; exit code 0."""
    options = read_arguments()
    load = LaneLoad(options.seconds, options.nodes, options.threads, options.companies)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    for round_trip_ms in options.standby_ms:
        with away(round_trip_ms, on_disk=True) as (found, folder):
            for _number in range(options.rounds):
                one = measure(found, folder, 1, load)
                many = measure(found, folder, LANES, load)
                locked = measure(found, folder, LANES, load, ONE_LOCK)
                for name, each in (("1 lane", one), (f"{LANES} lanes", many), (f"{LANES} lanes, one lock", locked)):
                    rows.append(figures(f"{round_trip_ms:g} ms, {name}", each, one))
    head = ["standby, lanes", "batches/s", "of 1 lane", "events/s", "events/batch", "p50 ms", "p99 ms"]
    print(table([*head, "nodes CPU", "PG CPU", "node µs/batch", "PG µs/batch"], rows))
    return 0


def figures(name: str, each: LaneRun, one: LaneRun) -> list[str]:
    shown = [f"{each.batches_per_s:,.0f}", f"{each.batches_per_s / one.batches_per_s:.2f}"]
    shown += [f"{each.events / each.seconds:,.0f}", f"{each.events / each.batches:.1f}"]
    shown += [f"{percentile(each.took_ms, percent):.1f}" for percent in (50, 99)]
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
