"""How long it takes to find calls in a long log: by name, by any part of a number, by notes, and the day's figures.

Run with ``python -m bench.history``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, text

from bench.report import median, percentile, table
from gateway.config.tables import Config
from gateway.domain.calls.search_terms import Field, Term, folded, term_of
from gateway.domain.messages import CallEnded, CallStarted, Origin
from gateway.server.bootstrap import Gateway, build
from gateway.store import tables
from gateway.store.calls import CallFilter
from gateway.store.database import Database, open_database
from gateway.store.figures.log import FiguresLog
from gateway.store.search.index import DATABASE, SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder
from tests.postgresql import PostgresqlServer, programs

TENANT = "bench"
GOAL_MS = 50.0
YEAR_MS = 365 * 24 * 3600 * 1000
HALVES = (
    (
        "Padaria",
        "Mercado",
        "Oficina",
        "Clínica",
        "Escola",
        "Auto Peças",
        "Móveis",
        "Construtora",
        "Transportes",
        "Hotel",
    ),
    ("São João", "Silva", "Souza", "Aurora", "Boa Vista", "Central", "do Vale", "Ipiranga", "Oliveira", "Santa Rita"),
    ("Ltda.", "S.A.", "e Filhos", "ME", "Comércio", "do Brasil", "Blumenau", "Joinville", "Norte", "Sul"),
)
FIRST = ("Ana", "Bruno", "Carla", "Diego", "Elisa", "Fábio", "Gisele", "Hugo", "Inês", "João", "Karen", "Luís", "Maria")
LAST = ("Silva", "Souza", "Lima", "Martins", "Costa", "Pereira", "Ferreira", "Gomes", "Ribeiro", "Alves", "Araújo")
QUEUES = ("Vendas", "Suporte", "Financeiro", "Cobrança", None)
RESULTS = ("answered",) * 70 + ("missed",) * 14 + ("busy",) * 5 + ("abandoned",) * 8 + ("voicemail",) * 2 + ("failed",)
COLUMNS = (
    "id, tenant, direction, extension, number, number_as_sent, account_id, account_name, account_code, contact,"
    " logged_at, started_at, answered_at, ended_at, duration_s, status, result, missed, queue, answered_by,"
    " answered_agent, answered_agent_name, ring_s, talk_s, waited_s, fields"
)
AT_ONCE = 20_000


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
    server = PostgresqlServer(programs(), "shared_buffers=512MB", "max_wal_size=4GB")
    try:
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
    if there < options.calls:
        took = _timed(lambda: write_calls(engine, options.calls, there))
        print(f"{options.calls - there:,} calls written in {took:.0f} s, {_size_of(database)}", flush=True)
    index = SearchIndex(folder)
    indexer = Indexer(database, index)
    began = time.process_time()
    while indexer.index_once():
        pass
    worked = time.process_time() - began
    each = worked / options.calls * 1e6
    print(f"index made in {worked:.0f} s of one processor ({each:.0f} µs each), {_size(folder / DATABASE)}")
    rows = [*searches(CallFinder(engine, index), engine, options), *figures(engine, options)]
    print(
        table(["searched for", "found", "p50 ms", "p99 ms", "processor ms", "plain scan ms"], [row[:6] for row in rows])
    )
    with closing(index):
        database.close()
    return 0 if all(row[6] <= GOAL_MS for row in rows) else 1


def write_calls(engine: Engine, count: int, there: int = 0) -> None:
    """Write the calls behind ``there`` up to ``count`` of one year, and have the engine look how they are spread."""
    made = calls(count, there)
    write = _copy if engine.dialect.name == "postgresql" else _insert
    with without_indexes(engine):
        while some := list(islice(made, AT_ONCE)):
            with engine.begin() as connection:
                write(connection, some)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE calls")


@contextmanager
def without_indexes(engine: Engine) -> Iterator[None]:
    """Leave the indexes of calls away, and make them at the end: each is sorted once then."""
    for index in tables.calls.indexes:
        index.drop(engine, checkfirst=True)
    yield
    for index in tables.calls.indexes:
        index.create(engine, checkfirst=True)


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    marks = ", ".join(f":{name.strip()}" for name in COLUMNS.split(","))
    driver: Any = connection.connection.driver_connection
    driver.executemany(f"INSERT INTO calls ({COLUMNS}) VALUES ({marks})", rows)


def _copy(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    names = [name.strip() for name in COLUMNS.split(",")]
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY calls ({COLUMNS}) FROM STDIN") as sink:
        for row in rows:
            sink.write_row([row[name] for name in names])


def calls(count: int, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield rows of ``calls`` behind the id ``after``, oldest first: sixty thousand accounts, forty extensions, the
    same ones each time.
    """
    chance = random.Random(17)
    now = time.time_ns() // 1_000_000
    accounts = [account(chance, number) for number in range(min(60_000, count // 10 + 1))]
    people = [(f"{folded(first)}.{folded(last)}", f"{first} {last}") for first in FIRST for last in LAST][:40]
    for n in range(after + 1, count + 1):
        yield call(chance, n, now - YEAR_MS + n * (YEAR_MS // count), accounts, people)


def account(chance: random.Random, number: int) -> tuple[int, str, str, str, str]:
    """Return an account: its id, name, code, contact and telephone."""
    name = f"{' '.join(chance.choice(half) for half in HALVES)} {number % 977}"
    contact = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    return number + 1, name, f"C{number:06}", contact, f"{chance.choice((47, 11, 48, 41))}9{chance.randrange(10**8):08}"


def call(
    chance: random.Random, n: int, at: int, accounts: Sequence[Any], people: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return one call as a row."""
    who, incoming = chance.randrange(len(people)), chance.random() < 0.6
    result, known = chance.choice(RESULTS), chance.random() < 0.8
    account_id, name, code, contact, number = (
        chance.choice(accounts) if known else (None, None, None, None, _number(chance))
    )
    talk = chance.randrange(10, 900) if result == "answered" else None
    ring, queue = chance.randrange(1, 40), chance.choice(QUEUES) if incoming else None
    login, agent = people[who]
    return {
        "id": n, "tenant": TENANT, "direction": "incoming" if incoming else "outgoing", "extension": str(3500 + who),
        "number": number, "number_as_sent": "0" + number, "account_id": account_id, "account_name": name,
        "account_code": code, "contact": contact, "logged_at": at, "started_at": at,
        "answered_at": at + ring * 1000 if talk else None, "ended_at": at + (ring + (talk or 0)) * 1000,
        "duration_s": talk or ring, "status": "ended", "result": result,
        "missed": incoming and result in ("missed", "abandoned", "busy", "voicemail"), "queue": queue,
        "answered_by": str(3500 + who) if talk else None, "answered_agent": login if talk else None,
        "answered_agent_name": agent if talk else None, "ring_s": ring, "talk_s": talk,
        "waited_s": chance.randrange(120) if queue else None,
        "fields": json.dumps({"protocolo": f"2026-{chance.randrange(10**7):07}"}) if n % 5 == 0 else None,
    }  # fmt: skip


def _number(chance: random.Random) -> str:
    return f"4{chance.randrange(1, 9)}{chance.randrange(3 * 10**7, 4 * 10**7):08}"


def searches(search: CallFinder, engine: Engine, options: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Yield a line for each kind of search."""
    for name, made, scan in kinds(options.calls):
        chance = random.Random(4)
        measured = [_measured(partial(_found, search, made(chance))) for _ in range(options.rounds)]
        yield name, *_line(measured), _scan(engine, scan), percentile([each[1] for each in measured], 99)


def _found(search: CallFinder, wanted: CallFilter) -> int:
    return len(search.find(TENANT, wanted).calls)


def _measured(run: Callable[[], int]) -> tuple[int, float, float]:
    """Return what ``run`` has found, and the milliseconds and milliseconds of a processor that it took."""
    began, worked = time.perf_counter(), time.thread_time()
    found = run()
    return found, (time.perf_counter() - began) * 1000, (time.thread_time() - worked) * 1000


def _line(measured: Sequence[tuple[int, float, float]]) -> tuple[str, str, str, str]:
    found, took, worked = zip(*measured, strict=True)
    average = sum(found) / len(found)
    return (
        f"{average:.0f}",
        f"{percentile(took, 50):.1f}",
        f"{percentile(took, 99):.1f}",
        f"{percentile(worked, 50):.1f}",
    )


def kinds(count: int) -> Iterator[tuple[str, Callable[[random.Random], CallFilter], str]]:
    """Yield kinds of search: name, how a filter is made by chance, and a condition in SQL that does about the same."""
    whole = [each for each in calls(min(count, 5000)) if each["account_name"]]

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


def figures(engine: Engine, options: argparse.Namespace) -> Iterator[tuple[Any, ...]]:
    """Yield a line for the figures of a day by the hour, and of a week."""
    log = FiguresLog(engine)
    for name, count, hours in (("figures of a day", 25, 1), ("figures of a week", 8, 24)):
        chance, step = random.Random(4), hours * 3600 * 1000
        begins = [_day(chance)["since"] for _ in range(options.rounds)]
        bounds = [[since + step * n for n in range(count)] for since in begins]
        measured = [_measured(partial(_counted, log, each)) for each in bounds]
        yield name, *_line(measured), "", percentile([each[1] for each in measured], 99)


def _counted(log: FiguresLog, bounds: Sequence[int]) -> int:
    return sum(each.received + each.placed for each in log.of(TENANT, bounds).intervals)


def measure_intake(folder: Path, seconds: float, rounds: int) -> None:
    """Print what an event costs with and without the index being written behind it, in turn."""
    gateways = {name: build(Config(), folder / name) for name in ("without", "with")}
    gateways["with"].indexer.start()
    spent: dict[str, list[float]] = {name: [] for name in gateways}
    for turn in range(rounds):
        for name in sorted(gateways, reverse=bool(turn % 2)):
            count, cpu = _flood(gateways[name], seconds)
            spent[name].append(cpu / count * 1e6)
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
