"""How many events a gateway on site brings to its main gateway, what they cost, and how long an order takes by it.

Run with ``python -m bench.onsite``. This process is the site: its spool, its connections and its dialler are the real
ones, its exchange and its appliance answer at once. Each event must be in the main gateway's log afterwards, once.
"""

import argparse
import json
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from bench.gateway_process import GatewayProcess, gateway_process
from bench.processes import in_folder
from bench.procfs import cpu_seconds, family
from bench.report import median, percentile, table
from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.clock import milliseconds
from gateway.domain.messages import CallEnded, CallStarted, Origin, SourceMark
from gateway.onsite.connection import MainGateway
from gateway.onsite.events import SpooledEvents
from gateway.onsite.orders import SILENCE_S, OnsiteDialler
from gateway.onsite.settings import MainGatewaySettings
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.orders.circuit_breaker import Rules
from gateway.store.onsite.shown_orders import shown_orders
from gateway.store.onsite.site_file import SiteFile
from gateway.store.spool.file import Kept, Spool, SpoolRoom
from gateway.store.spool.messages import packed

ROOM = SpoolRoom(1 << 30, 24 * 3_600_000)
CONFIG = """
[tenants.bench.appliances.pabx]
onsite = "bench"
"""


class BringingFigures(NamedTuple):
    """What a round took: events in a second, microseconds of processor time for an event here and there."""

    per_s: float
    site_us: float
    main_us: float


class SlowRoad(MainGateway):
    """A connection on which each request takes ``delay_s`` longer, there and back."""

    delay_s = 0.0

    def ask(self, verb: str, document: Mapping[str, Any], *, silence_s: float | None = None) -> Mapping[str, Any]:
        time.sleep(self.delay_s)
        return super().ask(verb, document, silence_s=silence_s)


class Answering:
    """An appliance that accepts at once."""

    Config: ClassVar[type[Any]] = dict

    def probe(self) -> Probe:
        return Probe(True, "")

    def preview(self, _message: Outgoing) -> tuple[()]:
        return ()

    def deliver(self, _message: Outgoing) -> Delivery:
        return Delivery(Outcome.ACCEPTED, "")

    def close(self) -> None: ...


def main() -> int:
    """Exit code 1 when the log does not have each event once, or an order was not accepted."""
    return in_folder(measure, read_arguments())


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.onsite", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="events that wait in the spool, in each round")
    parser.add_argument("--rounds", type=int, default=3, help="how often they are brought, with each delay")
    parser.add_argument("--delays", type=float, nargs="*", default=(0, 50), help="round trips to the main gateway, ms")
    parser.add_argument("--orders", type=int, default=30, help="clicks, one after the other")
    parser.add_argument("--workers", type=int, default=1, help="processes of the main gateway")
    parser.add_argument("--folder", default="/var/tmp", help="where the databases lie; must be a real disk, not tmpfs")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> int:
    with ExitStack() as stack:
        gateway = stack.enter_context(gateway_process(folder / "main", workers=options.workers, more=CONFIG))
        settings = settings_for(gateway)
        road = stack.enter_context(closing(SlowRoad(settings, folder, milliseconds)))
        spool = stack.enter_context(closing(Spool(folder, "onsite", ROOM)))
        kept_ms = [keep_one(spool, place) for place in range(200)]
        bring(gateway, SpooledEvents(spool, road), 200)
        rows, brought = [], 200
        for delay_ms in options.delays:
            road.delay_s = delay_ms / 1000
            found = [round_of(gateway, spool, road, options.events, brought + i) for i in range(options.rounds)]
            brought += options.rounds * options.events
            rows.append([f"{delay_ms:g} ms", *(f"{median(values):,.0f}" for values in zip(*found, strict=True))])
        taken_ms = stack.enter_context(dialling(settings, folder)) and clicks(gateway, options.orders)
    print(table(["round trip", "events/s", "CPU us site", "CPU us main"], rows))
    print(f"kept one by one: {median(kept_ms):.1f} ms an event (p50), which is the disk's sync")
    print(f"click to outcome: {median(taken_ms):.0f} ms (p50), {percentile(taken_ms, 99):.0f} ms (p99)")
    is_right = gateway_rows(folder) == brought
    print(f"{brought} events, {'each once in the log' if is_right else 'which the log does NOT have'}")
    return 0 if is_right and len(taken_ms) == options.orders else 1


