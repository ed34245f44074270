"""How long it takes to find calls in a long log: by name, by any part of a number, by notes, and the day's figures.

Run with ``python -m bench.history``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, text

from bench import procfs
from bench.history_pages import TEAM, pages
from bench.long_index import index_calls
from bench.long_log import TENANT, calls, count_as_given_out, write_calls
from bench.report import median, percentile, table
from gateway.config.tables import Config
from gateway.domain.calls.search_terms import Field, Term, term_of
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.server.bootstrap import build
from gateway.server.gateway import Gateway
from gateway.server.pauses import LongLived
from gateway.store.calls import CallFilter
from gateway.store.database import Database, open_database
from gateway.store.figures.log import FiguresLog
from gateway.store.figures.scopes import name_of, read_scope
from gateway.store.figures.summing import Summing
from gateway.store.figures.sums import read_summed
from gateway.store.search.index import DATABASE, SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder
from gateway.store.writing.journal import Journal
from tests.postgresql import PostgresqlServer, programs

GOAL_MS = 50.0
SERVER = (
    *("shared_buffers=512MB", "maintenance_work_mem=512MB", "max_wal_size=8GB"),
    *("wal_level=minimal", "max_wal_senders=0"),
)
"""Settings of the PostgreSQL server, as an administrator would have them, but that nothing is replicated."""


def main() -> int:
    """Exit code 0 when every kind of search stays within the goal at p99."""
    options = read_arguments()
    if options.intake:
        with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
            measure_intake(Path(folder), options.intake, 6)
        return 0
    if options.keep:
        options.keep.mkdir(exist_ok=True)
        return measure(options, options.keep)
    with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
        return measure(options, Path(folder))


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls in the log (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=40, help="searches of each kind (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where the databases lie")
    parser.add_argument("--intake", type=float, metavar="SECONDS", help="measure what the index costs events instead")
    parser.add_argument("--postgresql", action="store_true", help="in a PostgreSQL server of its own, not in SQLite")
    parser.add_argument("--no-scans", action="store_true", help="without plain looks through the whole table")
    parser.add_argument("--warm", action="store_true", help="ask everything once before, so that it is in memory")
    parser.add_argument("--keep", type=Path, help="a folder for the calls, which the next run finds there")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    """Write the calls, make the index, search; print what each took."""
    with opened(options, folder) as database:
        return measure_in(database, options, folder)


@contextmanager
def opened(options: argparse.Namespace, folder: Path) -> Iterator[Database]:
    """Open the database that is measured, and end its server."""
    if not options.postgresql:
        yield open_database(folder)
        return
    server = PostgresqlServer(programs(), *SERVER, kept=(folder / "server").absolute() if options.keep else None)
    try:
        if not server.run("SELECT 1 FROM pg_database WHERE datname = 'history'"):
            server.run("CREATE DATABASE history")
        yield open_database(folder, server.url("history"))
    finally:
        server.stop()


def measure_in(database: Database, options: argparse.Namespace, folder: Path) -> int:
    """Write the calls where there are none, make the index, search."""
    database.upgrade()
    engine = database.engine
    with engine.connect() as connection:
        there = connection.execute(text("SELECT max(id) FROM calls")).scalar() or 0
    if not there:
        took = _timed(lambda: write_calls(engine, options.calls))
        print(f"{options.calls:,} calls written in {took:.0f} s, {_size_of(database)}", flush=True)
    count_as_given_out(engine)
    index = SearchIndex(folder)
    began = time.process_time()
    count = index_calls(database, index, folder)
    worked = time.process_time() - began
    print(f"index made in {worked:.0f} s of one processor, of {count:,} calls, {_size(folder / DATABASE)}", flush=True)
    print(f"hours summed in {_timed(lambda: sum_figures(database)):.0f} s", flush=True)
    finder = CallFinder(engine, index)
    LongLived().start()  # as each worker does: full collections of garbage would be the slowest of all rounds
    rows = [*searches(finder, engine, options), *asked_by_pages(engine, finder, options)]
    print(table(HEAD, [row[:-1] for row in rows]))
    missed = [f"{row[0]} ({row[-1]:.0f})" for row in rows if row[-1] > GOAL_MS]
    print(f"over {GOAL_MS:.0f} ms by the clock at p99: {', '.join(missed) or 'nothing'}")
    with closing(index):
        database.close()
    return 1 if missed else 0


HEAD = ("asked", "found", "p50 ms", "p99 ms", "processor p50", "processor p99", "plain scan ms")


def searches(search: CallFinder, engine: Engine, options: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Yield a line for each kind of search."""
    worked = _clock_of_processors(engine)
    for name, made, scan in kinds(options.calls):
        measured = _rounds(lambda chance, made=made: _found(search, made(chance)), options, worked)
        yield name, *_line(measured), "" if options.no_scans else _scan(engine, scan), _p99(measured)


