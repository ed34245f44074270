"""A node of nothing but a journal, whose threads write the events of many companies as fast as they are taken.

Prints ``ready``, begins when a line comes in, and writes for some seconds; then prints a line of JSON, ``Written``.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from gateway.store.database import open_database
from gateway.store.postgresql.head_numbers import HeadNumbers
from gateway.store.writing.journal import Journal
from tests.store.conftest import T0, answer_draft, end_draft, start_draft

STEPS = (start_draft, answer_draft, end_draft)


@dataclass(slots=True)
class Written:
    """What a node wrote: how long each event took, until it was durable; the whole, and the node's processor time."""

    took_ms: list[float] = field(default_factory=list)
    seconds: float = 0
    cpu_s: float = 0


class LaneWriters:
    """Threads that write calls, each of one company, until ``until`` (``time.monotonic``)."""

    def __init__(self, journal: Journal, name: str, companies: Sequence[str], until: float) -> None:
        self._journal, self._name, self._companies, self._until = journal, name, companies, until
        self._took_ms: list[float] = []

    def run(self, threads: int) -> Sequence[float]:
        """Write with so many ``threads``; return how long each event took, once all have ended."""
        started = [threading.Thread(target=self._write, args=(place,)) for place in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return self._took_ms

    def _write(self, place: int) -> None:
        company, count = self._companies[place % len(self._companies)], 0
        took_ms = []
        while (began := time.monotonic()) < self._until:
            number = f"47{self._name}{place:03d}{count // 3 % 1000:03d}"
            draft = STEPS[count % 3]("3501", number, T0 + count * 10_000, tenant=company)
            self._journal.write(draft)
            took_ms.append((time.monotonic() - began) * 1000)
            count += 1
        self._took_ms += took_ms


def take_one_lock() -> None:
    """Let all transactions of all nodes take one lock before anything else, as if there were no lanes."""
    hold_theirs = HeadNumbers._hold

    def hold(self: HeadNumbers, drafts: Sequence[Any], calls: int, orders: int) -> Iterator[None]:
        self._ask("SELECT pg_advisory_xact_lock(%s)", [1])
        return hold_theirs(self, drafts, calls, orders)

    HeadNumbers._hold = hold  # type: ignore[method-assign]


def main() -> None:
    """Write for as long as was asked for."""
    wanted = read_arguments()
    # Our lines alone go to the standard output; a warning among them would be read as one.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if wanted.one_lock:
        take_one_lock()
    journal = Journal(open_database(wanted.data, wanted.url))
    journal.start()
    print("ready", flush=True)
    sys.stdin.readline()
    companies = [f"company-{number}" for number in range(wanted.companies)]
    began, cpu_s = time.monotonic(), time.process_time()
    took_ms = LaneWriters(journal, wanted.name, companies, began + wanted.seconds).run(wanted.threads)
    written = Written(list(took_ms), time.monotonic() - began, time.process_time() - cpu_s)
    journal.stop()
    print(json.dumps(asdict(written)), flush=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.lane_writers", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("data", type=Path)
    parser.add_argument("name", help="two digits, which are in all its numbers")
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--companies", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--one-lock", action="store_true", help="as if there were no lanes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
