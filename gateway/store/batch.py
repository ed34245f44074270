"""One transaction's worth of drafts, worked out in memory between one round of reads and one of writes."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.adapter import Outcome
from gateway.domain.messages import CallEnded, CallStarted, Direction
from gateway.domain.pairing import call_of_end, order_of_start, pair_key
from gateway.domain.sides import Sides
from gateway.store import repeats, rows, statements
from gateway.store.drafts import EndDraft, OrderDraft, Recorded, Settlement, StartDraft, Work


@dataclass(slots=True)
class Call:
    """A call row being worked on; ``row`` has the columns of ``calls``."""

    row: dict[str, Any]

    @property
    def logged_at(self) -> int:
        return int(self.row["logged_at"])

    @property
    def ordered(self) -> bool:
        return self.row["order_id"] is not None and self.row["status"] in ("ordered", "accepted", "unknown")

    def change(self, **values: Any) -> None:
        self.row.update(values)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a number belongs to."""

    account_id: int
    name: str
    contact: str


class Batch:
    """Load what the drafts need, ``add`` them in order, then ``flush``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[str, int] = {}
        self._counters: dict[str, int] = {}
        self._open: dict[str, list[Call]] = defaultdict(list)
        self._by_ref: dict[tuple[str, str], Call] = {}
        self._by_id: dict[int, Call] = {}
        self._owners: dict[tuple[str, str], Owner] = {}
        self._touched: dict[int, Call] = {}
        self._events: list[dict[str, Any]] = []
        self._orders: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._settled: list[dict[str, Any]] = []
        self._attempts: list[dict[str, Any]] = []

    @classmethod
    def load(cls, connection: Connection, drafts: Sequence[object]) -> "Batch":
        """Read counters, open calls and number owners that ``drafts`` need, in a handful of statements."""
        batch = cls(connection)
        about_calls = [draft for draft in drafts if isinstance(draft, StartDraft | EndDraft)]
        if about_calls or not all(isinstance(draft, Work) for draft in drafts):
            batch._read = dict(statements.COUNTERS.run(connection, COUNTERS))
            batch._counters = dict(batch._read)
        batch._load_open(about_calls)
        batch._load_refs(about_calls)
        batch._load_owners(drafts)
        return batch

    def _load_open(self, drafts: Sequence[StartDraft | EndDraft]) -> None:
        keys = {pair_key(draft.message.tenant, draft.sides) for draft in drafts}
        if keys:
            self._know_all(statements.OPEN_CALLS.run(self._connection, keys))

    def _load_refs(self, drafts: Sequence[StartDraft | EndDraft]) -> None:
        refs = defaultdict(set)
        for draft in drafts:
            if draft.message.call_ref:
                refs[draft.message.tenant].add(draft.message.call_ref)
        for tenant, wanted in refs.items():
            self._know_all(statements.CALLS_BY_REF.run(self._connection, wanted, [tenant]))

    def _load_owners(self, drafts: Sequence[object]) -> None:
        numbers: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            if isinstance(draft, StartDraft | EndDraft):
                numbers[draft.message.tenant].update(draft.sides.other.candidates)
            elif isinstance(draft, OrderDraft):
                numbers[draft.message.tenant].update(draft.other.candidates)
        for tenant, wanted in numbers.items():
            if wanted:
                self._load_owners_of(tenant, wanted)

    def _load_owners_of(self, tenant: str, numbers: set[str]) -> None:
        for number, contact, account_id, name, _ in statements.OWNERS.run(self._connection, numbers, [tenant]):
            self._owners.setdefault((tenant, number), Owner(account_id, name, contact))

    def add(self, draft: object) -> Any:
        """Work one draft into the batch and return its result."""
        return ADD[type(draft)](self, draft)

    def _add_work(self, draft: Work) -> Any:
        return draft.run(self._connection)

    def _add_start(self, draft: StartDraft) -> Recorded:
        message = draft.message
        at = message.occurred_at or message.received_at
        call = self._known_call(draft) or order_of_start(self._open_calls(draft), message.received_at)
        if call is None:
            call = self._new_call(draft, status="ringing", started_at=at)
        elif call.row["ended_at"] is None:
            call.change(status="ringing", started_at=at if call.ordered else call.row["started_at"])
            self._adopt_ref(call, message.call_ref)
        return self._event("call_started", call, message, draft.forwards)

    def _add_end(self, draft: EndDraft) -> Recorded:
        message = draft.message
        call = self._known_call(draft) or call_of_end(self._open_calls(draft), message.received_at)
        if call is None:
            call = self._new_call(draft, status="ringing", started_at=rows.start_of(message))
        self._end(call, message)
        return self._event("call_ended", call, message, draft.forwards)

    def _add_order(self, draft: OrderDraft) -> Recorded:
        message = draft.message
        earlier = repeats.earlier(self._connection, self._orders, draft)
        if earlier is not None:
            return Recorded(earlier["call_id"], 0, earlier["id"], repeated=True)
        order_id = self._next("order")
        call = self._ordered_call(draft, order_id)
        self._orders.append(rows.order(draft, order_id, call.row["id"]))
        seq = self._log(
            "order_placed", call, message.received_at, {"digits": draft.digits, "appliance": draft.appliance}
        )
        return Recorded(call.row["id"], seq, order_id)

    def _add_settlement(self, draft: Settlement) -> Recorded:
        self._flush_rows()
        order = self._connection.execute(statements.ORDER, {"order_id": draft.order_id}).mappings().one()
        call = self._call_by_id(order["call_id"])
        if order["outcome"] is not None:
            return Recorded(call.row["id"], 0, draft.order_id)
        delivery = draft.delivery
        self._settled.append(rows.settled(draft))
        self._settle_call(call, delivery.outcome, draft.at)
        self._attempts += [rows.attempt(made, order["tenant"], draft.order_id) for made in draft.attempts]
        dialled_by = draft.attempts[-1].appliance if draft.attempts else order["appliance"]
        told = {"outcome": delivery.outcome.value, "detail": delivery.detail, "appliance": dialled_by}
        return Recorded(call.row["id"], self._log("order_settled", call, draft.at, told), draft.order_id)

    def flush(self) -> None:
        """Write everything. Nothing may be added afterwards."""
        self._flush_rows()
        moved = [{"name": name, "value": value} for name, value in self._counters.items() if value != self._read[name]]
        statements.WRITE_COUNTERS.run(self._connection, moved)

    def _flush_rows(self) -> None:
        statements.WRITE_CALLS.run(self._connection, [call.row for call in self._touched.values()])
        statements.WRITE_ORDERS.run(self._connection, self._orders)
        for settled in self._settled:
            self._connection.execute(statements.SETTLE_ORDER, settled)
        statements.WRITE_ATTEMPTS.run(self._connection, self._attempts)
        statements.WRITE_EVENTS.run(self._connection, self._events)
        statements.WRITE_OUTBOX.run(self._connection, self._outbox)
        self._mark_written()

    def _mark_written(self) -> None:
        self._touched = {}
        for written in (self._orders, self._settled, self._attempts, self._events, self._outbox):
            written.clear()

    # calls

    def _known_call(self, draft: StartDraft | EndDraft) -> Call | None:
        """The call with the exchange's own id, when it gives one."""
        ref = draft.message.call_ref
        return self._by_ref.get((draft.message.tenant, ref)) if ref else None

    def _open_calls(self, draft: StartDraft | EndDraft) -> Iterable[Call]:
        """Open calls of the same pair; a call with an id of its own is not taken for one with another."""
        ref = draft.message.call_ref
        for call in self._open.get(pair_key(draft.message.tenant, draft.sides), ()):
            if call.row["open_key"] and not (ref and call.row["call_ref"]):
                yield call

    def _call_by_id(self, call_id: int) -> Call:
        if call_id not in self._by_id:
            self._know_all(statements.CALLS_BY_ID.run(self._connection, [call_id]))
        return self._by_id[call_id]

    def _know_all(self, found: Iterable[tuple[Any, ...]]) -> None:
        for row in found:
            self._know(Call(dict(zip(statements.CALL_COLUMNS, row, strict=True))))

    def _know(self, call: Call) -> None:
        row = call.row
        if row["id"] in self._by_id:
            return
        self._by_id[row["id"]] = call
        if row["open_key"]:
            self._open[row["open_key"]].append(call)
        if row["call_ref"]:
            self._by_ref[row["tenant"], row["call_ref"]] = call

    def _touch(self, call: Call) -> None:
        self._touched[call.row["id"]] = call

    def _new_call(self, draft: StartDraft | EndDraft, *, status: str, started_at: int | None) -> Call:
        message = draft.message
        call = self._make_call(message.tenant, draft.sides, message.received_at)
        call.row.update(
            status=status,
            started_at=started_at,
            call_ref=message.call_ref,
            number_as_sent=draft.sides.other.input[:255],
        )
        self._know(call)
        return call

    def _ordered_call(self, draft: OrderDraft, order_id: int) -> Call:
        message = draft.message
        direction = Direction.INTERNAL if draft.other.kind == "extension" else Direction.OUTGOING
        call = self._make_call(message.tenant, Sides(draft.extension, draft.other, direction), message.received_at)
        call.row.update(
            status="ordered",
            started_at=message.received_at,
            order_id=order_id,
            number_as_sent=message.number[:255],
        )
        self._know(call)
        return call

    def _make_call(self, tenant: str, sides: Sides, at: int) -> Call:
        owner = self._owner(tenant, sides)
        row = dict.fromkeys(statements.CALL_COLUMNS)
        row.update(
            id=self._next("call"),
            tenant=tenant,
            direction=sides.direction.value,
            extension=sides.extension[:32],
            number=(sides.other.national or sides.other.input)[:64],
            account_id=owner.account_id if owner else None,
            account_name=owner.name if owner else None,
            contact=owner.contact if owner else None,
            logged_at=at,
            open_key=pair_key(tenant, sides),
        )
        call = Call(row)
        self._touch(call)
        return call

    def _owner(self, tenant: str, sides: Sides) -> Owner | None:
        found = (self._owners.get((tenant, number)) for number in sides.other.candidates)
        return next((owner for owner in found if owner), None)

    def _adopt_ref(self, call: Call, ref: str | None) -> None:
        if ref and not call.row["call_ref"]:
            call.change(call_ref=ref)
            self._by_ref[call.row["tenant"], ref] = call

    def _end(self, call: Call, message: CallEnded) -> None:
        ended_at = message.occurred_at or message.received_at
        started_at = call.row["started_at"]
        duration_s = message.duration_s
        if duration_s is None and started_at is not None:
            duration_s = max(0, round((ended_at - started_at) / 1000))
        call.change(
            status="ended",
            ended_at=ended_at,
            duration_s=duration_s,
            recording_url=message.recording_url or call.row["recording_url"],
            open_key=None,
        )
        self._adopt_ref(call, message.call_ref)

    def _settle_call(self, call: Call, outcome: Outcome, at: int) -> None:
        """An order's outcome is the call's status, unless the exchange has already told more."""
        if call.row["status"] != "ordered":
            return
        call.change(status=outcome.value)
        if outcome in (Outcome.REFUSED, Outcome.UNREACHABLE):
            call.change(ended_at=at, duration_s=0, open_key=None)
        self._touch(call)

    # the log and what must be sent on

    def _event(self, kind: str, call: Call, message: CallStarted | CallEnded, forwards: tuple[str, ...]) -> Recorded:
        self._touch(call)
        seq = self._log(kind, call, message.received_at, {"received": rows.received(message)})
        for target in forwards:
            self._outbox.append(rows.letter(kind, call.row, message, target))
        return Recorded(call.row["id"], seq)

    def _log(self, kind: str, call: Call, at: int, told: dict[str, Any]) -> int:
        seq = self._next("event")
        self._events.append(rows.event(kind, call.row, seq, at, told))
        return seq

    def _next(self, counter: str) -> int:
        self._counters[counter] += 1
        return self._counters[counter]


ADD: Mapping[type, Callable[[Batch, Any], Any]] = {
    Work: Batch._add_work,
    StartDraft: Batch._add_start,
    EndDraft: Batch._add_end,
    OrderDraft: Batch._add_order,
    Settlement: Batch._add_settlement,
}
COUNTERS = ("event", "call", "order")
