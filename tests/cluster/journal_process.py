"""A node of nothing but a journal, in a process of its own that may be killed at any moment.

Writes events of all tenants, one after the other in each of some threads. Prints a line for each of which it is told
that it is durable: tenant, number as sent, ``seq`` and id of the call.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import structlog

from gateway.store.database import open_database
from gateway.store.postgresql.head_numbers import HeadNumbers
from gateway.store.writing.journal import Journal
from tests.store.conftest import T0, start_draft

THREADS = 4
TENANTS = ("acme", "beta", "gama", "delta", "epsilon")
IN_TRANSACTION_S = 0.02
"""How long the control stays between a number and its COMMIT: so that a kill comes in between."""


def main() -> None:
    """Write until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.journal_process", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("data", type=Path)
    parser.add_argument("name", help="two digits, with which its numbers begin")
    parser.add_argument("--from-sequences", action="store_true", help="the control: number as databases usually do")
    wanted = parser.parse_args()
    # Our lines alone go to the standard output; a warning among them would be read as one.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if wanted.from_sequences:
        HeadNumbers.seq = next_of_sequence  # type: ignore[method-assign]
    journal = Journal(open_database(wanted.data, wanted.url))
    journal.start()
    for thread in range(THREADS):
        threading.Thread(target=write, args=(journal, f"{wanted.name}{thread}")).start()


def next_of_sequence(numbers: HeadNumbers, tenant: str) -> int:
    """Return the next of the sequence ``numbers_TENANT``; a transaction that is undone does not give it back."""
    ((found,),) = numbers._ask("SELECT nextval(%s::regclass)", [f"numbers_{tenant}"])()
    time.sleep(IN_TRANSACTION_S)
    numbers._last[tenant] = max(numbers._last[tenant], int(found))
    return int(found)


def write(journal: Journal, first: str) -> None:
    count = 0
    while True:
        tenant, number = TENANTS[count % len(TENANTS)], f"{first}{count:07d}"
        recorded = journal.write(start_draft("3501", number, T0, tenant=tenant))
        # By one call of the system: a line is told whole or not at all.
        os.write(1, f"{tenant} {number} {recorded.seq} {recorded.call_id}\n".encode())
        count += 1


if __name__ == "__main__":
    main()
