"""What an event cannot go below: Granian alone, thread wake-ups, SQLite alone; and our own steps beside them.

Run with ``python -m bench.floor``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import asyncio
import logging
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from bench.load import Load, apply, find_wrk
from bench.processes import free_port, in_folder, is_open, running, wait_until
from bench.procfs import cpu_exactly, family
from bench.report import table
from bench.soap_path import ENVELOPE, IdleCore, get, no_desk, post
from gateway.config.tables import Config
from gateway.domain.messages import CallStarted, Origin
from gateway.handlers import Core
from gateway.server.bodies import BodyLimits, read_body
from gateway.server.companies import tenants
from gateway.server.environ import environ_of
from gateway.server.loop_runs import LoopRuns, wait_of
from gateway.store.diagnostic_log import DiagnosticLog
from gateway.store.sqlite.pragmas import set_pragmas
from gateway.store.traffic import TrafficLog
from gateway.store.writing.drafts import Recorded
from gateway.store.writing.tickets import Ticket, ring
from gateway.wire.http import Front
from gateway.wire.traffic import Recorder
from gateway.wire.transport import TEXT, answer

ROUNDS = 5
PATH = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
PAYLOAD = "x" * 600
"""About as many bytes as the rows of an event have."""


class Step(NamedTuple):
    """One step of an event: ``us`` is its processor time; ``ours`` says whether it is the gateway's own code, and
    ``beside`` that a GET event of a batch does not go through it.
    """

    name: str
    us: float
    ours: bool
    beside: bool = False


def main() -> int:
    """Exit code 0, or 2 when a program is missing."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of each of three loads on Granian alone")
    parser.add_argument("--connections", type=int, default=32, help="connections kept alive")
    parser.add_argument("--calls", type=int, default=3000, help="calls of each step in a round")
    parser.add_argument("--batch", type=int, default=11, help="events in a transaction")
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    find_wrk()
    only_info = structlog.make_filtering_bound_logger(logging.INFO)  # as the gateway's own
    structlog.configure(wrapper_class=only_info, cache_logger_on_first_use=True)
    print(report(steps(options, folder)))
    return 0


