"""A long call log of one company, made up: a year of calls of sixty thousand accounts and forty extensions."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, text

from gateway.domain.calls.search_terms import folded
from gateway.store import tables
from gateway.store.partitions.layout import WITH_CALLS, Partition, make, parts_of
from gateway.store.search.sets import BLOCK

TENANT = "bench"
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
TIMES = ("logged_at", "started_at", "answered_at", "ended_at")
PERIOD = 40 * BLOCK
"""Calls that differ; in longer logs they come again."""
SHIFTED = {"id": "id + :ids", **{name: f"{name} + :later" for name in TIMES}}
AGAIN = (
    f"INSERT INTO calls ({COLUMNS}) SELECT {', '.join(SHIFTED.get(name, name) for name in COLUMNS.split(', '))}"
    f" FROM calls WHERE id <= {PERIOD} AND id + :ids <= :most"
)
"""Writes the first calls again, so many ids and milliseconds later."""
AT_ONCE = 20_000


def write_calls(engine: Engine, count: int) -> None:
    """Write ``count`` calls of one year, and have the engine look how they are spread."""
    made = calls(count, min(count, PERIOD))
    write = _copy if engine.dialect.name == "postgresql" else _insert
    if engine.dialect.name == "postgresql":
        with _patient(engine) as connection:
            _part(connection, count)
    with without_indexes(engine):
        while some := list(islice(made, AT_ONCE)):
            with _patient(engine) as connection:
                write(connection, some)
        for written in range(PERIOD, count, PERIOD):
            with _patient(engine) as connection:
                connection.execute(text(AGAIN), {"ids": written, "later": written * (YEAR_MS // count), "most": count})
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("VACUUM ANALYZE calls")


def count_as_given_out(engine: Engine) -> None:
    """Have PostgreSQL know which ids are given out: by that it is known in which range the newest calls are."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SELECT setval('call_ids', (SELECT max(id) FROM calls))"))


def _part(connection: Connection, count: int) -> None:
    """Let calls lie in twelve ranges of ids, as a year makes them."""
    for parted in WITH_CALLS:
        for each in parts_of(connection, parted.table):
            connection.execute(text(f"DROP TABLE {each.name}"))
    connection.execute(delete(tables.call_ranges))
    width = count // 12 + 1
    for first in range(0, count, width):
        reached_at = time.time_ns() // 1_000_000 - (count - first) * (YEAR_MS // count)
        span = {"first_id": first, "end_id": first + width, "reached_at": reached_at}
        connection.execute(insert(tables.call_ranges).values(span))
        for parted in WITH_CALLS:
            make(connection, parted, Partition(f"{parted.table}_from_{first}", first, first + width))


@contextmanager
def without_indexes(engine: Engine) -> Iterator[None]:
    """Leave the indexes of calls away, and make them at the end: each is sorted once then."""
    for index in tables.calls.indexes:
        index.drop(engine, checkfirst=True)
    yield
    for index in tables.calls.indexes:
        with _patient(engine) as connection:
            index.create(connection, checkfirst=True)


@contextmanager
def _patient(engine: Engine) -> Iterator[Connection]:
    """Open a transaction whose statements may take as long as they take, and fire no triggers."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


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


def calls(count: int, first: int) -> Iterator[dict[str, Any]]:
    """Yield the ``first`` rows of a log of ``count`` calls, oldest first, the same ones each time."""
    step = YEAR_MS // count
    begins_at = time.time_ns() // 1_000_000 - count * step
    made = _made(count)
    for n in range(1, first + 1):
        row, at = made[n % len(made)], begins_at + n * step
        yield row | {"id": n} | {name: at + row[name] for name in TIMES if row[name] is not None}


def _made(count: int) -> Sequence[dict[str, Any]]:
    """Return the calls that come again and again, each as if it began at 0."""
    chance = random.Random(17)
    accounts = [account(chance, number) for number in range(min(60_000, count // 10 + 1))]
    people = [(f"{folded(first)}.{folded(last)}", f"{first} {last}") for first in FIRST for last in LAST][:40]
    return [call(chance, n, 0, accounts, people) for n in range(min(count, PERIOD))]


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
