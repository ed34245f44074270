"""One transaction's worth of drafts, worked out in memory between one round of reads and one of writes."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from gateway.adapter import Outcome
from gateway.domain.calls.direction import Sides
from gateway.domain.calls.pairing import (
    FoundCall,
    HeardEvent,
    PairingRule,
    find_group,
    find_of_end,
    find_of_start,
    leaves_rest_of_group,
)
from gateway.domain.calls.states import Effect, Event, State, after
from gateway.domain.messages import CallEnded, Direction
from gateway.errors import BadParameter
from gateway.store import repeats, rows, statements
from gateway.store.bulk import Driver
from gateway.store.candidates import CandidateCall, KnownCalls, heard_of, perhaps_heard
from gateway.store.choosing import choose
from gateway.store.drafts import (
    Choice,
    EndDraft,
    GiveUp,
    InVain,
    OrderDraft,
    Over,
    Recorded,
    Settlement,
    StartDraft,
    WriteJob,
)
from gateway.store.matching import Matches

Find = Callable[[HeardEvent, Sequence[CandidateCall]], FoundCall[CandidateCall]]


class Batch:
    """Load what the drafts need, ``add`` them in order, then ``flush``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver = Driver(connection)
        self._read: dict[str, int] = {}
        self._counters: dict[str, int] = {}
        self._calls = KnownCalls(connection, self._driver)
        self._matches = Matches(self._driver)
        self._matched: dict[int, dict[str, Any]] = {}
        self._touched: dict[int, CandidateCall] = {}
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
        if about_calls or not all(isinstance(draft, WriteJob) for draft in drafts):
            batch._read = dict(statements.COUNTERS.run(batch._driver, COUNTERS))
            batch._counters = dict(batch._read)
        batch._calls.load(about_calls)
        batch._load_matches(drafts)
        return batch

    def _load_matches(self, drafts: Sequence[object]) -> None:
        numbers: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            if isinstance(draft, StartDraft | EndDraft):
                numbers[draft.message.tenant].update(draft.sides.other.candidates)
            elif isinstance(draft, OrderDraft):
                numbers[draft.message.tenant].update(draft.other.candidates)
        self._matches.load(numbers)

    def add(self, draft: object) -> Any:
        """Work one draft into the batch and return its result."""
        return ADD[type(draft)](self, draft)

    def _add_work(self, draft: WriteJob) -> Any:
        return draft.run(self._connection)

    def _add_start(self, draft: StartDraft) -> Recorded:
        heard, known, found = self._find(draft, find_of_start)
        effect = after(found.call.state if found.call else State.NONE, Event.START).effect
        call = found.call or self._ring(draft, find_group(heard, known))
        if effect is Effect.RING:
            call.change(status="ringing", started_at=heard.occurred_at or heard.at, ended_at=None, duration_s=None)
            call.change(start_heard_at=heard.at, paired_by=found.rule.value)
        elif effect is Effect.ADD_START:
            self._add_late_start(call, heard, found.rule)
        self._calls.adopt_ref(call, draft.message.call_ref)
        is_news = effect in (Effect.OPEN, Effect.RING)
        return self._event("call_started", call, draft, repeat=effect is Effect.REPEAT, is_news=is_news)

    def _find(
        self, draft: StartDraft | EndDraft, find: Find
    ) -> tuple[HeardEvent, Sequence[CandidateCall], FoundCall[CandidateCall]]:
        """The call of an event, with the other calls that it may be about; by the other reading of its number only one
        that was ordered.
        """
        tenant, heard = draft.message.tenant, heard_of(draft)
        known = self._calls.about(tenant, heard)
        found = find(heard, known)
        if found.call is None and (perhaps := perhaps_heard(draft, heard)) is not None:
            others = [call for call in self._calls.about(tenant, perhaps) if call.row["order_id"] is not None]
            if (again := find(perhaps, others)).call is not None:
                return perhaps, others, again
        return heard, known, found

    def _ring(self, draft: StartDraft, group: CandidateCall | None) -> CandidateCall:
        at = draft.message.received_at
        call = self._new_call(draft, status="ringing", started_at=draft.message.occurred_at or at)
        call.change(start_heard_at=at)
        if group is not None:
            group.change(group_id=group.row["group_id"] or group.row["id"])
            call.change(group_id=group.row["group_id"])
            self._touch(group)
        return call

    def _add_late_start(self, call: CandidateCall, heard: HeardEvent, rule: PairingRule) -> None:
        if call.start_heard_at is not None or call.ended_at is None:
            return
        started_at = min(heard.occurred_at or heard.at, call.ended_at)
        if call.started_at is None:
            call.change(started_at=started_at, duration_s=round((call.ended_at - started_at) / 1000))
        call.change(start_heard_at=heard.at, paired_by=rule.value)

    def _add_end(self, draft: EndDraft) -> Recorded:
        heard, known, found = self._find(draft, find_of_end)
        effect = after(found.call.state if found.call else State.NONE, Event.END).effect
        call = found.call or self._new_call(draft, status="ended", started_at=rows.start_of(draft.message))
        is_news = effect is not Effect.ADD_END
        if is_news:
            self._end(call, draft.message, heard, found.rule)
            self._leave_group(call, known, heard)
        else:
            is_news = self._add_to_end(call, draft.message)
        self._calls.adopt_ref(call, draft.message.call_ref)
        return self._event("call_ended", call, draft, repeat=effect is Effect.ADD_END, is_news=is_news)

    def _end(self, call: CandidateCall, message: CallEnded, heard: HeardEvent, rule: PairingRule) -> None:
        ended_at = message.occurred_at or message.received_at
        duration_s = message.duration_s
        if duration_s is None and call.started_at is not None:
            duration_s = max(0, round((ended_at - call.started_at) / 1000))
        call.change(status="ended", ended_at=ended_at, duration_s=duration_s, end_heard_at=heard.at)
        call.change(recording_url=message.recording_url or call.recording_url, paired_by=rule.value)
        call.change(**rows.result_of(message))
        if heard.extension not in (call.extension, call.number) and not heard.internal:
            call.change(transferred_to=heard.extension)

    def _add_to_end(self, call: CandidateCall, message: CallEnded) -> bool:
        """Add what the first end did not say; whether there was anything."""
        told = {"recording_url": message.recording_url, "duration_s": message.duration_s, **rows.result_of(message)}
        new = {name: value for name, value in told.items() if value is not None and call.row[name] is None}
        call.change(**new)
        return bool(new)

    def _leave_group(self, call: CandidateCall, known: Sequence[CandidateCall], heard: HeardEvent) -> None:
        """Let the others of the call's group stop ringing, where they surely did."""
        group, at = call.row["group_id"], heard.at
        if group is None or not leaves_rest_of_group(call, heard):
            return
        for other in known:
            if other.row["group_id"] == group and after(other.state, Event.TAKEN_ELSEWHERE).effect is Effect.ELSEWHERE:
                other.change(status="elsewhere", ended_at=call.ended_at, duration_s=0)
                self._touch(other)
                self._log("call_ended", other, at, {"taken_by": call.row["id"]})

    def _choose(self, draft: Choice) -> Recorded:
        call = self._calls.find(draft.call_id)
        if call is None or call.row["tenant"] != draft.tenant:
            raise BadParameter("ligacao", str(draft.call_id), expected="uma ligação desta empresa")
        account = choose(self._connection, self._driver, draft)
        if account is None:
            call.change(account_id=None, account_name=None, contact=None)
        else:
            call.change(account_id=account.id, account_name=account.name, contact=draft.contact or None)
        self._touch(call)
        return Recorded(call.row["id"], self._log("account_chosen", call, draft.at, {"by": draft.by}))

    def _mark_over(self, draft: Over) -> Recorded:
        """Close a call of which an agent says that it is over; nothing where it is closed already."""
        call = self._calls.find(draft.call_id)
        if call is None or call.row["tenant"] != draft.tenant:
            raise BadParameter("ligacao", str(draft.call_id), expected="uma ligação desta empresa")
        if after(call.state, Event.MARKED_OVER).effect is not Effect.MARK:
            return Recorded(call.row["id"], 0, repeated=True)
        call.change(status="over", over_by=draft.by[:64], over_at=draft.at)
        self._touch(call)
        return Recorded(call.row["id"], self._log("call_ended", call, draft.at, {}))

    def _give_up(self, draft: GiveUp) -> int:
        """Close the calls of which no end will be waited for any more; how many they were."""
        return self._lose(self._calls.still_ringing(draft.tenant, draft.since, draft.before), draft.at)

    def _give_up_some(self, draft: InVain) -> int:
        """The same for calls that are known by their ids."""
        calls = (self._calls.get(call_id) for call_id in draft.call_ids)
        return self._lose([call for call in calls if call.state is State.RINGING], draft.at)

    def _lose(self, found: Sequence[CandidateCall], at: int) -> int:
        for call in found:
            call.change(status="lost")
            self._touch(call)
            self._log("call_lost", call, at, {})
        return len(found)

    def _add_order(self, draft: OrderDraft) -> Recorded:
        message = draft.message
        earlier = repeats.earlier(self._connection, self._driver, self._orders, draft)
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
        ((tenant, call_id, appliance, outcome),) = statements.ORDERS_TO_SETTLE.run(self._driver, [draft.order_id])
        call = self._calls.get(call_id)
        if outcome is not None:
            return Recorded(call.row["id"], 0, draft.order_id)
        delivery = draft.delivery
        self._settled.append(rows.settled(draft))
        self._settle_call(call, delivery.outcome, draft.at)
        self._attempts += [rows.attempt(made, tenant, draft.order_id) for made in draft.attempts]
        dialled_by = draft.attempts[-1].appliance if draft.attempts else appliance
        told = {"outcome": delivery.outcome.value, "detail": delivery.detail, "appliance": dialled_by}
        return Recorded(call.row["id"], self._log("order_settled", call, draft.at, told), draft.order_id)

    def flush(self) -> None:
        """Write everything. Nothing may be added afterwards."""
        self._flush_rows()
        moved = [{"name": name, "value": value} for name, value in self._counters.items() if value != self._read[name]]
        statements.WRITE_COUNTERS.run(self._driver, moved)

    def _flush_rows(self) -> None:
        statements.WRITE_CALLS.run(self._driver, [call.row for call in self._touched.values()])
        statements.WRITE_ORDERS.run(self._driver, self._orders)
        statements.SETTLE_ORDERS.run(self._driver, self._settled)
        statements.WRITE_ATTEMPTS.run(self._driver, self._attempts)
        statements.WRITE_EVENTS.run(self._driver, self._events)
        statements.WRITE_OUTBOX.run(self._driver, self._outbox)
        self._mark_written()

    def _mark_written(self) -> None:
        self._touched = {}
        for written in (self._orders, self._settled, self._attempts, self._events, self._outbox):
            written.clear()

    # calls

    def _touch(self, call: CandidateCall) -> None:
        self._touched[call.row["id"]] = call

    def _new_call(self, draft: StartDraft | EndDraft, *, status: str, started_at: int | None) -> CandidateCall:
        message = draft.message
        call = self._make_call(message.tenant, draft.sides, message.received_at)
        call.row.update(
            status=status,
            started_at=started_at,
            call_ref=message.call_ref,
            number_as_sent=draft.sides.other.input[:255],
        )
        self._calls.add(call)
        return call

    def _ordered_call(self, draft: OrderDraft, order_id: int) -> CandidateCall:
        message = draft.message
        direction = Direction.INTERNAL if draft.other.kind == "extension" else Direction.OUTGOING
        call = self._make_call(message.tenant, Sides(draft.extension, draft.other, direction), message.received_at)
        call.row.update(
            status="ordered",
            started_at=message.received_at,
            order_id=order_id,
            number_as_sent=message.number[:255],
        )
        self._calls.add(call)
        return call

    def _make_call(self, tenant: str, sides: Sides, at: int) -> CandidateCall:
        found = self._matches.of(tenant, sides.other.candidates, sides.extension)
        call_id = self._next("call")
        owner = found[0].match if found else None
        call = CandidateCall(rows.call(call_id, tenant, sides, owner, at))
        self._touch(call)
        if found:
            self._matched[call_id] = {"matched": {"by": found[0].reason.value, "of": len(found)}}
        return call

    def _settle_call(self, call: CandidateCall, outcome: Outcome, at: int) -> None:
        """An order's outcome is the call's status, unless the exchange has already told more."""
        if call.row["status"] != "ordered":
            return
        call.change(status=outcome.value)
        if outcome in (Outcome.REFUSED, Outcome.UNREACHABLE):
            call.change(ended_at=at, duration_s=0)
        self._touch(call)

    # the log and what must be sent on

    def _event(
        self, kind: str, call: CandidateCall, draft: StartDraft | EndDraft, *, repeat: bool, is_news: bool
    ) -> Recorded:
        """Log what was heard; whoever is told of events hears of it only when it is news."""
        self._touch(call)
        message = draft.message
        new = message.beyond(call.row)
        call.change(**new)
        is_news = is_news or (repeat and bool(new) and kind == "call_ended")
        told = {"received": rows.received(message)} | ({"repeat": True} if repeat else {})
        seq = self._log(kind, call, message.received_at, told)
        if is_news:
            self._outbox += [rows.letter(kind, call.row, message, target) for target in draft.forwards]
        return Recorded(call.row["id"], seq)

    def _log(self, kind: str, call: CandidateCall, at: int, told: dict[str, Any]) -> int:
        seq = self._next("event")
        # Said with the first event of a call, for whoever asks later why.
        told |= self._matched.pop(call.row["id"], {})
        self._events.append(rows.event(kind, call.row, seq, at, told))
        return seq

    def _next(self, counter: str) -> int:
        self._counters[counter] += 1
        return self._counters[counter]


ADD: Mapping[type, Callable[[Batch, Any], Any]] = {
    WriteJob: Batch._add_work,
    StartDraft: Batch._add_start,
    EndDraft: Batch._add_end,
    OrderDraft: Batch._add_order,
    Settlement: Batch._add_settlement,
    GiveUp: Batch._give_up,
    InVain: Batch._give_up_some,
    Choice: Batch._choose,
    Over: Batch._mark_over,
}
COUNTERS = ("event", "call", "order")
