"""What the traffic log costs: durable events per second with it and without it, taking turns in one run.

Run with ``python -m bench.traffic``; the goal is to lose less than a tenth of the throughput.
"""

import argparse
import sqlite3
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from bench.gateway_process import gateway_process
from bench.intake import NAMES, Contender, figures, run_rounds
from bench.load import find_wrk
from bench.processes import in_folder
from bench.report import table

OFF, ON = "log off", "log on"
GOAL = 0.9
RECORDING = {OFF: "\n[traffic]\nrecord = false\n", ON: "\n[traffic]\nrecord = true\n"}


def main() -> int:
    """Exit code 0 when every acknowledged request is in the traffic log or was counted as left out."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.traffic", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6, help="length of each round for each contender")
    parser.add_argument("--connections", type=int, default=32, help="connections kept alive")
    parser.add_argument("--workers", type=int, default=2, help="processes of each gateway")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    find_wrk()
    options.mix = True
    with ExitStack() as stack:
        gateways = {
            side: stack.enter_context(
                gateway_process(folder / side.replace(" ", "-"), workers=options.workers, more=more)
            )
            for side, more in RECORDING.items()
        }
        contenders = [Contender(side, wire, gateways[side]) for wire in ("get", "soap") for side in (OFF, ON)]
        run_rounds(contenders, options, folder)
    print_figures(contenders)
    return verdict(contenders, folder / "log-on" / "data" / "traffic.db")


def print_figures(contenders: list[Contender]) -> None:
    head = ["durable events", "median/s", "least/s", "most/s", "p50 ms", "p99 ms", "CPU µs", "errors"]
    print("\n" + table(head, [figures(contender) for contender in contenders]) + "\n")
    found = {(contender.side, contender.wire): contender for contender in contenders}
    for wire in ("get", "soap"):
        with_log, without = found[ON, wire], found[OFF, wire]
        kept = with_log.per_second / without.per_second
        met = "goal met" if kept >= GOAL else f"GOAL {GOAL:.0%} NOT MET"
        cpu = with_log.cpu_us - without.cpu_us
        print(f"{NAMES[wire]:8}  {kept:.1%} of the throughput is kept ({met}); {cpu:+.0f} µs CPU for each event")


def verdict(contenders: list[Contender], path: Path) -> int:
    """The gateways have ended, so everything that was to be written is."""
    with closing(sqlite3.connect(path)) as database:
        rows: int = database.execute("SELECT count(*) FROM exchanges").fetchone()[0]
        newest: int = database.execute("SELECT coalesce(max(id), 0) FROM exchanges").fetchone()[0]
    ours = [outcome for contender in contenders if contender.side == ON for outcome in contender.outcomes]
    acknowledged, failed = sum(o.acknowledged for o in ours), sum(o.errors for o in ours)
    # Rows let go of for size have had numbers; /readyz and the like are not kept.
    missing = acknowledged - newest
    print(f"{acknowledged:,} acknowledged, {newest:,} written, {rows:,} still kept, {max(0, missing):,} left out")
    return 1 if failed or missing > acknowledged * 0.01 else 0


if __name__ == "__main__":
    sys.exit(main())
