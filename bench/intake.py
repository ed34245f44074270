"""Durable events per second by GET, SOAP 1.1 and XML-RPC, against PHP writing each event to SQLite.

Run with ``python -m bench.intake``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.disk import syncs_per_second
from bench.gateway_process import GatewayProcess, cli, gateway_process
from bench.load import Load, Outcome, apply, find_wrk
from bench.php import PhpServer, Tuning, find_fpm, find_nginx, php_server
from bench.processes import in_folder
from bench.procfs import cpu_seconds, family
from bench.report import median, ratio, table
from bench.tuning import tune

GATEWAY, PHP = "gateway", "PHP"
GOALS = {"get": 5.0, "soap": 2.0, "xmlrpc": None}
WARM_UP_S = 2.0


@dataclass(slots=True)
class Contender:
    """One entrance of one server, and what came of each load on it; the first one is its warm-up."""

    side: str
    wire: str
    server: GatewayProcess | PhpServer
    outcomes: list[Outcome] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.side} {NAMES[self.wire]}"

    @property
    def rounds(self) -> Sequence[Outcome]:
        return self.outcomes[1:]

    @property
    def per_second(self) -> float:
        """Median of the rounds."""
        return median(outcome.per_second for outcome in self.rounds)

    @property
    def cpu_us(self) -> float:
        """CPU time of all the server's processes for each event: noise hurts it less than the rate."""
        events = sum(outcome.acknowledged for outcome in self.rounds)
        return sum(self.cpu_s[1:]) / events * 1e6 if events else 0.0

    @property
    def errors(self) -> int:
        return sum(outcome.errors for outcome in self.outcomes)


NAMES = {"get": "GET", "soap": "SOAP 1.1", "xmlrpc": "XML-RPC"}


@dataclass(frozen=True, slots=True)
class Field:
    """All that runs side by side: our gateway, and one PHP for each of its two entrances."""

    gateway: GatewayProcess
    listener: PhpServer
    soap_server: PhpServer

    def contenders(self) -> list[Contender]:
        """In the order in which they take turns."""
        return [
            Contender(GATEWAY, "get", self.gateway),
            Contender(PHP, "get", self.listener),
            Contender(GATEWAY, "soap", self.gateway),
            Contender(PHP, "soap", self.soap_server),
            Contender(GATEWAY, "xmlrpc", self.gateway),
        ]


def main() -> int:
    """Exit code 0 when every acknowledged event is stored, none is stored twice, and ours answered without errors."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="length of each round for each contender")
    parser.add_argument("--connections", type=int, default=32, help="connections kept alive")
    parser.add_argument("--workers", type=int, default=2, help="the gateway's processes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mix", action="store_true", help="starts and ends half and half, instead of starts only")
    parser.add_argument("--php-children", type=int, help="processes of PHP-FPM, instead of trying out the fastest")
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    find_wrk(), find_nginx(), find_fpm()
    wsdl = cli("wsdl", "--address", "http://127.0.0.1/soap").encode()
    tunings = choose_tunings(options, folder, wsdl)
    with start_all(options, folder, wsdl, tunings) as field:
        contenders = field.contenders()
        run_rounds(contenders, options, folder)
        field.gateway.kill()
    print_figures(contenders, tunings)
    return verdict(contenders, field)


def choose_tunings(options: argparse.Namespace, folder: Path, wsdl: bytes) -> dict[str, Tuning]:
    """PHP's set-up for each wire that it serves."""
    if options.php_children:
        return dict.fromkeys(("get", "soap"), Tuning(options.php_children, persistent=True))
    print("Trying out PHP's set-ups:")
    return {wire: tune(Load(wire, WARM_UP_S, options.connections), folder, wsdl) for wire in ("get", "soap")}


@contextmanager
def start_all(options: argparse.Namespace, folder: Path, wsdl: bytes, tunings: dict[str, Tuning]) -> Iterator[Field]:
    with ExitStack() as stack:
        yield Field(
            stack.enter_context(gateway_process(folder / "gateway", workers=options.workers)),
            stack.enter_context(php_server(folder / "php-get", tunings["get"], wsdl=wsdl)),
            stack.enter_context(php_server(folder / "php-soap", tunings["soap"], wsdl=wsdl)),
        )


