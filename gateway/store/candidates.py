"""The logged calls that a batch of events may belong to, read at once and worked on in memory."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, Connection

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.windows import LATE_MS, LONGEST_CALL_MS
from gateway.domain.messages import ATTACHED
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.drafts import EventDraft
from gateway.store.statements import CALL_COLUMNS
from gateway.store.tables import calls

PLAIN_COLUMNS = Call._fields[:-2]
BOOK_COLUMNS = (*PLAIN_COLUMNS, *ATTACHED)
"""What the rule book sees of a row: the last field but one holds several columns, the last one rows of its own."""
SWITCHES = tuple(name for name in CALL_COLUMNS if isinstance(calls.c[name].type, Boolean))
_book_columns = itemgetter(*BOOK_COLUMNS)


def row_of(call: Call) -> Iterator[tuple[str, Any]]:
    """Return the columns that the rule book knows, with their values in ``call``."""
    return zip(BOOK_COLUMNS, (*call[:-2], *call.attached), strict=True)


def call_of(values: Sequence[Any], legs: tuple[Leg, ...] = ()) -> Call:
    """Return the call that has ``values`` in the columns that the rule book knows, with its ``legs``."""
    return Call._make((*values[: len(PLAIN_COLUMNS)], tuple(values[len(PLAIN_COLUMNS) :]), legs))


class CandidateCall:
    """A call being worked on: its ``row``, with the columns of ``calls``, the ``call`` that the rule book sees, and
    which of its legs are ``kept`` already. ``width`` is that of what the database has of it (``narrow.py``).
    """

    __slots__ = ("call", "kept", "row", "width")

    def __init__(self, row: dict[str, Any], call: Call, kept: tuple[Leg, ...] = (), width: int = 0) -> None:
        self.row = row
        self.call = call
        self.kept = kept
        self.width = width

    def to_write(self) -> tuple[int, dict[str, Any]]:
        """Return the row and how wide it is to be written: what it said before and says no more is taken back."""
        self.width = max(self.width, statements.WRITE_CALLS.width_of(self.row))
        return self.width, self.row

    def become(self, call: Call) -> None:
        """Take what the rule book has made of the call."""
        self.call = call
        self.row.update(row_of(call))
        if call.legs:
            self.row["leg_count"] = len(call.legs)

    def legs_to_keep(self) -> list[dict[str, Any]]:
        """Return the rows of legs that are new or have changed since this was asked last."""
        changed = [
            {"call_id": self.call.id, "place": place, "tenant": self.row["tenant"], **leg._asdict()}
            for place, leg in enumerate(self.call.legs, 1)
            if self.kept[place - 1 : place] != (leg,)
        ]
        self.kept = self.call.legs
        return changed


class KnownCalls:
    """Calls by id, by the exchange's id, and by number; a new one is added as it is made."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver
        self._by_id: dict[int, CandidateCall] = {}
        self._by_ref: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)
        self._by_number: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)

    def load(self, drafts: Sequence[EventDraft]) -> None:
        """Read what ``drafts`` may belong to: a day's open calls and an hour's ended ones, by number and by id."""
        numbers: dict[str, set[str]] = defaultdict(set)
        refs: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            numbers[draft.message.tenant].update(draft.event.numbers)
            if draft.event.call_ref:
                refs[draft.message.tenant].add(draft.event.call_ref)
        first = min((draft.event.at for draft in drafts), default=0)
        for tenant, wanted in numbers.items():
            before = [tenant, first - LONGEST_CALL_MS, first - LATE_MS]
            self._know_all(statements.CALLS_BY_NUMBER.run(self._driver, wanted, before))
        for tenant, wanted in refs.items():
            self._know_all(statements.CALLS_BY_REF.run(self._driver, wanted, [tenant]))

    def about(self, tenant: str, event: HeardEvent) -> list[Call]:
        """Return the calls that an event may be about, each once."""
        found = {each.call.id: each.call for key in event.numbers for each in self._by_number.get((tenant, key), ())}
        if event.call_ref:
            found |= {each.call.id: each.call for each in self._by_ref.get((tenant, event.call_ref), ())}
        return list(found.values())

    def get(self, call_id: int) -> CandidateCall:
        """Return one call, read if need be."""
        if call_id not in self._by_id:
            self._know_all(statements.CALLS_BY_ID.run(self._driver, [call_id]))
        return self._by_id[call_id]

    def find(self, call_id: int) -> CandidateCall | None:
        """Return one call, read if need be; None where there is none."""
        try:
            return self.get(call_id)
        except KeyError:
            return None

    def add(self, row: dict[str, Any], call: Call, kept: tuple[Leg, ...] = (), width: int = 0) -> CandidateCall:
        """Have later events of the batch find a call; one that is known already stays as it is."""
        if call.id in self._by_id:
            return self._by_id[call.id]
        known = self._by_id[call.id] = CandidateCall(row, call, kept, width)
        if call.legs:
            row["leg_count"] = len(call.legs)
        self._by_number[row["tenant"], call.number].append(known)
        if call.call_ref:
            self._by_ref[row["tenant"], call.call_ref].append(known)
        return known

    def become(self, call: Call) -> CandidateCall:
        """Take what the rule book has made of a known call; by its exchange's id, too, it is found from now on."""
        known = self._by_id[call.id]
        if call.number != known.call.number:
            self._by_number[known.row["tenant"], call.number].append(known)
        if call.call_ref and not known.call.call_ref:
            self._by_ref[known.row["tenant"], call.call_ref].append(known)
        known.become(call)
        return known

    def with_number(self, tenant: str, call: Call) -> list[Call]:
        """Return the calls of the number of ``call``, first heard of in the day before it or later."""
        before = [tenant, call.logged_at - LONGEST_CALL_MS, 0]
        self._know_all(statements.CALLS_BY_NUMBER.run(self._driver, [call.number], before))
        return [each.call for each in self._by_number[tenant, call.number]]

    def going_on(self, tenant: str, since: int, before: int) -> list[CandidateCall]:
        """Return calls first heard of from ``since`` on and before ``before`` that went on when this batch began."""
        wanted = {"of": tenant, "since": since, "before": before}
        found = self._connection.execute(statements.GOING_ON, wanted).all()
        self._know_all(tuple(row) for row in found)
        return [self._by_id[row.id] for row in found]

    def _know_all(self, found: Iterable[Sequence[Any]]) -> None:
        rows = [dict(zip(CALL_COLUMNS, values, strict=True)) for values in found]
        legs = self._legs([row["id"] for row in rows if row["leg_count"] and row["id"] not in self._by_id])
        for row in rows:
            for name in SWITCHES:
                row[name] = None if row[name] is None else bool(row[name])  # SQLite's driver has numbers
            kept = tuple(legs.get(row["id"], ()))
            self.add(row, call_of(_book_columns(row), kept), kept, statements.WRITE_CALLS.width_of(row))

    def _legs(self, call_ids: Sequence[int]) -> dict[int, list[Leg]]:
        """Return the legs that are kept of calls, by the calls' ids."""
        found: dict[int, list[Leg]] = defaultdict(list)
        for row in statements.LEGS.run(self._driver, call_ids) if call_ids else ():
            found[row[0]].append(leg_of(row[3:]))
        return found


def leg_of(values: Sequence[Any]) -> Leg:
    """Return the leg that has ``values`` in the columns behind the key."""
    leg = Leg._make(values)
    return leg if leg.attended is None else leg._replace(attended=bool(leg.attended))