def _found(search: CallFinder, wanted: CallFilter) -> int:
    return len(search.find(TENANT, wanted).calls)


def _clock_of_processors(engine: Engine) -> Callable[[], float]:
    """Return what says how long processors have worked for this thread, and for it in the PostgreSQL server, in
    seconds.
    """
    if engine.dialect.name != "postgresql":
        return time.thread_time
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    server = int(procfs.stat_of(pid)[1])
    served_by = [each for each in procfs.family(server) if each != server]
    return lambda: time.thread_time() + procfs.cpu_exactly(served_by)


def _rounds(
    ask: Callable[[random.Random], int], options: argparse.Namespace, worked: Callable[[], float]
) -> Sequence[tuple[int, float, float]]:
    """Return what each round found and took; with ``--warm`` all is asked once before."""
    for _ in range(1 + options.warm):
        chance = random.Random(4)
        measured = [_measured(partial(ask, chance), worked) for _ in range(options.rounds)]
    return measured


def _measured(run: Callable[[], int], worked: Callable[[], float]) -> tuple[int, float, float]:
    """Return what ``run`` has found, and the milliseconds and milliseconds of a processor that it took."""
    before, began = worked(), time.perf_counter()
    found = run()
    return found, (time.perf_counter() - began) * 1000, (worked() - before) * 1000


def _line(measured: Sequence[tuple[int, float, float]]) -> Sequence[str]:
    found, took, worked = zip(*measured, strict=True)
    average = sum(found) / len(found)
    return f"{average:.0f}", *(f"{percentile(each, at):.1f}" for each in (took, worked) for at in (50, 99))


def _p99(measured: Sequence[tuple[int, float, float]]) -> float:
    """Return the milliseconds by the clock."""
    return percentile([each[1] for each in measured], 99)


def kinds(count: int) -> Iterator[tuple[str, Callable[[random.Random], CallFilter], str]]:
    """Yield kinds of search: name, how a filter is made by chance, and a condition in SQL that does about the same."""
    whole = [each for each in calls(count, min(count, 5000)) if each["account_name"]]

    def some(chance: random.Random, column: str) -> str:
        return str(chance.choice(whole)[column])

    yield "words of a name", _of(lambda chance: some(chance, "account_name")), "account_name LIKE '%Aurora%Norte 5%'"
    common = _of(lambda chance: chance.choice(("padar", "souza", "joinv")))
    yield "part of a name, common", common, "account_name LIKE '%padar%'"
    wanted = _of(lambda _: "construtora ipiranga", results=("failed",))
    yield "a name and a result", wanted, "account_name LIKE '%onstrutora%piranga%' AND result = 'failed'"
    yield "no such name", _of(lambda chance: f"zwyx{chance.randrange(99)}"), "account_name LIKE '%zwyx%'"
    yield "a whole number", _of(lambda chance: some(chance, "number")), "number LIKE '%4799912345%'"
    yield "eight digits of a number", _of(lambda chance: some(chance, "number")[-8:]), "number LIKE '%99912345'"
    yield "any five digits of a number", _of(lambda chance: some(chance, "number")[3:8]), "number LIKE '%99123%'"
    ending = _of(lambda chance: some(chance, "number")[-4:], Field.ENDING)
    yield "the last four digits", ending, "number LIKE '%2345'"
    yield "a code", _of(lambda chance: some(chance, "account_code"), Field.CODE), "account_code LIKE '%C00123%'"
    yield "a free field", _of(lambda chance: f"2026-{chance.randrange(10**5):05}"), "fields LIKE '%2026-12345%'"
    yield "a result, rare", lambda _: CallFilter(results=("failed",)), "result = 'failed'"
    yield "a queue and missed", _of(lambda _: "vendas", Field.QUEUE, missed=True), "queue = 'Vendas' AND missed"
    who = lambda chance: replace(_of(lambda _: "ana souza", Field.WHO)(chance), **_day(chance))  # noqa: E731
    yield "who, on a day of long ago", who, "answered_agent = 'ana.souza' AND logged_at < 0"
    busy = lambda chance: CallFilter(extension=str(3500 + chance.randrange(40)), results=("busy",))  # noqa: E731
    yield "an extension and busy", busy, "extension = '3507' AND result = 'busy'"
    yield "no filter", lambda _: CallFilter(), "true"