def steps(options: argparse.Namespace, folder: Path) -> list[Step]:
    """Return what each step takes, in the order in which an event goes through them."""
    calls, batch = options.calls, options.batch
    task, run = task_us(calls, batch), run_us(calls, batch)
    made, written = (row_us(folder, calls, is_written=is_written) for is_written in (False, True))
    answered = granian_us(options, folder, "get")
    brought = max(granian_us(options, folder, "soap") - answered, 0.0)
    wire, soap = wire_us(get(PATH, FakeScope.query_string), calls), wire_us(post("/soap", ENVELOPE), calls)
    return [
        Step("Granian, one worker, an RSGI application that answers OK", answered, False),
        Step("a task that waits once (its beginning is Granian's, too)", task, False),
        Step("Granian's scope made an environ", environ_us(calls), True),
        Step("wire: company, allow list, query, message, answer", wire, True),
        Step("handler: both numbers read, the draft made", handler_us(calls), True),
        Step("run: greenlet and ticket, beside the task that waits", max(run - task, 0.0), True),
        Step(f"a thread woken, once for {batch} events", wake_us(calls) / batch, False),
        Step(f"SQLite: a row, {batch} in a transaction with sync", insert_us(folder, calls // 3, batch), False),
        Step("traffic log: its row made", made, True),
        Step("traffic log: its row written, without a sync", max(written - made, 0.0), True),
        Step("beside: SQLite, a row alone in a transaction with sync", insert_us(folder, calls // 10, 1), False, True),
        Step("beside, SOAP: Granian with a request of its length, body and all", brought, False, True),
        Step("beside, SOAP: the body's deadlines, and its pieces joined", body_us(calls), True, True),
        Step("beside, SOAP: its wire, above the wire of a GET", max(soap - wire, 0.0), True, True),
    ]


def report(found: Sequence[Step]) -> str:
    """Return the table of steps, and their sums: what others' code takes, and what ours does beside it."""
    rows = [[each.name, f"{each.us:.1f}", "ours" if each.ours else "others'"] for each in found]
    summed = [each for each in found if not each.beside]
    theirs, ours = (sum(each.us for each in summed if each.ours is of) for of in (False, True))
    sums = f"Others' code: {theirs:.0f} µs. Ours, without the journal's own work: {ours:.0f} µs."
    shown = table(["processor time of a GET event", "µs", "code"], rows)
    return "\n".join([shown, "", sums, "What stands beside is in no sum."])


def least(round_: Callable[[], int]) -> float:
    """Return the least processor time of this process, in µs for each of as many as ``round_()`` says it did."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        done = round_()
        found.append((time.process_time() - began) / done * 1e6)
    return min(found)


def granian_us(options: argparse.Namespace, folder: Path, wire: str) -> float:
    """Return the processor time of all of Granian's processes for a request of ``wire`` that is answered when it is
    there. Raises ``Missing``, and ``RuntimeError`` where requests fail.
    """
    port, log = free_port(), folder / "granian.log"
    loop = "uvloop" if find_spec("uvloop") else "asyncio"
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--loop", loop, "--http", "1", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "bench.floor_application:application"]
    with running(command, log) as process:
        wait_until(lambda: is_open(port), {"Granian": process}, log)
        url, found = f"http://127.0.0.1:{port}", []
        apply(Load(wire, 1, options.connections), url, seed=1)
        for seed in (2, 3, 4):
            pids = family(process.pid)
            before = cpu_exactly(pids)
            outcome = apply(Load(wire, options.seconds, options.connections), url, seed)
            if outcome.errors:
                raise RuntimeError(f"{outcome.errors} requests failed: {outcome.example}")
            found.append((cpu_exactly(pids) - before) / outcome.answered * 1e6)
    return min(found)


class FakeHeaders(dict[str, str]):
    """Headers as Granian hands them over."""

    def items(self) -> Any:
        return list(super().items())

    def keys(self) -> Any:
        return list(super().keys())


class FakeScope:
    """What Granian tells of a request, without what it costs to ask Rust for it."""

    http_version, server, client, scheme, method = "1.1", "127.0.0.1:8080", "127.0.0.1:40000", "http", "GET"
    path, query_string, authority = PATH, "ramal=3501&telefone=47991234567", None
    headers: Any = FakeHeaders({"host": "127.0.0.1:8080"})


def environ_us(calls: int) -> float:
    scope: Any = FakeScope()

    def round_() -> int:
        for _ in range(calls):
            environ_of(scope)
        return calls

    return least(round_)


def body_us(calls: int) -> float:
    """Return what it takes to read a body that is there, in one piece."""
    environ = post("/soap", ENVELOPE)
    limits = BodyLimits(max_bytes=100_000, whole_s=30, pause_s=10)

    async def body() -> AsyncIterator[bytes]:
        yield ENVELOPE

    async def read() -> None:
        for _ in range(calls):
            await read_body(environ, body(), limits)

    def round_() -> int:
        loop.run_until_complete(read())
        return calls

    with closing(new_loop()) as loop:
        return least(round_)


def wire_us(request: Mapping[str, Any], calls: int) -> float:
    core: Any = IdleCore()
    front = Front(Config(), core, verify_agent=lambda *_: None, desk=no_desk, health=dict, metrics=no_desk)

    def round_() -> int:
        for _ in range(calls):
            front({**request, "wsgi.input": BytesIO(request["wsgi.input"])}, lambda _status, _headers: None)
        return calls

    return least(round_)


class InstantJournal:
    """Has written everything at once."""

    def write(self, draft: Any, *, within_s: float | None = None) -> Recorded:
        return Recorded(1, 1)


def handler_us(calls: int) -> float:
    config = Config()
    name = next(iter(config.tenants))
    core: Any = Core(tenants(config), InstantJournal(), None)  # type: ignore[arg-type]
    numbers = count(10_000_000)  # another one each time: a number that was read lately is remembered
    origin = Origin("get", "127.0.0.1")
    messages = [
        CallStarted(name, str(3500 + next(numbers) % 100), f"479{next(numbers)}", origin, 1)
        for _ in range(calls * ROUNDS)
    ]

    def round_() -> int:
        for _ in range(calls):
            core.handle(messages.pop())
        return calls

    return least(round_)


def task_us(calls: int, batch: int) -> float:
    """Return what it takes a task to begin, to wait for a future, and to end when ``batch`` of them are set."""
    loop = new_loop()
    waiting: list[asyncio.Future[None]] = []

    async def event() -> None:
        over = loop.create_future()
        waiting.append(over)
        await over

    def settle() -> None:
        for over in waiting:
            over.set_result(None)
        waiting.clear()

    with closing(loop):
        return least(partial(events_on, loop, event, waiting, settle, calls // batch, batch))


def run_us(calls: int, batch: int) -> float:
    """Return the same for the gateway's runs: each hands in a ticket and waits for it; ``batch`` are settled at once,
    and rung for once.
    """
    loop = new_loop()
    runs = LoopRuns(loop, lambda _client, job: job(), lambda _client: None)
    tickets: list[Ticket[Any, Any]] = []

    def work() -> None:
        ticket: Ticket[Any, Any] = Ticket(None, wait=wait_of())
        tickets.append(ticket)
        ticket.result(30)

    async def event() -> None:
        over = runs.begin(work, "127.0.0.1")
        if over is not None:
            await over

    def settle() -> None:
        ring([ticket.settle_unrung(Recorded(1, 1)) for ticket in tickets])
        tickets.clear()

    with closing(loop):
        return least(partial(events_on, loop, event, tickets, settle, calls // batch, batch))


def events_on(
    loop: asyncio.AbstractEventLoop,
    event: Callable[[], Coroutine[Any, Any, None]],
    waiting: Sequence[Any],
    settle: Callable[[], None],
    batches: int,
    batch: int,
) -> int:
    """Run ``batches`` of events, and ``settle`` each batch when all of it is ``waiting``; return how many they were."""

    async def run() -> None:
        for _ in range(batches):
            events = [loop.create_task(event()) for _ in range(batch)]
            while len(waiting) < batch:
                await asyncio.sleep(0)
            settle()
            for each in events:
                await each

    loop.run_until_complete(run())
    return batches * batch


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a loop of the kind that the gateway runs on."""
    if not find_spec("uvloop"):
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def wake_us(calls: int) -> float:
    """Return what it takes both of two threads that one wakes the other."""
    there: queue.SimpleQueue[int] = queue.SimpleQueue()
    back: queue.SimpleQueue[int] = queue.SimpleQueue()

    def echo() -> None:
        while number := there.get():
            back.put(number)

    thread = threading.Thread(target=echo, name="echo", daemon=True)
    thread.start()

    def round_() -> int:
        for _ in range(calls):
            there.put(1)
            back.get()
        return 2 * calls

    try:
        return least(round_)
    finally:
        there.put(0)
        thread.join()


@contextmanager
def plain_table(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database as durable as the gateway's, with one table, whose only index is its key."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        set_pragmas(connection, "journal_mode=WAL", "synchronous=FULL", "cache_size=-16000")
        connection.execute("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, at INTEGER, payload TEXT)")
        yield connection


def insert_us(folder: Path, rows: int, batch: int) -> float:
    """Return what a row takes, ``batch`` of them by one statement in a durable transaction."""
    text = "INSERT INTO events (at, payload) VALUES " + ", ".join(["(?, ?)"] * batch)

    def round_(connection: sqlite3.Connection) -> int:
        transactions = max(rows // batch, 1)
        for _ in range(transactions):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(text, (1, PAYLOAD) * batch)
            connection.execute("COMMIT")
        return transactions * batch

    with plain_table(folder / "floor.db") as connection:
        return least(partial(round_, connection))


def row_us(folder: Path, rows: int, *, is_written: bool) -> float:
    """Return what a row of the traffic log takes, made only or also written into its file."""
    log = DiagnosticLog(folder, keep_days=1, keep_mb=100)
    drafts: list[Callable[[], Any]] = []
    add = TrafficLog(log).add if is_written else lambda draft, _size: drafts.append(draft)
    recorder = Recorder(add, lambda _tenant: (), 65536)
    answered = answer(200, TEXT, b"OK 1\n")
    about = {"cti.client": "127.0.0.1", "cti.tenant": "bench", "cti.operation": "ConsultaRamal", "cti.call_id": 1}

    def took_us() -> float:
        drafts.clear()
        for _ in range(rows):
            environ = environ_of(FakeScope()) | about  # type: ignore[arg-type]
            recorder.end(environ, answered, "get", recorder.begin(environ))
        began = time.process_time()
        for draft in drafts:
            draft()
        log.flush()
        return (time.process_time() - began) / rows * 1e6

    try:
        return min(took_us() for _ in range(ROUNDS))
    finally:
        log.stop()


if __name__ == "__main__":
    sys.exit(main())
