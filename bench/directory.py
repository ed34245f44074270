"""The directory at scale: import of accounts with flat memory while events come in, and look-up by number.

Run with ``python -m bench.directory``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.disk import syncs_per_second
from bench.events import Events
from bench.gateway_process import COMMAND, GatewayProcess, gateway_process
from bench.processes import find_program, in_folder
from bench.report import percentile, ratio, table
from gateway.store.database import open_database
from gateway.store.directory import Directory
from tests.cluster.servers import cluster

TENANT = "bench"
SCRIPT = Path(__file__).parent / "php" / "import.php"
GOAL_S_PER_MILLION = 120.0
GOAL_LOOKUP_MS = 1.0
HEADER = "Código;Razão Social;Contato;Telefone;Celular\r\n"
LIKES = 12
"""Look-ups the way of CRMs: each reads the whole table, so a few must do."""


@dataclass(frozen=True, slots=True)
class Import:
    """One run of a command that imports."""

    name: str
    seconds: float
    peak_mb: float
    said: str

    def row(self, accounts: int) -> list[str]:
        return [self.name, f"{self.seconds:.1f}", f"{accounts / self.seconds:,.0f}", f"{self.peak_mb:.0f}"]


def main() -> int:
    """Exit code 0 when everything that was to be imported is there and is found."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.directory", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000, help="accounts, with two telephones each")
    parser.add_argument("--lookups", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=100, help="events a second while it imports; 0: none")
    parser.add_argument("--small", action="store_true", help="also import a tenth, to compare the memory")
    parser.add_argument("--postgresql", action="store_true", help="on a server of PostgreSQL, started for it")
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    php = find_program(["php"], "Debian and Ubuntu: apt install php-cli php-sqlite3")
    sheet = folder / "contas.csv"
    numbers = make_sheet(sheet, options.accounts)
    size = sheet.stat().st_size / 1e6
    syncs = syncs_per_second(folder)
    print(f"{options.accounts:,} accounts, {2 * options.accounts:,} telephones, {size:.0f} MB; {syncs:,.0f} syncs/s")
    imports = [run_php(php, sheet, folder / "php.db")]
    if options.small:
        imports.append(import_small(folder, options.accounts // 10))
    with ExitStack() as stack:
        url = stack.enter_context(cluster(folder, standby=False)).url() if options.postgresql else None
        server = f'database = "{url}"\naccept_loss = true' if url else ""
        with gateway_process(folder / "gateway", workers=1, server=server) as gateway:
            events = import_beside_events(gateway, sheet, options.rate, imports)
            print_imports(imports, options.accounts)
            print_events(events)
        found = look_up(folder, url, numbers, options.lookups)
    return 0 if found and all(f"{options.accounts} " in run.said for run in imports[-2:]) else 1


def make_sheet(path: Path, accounts: int) -> list[str]:
    """Accounts as Excel in Brazil writes them, in no order; some of the numbers in canonical form."""
    chance, sample = random.Random(20261123), []
    step = 7919  # a prime: each code comes once, and neighbours lie far apart
    with path.open("w", encoding="cp1252", newline="") as file:
        file.write(HEADER)
        for i in range(accounts):
            # 300 and 400 begin numbers without DDD.
            code, area = i * step % accounts, chance.choice(("11", "21", "47", "48", "51"))
            fixed = f"{chance.choice((2, 3, 4, 5))}{chance.randint(100, 999)}{chance.randint(0, 9999):04}"
            mobile = f"{chance.randint(6000, 9999)}{chance.randint(0, 9999):04}"
            line = f"({area}) {fixed[:4]}-{fixed[4:]};{area} 9{mobile[:4]}-{mobile[4:]}"
            file.write(f"{code};Padaria São José {code} Ltda;Zé {code % 1000};{line}\r\n")
            if i % 50 == 0:
                sample += [area + fixed, f"{area}9{mobile}"]
    return sample


def run(name: str, command: Sequence[str]) -> Import:
    """Run ``command`` to its end; the peak is its resident memory as the kernel counted it."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said}")
    return Import(name, time.perf_counter() - began, usage.ru_maxrss / 1024, said)


def run_php(php: str, sheet: Path, database: Path) -> Import:
    return run("PHP, PDO to SQLite", [php, str(SCRIPT), str(sheet), str(database)])


def run_ours(name: str, sheet: Path, config: Path) -> Import:
    return run(name, [*COMMAND, "import", "accounts", str(sheet), "--config", str(config)])


def import_small(folder: Path, accounts: int) -> Import:
    sheet, config = folder / "small.csv", folder / "small" / "gateway.toml"
    config.parent.mkdir()
    config.write_text('[server]\ndata = "data"\n[tenants.bench]\narea_code = "47"\n')
    make_sheet(sheet, accounts)
    return run_ours(f"gateway, only {accounts:,}", sheet, config)


def import_beside_events(gateway: GatewayProcess, sheet: Path, rate: float, imports: list[Import]) -> dict[str, Events]:
    """Import, then import the same again, with events coming in before and meanwhile."""
    config = gateway.folder / "gateway.toml"
    events = {}
    if rate:
        with events_at(rate, gateway.port) as before:
            time.sleep(min(10.0, 1 + 500 / rate))
        events["without an import"] = before
    for name in ("gateway, first time", "gateway, again"):
        with events_at(rate, gateway.port) as meanwhile:
            imports.append(run_ours(name, sheet, config))
        if rate:
            events[f"during: {name}"] = meanwhile
    return events


@contextmanager
def events_at(rate: float, port: int) -> Iterator[Events]:
    events = Events(port, rate)
    if rate:
        events.start()
    yield events
    events.stop()


def print_imports(imports: Sequence[Import], accounts: int) -> None:
    rows = [each.row(accounts // 10 if "only" in each.name else accounts) for each in imports]
    print("\n" + table(["import", "seconds", "accounts/s", "peak MB"], rows))
    first = next(each for each in imports if each.name == "gateway, first time")
    allowed = GOAL_S_PER_MILLION * accounts / 1e6
    reached = "reached" if first.seconds <= allowed else "MISSED"
    print(f"goal: {allowed:.0f} s for {accounts:,} accounts: {reached}\n")


def print_events(events: dict[str, Events]) -> None:
    rows = [
        [
            name,
            f"{len(each.took_ms):,}",
            *(f"{percentile(each.took_ms, p):.1f}" for p in (50, 99, 100)),
            str(each.errors),
        ]
        for name, each in events.items()
    ]
    if rows:
        print(table(["events", "taken", "p50 ms", "p99 ms", "longest", "errors"], rows) + "\n")


def look_up(folder: Path, url: str | None, numbers: list[str], lookups: int) -> bool:
    """Time ours by canonical number and, beside it, ``LIKE '%12345678'``; whether each number was found."""
    chance = random.Random(1)
    asked = [chance.choice(numbers) for _ in range(lookups)]
    database = open_database(folder / "gateway" / "data", url)
    directory = Directory(database.engine, None)  # type: ignore[arg-type]  # only read here
    ours, found = timed(lambda number: bool(directory.owners(TENANT, [number])), asked)
    database.close()
    with closing(sqlite3.connect(folder / "php.db")) as php:
        query = "SELECT t.id, c.nome FROM telefones t JOIN contas c ON c.codigo = t.conta WHERE t.numero LIKE ? LIMIT 1"
        likes, found_too = timed(lambda number: bool(php.execute(query, ["%" + number[-8:]]).fetchone()), asked[:LIKES])
    rows = [
        [name, f"{len(times):,}", *shown(times, ".3f"), f"{count:,}"]
        for name, times, count in (("gateway, by number", ours, found), ("LIKE '%12345678'", likes, found_too))
    ]
    print(table(["look-up", "asked", "p50 ms", "p99 ms", "longest", "found"], rows))
    print(f"goal: p99 of {GOAL_LOOKUP_MS:g} ms: {'reached' if percentile(ours, 99) <= GOAL_LOOKUP_MS else 'MISSED'}")
    print(f"LIKE takes {ratio(percentile(likes, 50), percentile(ours, 50))} as long")
    return found == len(asked)


def shown(times_ms: Sequence[float], digits: str) -> list[str]:
    """Median, 99th percentile and the longest."""
    return [f"{percentile(times_ms, percent):{digits}}" for percent in (50, 99, 100)]


def timed(ask: Callable[[str], bool], numbers: Sequence[str]) -> tuple[list[float], int]:
    """Milliseconds of each look-up, and how many found somebody."""
    times, found = [], 0
    for number in numbers:
        began = time.perf_counter()
        found += ask(number)
        times.append((time.perf_counter() - began) * 1000)
    return times, found


if __name__ == "__main__":
    sys.exit(main())
