"""Many letters changed at once, a slice in each transaction, so that events get their turn in between."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from gateway.store import tables
from gateway.store.writing.journal import Journal

outbox = tables.outbox
WAITS = outbox.c.settled_at.is_(None)
SLICE = 500
LETTERS = "outbox"
"""The lock of whoever claims letters, settles or changes them: so no letter is two senders' at once. Of a target's
letters by themselves it is a part (``part_of``).
"""


def part_of(tenant: str, target: str) -> str:
    """Return the part of ``LETTERS`` that is a target's."""
    return f"{tenant}/{target}"


def in_slices(
    engine: Engine, journal: Journal, conditions: Sequence[ColumnElement[bool]], values: Mapping[str, Any]
) -> int:
    """Set ``values`` in all letters that match now, a slice in a transaction; return how many there were. Raises
    ``BusyError``.
    """
    count, after = 0, 0
    while True:
        with engine.connect() as connection:
            query = select(outbox.c.id).where(*conditions, outbox.c.id > after).order_by(outbox.c.id).limit(SLICE)
            ids = list(connection.execute(query).scalars())
        if not ids:
            return count
        count += journal.run(partial(_change, ids, conditions, values), lock=LETTERS)
        after = ids[-1]


def _change(
    ids: Sequence[int], conditions: Sequence[ColumnElement[bool]], values: Mapping[str, Any], connection: Connection
) -> int:
    """Change letters, unless somebody was faster; release those behind letters that are settled by it."""
    changed = connection.execute(update(outbox).where(outbox.c.id.in_(ids), *conditions).values(**values)).rowcount
    if values.get("settled_at") is not None:
        behind = update(outbox).where(outbox.c.blocked_by.in_(ids), WAITS, outbox.c.blocked_by.is_not(None))
        connection.execute(behind.values(blocked_by=None))
    return changed
