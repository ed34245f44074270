"""How many requests of machines came, what became of them, and how long they took: ``cti_events_total`` and
``cti_event_seconds``.

A request only leaves a note. Notes are added up a few times a second, because a value that ``/metrics`` of every
process shows costs more to change than a whole query costs to read.
"""

import threading
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from itertools import product

from prometheus_client import Counter as Metric
from prometheus_client import Histogram

from gateway.wire.operations import UNDERSTOOD

WIRES = ("get", "soap", "xmlrpc", "webhook")
RESULTS = ("ok", "refused", "busy", "error")
NO_OPERATION = "-"
ADD_UP_EVERY_S = 0.25
MOST_NOTES = 10_000
"""With so many, whoever leaves the last one adds them up; so it is where ``start`` was not called."""

Note = tuple[str, str, str, float | None]


class HistogramOfMany(Histogram):
    """A histogram that takes many observations as it takes one."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Observe each of ``amounts``."""
        self._sum.inc(sum(amounts))
        for place, times in Counter(bisect_left(self._upper_bounds, amount) for amount in amounts).items():
            self._buckets[place].inc(times)


EVENTS = Metric("cti_events_total", "Requests by wire, operation and result", ["wire", "operation", "result"])
SECONDS = HistogramOfMany(
    "cti_event_seconds",
    "Time from a parsed request to its durable answer",
    ["wire"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)


def _show_all() -> None:
    """Have ``/metrics`` show what has not happened yet as 0."""
    for wire, operation, result in product(WIRES, (*UNDERSTOOD, NO_OPERATION), RESULTS):
        EVENTS.labels(wire, operation, result)
        SECONDS.labels(wire)


_show_all()


class RequestCounts:
    """Takes notes from any thread, none of which waits."""

    def __init__(self) -> None:
        self._notes: deque[Note] = deque()
        self._adding = threading.Lock()
        self._stopping = threading.Event()

    def note(self, wire: str, operation: str, result: str, seconds: float | None = None) -> None:
        """Note one request; ``seconds`` is how long it took, where it was done."""
        self._notes.append((wire, operation, result, seconds))
        if len(self._notes) >= MOST_NOTES:
            self.add_up()

    def add_up(self) -> None:
        """Let the metrics have what was noted until now."""
        with self._adding:
            notes = [self._notes.popleft() for _ in range(len(self._notes))]
            for key, times in Counter(note[:3] for note in notes).items():
                EVENTS.labels(*key).inc(times)
            for wire in WIRES:
                SECONDS.labels(wire).observe_all([took for of, _, _, took in notes if of == wire and took is not None])

    def start(self) -> None:
        """Add up now and then, for whoever asks another process for the metrics of all."""
        self._stopping.clear()
        threading.Thread(target=self._run, args=(self._stopping,), name="counts", daemon=True).start()

    def stop(self) -> None:
        """Add up for the last time. Safe to call again."""
        self._stopping.set()
        self.add_up()

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.wait(ADD_UP_EVERY_S):
            self.add_up()


REQUESTS = RequestCounts()
"""Those of this process, as its metrics are."""
