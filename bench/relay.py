"""What forwards do: how soon an event is on its way to a CRM, how fast a CRM catches up, what waits in memory.

Run with ``python -m bench.relay``. One gateway, one forward, and a CRM that takes ``--latency-ms`` for each answer.
"""

import argparse
import http.client
import json
import sqlite3
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.gateway_process import GatewayProcess, gateway_process
from bench.processes import free_port
from bench.procfs import family, memory_mib
from bench.relay_crm import RelayCrm, relay_crm
from bench.report import percentile

FORWARD = """
[tenants.bench.forwards.crm]
adapter = "url"
url = "http://127.0.0.1:{port}/event?id={{{{ call_id }}}}"
success = "^OK"
expires = {{ call_started = "never" }}
"""
EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4799{count:07}"
SOON_MS = 50
"""The goal for the first attempt, from the event's commit."""
PER_S = 50_000 / 300
"""The goal for catching up: 50,000 events in five minutes, from a CRM that takes 50 ms."""
TRY_S = 20


def main() -> int:
    """Exit code 0 when both goals are met and every event came once."""
    options = read_arguments()
    with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
        soon = first_attempts(options, Path(folder) / "soon")
        fast = catching_up(options, Path(folder) / "fast")
        waiting_in_memory(options, Path(folder) / "memory")
    return 0 if soon and fast else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__)
    parser.add_argument("--events", type=int, default=300, help="events of which the first attempt is timed")
    parser.add_argument("--rate", type=float, default=20, help="of these in a second")
    parser.add_argument("--waiting", type=int, default=50_000, help="events that a CRM catches up with")
    parser.add_argument("--in-memory", type=int, default=100_000, help="events that wait for a CRM that is down")
    parser.add_argument("--latency-ms", type=float, default=50, help="what the CRM takes for an answer")
    parser.add_argument("--folder", default="/var/tmp", help="where databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def first_attempts(options: argparse.Namespace, folder: Path) -> bool:
    """Time each event from when it is durable, as its answer says, until its first attempt is at the CRM."""
    answered: dict[int, int] = {}
    with ExitStack() as stack:
        crm = stack.enter_context(relay_crm(options.latency_ms / 1000))
        gateway = stack.enter_context(gateway_process(folder, workers=1, more=FORWARD.format(port=crm.port)))
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        for count in range(options.events):
            connection.request("GET", EVENT.format(count=count))
            call_id = int(connection.getresponse().read().split()[1])
            answered[call_id] = time.time_ns()
            time.sleep(1 / options.rate)
        wait_for(crm, options.events)
        took = [max(0, at - answered[call_id]) / 1e6 for call_id, at in crm.arrivals()]
    p50, p99 = (percentile(took, percent) for percent in (50, 99))
    print(f"answer to first attempt: p50 {p50:.1f} ms, p99 {p99:.1f} ms ({len(took)} events, goal {SOON_MS} ms)")
    return len(took) == options.events and p99 <= SOON_MS


def catching_up(options: argparse.Namespace, folder: Path) -> bool:
    """Time how fast a CRM takes what waits for it: starts and ends of calls, each call in its order."""
    with relay_crm(options.latency_ms / 1000) as crm:
        with gateway_process(folder, workers=1, more=FORWARD.format(port=crm.port)) as gateway:
            fill(gateway, options.waiting)
            began = time.monotonic()
            wait_for(crm, options.waiting)
            took_s = time.monotonic() - began
        calls = Counter(call_id for call_id, _ in crm.arrivals())
    rate = options.waiting / took_s
    goal = f"goal {PER_S:.0f}/s at 50 ms"
    print(f"catching up: {options.waiting} events in {took_s:.0f} s, {rate:.0f}/s ({options.latency_ms:g} ms; {goal})")
    return set(calls.values()) == {2} and rate >= PER_S


def waiting_in_memory(options: argparse.Namespace, folder: Path) -> None:
    """Print what a gateway's processes use while events wait for a CRM that is down."""
    with gateway_process(folder, workers=1, more=FORWARD.format(port=free_port())) as gateway:
        time.sleep(TRY_S / 4)
        before = sum(map(memory_mib, family(gateway.process.pid)))
        fill(gateway, options.in_memory)
        time.sleep(TRY_S)
        after = sum(map(memory_mib, family(gateway.process.pid)))
    print(f"memory: {before:.0f} MiB with nothing, {after:.0f} MiB with {options.in_memory} events waiting (PSS)")


def fill(gateway: GatewayProcess, count: int) -> None:
    """Write letters into the outbox, as many events would: a start and an end for each call."""
    now = time.time_ns() // 1_000_000
    rows = [
        ("bench", "crm", ("call_started", "call_ended")[n % 2], body(n // 2), now, now, now, str(10_000_000 + n // 2))
        for n in range(count)
    ]
    columns = "tenant, target, kind, body, created_at, due_at, waits_since, order_key"
    with closing(sqlite3.connect(gateway.folder / "data" / "gateway.db", timeout=60)) as database, database:
        database.executemany(f"INSERT INTO outbox ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def body(call: int) -> str:
    """The fields of an event, about as long as those of a real one."""
    fields = {"tenant": "bench", "call_id": str(10_000_000 + call), "ramal": "3501", "telefone": f"4799{call:07}"}
    return json.dumps({**fields, "direction": "incoming", "filler": "x" * 600})


def wait_for(crm: RelayCrm, count: int, *, timeout_s: float = 1200) -> None:
    """Wait until so many events came. Raises ``TimeoutError``."""
    ends = time.monotonic() + timeout_s
    while crm.count() < count:
        if time.monotonic() > ends:
            raise TimeoutError(f"only {crm.count()} of {count} events came")
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