def settings_for(gateway: GatewayProcess) -> MainGatewaySettings:
    """Make a key for the site."""
    printed = gateway.cli("onsite", "add", "bench", "--url", gateway.url)
    return MainGatewaySettings.model_validate(tomllib.loads(printed)["main"])


def message(place: int, at: int) -> str:
    """A start or an end, of calls with ids."""
    origin = Origin("ami", "10.0.0.5", mark=SourceMark("pabx", f"bench-{place}"))
    kind = CallEnded if place % 2 else CallStarted
    call = place // 2
    return packed(kind("bench", f"35{call % 100:02}", f"4799{call:07}", origin, at, call_ref=f"1796.{call}"))


def keep_one(spool: Spool, place: int) -> float:
    """Return how many milliseconds one event took to the disk."""
    began, now = time.perf_counter(), milliseconds()
    spool.keep([Kept(spool.place(), now, message(place, now))])
    return (time.perf_counter() - began) * 1000


def round_of(gateway: GatewayProcess, spool: Spool, road: SlowRoad, count: int, number: int) -> BringingFigures:
    first, now = number * count + 1000, milliseconds()
    spool.keep([Kept(spool.place(), now, message(first + each, now)) for each in range(count)])
    return bring(gateway, SpooledEvents(spool, road), count)


def bring(gateway: GatewayProcess, events: SpooledEvents, count: int) -> BringingFigures:
    """Bring all that wait."""
    pids = family(gateway.process.pid)
    began, here, there = time.perf_counter(), time.process_time(), cpu_seconds(pids)
    events.wake()
    events.bring()
    took_s = time.perf_counter() - began
    used = (time.process_time() - here, cpu_seconds(pids) - there)
    return BringingFigures(count / took_s, *(seconds / count * 1e6 for seconds in used))


@contextmanager
def dialling(settings: MainGatewaySettings, folder: Path) -> Iterator[bool]:
    """Fetch orders, dial and answer for the length of a block, which begins when the site is connected."""
    links = [MainGateway(settings, folder, milliseconds) for _ in range(3)]
    queue = ApplianceQueue("site", "pabx", Answering(), Rules())
    file, stop, connected = SiteFile(folder), threading.Event(), threading.Event()
    dialler = OnsiteDialler({"pabx": queue}, file, links[0], milliseconds)

    def fetch() -> None:
        while not stop.is_set():
            connected.set()
            dialler.show(shown_orders(links[1].ask("orders", {}, silence_s=SILENCE_S)))

    def answer() -> None:
        while not stop.is_set():
            dialler.bring_answers(links[2], 0.5)

    for work in (fetch, answer):
        threading.Thread(target=work, daemon=True).start()
    connected.wait(60)
    time.sleep(1)
    yield True
    stop.set()
    dialler.stop()


def clicks(gateway: GatewayProcess, count: int) -> list[float]:
    """Return how many milliseconds each accepted order took from the click to its outcome."""
    taken = []
    for number in range(count):
        began = time.perf_counter()
        address = f"{gateway.url}/click-to-call?origem=3501&destino=47321{number:05}"
        request = urllib.request.Request(address, headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answered:
            if json.load(answered)["outcome"] == "accepted":
                taken.append((time.perf_counter() - began) * 1000)
    return taken


def gateway_rows(folder: Path) -> int:
    """Events of calls that came in, in the main gateway's log."""
    import sqlite3

    with closing(sqlite3.connect(folder / "main" / "data" / "gateway.db")) as database:
        query = "SELECT count(*) FROM events WHERE kind IN ('call_started', 'call_ended')"
        found: int = database.execute(query).fetchone()[0]
        return found


if __name__ == "__main__":
    sys.exit(main())
