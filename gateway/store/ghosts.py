"""Finds calls that still ring in the log although their caller has since been at another extension."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, select

from gateway.domain.calls.ghosts import WAIT_MS, EndedCall, waits_in_vain
from gateway.domain.calls.pairing import GROUP_MS
from gateway.domain.messages import Direction
from gateway.store import tables

calls = tables.calls
OF_NOBODY = re.compile(r"[^1-9]*")
"""Withheld numbers are words, zeros or nothing: by them no two calls can be told to be of one caller."""
AT_ONCE = 200
COLUMNS: Sequence[ColumnElement[Any]] = (
    calls.c.id,
    calls.c.extension,
    calls.c.number,
    calls.c.logged_at,
    calls.c.end_heard_at,
    calls.c.call_ref,
    calls.c.result,
    calls.c.recording_url,
    calls.c.group_id,
)


class Ghosts:
    """Reads; closing them is the journal's work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, tenant: str, since: int, at: int) -> Sequence[int]:
        """Calls of ``tenant``, logged from ``since`` on, whose end is waited for in vain at ``at``."""
        outside = (calls.c.tenant == tenant, calls.c.direction != Direction.INTERNAL)
        old = (calls.c.logged_at >= since, calls.c.logged_at < at - WAIT_MS)
        query = select(*COLUMNS).where(*outside, *old, calls.c.status == "ringing")
        with self._engine.connect() as connection:
            waiting = [row for row in connection.execute(query) if not OF_NOBODY.fullmatch(row.number)]
            ended = _ended(connection, tenant, waiting)
        return [row.id for row in waiting if any(_shows(row, other, at) for other in ended[row.number])]


def _ended(connection: Connection, tenant: str, waiting: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """The ended calls of the same numbers, by number."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    numbers = sorted({row.number for row in waiting})
    first = min((row.logged_at for row in waiting), default=0)
    since = (calls.c.tenant == tenant, calls.c.logged_at >= first - GROUP_MS)
    query = select(*COLUMNS).where(*since, calls.c.status == "ended", calls.c.end_heard_at.is_not(None))
    for start in range(0, len(numbers), AT_ONCE):
        for row in connection.execute(query.where(calls.c.number.in_(numbers[start : start + AT_ONCE]))):
            found[row.number].append(row)
    return found


def _shows(row: Row[Any], other: Row[Any], at: int) -> bool:
    grouped = row.group_id is not None and row.group_id == other.group_id
    if other.extension == row.extension or (other.logged_at <= row.logged_at and not grouped):
        return False
    same_ref = row.call_ref == other.call_ref if row.call_ref and other.call_ref else None
    shown = EndedCall(other.logged_at, other.end_heard_at, other.result, other.recording_url is not None, same_ref)
    return waits_in_vain(shown, at)
