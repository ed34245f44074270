"""Ring-to-screen latency: from just before an event is sent until open screens have it.

Run with ``python -m bench.screens``; ``bench/README.md`` says how to read what it prints.
"""

import argparse
import asyncio
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.agents import write_sessions
from bench.disk import syncs_per_second
from bench.gateway_process import COMMAND, GatewayProcess, gateway_process, is_ready
from bench.processes import start, stop, wait_until
from bench.procfs import cpu_seconds, family, memory_mib
from bench.report import percentile, table
from bench.screen_client import Exchange, Screen, Screens, Sent

WARM_UP = 20
"""Events sent first, whose latency does not count; none of them may be lost either."""
OPEN_WITHIN_S = 300
LATE_S = 5
"""How long the last events may still be on their way."""


@dataclass(frozen=True, slots=True)
class Result:
    """Latencies in milliseconds, and deliveries that did not happen or happened more than once."""

    shown_ms: Sequence[float]
    answered_ms: Sequence[float]
    expected: int
    lost: int
    repeated: int


def main() -> int:
    """Exit code 0 when every event reached every screen of its extension."""
    options = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_open_files(2 * options.screens + 5_000)
    with (
        TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder,
        gateway_process(Path(folder) / "gateway", workers=options.workers, max_screens=options.screens) as gateway,
    ):
        print(f"The disk syncs {syncs_per_second(Path(folder)):,.0f} times/s", flush=True)
        return measure(gateway, options)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.screens", description=__doc__)
    parser.add_argument("--screens", type=int, default=200, help="open screens")
    parser.add_argument("--events", type=int, default=500, help="call starts that count")
    parser.add_argument("--rate", type=float, default=100, help="call starts per second")
    parser.add_argument("--agents", type=int, help="agents, each with an extension, who share the screens (one each)")
    parser.add_argument("--deaf", type=int, default=0, help="screens that read nothing; they count for no delivery")
    parser.add_argument("--reconnect", action="store_true", help="restart the gateway and time how screens come back")
    parser.add_argument("--workers", type=int, default=1, help="the gateway's processes")
    parser.add_argument("--folder", default="/var/tmp", help="where the database lies; must be a real disk, not tmpfs")
    return parser.parse_args()


