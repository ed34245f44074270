"""The logged calls that a batch of events may belong to, read at once and worked on in memory."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.records import looks_back_to
from gateway.domain.calls.states import Event
from gateway.domain.calls.windows import KNOWN_BY_ID_MS, LATE_MS, LONGEST_CALL_MS
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.call_columns import BESIDE_COLUMNS, BOOK_COLUMNS, CALL_COLUMNS, PLACES, PLAIN_COLUMNS, SWITCHES
from gateway.store.partitions.spans import ids_since
from gateway.store.writing.drafts import EventDraft
from gateway.store.writing.lookups import Answer, bounds, nothing

ID, LEG_COUNT = PLACES["id"], PLACES["leg_count"]
ORDER_COLUMNS = 5
"""How many columns of an order stand ahead of its call's."""
_indexed = itemgetter(*(PLACES[name] for name in statements.INDEXED))
NOTHING_BESIDE: dict[str, Any] = dict.fromkeys(BESIDE_COLUMNS)


class CandidateCall:
    """A call being worked on: the ``call`` that the rule book sees, what the store knows ``beside`` it by column, and
    which of its legs are ``kept`` already, and whether it ``was_missed`` as far as the log has told. ``width`` is that
    of what the database has of it (``narrow.py``), ``indexed`` what that has in indexes, None of a new call.
    """

    __slots__ = ("beside", "call", "indexed", "kept", "tenant", "was_missed", "width")

    def __init__(
        self,
        call: Call,
        beside: dict[str, Any],
        kept: tuple[Leg, ...] = (),
        width: int = 0,
        indexed: Sequence[Any] | None = None,
    ) -> None:
        self.call = call
        self.beside = beside
        self.tenant: str = beside["tenant"]
        self.kept = kept
        self.was_missed = bool(call.missed)
        self.width = width
        self.indexed = indexed

    @property
    def values(self) -> Sequence[Any]:
        """Its row, in the order of ``CALL_COLUMNS``."""
        call = self.call
        return call[:-2] + call.attached + (*self.beside.values(),)

    @property
    def row(self) -> dict[str, Any]:
        """Its row by the columns' names."""
        return dict(zip(CALL_COLUMNS, self.values, strict=True))

    def to_write(self) -> tuple[int, Sequence[Any]]:
        """Return the row and how wide it is to be written: what it said before and says no more is taken back."""
        if self.call.legs:
            self.beside["leg_count"] = len(self.call.legs)
        values = self.values
        indexed = _indexed(values)
        stays = self.indexed is None or indexed == self.indexed
        width = statements.WRITE_CALLS.width_of(values) if stays else statements.WRITE_CALLS.widest
        self.width, self.indexed = max(self.width, width), indexed
        return self.width, values

    def legs_to_keep(self) -> list[dict[str, Any]]:
        """Return the rows of legs that are new or have changed since this was asked last."""
        changed = [
            {"call_id": self.call.id, "place": place, "tenant": self.tenant, **leg._asdict()}
            for place, leg in enumerate(self.call.legs, 1)
            if self.kept[place - 1 : place] != (leg,)
        ]
        self.kept = self.call.legs
        return changed


class StoredOrder(NamedTuple):
    """An order that was read: whose it is, its call, who was to dial, and what came of it as far as is known."""

    tenant: str
    call_id: int
    appliance: str
    outcome: str | None


