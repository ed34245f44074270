"""One transaction's worth of drafts, worked out in memory between one round of reads and one of writes.

What becomes of a call is decided by the rule book (``domain/calls/book.py``): this loads what it looks at and writes
what it says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.domain.calls.about import decide_about
from gateway.domain.calls.book import decide, decide_in_vain, decide_order, legs_told
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import KINDS, CallChange, Decision, EventKind
from gateway.domain.calls.free_fields import LONGEST_NAME, MOST_FIELDS, read_fields
from gateway.domain.calls.heard import LONGEST_LOGIN, MarkedOver, SettledOrder, placed_order
from gateway.domain.calls.legs import seen_from
from gateway.domain.calls.matching import RankReason
from gateway.domain.calls.states import State
from gateway.domain.identifiers import named_by
from gateway.errors import BadParameter
from gateway.store import missed_changes, note_changes, rows, statements
from gateway.store.agents_at_extensions import AgentsAtExtensions
from gateway.store.bulk import Driver, Writes, write_together
from gateway.store.choosing import choose
from gateway.store.identified import Identified
from gateway.store.letters import fields as letters
from gateway.store.source_marks import SeenEvent, SourceMarks
from gateway.store.spoken_with import SpokenWith
from gateway.store.writing.candidates import CandidateCall, KnownCalls, StoredOrder
from gateway.store.writing.drafts import (
    AgentStateDraft,
    Choice,
    EventDraft,
    FollowUpDone,
    GiveUp,
    InVain,
    MissedDraft,
    NoteDraft,
    OrderDraft,
    Over,
    Recorded,
    Settlement,
    UntoldNote,
    WriteJob,
)
from gateway.store.writing.lookups import load_together
from gateway.store.writing.matching import Matches
from gateway.store.writing.numbers_of import numbers_of
from gateway.store.writing.repeats import Repeats
from gateway.store.writing.source_fence import SourceFences
from gateway.texts.languages import DEFAULT, Language
from gateway.texts.text import Text

log = structlog.get_logger()

OUR_CALL = Text("a call of this company")
NO_EVENT: Mapping[str, Any] = {}


def default_language(tenant: str) -> Language:
    """Return the language of companies that name none."""
    return DEFAULT


def no_owner() -> str | None:
    """Return the name of a process that has none."""
    return None


Written = tuple[Writes, Sequence[Any]]
"""A statement, and the rows that it is to write."""


class Batch:
    """One use of each: it loads what the drafts need, works them out one after the other, and writes it all."""

    def __init__(
        self,
        connection: Connection,
        language_of: Callable[[str], Language] = default_language,
        owner: Callable[[], str | None] = no_owner,
    ) -> None:
        """Take ``language_of``, which gives a company's language: sentences are kept as id and facts, and as text in
        that one; and ``owner``, which gives the name of the process that tries the orders (``presence.py``).
        """
        self._connection = connection
        self._language_of = language_of
        self._owner = owner
        self._driver = Driver(connection)
        self._numbers = numbers_of(self._driver)
        self._calls = KnownCalls(connection, self._driver)
        self._repeats = Repeats(self._driver)
        self._matches = Matches(self._driver)
        self._identified = Identified(self._driver)
        self._agents = AgentsAtExtensions(self._driver)
        self._marks = SourceMarks(self._driver)
        self._fences = SourceFences(self._driver)
        self._matched: dict[int, dict[str, Any]] = {}
        self._touched: dict[int, CandidateCall] = {}
        self._events: list[dict[str, Any]] = []
        self._orders: list[dict[str, Any]] = []
        self._outbox: list[dict[str, Any]] = []
        self._settled: list[dict[str, Any]] = []
        self._attempts: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._agent_states: list[dict[str, Any]] = []
        self._spoken_with = SpokenWith(self._driver)
        self._rows: Sequence[tuple[Writes, list[dict[str, Any]]]] = (
            (statements.WRITE_ORDERS, self._orders),
            (statements.SETTLE_ORDERS, self._settled),
            (statements.WRITE_ATTEMPTS, self._attempts),
            (statements.WRITE_EVENTS, self._events),
            (statements.WRITE_OUTBOX, self._outbox),
            (statements.WRITE_NOTES, self._notes),
            (statements.WRITE_AGENT_STATES, self._agent_states),
        )

    def write(self, drafts: Sequence[object]) -> list[Any]:
        """Write ``drafts`` in order and return what came of each."""
        # Looked at as few times as possible: most drafts are events of plain listeners, one or two at a time.
        told = [draft for draft in drafts if isinstance(draft, EventDraft | AgentStateDraft)]
        first = [self._numbers.load(drafts)]
        if fenced := [draft for draft in told if draft.fence is not None]:
            first.append(self._fences.load(fenced))
        if [draft for draft in told if draft.message.origin.mark is not None]:
            load_together(self._driver, (*first, self._marks.load(drafts)))
            drafts = self._known_by_marks(drafts)
            load_together(self._driver, self._loads(drafts))
        else:
            load_together(self._driver, (*first, *self._loads(drafts)))
        self._reserve(drafts)
        results = [ADD[type(draft)](self, draft) for draft in drafts]
        self._flush()
        return results

    def _known_by_marks(self, drafts: Sequence[object]) -> list[object]:
        """Return ``drafts``, each call by the id that it is known by."""
        return [self._marks.resolved(draft) if isinstance(draft, EventDraft) else draft for draft in drafts]

    def _loads(self, drafts: Sequence[object]) -> Sequence[Iterator[None]]:
        """Return what reads all that ``drafts`` need: calls, orders, who sits where, whose numbers are."""
        kinds: dict[type, list[Any]] = defaultdict(list)
        for draft in drafts:
            kinds[type(draft)].append(draft)
        events, orders, settled = kinds[EventDraft], kinds[OrderDraft], kinds[Settlement]
        loads = []
        if events:
            loads.append(self._calls.load(events))
        if events or kinds[AgentStateDraft]:
            loads.append(self._agents.load(events, kinds[AgentStateDraft]))
        order_ids = {draft.event.order_id for draft in events if draft.event.order_id is not None}
        if order_ids or settled:
            loads.append(self._calls.load_orders(order_ids.union(draft.order_id for draft in settled)))
        if orders:
            loads.append(self._repeats.load(orders))
        if events or orders:
            loads.append(self._load_matches(events, orders))
        return loads

    def _load_matches(self, events: Iterable[EventDraft], orders: Iterable[OrderDraft]) -> Iterator[None]:
        numbers: dict[str, set[str]] = defaultdict(set)
        for event in events:
            numbers[event.message.tenant].update(event.event.forms)
        for order in orders:
            numbers[order.message.tenant].update(order.other.candidates)
        return self._matches.load(numbers)

    def _reserve(self, drafts: Sequence[object]) -> None:
        if set(map(type, drafts)) == {WriteJob}:
            return
        about_calls = [draft for draft in drafts if isinstance(draft, EventDraft)]
        self._numbers.reserve(drafts, lambda: self._calls.likely_new(about_calls))

    def _add_work(self, draft: WriteJob) -> Any:
        return draft.run(self._connection)

    def _add_event(self, draft: EventDraft) -> Recorded:
        """Let the rule book decide what an event changes; take that, and tell the log and the outbox of it."""
        if draft.fence is not None:
            self._fences.check(draft)
        if (seen := self._marks.seen(draft)) is not None:
            return self._add_seen(draft, seen)
        message, event = draft.message, self._agents.seen_by(draft)
        decided = self._decided(partial(decide, event, self._calls.about(message.tenant, event)))
        if event.fields is not None and decided.call.fields_cut:
            names = [name[:LONGEST_NAME] for name in list(event.fields)[: 2 * MOST_FIELDS]]
            log.warning("free_fields_cut", tenant=message.tenant, call=decided.call.id, names=names)
        received = {"received": rows.received(message)}
        call = self._take(decided, message.tenant, event.forms, event.at, received)
        self._keep_beside(decided, call, event.at)
        told = received | ({"repeat": True} if decided.repeat else {}) | ({"late": True} if draft.late else {})
        seq = self._log(decided.kind, call, event.at, told, decided.at)
        if decided.is_news and draft.forwards:
            told_at = (decided.extension, *decided.also_started)
            sits = [(extension, self._agents.at(message.tenant, extension)) for extension in told_at]
            self._outbox += letters.call_letters(KINDS[event.event].value, call, draft, seq, sits)
        self._marks.keep(draft, call.call.id)
        return Recorded(call.call.id, seq)

    def _add_seen(self, draft: EventDraft, seen: SeenEvent) -> Recorded:
        """Take an event that changes nothing: of one that was overtaken the log tells, of a repeated one it has."""
        call = None if seen.repeated else self._calls.find(seen.call_id)
        if call is None:
            return Recorded(seen.call_id, 0, repeated=True)
        self._marks.keep(draft, call.call.id, overtaken=True)
        told = {"received": rows.received(draft.message), "overtaken": True, "repeat": True}
        return Recorded(call.call.id, self._log(KINDS[draft.event.event], call, draft.event.at, told))

    def _keep_beside(self, decided: Decision, call: CandidateCall, at: int) -> None:
        """Keep what an event says besides the call: of its other legs, in notes, of missed calls of the same number."""
        for leg in decided.legs:
            taken = seen_from(call.call, leg.extension) == State.ELSEWHERE
            self._log(leg.kind, call, at, {"taken_by": call.call.id} if taken else {}, leg.extension)
        if decided.note:
            self._notes.append(rows.note(decided.note, call))
        if decided.returns:
            self._spoken_with.add(call, at)

    def _add_agent_state(self, draft: AgentStateDraft) -> Recorded:
        """Keep what an exchange tells of an agent; it changes no call."""
        if draft.fence is not None:
            self._fences.check(draft)
        if self._marks.seen(draft) is not None:
            return Recorded(0, 0, repeated=True)
        login, _ = self._agents.at(draft.message.tenant, draft.extension)
        state = rows.agent_state(draft, login or None)
        self._agent_states.append(state)
        seq = self._numbers.seq(draft.message.tenant)
        self._events.append(rows.agent_event(draft, state, seq))
        self._outbox += letters.agent_letters(draft, state, seq)
        self._marks.keep(draft, 0)
        return Recorded(0, seq)

    def _choose(self, draft: Choice) -> Recorded:
        call = self._calls.find(draft.call_id)
        if call is None or call.tenant != draft.tenant:
            raise BadParameter("ligacao", str(draft.call_id), expected=OUR_CALL)
        self._flush_rows()  # what this batch has decided of the call counts, too
        account = choose(self._connection, self._driver, draft, call.row)
        if account is None:
            call.beside.update(account_id=None, account_code=None, account_name=None, contact=None)
        else:
            call.beside.update(account_id=account.id, account_code=account.code, account_name=account.name)
            call.beside["contact"] = draft.contact or None
        self._touch(call)
        note_changes.follow_account(self._connection, call.row)
        told = {"by": draft.by}
        others = {leg.extension for leg in call.call.legs} - {call.row["extension"]}
        for extension in sorted(others):
            self._log(EventKind.ACCOUNT_CHOSEN, call, draft.at, dict(told), extension)
        return Recorded(call.call.id, self._log(EventKind.ACCOUNT_CHOSEN, call, draft.at, told))

    def _mark_over(self, draft: Over) -> Recorded:
        """Close a call of which an agent says that it is over; nothing where it is closed already."""
        call = self._calls.find(draft.call_id)
        if call is None or call.tenant != draft.tenant:
            raise BadParameter("ligacao", str(draft.call_id), expected=OUR_CALL)
        seq = self._happen(call, MarkedOver(draft.by[:LONGEST_LOGIN], draft.at), draft.at)
        return Recorded(call.call.id, seq, repeated=not seq)

    def _give_up(self, draft: GiveUp) -> int:
        """Close the calls of which no end will be waited for any more; return how many they were."""
        return self._lose(self._calls.going_on(draft.tenant, draft.since, draft.before), draft.at)

    def _give_up_some(self, draft: InVain) -> int:
        """Close the calls that are known by their ids, of which no end will be waited for any more; return how many."""
        return self._lose([self._calls.get(call_id) for call_id in draft.call_ids], draft.at)

    def _lose(self, calls: Sequence[CandidateCall], at: int) -> int:
        return sum(1 for call in calls if self._lose_one(call, at))

    def _lose_one(self, call: CandidateCall, at: int) -> bool:
        grouped = self._calls.with_number(call.tenant, call.call) if call.call.group_id else []
        changes = decide_in_vain(call.call, grouped)
        for change in changes:
            self._tell_change(change, at)
        return bool(changes)

    def _happen(self, call: CandidateCall, event: MarkedOver, at: int) -> int:
        """Let an event happen to ``call``; its ``seq`` in the log, 0 when it changes nothing."""
        change = decide_about(call.call, event)
        return self._tell_change(change, at) if change.kind else 0

    def _tell_change(self, change: CallChange, at: int) -> int:
        """Take how a call is from now on, and tell the log so at each of its extensions; the last ``seq``."""
        before = self._calls.get(change.call.id).call
        call = self._change(change.call)
        for leg in legs_told(change, before):
            self._log(leg.kind, call, at, {}, leg.extension)
        return self._log(change.kind or EventKind.CALL_LOST, call, at, {})

    def _add_order(self, draft: OrderDraft) -> Recorded:
        message = draft.message
        earlier = self._repeats.earlier(draft)
        if earlier is not None:
            return Recorded(earlier.call_id, 0, earlier.id, repeated=True)
        order_id = self._numbers.next_order()
        order = placed_order(message, draft.extension, draft.other, order_id)
        decided = self._decided(partial(decide_order, order))
        call = self._take(decided, message.tenant, draft.other.candidates, order.at)
        row = rows.order(draft, order_id, call.call.id, self._owner())
        self._repeats.add(row)
        self._orders.append(row)
        told = {"digits": draft.digits, "appliance": draft.appliance}
        return Recorded(call.call.id, self._log(decided.kind, call, order.at, told), order_id)

    def _add_settlement(self, draft: Settlement) -> Recorded:
        order = self._calls.order(draft.order_id) or self._of_this_batch(draft.order_id)
        call = self._calls.get(order.call_id)
        if order.outcome is not None:
            return Recorded(call.call.id, 0, draft.order_id)
        tenant, delivery = order.tenant, draft.delivery
        self._calls.settle(draft.order_id, delivery.outcome.value)
        language = self._language_of(tenant)
        said = rows.kept(delivery.text, language)
        self._settled.append(rows.settled(draft, said))
        for made in draft.attempts:
            attempt_said = said if made.delivery is delivery else rows.kept(made.delivery.text, language)
            self._attempts.append(rows.attempt(made, tenant, draft.order_id, attempt_said))
        self._change(decide_about(call.call, SettledOrder(delivery.outcome.value, draft.at)).call)
        dialled_by = draft.attempts[-1].appliance if draft.attempts else order.appliance
        told = {
            "outcome": delivery.outcome.value,
            "detail": said[0],
            "appliance": dialled_by,
        }
        return Recorded(call.call.id, self._log(EventKind.ORDER_SETTLED, call, draft.at, told), draft.order_id)

    def _of_this_batch(self, order_id: int) -> StoredOrder:
        """Return an order that was not there when the batch began."""
        self._flush_rows()
        load_together(self._driver, [self._calls.load_orders([order_id])])
        order = self._calls.order(order_id)
        if order is None:
            raise LookupError(f"no order {order_id}")
        return order

    def _flush(self) -> None:
        self._flush_rows(last=True)

    def _flush_rows(self, *, last: bool = False) -> None:
        """Write what the batch has made so far; the ``last`` time, what is written once."""
        writes = [*self._calls_to_write(), *self._rows]
        if last:
            writes += self._marks.to_write(), self._numbers.to_write()
        with self._driver.together():
            write_together(self._driver, writes)
            if self._spoken_with:
                self._spoken_with.ask()
        for _, written in self._rows:
            if written:
                written.clear()
        if self._spoken_with:
            self._settle_missed(last=last)

    def _calls_to_write(self) -> Sequence[Written]:
        touched, self._touched = self._touched.values(), {}
        if not touched:
            return ()
        self._tell_missed(touched)
        legs = [row for call in touched if call.call.legs for row in call.legs_to_keep()]
        calls = [call.to_write() for call in touched]
        return (statements.WRITE_CALLS, calls), (statements.WRITE_LEGS, legs)

    def _tell_missed(self, calls: Iterable[CandidateCall]) -> None:
        """Let the log tell that calls have come to the list of missed calls, or left it."""
        for known in calls:
            call, missed = known.call, bool(known.call.missed)
            if missed is not known.was_missed:
                known.was_missed = missed
                told = {"missed_call": call.id, "change": "missed" if missed else "answered"}
                self._log_missed(known.tenant, call.end_heard_at or call.logged_at, told)

    def _settle_missed(self, *, last: bool) -> None:
        """Mark the missed calls of those with whom somebody speaks now as returned, and let the log tell of it."""
        settled = self._spoken_with.settle()
        if not settled:
            return
        for tenant, call_id, at, change in settled:
            self._log_missed(tenant, at, {"missed_call": call_id, "change": change})
        writes = [*self._spoken_with.to_write(), (statements.WRITE_EVENTS, self._events)]
        if last:
            writes.append(self._numbers.to_write())
        write_together(self._driver, writes)
        self._events.clear()

    def _change_missed(self, draft: MissedDraft) -> Recorded:
        """Do what an agent says of customers in the list of missed calls."""
        self._flush_rows()
        changed = missed_changes.change(self._connection, draft)
        if not changed:
            return Recorded(draft.call_ids[0], 0, repeated=True)
        told = {"missed_call": changed[-1], "change": draft.action.value, "by": draft.by}
        return Recorded(changed[-1], self._log_missed(draft.tenant, draft.at, told))

    def _save_note(self, draft: NoteDraft) -> Recorded:
        """Keep what an agent writes of a call; a finished note is told."""
        self._flush_rows()
        call = self._of_company(draft.call_id, draft.tenant)
        before = note_changes.stored(self._connection, draft.call_id)
        changed = note_changes.save(self._connection, draft, call.row)
        seq = 0
        if changed and (before.follow_up_at if before else None) != draft.follow_up_at:
            told = {"missed_call": draft.call_id, "change": "follow_up", "by": draft.by}
            seq = self._log_missed(draft.tenant, draft.at, told)
        if draft.finished:
            seq = self._tell_note(draft, draft.at) or seq
        return Recorded(draft.call_id, seq, repeated=not changed)

    def _add_untold(self, draft: UntoldNote) -> Recorded:
        """Tell of a note that was left alone as it is."""
        note = note_changes.stored(self._connection, draft.call_id)
        if note is None or note.updated_at > draft.before:
            return Recorded(draft.call_id, 0, repeated=True)
        seq = self._tell_note(draft, note.updated_at)
        return Recorded(draft.call_id, seq, repeated=not seq)

    def _tell_note(self, draft: NoteDraft | UntoldNote, at: int) -> int:
        """Tell the log and forwards of the note of a call as it is; the event's ``seq``, 0 where they know of it."""
        note = note_changes.stored(self._connection, draft.call_id)
        if note is None or note.revision <= note.told_revision:
            return 0
        call = self._of_company(draft.call_id, draft.tenant)
        seq = self._log(EventKind.CALL_NOTED, call, at, {"note": rows.agent_note(note)})
        sits = self._agents.read_at(draft.tenant, call.row["extension"])
        self._outbox += letters.note_letters(call, draft, note, seq, sits)
        note_changes.mark_told(self._connection, note)
        return seq

    def _finish_follow_up(self, draft: FollowUpDone) -> Recorded:
        """Say that a follow-up is done."""
        done = note_changes.finish_follow_up(self._connection, draft.tenant, draft.call_id, by=draft.by, at=draft.at)
        if not done:
            return Recorded(draft.call_id, 0, repeated=True)
        told = {"missed_call": draft.call_id, "change": "follow_up_done", "by": draft.by}
        return Recorded(draft.call_id, self._log_missed(draft.tenant, draft.at, told))

    def _of_company(self, call_id: int, tenant: str) -> CandidateCall:
        """Return a call of the company. Raises ``BadParameter``."""
        call = self._calls.find(call_id)
        if call is None or call.tenant != tenant:
            raise BadParameter("ligacao", str(call_id), expected=OUR_CALL)
        return call

    def _log_missed(self, tenant: str, at: int, told: dict[str, Any]) -> int:
        """Write an event of the list of missed calls, which all screens are told of; its ``seq``."""
        seq = self._numbers.seq(tenant)
        self._events.append(rows.missed_event(tenant, seq, at, told))
        return seq

    # calls

    def _decided(self, rule: Callable[[int], Decision]) -> Decision:
        """Return what ``rule`` decides, with the id of a new call; that is fetched only where it opens one."""
        at_hand = self._numbers.call_at_hand()
        decided = rule(at_hand)
        if not decided.is_new:
            return decided
        taken = self._numbers.next_call()
        return decided if taken == at_hand else rule(taken)

    def _take(
        self, decided: Decision, tenant: str, forms: Sequence[str], at: int, received: Mapping[str, Any] = NO_EVENT
    ) -> CandidateCall:
        """Take what the book decided: the event's call, which may be new, and others, which the log tells of first.

        What was ``received`` is told with the call that it named, too, where it goes on as another.
        """
        for other in decided.others:
            changed = self._change(other.call)
            if other.kind is not None:
                self._log(other.kind, changed, at, _beside(other, decided.call, received))
        if decided.is_new:
            return self._open(decided.call, tenant, forms)
        before = self._calls.get(decided.call.id).call
        call = self._change(decided.call)
        if call.beside["account_id"] is None and _tells_more_of_whose(before, call.call):
            self._find_account(call, forms)
        return call

    def _open(self, call: Call, tenant: str, forms: Sequence[str]) -> CandidateCall:
        opened = self._touch(self._calls.open(call, tenant))
        opened.was_missed = False
        self._find_account(opened, forms)
        return opened

    def _find_account(self, call: CandidateCall, forms: Sequence[str]) -> None:
        """Let a call be the account's that has its number, else of the only one that its fields name; and note why."""
        tenant = call.tenant
        found = self._matches.of(tenant, forms, call.call.extension)
        if not found and call.call.fields and not call.call.internal:
            found = self._identified.of(tenant, named_by(read_fields(call.call.fields)))
        if found:
            if len(found) == 1 or found[0].reason is not RankReason.IDENTIFIER:
                owner = found[0].match
                call.beside.update(account_id=owner.account_id, account_code=owner.code, account_name=owner.name)
                call.beside["contact"] = owner.contact
            self._matched[call.call.id] = {"matched": {"by": found[0].reason.value, "of": len(found)}}

    def _change(self, call: Call) -> CandidateCall:
        return self._touch(self._calls.become(call))

    def _touch(self, call: CandidateCall) -> CandidateCall:
        if login := call.call.answered_agent:
            known = call.beside["answered_agent_name"]
            call.beside["answered_agent_name"] = self._agents.name_of(call.tenant, login) or known
        self._touched[call.call.id] = call
        return call

    # the event log

    def _log(
        self, kind: EventKind, call: CandidateCall, at: int, told: dict[str, Any], extension: str | None = None
    ) -> int:
        """Write an event of ``call``; with an ``extension`` other than the call's, as that one sees it."""
        seq = self._numbers.seq(call.tenant)
        # Said with the first event of a call, for whoever asks later why.
        told |= self._matched.pop(call.call.id, {})
        self._events.append(rows.event(kind.value, call, seq, at, told, extension))
        return seq


def _tells_more_of_whose(before: Call, call: Call) -> bool:
    """Return whether an event has told something by which an account can be found."""
    return call.number != before.number or call.fields != before.fields


def _beside(change: CallChange, call: Call, received: Mapping[str, Any]) -> dict[str, Any]:
    """Return which call is the reason that another one of its group changed."""
    if change.kind is EventKind.CALL_TRANSFERRED:
        return {"goes_on_as": call.id, **received}
    return {"taken_by": call.id} if change.call.state is State.ELSEWHERE else {}


ADD: Mapping[type, Callable[[Batch, Any], Any]] = {
    WriteJob: Batch._add_work,
    EventDraft: Batch._add_event,
    AgentStateDraft: Batch._add_agent_state,
    OrderDraft: Batch._add_order,
    Settlement: Batch._add_settlement,
    GiveUp: Batch._give_up,
    InVain: Batch._give_up_some,
    Choice: Batch._choose,
    Over: Batch._mark_over,
    MissedDraft: Batch._change_missed,
    NoteDraft: Batch._save_note,
    UntoldNote: Batch._add_untold,
    FollowUpDone: Batch._finish_follow_up,
}