def _of(
    words_of: Callable[[random.Random], str], field: Field = Field.ANY, **more: Any
) -> Callable[[random.Random], CallFilter]:
    return lambda chance: CallFilter(terms=terms(field, words_of(chance)), **more)


def terms(field: Field, words: str) -> tuple[Term, ...]:
    """Return what the search box makes of ``words``."""
    return tuple(found for word in words.split() if (found := term_of(field, word)))


def _day(chance: random.Random) -> dict[str, int]:
    since = time.time_ns() // 1_000_000 - chance.randrange(30, 300) * 24 * 3600 * 1000
    return {"since": since, "until": since + 24 * 3600 * 1000}


def asked_by_pages(engine: Engine, search: CallFinder, options: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Yield a line for each thing that a page asks."""
    worked = _clock_of_processors(engine)
    for name, ask in pages(engine, search):
        measured = _rounds(ask, options, worked)
        yield name, *_line(measured), "", _p99(measured)


def sum_figures(database: Database) -> None:
    """Sum all hours, those of a supervisor too, as maintenance does in some turns once somebody has looked at them."""
    journal = Journal(database)
    journal.start()
    try:
        FiguresLog(database.engine, journal).of(TENANT, [0, 1], TEAM)
        summing = Summing(database.engine, journal, (TENANT,), rest=str)
        while not _is_summed(database.engine):
            summing.work(0)
    finally:
        journal.stop()


def _is_summed(engine: Engine) -> bool:
    with engine.connect() as connection:
        known, scope = read_summed(connection, TENANT), read_scope(connection, TENANT, name_of(TEAM))
    if known is None or scope is None or scope.version != known.version:
        return False
    return known.since == known.good_days_since == scope.since == 0 and scope.until == known.until


def measure_intake(folder: Path, seconds: float, rounds: int) -> None:
    """Print what an event costs with and without the index being written behind it, in turn."""
    gateways = {name: build(Config(), folder / name) for name in ("without", "with")}
    indexer = Indexer(gateways["with"].database, index := SearchIndex(folder / "with"))
    indexer.start()
    spent: dict[str, list[float]] = {name: [] for name in gateways}
    for turn in range(rounds):
        for name in sorted(gateways, reverse=bool(turn % 2)):
            count, cpu = _flood(gateways[name], seconds)
            spent[name].append(cpu / count * 1e6)
    indexer.stop()
    index.close()
    for gateway in gateways.values():
        gateway.close()
    costs = {name: median(each) for name, each in spent.items()}
    more = 100 * (costs["with"] / costs["without"] - 1)
    print(
        f"an event costs {costs['without']:.0f} µs of a processor, with the index {costs['with']:.0f} ({more:+.1f} %)"
    )


def _flood(gateway: Gateway, seconds: float) -> tuple[int, float]:
    """Send starts and ends from eight threads; return how many, and the processor time of this process."""
    until, counts, origin = time.monotonic() + seconds, [0] * 8, Origin("get", "127.0.0.1")

    def send(place: int) -> None:
        chance = random.Random(place)
        while time.monotonic() < until:
            number, at = f"479{chance.randrange(10**8):08}", time.time_ns() // 1_000_000
            gateway.core.handle(CallStarted("default", f"35{place:02}", number, origin, at))
            gateway.core.handle(CallEnded("default", f"35{place:02}", number, origin, at))
            counts[place] += 2

    began = time.process_time()
    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.process_time() - began


def _scan(engine: Engine, condition: str) -> str:
    """Return how long a plain look through the whole table takes, in milliseconds."""
    how = "" if engine.dialect.name == "postgresql" else "NOT INDEXED"
    query = text(f"SELECT count(*) FROM calls {how} WHERE tenant = '{TENANT}' AND {condition}")
    with engine.connect() as connection:
        return f"{_timed(lambda: connection.execute(query).scalar()) * 1000:.0f}"


def _timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _size_of(database: Database) -> str:
    if database.kind == "sqlite":
        return _size(database.data / "gateway.db")
    with database.engine.connect() as connection:
        found = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return f"{found / 1e6:,.0f} MB"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.0f} MB"


if __name__ == "__main__":
    sys.exit(main())