def allow_open_files(needed: int) -> None:
    """Raise the limit of this process and of those it starts, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))


def measure(gateway: GatewayProcess, options: argparse.Namespace) -> int:
    before = memory(gateway)
    sessions = write_sessions(gateway, options.agents or options.screens)
    screens = Screens(gateway.port, [sessions[at % len(sessions)] for at in range(options.screens)], deaf=options.deaf)
    try:
        began = time.perf_counter()
        screens.wait(options.screens, within_s=OPEN_WITHIN_S)
        print(f"{options.screens} screens opened in {time.perf_counter() - began:.1f} s", flush=True)
        result, during, cpu = asyncio.run(run(gateway, screens, options))
        print_figures(result, options)
        print_costs(before, during, cpu, options)
        if options.reconnect:
            result = come_back(gateway, screens, options)
        return 1 if result.lost else 0
    finally:
        screens.close()


async def run(
    gateway: GatewayProcess, screens: Screens, options: argparse.Namespace
) -> tuple[Result, list[float], float]:
    extensions = sorted({screen.extension for screen in screens.open})
    print(f"Sending events to {len(screens.open)} screens of {len(extensions)} extensions", flush=True)
    pids = family(gateway.process.pid)
    async with Exchange(gateway.port) as exchange:
        first = await exchange.send(extensions, count=WARM_UP, per_second=options.rate)
        began = cpu_seconds(pids)
        counted = await exchange.send(extensions, count=options.events, per_second=options.rate)
        spent = cpu_seconds(pids) - began
    during = memory(gateway)
    await until_all_heard(screens, options, [*first, *counted])
    return judge(screens.open[options.deaf :], first, counted), during, spent


def come_back(gateway: GatewayProcess, screens: Screens, options: argparse.Namespace) -> Result:
    """Restart the gateway on the same data, and send events while its screens come back."""
    stop(gateway.process)
    process = start([*COMMAND, "serve", "--config", str(gateway.folder / "gateway.toml")], gateway.folder / "again.log")
    try:
        wait_until(lambda: is_ready(gateway.port), {"the gateway": process}, gateway.folder / "again.log")
        again = GatewayProcess(gateway.folder, gateway.port, process)
        result, seconds, (ours, theirs) = asyncio.run(meanwhile(again, screens, options))
        print(f"{options.screens} screens were back {seconds:.1f} s after the gateway was ready again", flush=True)
        print(f"processor time until then: {ours:.1f} s of the gateway, {theirs:.1f} s of the screens", flush=True)
        print_figures(result, options)
        return result
    finally:
        stop(process)


async def meanwhile(
    gateway: GatewayProcess, screens: Screens, options: argparse.Namespace
) -> tuple[Result, float, tuple[float, float]]:
    """What was heard while the screens came back, after how many seconds the last one had, and the processor time that
    the gateway and the screens' process took until then.
    """
    extensions = sorted({screen.extension for screen in screens.open})
    began, pids = time.perf_counter(), [family(gateway.process.pid), [screens.pid]]
    spent = [cpu_seconds(each) for each in pids]
    back = asyncio.create_task(asyncio.to_thread(screens.wait, options.screens - options.deaf, within_s=OPEN_WITHIN_S))
    async with Exchange(gateway.port) as exchange:
        sending = asyncio.create_task(exchange.send(extensions, count=options.events, per_second=options.rate))
        await back
        seconds = time.perf_counter() - began
        ours, theirs = (cpu_seconds(each) - before for each, before in zip(pids, spent, strict=True))
        counted = await sending
    await until_all_heard(screens, options, counted)
    return judge(screens.open[options.deaf :], [], counted), seconds, (ours, theirs)


async def until_all_heard(screens: Screens, options: argparse.Namespace, sent: Sequence[Sent]) -> None:
    for _ in range(LATE_S):
        screens.hear()
        if not judge(screens.open[options.deaf :], [], sent).lost:
            return
        await asyncio.sleep(1)


def judge(screens: Sequence[Screen], first: Sequence[Sent], counted: Sequence[Sent]) -> Result:
    """What the screens heard of what was sent; ``first`` counts for losses only."""
    by_extension = defaultdict(list)
    for screen in screens:
        by_extension[screen.extension].append(screen)
    pairs = [(call, screen) for call in [*first, *counted] for screen in by_extension[call.extension]]
    times = [screen.heard.get(call.call_id, []) for call, screen in pairs]
    return Result(
        shown_ms=[
            (screen.heard[call.call_id][0] - call.at) * 1000
            for call in counted
            for screen in by_extension[call.extension]
            if call.call_id in screen.heard
        ],
        answered_ms=[(call.answered_at - call.at) * 1000 for call in counted],
        expected=len(pairs),
        lost=sum(not heard for heard in times),
        repeated=sum(len(heard) > 1 for heard in times),
    )


def print_figures(result: Result, options: argparse.Namespace) -> None:
    head = ["milliseconds", "p50", "p95", "p99", "max"]
    rows = [row("ring to screen", result.shown_ms), row("ring to answer", result.answered_ms)]
    print("\n" + table(head, rows) + "\n")
    print(f"events: {options.events} at {options.rate:g}/s; deliveries: {result.expected}", end="; ")
    print(f"lost: {result.lost}{' !!!' if result.lost else ''}; repeated: {result.repeated}")


def print_costs(before: Sequence[float], during: Sequence[float], cpu_s: float, options: argparse.Namespace) -> None:
    each_kib = (sum(during) - sum(before)) * 1024 / options.screens
    print(f"memory of the gateway (PSS): {total(before)} without screens, {total(during)} with them", end="; ")
    print(f"{each_kib:.1f} KiB for each screen")
    print(f"processor time of the gateway: {cpu_s / options.events * 1e6:.0f} us an event, with its screens and pulses")


def row(title: str, values: Sequence[float]) -> list[str]:
    return [title, *(f"{percentile(values, percent):.1f}" for percent in (50, 95, 99, 100))]


def memory(gateway: GatewayProcess) -> list[float]:
    return [memory_mib(pid) for pid in family(gateway.process.pid)]


def total(processes: Sequence[float]) -> str:
    """``135 MiB (25 + 110)``: the sum and each process."""
    return f"{sum(processes):.0f} MiB ({' + '.join(f'{one:.0f}' for one in processes)})"


if __name__ == "__main__":
    sys.exit(main())
