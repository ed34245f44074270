"""A source that floods neither delays the events of others nor fills memory."""

import gc
import threading
import tracemalloc

from gateway.event_source import Report, Stop
from gateway.events.in_order import MOST_UNDER_WAY
from tests.events.reports import until
from tests.events.test_runner import Situation
from tests.store.conftest import Store, start_draft

LINES = 50_000
EVENTS = 2_000
LINE = b"101;3501;04732100123;IN;00:00:12;a line of an exchange that has much to say of itself\r\n"
MOST_BYTES = 8_000_000


def test_fifty_thousand_lines_wait_behind_nobody_and_take_no_memory(store: Store) -> None:
    situation, done, waiting = Situation(store), threading.Event(), [0]

    def flood(report: Report, stop: Stop) -> None:
        report.connected()
        for number in range(LINES):
            report.heard(LINE)
            if number % (LINES // EVENTS) == 0:
                report.message(situation.ring(f"47{number:08}", f"ref-{number}"))
        done.set()
        stop.wait(60)

    gc.collect()
    tracemalloc.start()
    try:
        with situation.running(flood) as made:
            situation.entries = _Dropped()
            others = 0
            while not done.is_set():
                store.journal.write(start_draft("3502", f"48{others:08}"))
                others += 1
                waiting.append(store.journal.waiting())
                waiting.append(made._writer.told - made._writer.settled())
            until(lambda: made.standing().told == EVENTS, "all are durable", within_s=60)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert others > 10, "others were let through meanwhile"
    assert max(waiting) <= MOST_UNDER_WAY + 1
    assert peak < MOST_BYTES, f"{peak:,} bytes"


class _Dropped(list):  # type: ignore[type-arg]
    """Entries of the traffic log that nobody keeps."""

    def append(self, _entry: object) -> None:
        pass