class KnownCalls:
    """Calls by id, by the exchange's id, and by number; a new one is added as it is made."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver
        self._by_id: dict[int, CandidateCall] = {}
        self._by_ref: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)
        self._by_number: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)
        self._by_order: dict[tuple[str, int], CandidateCall] = {}
        self._orders: dict[int, StoredOrder] = {}

    def load(self, drafts: Sequence[EventDraft]) -> Iterator[None]:
        """Read what ``drafts`` may belong to: a day's open calls and an hour's ended ones, by number and by id."""
        numbers: dict[str, set[str]] = defaultdict(set)
        refs: dict[str, set[str]] = defaultdict(set)
        back_to = []
        for draft in drafts:
            numbers[draft.message.tenant].update(draft.event.numbers)
            if draft.event.call_ref:
                refs[draft.message.tenant].add(draft.event.call_ref)
            if draft.event.joined_to:
                refs[draft.message.tenant].add(draft.event.joined_to)
            back_to.append(looks_back_to(draft.event))
        first = min(back_to, default=0)
        before = {"since": first - LONGEST_CALL_MS, "ended_since": first - LATE_MS}
        by_number = statements.CALLS_BY_NUMBER.ask(self._driver, numbers, **before, **self._ids_since(before["since"]))
        by_ref = self._ask_by_ref(drafts, refs) if refs else nothing
        yield
        self._know_all(chain(by_number(), by_ref()))

    def _ask_by_ref(self, drafts: Sequence[EventDraft], refs: Mapping[str, Collection[str]]) -> Answer:
        """Ask for calls by the exchange's ids, those that began in the time before what the events tell of."""
        heard = (draft.event for draft in drafts if draft.event.call_ref or draft.event.joined_to)
        told = min(event.at if event.started_at is None else min(event.at, event.started_at) for event in heard)
        return statements.CALLS_BY_REF.ask(self._driver, refs, **self._ids_since(told - KNOWN_BY_ID_MS))

    def _ids_since(self, at: int) -> Mapping[str, int]:
        return bounds(ids_since(self._driver, at))

    def load_orders(self, order_ids: Iterable[int]) -> Iterator[None]:
        """Read the orders ``order_ids`` and their calls."""
        found = statements.ORDERED_CALLS.ask(self._driver, order_ids)
        yield
        rows = found()
        self._orders |= {row[0]: StoredOrder(*row[1:ORDER_COLUMNS]) for row in rows}
        self._know_all(row[ORDER_COLUMNS:] for row in rows if row[ORDER_COLUMNS + ID] is not None)

    def order(self, order_id: int) -> StoredOrder | None:
        """Return an order that was read."""
        return self._orders.get(order_id)

    def settle(self, order_id: int, outcome: str) -> None:
        """Note what has come of an order that was read."""
        self._orders[order_id] = self._orders[order_id]._replace(outcome=outcome)

    def about(self, tenant: str, event: HeardEvent) -> list[Call]:
        """Return the calls that an event may be about, each once."""
        found = {each.call.id: each.call for key in event.numbers for each in self._by_number.get((tenant, key), ())}
        if event.call_ref:
            found |= {each.call.id: each.call for each in self._by_ref.get((tenant, event.call_ref), ())}
        if event.joined_to:
            found |= {each.call.id: each.call for each in self._by_ref.get((tenant, event.joined_to), ())}
        if event.order_id is not None and (placed := self._by_order.get((tenant, event.order_id))):
            found[placed.call.id] = placed.call
        return list(found.values())

    def likely_new(self, drafts: Sequence[EventDraft]) -> int:
        """Return how many of ``drafts`` are likely to open a call: starts, and what is about no call that was read."""
        known = self._by_number.keys() | self._by_ref.keys()
        return sum(1 for draft in drafts if draft.event.event is Event.START or known.isdisjoint(_keys(draft)))

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

    def open(self, call: Call, tenant: str) -> CandidateCall:
        """Have later events of the batch find a new call, of which nothing is known beside."""
        return self._add(CandidateCall(call, NOTHING_BESIDE | {"tenant": tenant}))

    def _add(self, known: CandidateCall) -> CandidateCall:
        call, tenant = known.call, known.tenant
        self._by_id[call.id] = known
        self._by_number[tenant, call.number].append(known)
        if call.call_ref:
            self._by_ref[tenant, call.call_ref].append(known)
        if call.order_id is not None:
            self._by_order[tenant, call.order_id] = known
        return known

    def become(self, call: Call) -> CandidateCall:
        """Take what the rule book has made of a known call; by its exchange's id, too, it is found from now on."""
        known = self._by_id[call.id]
        if call.number != known.call.number:
            self._by_number[known.tenant, call.number].append(known)
        if call.call_ref and not known.call.call_ref:
            self._by_ref[known.tenant, call.call_ref].append(known)
        known.call = call
        return known

    def with_number(self, tenant: str, call: Call) -> list[Call]:
        """Return the calls of the number of ``call``, first heard of in the day before it or later."""
        before = {"since": call.logged_at - LONGEST_CALL_MS, "ended_since": 0}
        before |= self._ids_since(before["since"])
        self._know_all(statements.CALLS_BY_NUMBER.run(self._driver, {tenant: [call.number]}, **before))
        return [each.call for each in self._by_number[tenant, call.number]]

    def going_on(self, tenant: str, since: int, before: int) -> list[CandidateCall]:
        """Return calls first heard of from ``since`` on and before ``before`` that went on when this batch began."""
        wanted = {"of": tenant, "since": since, "before": before}
        if self._driver.is_networked:
            query = statements.GOING_ON_WITHIN
            wanted |= self._ids_since(since)
        else:
            query = statements.GOING_ON
        found = self._connection.execute(query, wanted).all()
        self._know_all(tuple(row) for row in found)
        return [self._by_id[row.id] for row in found]

    def _know_all(self, found: Iterable[Sequence[Any]]) -> None:
        """Add calls that were read, but for those that are known already: these stay as they are."""
        new = {values[ID]: values for values in found if values[ID] not in self._by_id}
        legs = self._legs([call_id for call_id, values in new.items() if values[LEG_COUNT]])
        for call_id, values in new.items():
            self._add(read_call(values, tuple(legs.get(call_id, ()))))

    def _legs(self, call_ids: Sequence[int]) -> dict[int, list[Leg]]:
        """Return the legs that are kept of calls, by the calls' ids."""
        found: dict[int, list[Leg]] = defaultdict(list)
        for row in statements.LEGS.run(self._driver, call_ids) if call_ids else ():
            found[row[0]].append(leg_of(row[3:]))
        return found


def call_of(values: Sequence[Any], legs: tuple[Leg, ...] = ()) -> Call:
    """Return the call that has ``values`` in the columns that the rule book knows, with its ``legs``."""
    plain, book = len(PLAIN_COLUMNS), len(BOOK_COLUMNS)
    return Call._make((*values[:plain], tuple(values[plain:book]), legs))


def read_call(values: Sequence[Any], legs: tuple[Leg, ...] = ()) -> CandidateCall:
    """Return the call that has ``values`` in ``CALL_COLUMNS``, with its ``legs``."""
    for place in SWITCHES:
        if values[place] is not None:  # SQLite's driver has numbers
            values = (*values[:place], bool(values[place]), *values[place + 1 :])
    beside = dict(zip(BESIDE_COLUMNS, values[len(BOOK_COLUMNS) :], strict=True))
    width = statements.WRITE_CALLS.width_of(values)
    return CandidateCall(call_of(values, legs), beside, legs, width, _indexed(values))


def leg_of(values: Sequence[Any]) -> Leg:
    """Return the leg that has ``values`` in the columns behind the key."""
    leg = Leg._make(values)
    return leg if leg.attended is None else leg._replace(attended=bool(leg.attended))


def _keys(draft: EventDraft) -> Iterable[tuple[str, str]]:
    """Return by what a draft's call is found: the outside party's numbers, and the exchange's own id."""
    keys = (*draft.event.numbers, draft.event.call_ref) if draft.event.call_ref else draft.event.numbers
    return ((draft.message.tenant, key) for key in keys)
