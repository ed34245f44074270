"""What an exchange that tells of much by its manager interface does to the events of others.

Run with ``python -m bench.sources``. Rounds of two phases: events by GET alone; the same while one Asterisk tells of
calls at its manager interface (``kind = "ami"``). Each of its calls must be in the log afterwards, once.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import tomli_w

from bench.gateway_process import GatewayProcess, gateway_process
from bench.hanging import CONNECTIONS, EVENT, Times, paced
from bench.processes import free_port, in_folder
from bench.report import median, percentile, table

RECORDING = Path(__file__).parents[1] / "tests" / "recordings" / "ami" / "in_answer_callerhang.ami"
SETTLE_S = 6.0
"""In which the calls that have begun end, and are written down."""


class Exchange:
    """A running ``bench.ami_exchange``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._said: IO[str] = process.stdout  # type: ignore[assignment]
        self._ask: IO[str] = process.stdin  # type: ignore[assignment]
        assert self._said.readline() == "ready\n"

    def tell(self, per_s: float) -> tuple[int, int]:
        """Tell so many events in a second from now on; return how many events and calls were told so far."""
        self._ask.write(f"{per_s}\n")
        self._ask.flush()
        sent, calls = self._said.readline().split()
        return int(sent), int(calls)


def main() -> int:
    """Exit code 1 when an event was not taken, or a call of the exchange is not in the log once."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sources", description=__doc__)
    parser.add_argument("--seconds", type=float, default=15, help="length of each phase")
    parser.add_argument("--rounds", type=int, default=3, help="how often both phases are measured")
    parser.add_argument("--events", type=float, default=300, help="events by GET in a second")
    parser.add_argument("--ami", type=float, default=500, help="events of the manager interface in a second")
    parser.add_argument("--workers", type=int, default=2, help="processes of the gateway")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    port = free_port()
    found: dict[str, list[Times]] = {"GET alone": [], "with AMI": []}
    with ExitStack() as stack:
        exchange = stack.enter_context(ami_exchange(port))
        gateway = stack.enter_context(
            gateway_process(folder / "gateway", workers=options.workers, more=configuration(port))
        )
        phase(gateway, options, seconds=2)
        for _ in range(options.rounds):
            found["GET alone"].append(phase(gateway, options))
            exchange.tell(options.ami)
            found["with AMI"].append(phase(gateway, options))
            exchange.tell(0)
            time.sleep(SETTLE_S)
        sent, calls = exchange.tell(0)
        logged = calls_of(gateway)
    print(table(("phase", "events", "p50 ms", "p99 ms", "p99 of each round", "ended"), rows(found)))
    seconds = options.seconds * options.rounds
    print(f"\nthe exchange told {sent} events of {calls} calls ({sent / seconds:.0f} in a second);", end=" ")
    print(f"{len(logged)} calls are in the log, {len(set(logged))} of them different")
    good = all(set(times.ended) <= {"200"} for each in found.values() for times in each)
    return 0 if good and len(logged) == len(set(logged)) == calls else 1


def configuration(port: int) -> str:
    source = {"kind": "ami", "host": "127.0.0.1", "port": port, "username": "cti", "secret": "segredo"}
    return "\n" + tomli_w.dumps({"tenants": {"bench": {"sources": {"pabx": source}}}})


@contextmanager
def ami_exchange(port: int) -> Iterator[Exchange]:
    """The exchange, in a process of its own."""
    command = [sys.executable, "-m", "bench.ami_exchange", "--port", str(port), str(RECORDING)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Exchange(process)
        finally:
            process.kill()


def phase(gateway: GatewayProcess, options: argparse.Namespace, *, seconds: float | None = None) -> Times:
    """Send events by GET for so long; return what came of them."""
    times = Times()
    threads = paced(gateway, times, EVENT, options.events, seconds or options.seconds, CONNECTIONS)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def rows(found: dict[str, list[Times]]) -> list[list[str]]:
    """One row for each phase: the medians of its rounds, and each round's p99."""
    made = []
    for name, each in found.items():
        p99 = [percentile(times.ms, 99) for times in each]
        p50 = median(percentile(times.ms, 50) for times in each)
        count, ended = sum(len(times.ms) for times in each), "; ".join(times.told() for times in each)
        made.append([name, str(count), f"{p50:.1f}", f"{median(p99):.1f}", " ".join(f"{p:.1f}" for p in p99), ended])
    return made


def calls_of(gateway: GatewayProcess) -> list[str]:
    """The callers of the calls in the log that the exchange told of."""
    lines = gateway.cli("calls", "--format", "json").splitlines()
    numbers = (str(json.loads(line)["number"]) for line in lines)
    return [number for number in numbers if number.startswith("4797")]


if __name__ == "__main__":
    sys.exit(main())
