"""Fills in what an older version dropped, a slice at a time while the gateway runs: how calls ended, then
which were missed (``filling_missed.py``).

The words lie in the event log. Slices are read without the write lock, newest first, and written by the journal, so
that events pass in between. How far it came is the counter ``results_to_fill``; of several processes the one that is
ahead goes on, the others look from time to time whether it still does.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Boolean, Connection, Engine, Row, and_, bindparam, case, func, select, true, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.calls.results import MISSED_CALLS, read_result
from gateway.domain.messages import Direction
from gateway.errors import GatewayError
from gateway.store import filling_missed, tables
from gateway.store.writing.journal import Journal

calls, events, counters = tables.calls, tables.events, tables.counters
log = structlog.get_logger()

COUNTER = "results_to_fill"
SLICE = 1000
FILLING = "filling"
"""The lock of its jobs."""
"""Events that are looked through at once."""
PAUSE_S = 0.02
"""Between two slices, so that the disk and the readers have their turn too."""
LOOKED_THROUGH = 40
"""Slices in which nothing was found before it is written down how far we are."""
AHEAD_S = 1.0
"""For which a process waits that finds another one ahead."""
AGAIN_AFTER_S = 5.0

_FOUND = (
    select(events)
    .where(events.c.seq > bindparam("above"), events.c.seq <= bindparam("upto"), events.c.kind == "call_ended")
    .where(events.c.payload.contains('"resultado":'))
    .order_by(events.c.seq.desc())
)
_LEFT = select(func.max(counters.c.value)).where(counters.c.name == COUNTER)
_MISSED_ALONE = and_(
    calls.c.direction == Direction.INCOMING,
    calls.c.status == "ended",
    calls.c.group_id.is_(None),
    bindparam("is_missed", type_=Boolean()),
)
"""Groups are looked at as wholes, later (``filling_missed.py``)."""
_FILL = (
    update(calls)
    .where(calls.c.id == bindparam("of"))
    .values(
        result=bindparam("code"),
        result_text=bindparam("text"),
        missed=case((_MISSED_ALONE, true()), else_=calls.c.missed),
    )
)
_MOVE_ON = (
    update(counters)
    .where(counters.c.name == COUNTER, counters.c.value > bindparam("left"))
    .values(value=bindparam("left"))
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Events from ``upto`` down that were looked through: what they say of calls, and the ``seq`` that is next."""

    fills: Sequence[Mapping[str, Any]]
    upto: int
    left: int


def is_filled(connection: Connection) -> bool:
    """Return whether everything has been filled in that an older version left out; it comes without events."""
    names = (COUNTER, filling_missed.COUNTER)
    return not connection.execute(select(func.max(counters.c.value)).where(counters.c.name.in_(names))).scalar()


class Filler:
    """One thread, which ends when nothing is left to do."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="filler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the slice under way; the next start goes on from there. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def fill(self) -> int:
        """Look through all that is left, unless told to stop; return how many calls were filled. Raises
        ``BusyError``.
        """
        left, filled, empty = self._left(), 0, 0
        while left and not self._stopping.is_set():
            found = self._read(left)
            left, empty = found.left, empty + 1
            if found.fills or empty >= LOOKED_THROUGH or not left:
                left, written = self._write_down(found)
                filled, empty = filled + written, 0
            self._stopping.wait(PAUSE_S)
        return filled

    def _write_down(self, found: Slice) -> tuple[int, int]:
        """Write one slice; return up to which event is left then, and how many calls were filled: none where another
        process is ahead.
        """
        ahead: int | None = self._journal.run(partial(_write, found), lock=FILLING)
        if ahead is None:
            return found.left, len(found.fills)
        self._stopping.wait(AHEAD_S if ahead else 0)
        return self._left(), 0

    def _left(self) -> int:
        """Return the newest event that was not looked through yet; 0 when all were."""
        with self._engine.connect() as connection:
            return connection.execute(_LEFT).scalar() or 0

    def _read(self, upto: int) -> Slice:
        above = max(0, upto - SLICE)
        with self._engine.connect() as connection:
            rows = connection.execute(_FOUND, {"above": above, "upto": upto}).all()
        return Slice([fill for row in rows if (fill := _fill_of(row))], upto, above)

    def fill_missed(self) -> int:
        """Look at all earlier calls; return how many were filled. Raises ``BusyError``."""
        filled = 0
        taken: filling_missed.Taken = {}
        while not self._stopping.is_set():
            with self._engine.connect() as connection:
                left = filling_missed.left_to_fill(connection)
                fills = filling_missed.read_slice(connection, left) if left else ()
            if not left:
                break
            self._journal.run(partial(filling_missed.write_slice, fills, left), lock=FILLING)
            self._fill_returned(left, taken)
            filled += len(fills)
            self._stopping.wait(PAUSE_S)
        return filled

    def _fill_returned(self, left: int, taken: filling_missed.Taken) -> None:
        """Mark those missed calls of a slice that were returned. What this run has not seen ``taken`` marks none."""
        with self._engine.connect() as connection:
            returned = filling_missed.read_returned(connection, left, taken)
        if returned:
            self._journal.run(partial(filling_missed.write_returned, returned), lock=FILLING)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                filled = self.fill() + self.fill_missed()
            except (GatewayError, SQLAlchemyError) as error:
                log.warning("filling_put_off", error=type(error).__name__)
                self._stopping.wait(AGAIN_AFTER_S)
                continue
            if filled:
                log.info("results_filled", calls=filled)
            return


def _fill_of(row: Row[Any]) -> Mapping[str, Any] | None:
    """Return the result that an end says of its call. The first end of a call counts, and is read last."""
    told = json.loads(row.payload)
    text = told.get("received", {}).get("resultado")
    result = read_result(text, told.get("duration_s"))
    if result is None:
        return None
    return {"of": row.call_id, "code": result.value, "text": text, "is_missed": result in MISSED_CALLS}


def _write(found: Slice, connection: Connection) -> int | None:
    """Write a slice down; where another process did already, write nothing and return up to which event it came."""
    left: int = connection.execute(_LEFT).scalar() or 0
    if left < found.upto:
        return left
    if found.fills:
        connection.execute(_FILL, list(found.fills))
    connection.execute(_MOVE_ON, {"left": found.left})
    return None
