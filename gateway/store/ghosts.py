"""Finds calls that still go on in the log although their caller has since been at another extension."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, select

from gateway.domain.calls.call import Call
from gateway.domain.calls.ghosts import WAIT_MS, fell_silent, is_of_nobody, waits_in_vain
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.windows import GROUP_MS
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.call_columns import BOOK_COLUMNS
from gateway.store.writing.candidates import call_of, leg_of

calls = tables.calls
AT_ONCE = 200
COLUMNS = [calls.c[name] for name in BOOK_COLUMNS]


class Ghosts:
    """Reads; closing them is the journal's work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, tenant: str, since: int, ago: Callable[[int], int]) -> Sequence[int]:
        """Return the calls of ``tenant``, logged from ``since`` on, whose end is waited for in vain.

        ``ago`` tells what our clock showed so many milliseconds ago.
        """
        outside = (calls.c.tenant == tenant, calls.c.direction != Direction.INTERNAL)
        old = (calls.c.logged_at >= since, calls.c.logged_at < ago(WAIT_MS))
        query = select(*COLUMNS).where(*outside, *old, calls.c.status.in_(("waiting", "ringing", "talking")))
        with self._engine.connect() as connection:
            found = [call_of(row) for row in connection.execute(query)]
            legs = _legs(connection, found)
            waiting = [call for call in found if not is_of_nobody(call.number)]
            ended = _ended(connection, tenant, waiting)
        silent = (call.id for call in found if fell_silent(call._replace(legs=legs[call.id]), ago))
        in_vain = (call.id for call in waiting if any(waits_in_vain(call, other, ago) for other in ended[call.number]))
        return list(dict.fromkeys((*silent, *in_vain)))


def _legs(connection: Connection, found: Sequence[Call]) -> dict[int, tuple[Leg, ...]]:
    """Return the legs that are kept of the calls ``found``, by their ids."""
    kept: dict[int, tuple[Leg, ...]] = defaultdict(tuple)
    for start in range(0, len(found), AT_ONCE):
        some = [call.id for call in found[start : start + AT_ONCE]]
        query = select(tables.legs).where(tables.legs.c.call_id.in_(some)).order_by(tables.legs.c.place)
        for row in connection.execute(query):
            kept[row.call_id] += (leg_of(tuple(row)[3:]),)
    return kept


def _ended(connection: Connection, tenant: str, waiting: Sequence[Call]) -> dict[str, list[Call]]:
    """Return the ended calls of the same numbers, by number."""
    found: dict[str, list[Call]] = defaultdict(list)
    numbers = sorted({call.number for call in waiting})
    first = min((call.logged_at for call in waiting), default=0)
    since = (calls.c.tenant == tenant, calls.c.logged_at >= first - GROUP_MS)
    query = select(*COLUMNS).where(*since, calls.c.status == "ended", calls.c.end_heard_at.is_not(None))
    for start in range(0, len(numbers), AT_ONCE):
        for row in connection.execute(query.where(calls.c.number.in_(numbers[start : start + AT_ONCE]))):
            found[row.number].append(call_of(row))
    return found
