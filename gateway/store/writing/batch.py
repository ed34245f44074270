"""One transaction's worth of drafts, worked out in memory between one round of reads and one of writes.

What becomes of a call is decided by the rule book (``domain/calls/book.py``): this loads what it looks at and writes
what it says. Events are worked out here, what other drafts ask for in ``orders.py``, ``endings.py`` and
``agent_actions.py``, with what ``Batch`` gives them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.domain.calls.book import decide
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import KINDS, CallChange, Decision, EventKind
from gateway.domain.calls.free_fields import LONGEST_NAME, MOST_FIELDS, read_fields
from gateway.domain.calls.legs import seen_from
from gateway.domain.calls.matching import RankReason
from gateway.domain.calls.states import State
from gateway.domain.identifiers import named_by
from gateway.errors import BadParameter
from gateway.store import rows, statements
from gateway.store.agents_at_extensions import AgentsAtExtensions
from gateway.store.bulk import Driver, Writes, write_together
from gateway.store.identified import Identified
from gateway.store.letters import fields as letters
from gateway.store.source_marks import SeenEvent, SourceMarks
from gateway.store.spoken_with import SpokenWith
from gateway.store.writing.agent_actions import (
    change_missed,
    choose_account,
    finish_follow_up,
    save_note,
    tell_untold_note,
)
from gateway.store.writing.candidates import CandidateCall, KnownCalls
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
from gateway.store.writing.endings import give_up, give_up_some, mark_over
from gateway.store.writing.lookups import load_together
from gateway.store.writing.matching import Matches
from gateway.store.writing.numbers_of import numbers_of
from gateway.store.writing.orders import add_order, settle_order
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


TOLD = (EventDraft, AgentStateDraft)
"""What exchanges tell: looked at with each draft, for which a union takes three times as long as a tuple."""
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
        self.connection = connection
        self.language_of = language_of
        self.owner = owner
        self.driver = Driver(connection)
        self.numbers = numbers_of(self.driver)
        self.calls = KnownCalls(connection, self.driver)
        self.repeats = Repeats(self.driver)
        self._matches = Matches(self.driver)
        self._identified = Identified(self.driver)
        self.agents = AgentsAtExtensions(self.driver)
        self._marks = SourceMarks(self.driver)
        self._fences = SourceFences(self.driver)
        self._matched: dict[int, dict[str, Any]] = {}
        self._touched: dict[int, CandidateCall] = {}
        self._events: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.outbox: list[dict[str, Any]] = []
        self.settled: list[dict[str, Any]] = []
        self.attempts: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._agent_states: list[dict[str, Any]] = []
        self._spoken_with = SpokenWith(self.driver)
        self._rows: Sequence[tuple[Writes, list[dict[str, Any]]]] = (
            (statements.WRITE_ORDERS, self.orders),
            (statements.SETTLE_ORDERS, self.settled),
            (statements.WRITE_ATTEMPTS, self.attempts),
            (statements.WRITE_EVENTS, self._events),
            (statements.WRITE_OUTBOX, self.outbox),
            (statements.WRITE_NOTES, self._notes),
            (statements.WRITE_AGENT_STATES, self._agent_states),
        )

    def write(self, drafts: Sequence[object]) -> list[Any]:
        """Write ``drafts`` in order and return what came of each."""
        # Looked at as few times as possible: most drafts are events of plain listeners, one or two at a time.
        told = [draft for draft in drafts if isinstance(draft, TOLD)]
        first = [self.numbers.load(drafts)]
        if fenced := [draft for draft in told if draft.fence is not None]:
            first.append(self._fences.load(fenced))
        if [draft for draft in told if draft.message.origin.mark is not None]:
            piped = load_together(self.driver, (*first, self._marks.load(drafts)))
            drafts = self._known_by_marks(drafts)
            piped |= load_together(self.driver, self._loads(drafts))
        else:
            piped = load_together(self.driver, (*first, *self._loads(drafts)))
        if piped:
            self.driver.let_wait_be_counted()
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
            loads.append(self.calls.load(events))
        if events or kinds[AgentStateDraft]:
            loads.append(self.agents.load(events, kinds[AgentStateDraft]))
        order_ids = {draft.event.order_id for draft in events if draft.event.order_id is not None}
        if order_ids or settled:
            loads.append(self.calls.load_orders(order_ids.union(draft.order_id for draft in settled)))
        if orders:
            loads.append(self.repeats.load(orders))
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
        self.numbers.reserve(drafts, lambda: self.calls.likely_new(about_calls))

    def _add_work(self, draft: WriteJob) -> Any:
        return draft.run(self.connection)

    def _add_event(self, draft: EventDraft) -> Recorded:
        """Let the rule book decide what an event changes; take that, and tell the log and the outbox of it."""
        if draft.fence is not None:
            self._fences.check(draft)
        if (seen := self._marks.seen(draft)) is not None:
            return self._add_seen(draft, seen)
        message, event = draft.message, self.agents.seen_by(draft)
        decided = self.decided(partial(decide, event, self.calls.about(message.tenant, event)))
        if event.fields is not None and decided.call.fields_cut:
            names = [name[:LONGEST_NAME] for name in list(event.fields)[: 2 * MOST_FIELDS]]
            log.warning("free_fields_cut", tenant=message.tenant, call=decided.call.id, names=names)
        received = {"received": rows.received(message)}
        call = self.take(decided, message.tenant, event.forms, event.at, received)
        self._keep_beside(decided, call, event.at)
        told = received | ({"repeat": True} if decided.repeat else {}) | ({"late": True} if draft.late else {})
        seq = self.log_event(decided.kind, call, event.at, told, decided.at)
        if decided.is_news and draft.forwards:
            told_at = (decided.extension, *decided.also_started)
            sits = [(extension, self.agents.at(message.tenant, extension)) for extension in told_at]
            self.outbox += letters.call_letters(KINDS[event.event].value, call, draft, seq, sits)
        self._marks.keep(draft, call.call.id)
        return Recorded(call.call.id, seq)

    def _add_seen(self, draft: EventDraft, seen: SeenEvent) -> Recorded:
        """Take an event that changes nothing: of one that was overtaken the log tells, of a repeated one it has."""
        call = None if seen.repeated else self.calls.find(seen.call_id)
        if call is None:
            return Recorded(seen.call_id, 0, repeated=True)
        self._marks.keep(draft, call.call.id, overtaken=True)
        told = {"received": rows.received(draft.message), "overtaken": True, "repeat": True}
        return Recorded(call.call.id, self.log_event(KINDS[draft.event.event], call, draft.event.at, told))

    def _keep_beside(self, decided: Decision, call: CandidateCall, at: int) -> None:
        """Keep what an event says besides the call: of its other legs, in notes, of missed calls of the same number."""
        for leg in decided.legs:
            taken = seen_from(call.call, leg.extension) == State.ELSEWHERE
            self.log_event(leg.kind, call, at, {"taken_by": call.call.id} if taken else {}, leg.extension)
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
        login, _ = self.agents.at(draft.message.tenant, draft.extension)
        state = rows.agent_state(draft, login or None)
        self._agent_states.append(state)
        seq = self.numbers.seq(draft.message.tenant)
        self._events.append(rows.agent_event(draft, state, seq))
        self.outbox += letters.agent_letters(draft, state, seq)
        self._marks.keep(draft, 0)
        return Recorded(0, seq)

    def _flush(self) -> None:
        self.flush_rows(last=True)

    def flush_rows(self, *, last: bool = False) -> None:
        """Write what the batch has made so far; the ``last`` time, what is written once."""
        writes = [*self._calls_to_write(), *self._rows]
        if last:
            writes += self._marks.to_write(), self.numbers.to_write()
        # Most often one statement, without a pipeline: behind that nobody counts how long the transaction is idle.
        with self.driver.together() if self._spoken_with else nullcontext():
            write_together(self.driver, writes)
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
                self.log_missed(known.tenant, call.end_heard_at or call.logged_at, told)

    def _settle_missed(self, *, last: bool) -> None:
        """Mark the missed calls of those with whom somebody speaks now as returned, and let the log tell of it."""
        settled = self._spoken_with.settle()
        if not settled:
            return
        for tenant, call_id, at, change in settled:
            self.log_missed(tenant, at, {"missed_call": call_id, "change": change})
        writes = [*self._spoken_with.to_write(), (statements.WRITE_EVENTS, self._events)]
        if last:
            writes.append(self.numbers.to_write())
        write_together(self.driver, writes)
        self._events.clear()

    def call_of(self, call_id: int, tenant: str) -> CandidateCall:
        """Return a call of the company. Raises ``BadParameter``."""
        call = self.calls.find(call_id)
        if call is None or call.tenant != tenant:
            raise BadParameter("ligacao", str(call_id), expected=OUR_CALL)
        return call

    def log_missed(self, tenant: str, at: int, told: dict[str, Any]) -> int:
        """Write an event of the list of missed calls, which all screens are told of; its ``seq``."""
        seq = self.numbers.seq(tenant)
        self._events.append(rows.missed_event(tenant, seq, at, told))
        return seq

    # calls

    def decided(self, rule: Callable[[int], Decision]) -> Decision:
        """Return what ``rule`` decides, with the id of a new call; that is fetched only where it opens one."""
        at_hand = self.numbers.call_at_hand()
        decided = rule(at_hand)
        if not decided.is_new:
            return decided
        taken = self.numbers.next_call()
        return decided if taken == at_hand else rule(taken)

    def take(
        self, decided: Decision, tenant: str, forms: Sequence[str], at: int, received: Mapping[str, Any] = NO_EVENT
    ) -> CandidateCall:
        """Take what the book decided: the event's call, which may be new, and others, which the log tells of first.

        What was ``received`` is told with the call that it named, too, where it goes on as another.
        """
        for other in decided.others:
            changed = self.change(other.call)
            if other.kind is not None:
                self.log_event(other.kind, changed, at, _beside(other, decided.call, received))
        if decided.is_new:
            return self._open(decided.call, tenant, forms)
        before = self.calls.get(decided.call.id).call
        call = self.change(decided.call)
        if call.beside["account_id"] is None and _tells_more_of_whose(before, call.call):
            self._find_account(call, forms)
        return call

    def _open(self, call: Call, tenant: str, forms: Sequence[str]) -> CandidateCall:
        opened = self.touch(self.calls.open(call, tenant))
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

    def change(self, call: Call) -> CandidateCall:
        """Let the known call of the same id be as ``call`` from now on."""
        return self.touch(self.calls.become(call))

    def touch(self, call: CandidateCall) -> CandidateCall:
        """Have ``call`` written with the next flush, with the name of the agent who answered it."""
        if login := call.call.answered_agent:
            known = call.beside["answered_agent_name"]
            call.beside["answered_agent_name"] = self.agents.name_of(call.tenant, login) or known
        self._touched[call.call.id] = call
        return call

    # the event log

    def log_event(
        self, kind: EventKind, call: CandidateCall, at: int, told: dict[str, Any], extension: str | None = None
    ) -> int:
        """Write an event of ``call``; with an ``extension`` other than the call's, as that one sees it."""
        seq = self.numbers.seq(call.tenant)
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
    OrderDraft: add_order,
    Settlement: settle_order,
    GiveUp: give_up,
    InVain: give_up_some,
    Choice: choose_account,
    Over: mark_over,
    MissedDraft: change_missed,
    NoteDraft: save_note,
    UntoldNote: tell_untold_note,
    FollowUpDone: finish_follow_up,
}