def run_rounds(contenders: Sequence[Contender], options: argparse.Namespace, folder: Path) -> None:
    """A warm-up, then the rounds: all contenders take turns in each, so that a slow moment hits all of them."""
    for number in range(options.rounds + 1):
        syncs = syncs_per_second(folder)
        seconds = options.seconds if number else min(WARM_UP_S, options.seconds)
        title = f"Round {number}" if number else "Warm-up"
        print(f"{title}: the disk syncs {syncs:,.0f} times/s", flush=True)
        for contender in contenders:
            load = Load(contender.wire, seconds, options.connections, options.mix)
            take_turn(contender, load, seed=number + 1)


def take_turn(contender: Contender, load: Load, seed: int) -> None:
    processes = [pid for top in contender.server.pids for pid in family(top)]
    before = cpu_seconds(processes)
    outcome = apply(load, contender.server.url, seed)
    contender.cpu_s.append(cpu_seconds(processes) - before)
    contender.outcomes.append(outcome)
    print(f"  {contender.name}: {outcome.per_second:,.0f}/s", flush=True)
    if outcome.errors:
        print(f"  !!! {contender.name}: {outcome.errors} ERRORS of {outcome.sent}: {outcome.example}", flush=True)


def print_figures(contenders: Sequence[Contender], tunings: dict[str, Tuning]) -> None:
    head = ["durable events", "median/s", "least/s", "most/s", "p50 ms", "p99 ms", "CPU µs", "errors"]
    print("\n" + table(head, [figures(contender) for contender in contenders]) + "\n")
    by_name = {(contender.side, contender.wire): contender.per_second for contender in contenders}
    for wire, goal in GOALS.items():
        rival = "get" if wire == "get" else "soap"
        times = ratio(by_name[GATEWAY, wire], by_name[PHP, rival], goal)
        print(f"{NAMES[wire]:8}  gateway / PHP {NAMES[rival]}: {times}")
    for wire, tuning in tunings.items():
        print(f"PHP {NAMES[wire]} ran as {tuning}.")


def figures(contender: Contender) -> list[str]:
    rates = [outcome.per_second for outcome in contender.rounds]
    p50 = median(outcome.p50_ms for outcome in contender.rounds)
    p99 = median(outcome.p99_ms for outcome in contender.rounds)
    shown = [f"{rate:,.0f}" for rate in (contender.per_second, min(rates), max(rates))]
    errors = f"!!! {contender.errors}" if contender.errors else "0"
    return [contender.name, *shown, f"{p50:.1f}", f"{p99:.1f}", f"{contender.cpu_us:.0f}", errors]


def verdict(contenders: Sequence[Contender], field: Field) -> int:
    """Compare answers with rows; the gateway has been killed, so nothing but its database can speak for it."""
    ours = [outcome for contender in contenders if contender.side == GATEWAY for outcome in contender.outcomes]
    agree = [compare(GATEWAY, ours, field.gateway.rows())]
    for contender in contenders:
        if contender.side == PHP:
            agree.append(compare(contender.name, contender.outcomes, contender.server.rows()))
    ours_failed = any(outcome.errors for outcome in ours)
    return 0 if all(agree) and not ours_failed else 1


def compare(name: str, outcomes: Sequence[Outcome], rows: int) -> bool:
    """Whether each acknowledged event is a row; requests without a good answer may or may not have become one."""
    acknowledged = sum(outcome.acknowledged for outcome in outcomes)
    unknown = sum(outcome.errors for outcome in outcomes)
    agrees = acknowledged <= rows <= acknowledged + unknown
    beside = f" ({unknown} requests without a good answer)" if unknown else ""
    print(f"{name}: {acknowledged:,} acknowledged, {rows:,} rows{beside}: {'agree' if agrees else '!!! DIFFER'}")
    return agrees


if __name__ == "__main__":
    sys.exit(main())
