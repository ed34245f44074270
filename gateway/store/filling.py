"""Fills in what an older version dropped, a slice at a time while the gateway runs: how calls ended.

The words lie in the event log. Slices are read without the write lock, newest first, and written by the journal, so
that events pass in between. How far it came is the counter ``results_to_fill``; any number of processes may do it.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.results import read_result
from gateway.errors import GatewayError
from gateway.store import tables
from gateway.store.journal import Journal

calls, events, counters = tables.calls, tables.events, tables.counters
log = structlog.get_logger()

COUNTER = "results_to_fill"
SLICE = 500
"""Events that are looked through at once."""
PAUSE_S = 0.02
"""Between two slices, so that the disk and the readers have their turn too."""
LOOKED_THROUGH = 40
"""Slices in which nothing was found before it is written down how far we are."""
AGAIN_AFTER_S = 5.0

_FOUND = (
    select(events)
    .where(events.c.seq > bindparam("above"), events.c.seq <= bindparam("upto"), events.c.kind == "call_ended")
    .where(events.c.payload.contains('"resultado":'))
    .order_by(events.c.seq.desc())
)
_FILL = (
    update(calls)
    .where(calls.c.id == bindparam("of"), or_(calls.c.result_text.is_(None), bindparam("first")))
    .values(result=bindparam("code"), result_text=bindparam("text"))
)
_MOVE_ON = (
    update(counters)
    .where(counters.c.name == COUNTER, counters.c.value > bindparam("left"))
    .values(value=bindparam("left"))
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Events that were looked through: what they say of calls, and up to which ``seq`` there is more to look at."""

    fills: Sequence[Mapping[str, Any]]
    left: int


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
        """Look through all that is left, unless told to stop; how many calls were filled. Raises ``BusyError``."""
        left, filled, empty = self._left(), 0, 0
        while left and not self._stopping.is_set():
            found = self._read(left)
            left, empty = found.left, empty + 1
            if found.fills or empty >= LOOKED_THROUGH or not left:
                self._journal.run(partial(_write, found))
                filled, empty = filled + len(found.fills), 0
            self._stopping.wait(PAUSE_S)
        return filled

    def _left(self) -> int:
        """The newest event that was not looked through yet; 0 when all were."""
        with self._engine.connect() as connection:
            query = select(func.max(counters.c.value)).where(counters.c.name == COUNTER)
            return connection.execute(query).scalar() or 0

    def _read(self, upto: int) -> Slice:
        above = max(0, upto - SLICE)
        with self._engine.connect() as connection:
            rows = connection.execute(_FOUND, {"above": above, "upto": upto}).all()
        return Slice([fill for row in rows if (fill := _fill_of(row))], above)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                filled = self.fill()
            except (GatewayError, SQLAlchemyError) as error:
                log.warning("filling_put_off", error=type(error).__name__)
                self._stopping.wait(AGAIN_AFTER_S)
                continue
            if filled:
                log.info("results_filled", calls=filled)
            return


def _fill_of(row: Row[Any]) -> Mapping[str, Any] | None:
    """What an end says of its call; one that was only heard again says nothing against the first."""
    told = json.loads(row.payload)
    text = told.get("received", {}).get("resultado")
    result = read_result(text, told.get("duration_s"))
    if result is None:
        return None
    return {"of": row.call_id, "first": not told.get("repeat"), "code": result.value, "text": text[:255]}


def _write(found: Slice, connection: Connection) -> None:
    if found.fills:
        connection.execute(_FILL, list(found.fills))
    connection.execute(_MOVE_ON, {"left": found.left})
