"""The rule book of calls: an event and the calls that it may be about go in, what changes comes out.

``pairing.py`` finds the event's call, the table of ``states.py`` says what the event does to a call in that state, and
the function of that effect (``EFFECTS``) makes the call's next version. Nobody else decides what becomes of a call: the
store loads the calls that an event may be about and writes what the book says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.domain.calls.call import NOTHING_ATTACHED, Call
from gateway.domain.calls.heard import HeardEvent, MarkedOver, NoEnd, PlacedOrder, SettledOrder, TakenElsewhere
from gateway.domain.calls.pairing import (
    FoundCall,
    PairingRule,
    find_group,
    find_of_end,
    find_of_start,
    leaves_rest_of_group,
)
from gateway.domain.calls.results import read_result
from gateway.domain.calls.states import Effect, Event, State, Transition, after

E = TypeVar("E")


class EventKind(StrEnum):
    """What the event log calls an event of a call."""

    CALL_STARTED = "call_started"
    CALL_ENDED = "call_ended"
    CALL_LOST = "call_lost"
    ORDER_PLACED = "order_placed"
    ORDER_SETTLED = "order_settled"
    ACCOUNT_CHOSEN = "account_chosen"


KINDS: Mapping[Event, EventKind] = {
    Event.ORDER: EventKind.ORDER_PLACED,
    Event.ACCEPTED: EventKind.ORDER_SETTLED,
    Event.FAILED: EventKind.ORDER_SETTLED,
    Event.START: EventKind.CALL_STARTED,
    Event.END: EventKind.CALL_ENDED,
    Event.TAKEN_ELSEWHERE: EventKind.CALL_ENDED,
    Event.NO_END: EventKind.CALL_LOST,
    Event.MARKED_OVER: EventKind.CALL_ENDED,
}


@dataclass(frozen=True, slots=True)
class CallChange:
    """A call as it is from now on; ``kind`` None: nothing that the log is told of has happened to it."""

    call: Call
    kind: EventKind | None


class Decision(NamedTuple):
    """What an event changes: its own ``call``, and ``others``, of which the log tells first.

    A ``repeat`` is logged, but shown nowhere as something new. ``is_news``: whether those who asked to be told of
    events hear of it.
    """

    call: Call
    kind: EventKind
    is_new: bool = False
    repeat: bool = False
    is_news: bool = False
    others: tuple[CallChange, ...] = ()


class Case(NamedTuple, Generic[E]):
    """What an effect is worked out from: the event, the call that it found, by which rule, and the next status."""

    event: E
    call: Call
    rule: PairingRule
    status: str


def decide(event: HeardEvent, calls: Sequence[Call], new_id: int) -> Decision:
    """Return what ``event`` changes. ``calls`` are those that it may be about; a new call gets ``new_id``."""
    heard, found = _find(event, calls)
    if found.call is None:
        return OPENERS[heard.event](heard, calls, new_id, after(State.NONE, heard.event).state.value)
    then = after(found.call.state, heard.event)
    changed = _with_attached(EFFECTS[then.effect](Case(heard, found.call, found.rule, then.state.value)), heard)
    call = _with_ref(changed, heard)
    left = _leave_group(call, heard, calls) if then.effect is Effect.CLOSE else ()
    news = _is_news(then, changed, found.call)
    repeat = then.effect in REPEATS or (then.effect is Effect.ADD_START and changed == found.call)
    return Decision(call, KINDS[heard.event], repeat=repeat, is_news=news, others=left)


def decide_order(event: PlacedOrder, new_id: int) -> Decision:
    """Return the call that is to be placed."""
    status = after(State.NONE, event.event).state.value
    call = Call(
        new_id,
        event.direction.value,
        event.extension,
        event.number,
        event.number_as_sent,
        logged_at=event.at,
        status=status,
        started_at=event.at,
        order_id=event.order_id,
    )
    return Decision(call, KINDS[event.event], is_new=True)


def decide_about(call: Call, event: SettledOrder | MarkedOver | NoEnd | TakenElsewhere) -> CallChange:
    """Return what becomes of ``call``, which may be nothing."""
    then = after(call.state, event.event)
    changed = EFFECTS[then.effect](Case(event, call, PairingRule.CALL_ID, then.state.value))
    return CallChange(changed, None if then.effect is Effect.NOTHING else KINDS[event.event])


# finding the call


def _find(event: HeardEvent, calls: Sequence[Call]) -> tuple[HeardEvent, FoundCall]:
    """Find the event's call; by the other reading of its number only one that was ordered."""
    find = FINDERS[event.event]
    found = find(event, calls)
    if found.call is None and event.perhaps is not None:
        perhaps = event._replace(number=event.perhaps)
        again = find(perhaps, [call for call in calls if call.order_id is not None])
        if again.call is not None:
            return perhaps, again
    return event, found


def _is_news(then: Transition, changed: Call, before: Call) -> bool:
    return then.effect in NEWS or (then.effect is Effect.ADD_END and changed != before)


def _with_ref(call: Call, heard: HeardEvent) -> Call:
    """Let the call have the exchange's id, if it has none yet."""
    return call._replace(call_ref=heard.call_ref) if heard.call_ref and not call.call_ref else call


def _with_attached(call: Call, heard: HeardEvent) -> Call:
    """Let the call have what the exchange attaches to it and nobody has said yet."""
    if heard.attached == NOTHING_ATTACHED:
        return call
    both = zip(call.attached, heard.attached, strict=True)
    return call._replace(attached=tuple(new if known is None else known for known, new in both))


# a new call


def _open_start(heard: HeardEvent, calls: Sequence[Call], new_id: int, status: str) -> Decision:
    group = find_group(heard, calls)
    group_id = (group.group_id or group.id) if group else None
    started_at = heard.occurred_at or heard.at
    call = _new_call(heard, new_id, status, started_at=started_at, start_heard_at=heard.at, group_id=group_id)
    joined = (CallChange(group._replace(group_id=group_id), None),) if group and group.group_id is None else ()
    return Decision(call, EventKind.CALL_STARTED, is_new=True, is_news=True, others=joined)


def _open_end(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """A call of which only the end is known."""
    call = _new_call(heard, new_id, status, started_at=_start_of(heard))
    ended = _end(Case(heard, call, PairingRule.ALONE, status))
    return Decision(ended, EventKind.CALL_ENDED, is_new=True, is_news=True)


def _new_call(
    heard: HeardEvent,
    new_id: int,
    status: str,
    *,
    started_at: int | None,
    start_heard_at: int | None = None,
    group_id: int | None = None,
) -> Call:
    return Call(
        new_id,
        heard.direction.value,
        heard.extension,
        heard.number,
        heard.number_as_sent,
        heard.at,
        status,
        started_at,
        call_ref=heard.call_ref,
        start_heard_at=start_heard_at,
        group_id=group_id,
        attached=heard.attached,
    )


def _start_of(heard: HeardEvent) -> int | None:
    if heard.duration_s is None:
        return None
    return (heard.occurred_at or heard.at) - heard.duration_s * 1000


# what each effect makes of a call


def _same(case: Case[Any]) -> Call:
    return case.call


def _ring(case: Case[HeardEvent]) -> Call:
    heard = case.event
    return case.call._replace(
        status=case.status,
        started_at=heard.occurred_at or heard.at,
        ended_at=None,
        duration_s=None,
        start_heard_at=heard.at,
        paired_by=case.rule.value,
    )


def _add_start(case: Case[HeardEvent]) -> Call:
    """The start was overtaken by its end, which may have said how long the call was."""
    heard, call = case.event, case.call
    if call.start_heard_at is not None or call.ended_at is None:
        return call
    if call.started_at is None:
        started_at = min(heard.occurred_at or heard.at, call.ended_at)
        call = call._replace(started_at=started_at, duration_s=round((call.ended_at - started_at) / 1000))
    return call._replace(start_heard_at=heard.at, paired_by=case.rule.value)


def _end(case: Case[HeardEvent]) -> Call:
    heard, call = case.event, case.call
    ended_at = heard.occurred_at or heard.at
    duration_s = heard.duration_s
    if duration_s is None and call.started_at is not None:
        duration_s = max(0, round((ended_at - call.started_at) / 1000))
    elsewhere = heard.extension not in (call.extension, call.number) and not heard.internal
    result, result_text = _result_of(heard)
    return call._replace(
        status=case.status,
        ended_at=ended_at,
        duration_s=duration_s,
        end_heard_at=heard.at,
        recording_url=heard.recording_url or call.recording_url,
        paired_by=case.rule.value,
        result=result,
        result_text=result_text,
        transferred_to=heard.extension if elsewhere else call.transferred_to,
    )


def _add_end(case: Case[HeardEvent]) -> Call:
    """Add what the first end did not say."""
    heard, call = case.event, case.call
    result, result_text = _result_of(heard)
    return call._replace(
        recording_url=heard.recording_url if call.recording_url is None else call.recording_url,
        duration_s=heard.duration_s if call.duration_s is None else call.duration_s,
        result=result if call.result is None else call.result,
        result_text=result_text if call.result_text is None else call.result_text,
    )


def _result_of(heard: HeardEvent) -> tuple[str | None, str | None]:
    """How a call ended, as a code and in the exchange's words; both None where it said nothing."""
    result = read_result(heard.result_text, heard.duration_s)
    return (result.value, heard.result_text) if result else (None, None)


def _taken_elsewhere(case: Case[TakenElsewhere]) -> Call:
    return case.call._replace(status=case.status, ended_at=case.event.at, duration_s=0)


def _give_up(case: Case[NoEnd]) -> Call:
    return case.call._replace(status=case.status)


def _mark(case: Case[MarkedOver]) -> Call:
    return case.call._replace(status=case.status, over_by=case.event.by, over_at=case.event.at)


def _accept(case: Case[SettledOrder]) -> Call:
    return case.call._replace(status=case.event.outcome)


def _fail(case: Case[SettledOrder]) -> Call:
    return case.call._replace(status=case.event.outcome, ended_at=case.event.at, duration_s=0)


FINDERS: Mapping[Event, Callable[[HeardEvent, Sequence[Call]], FoundCall]] = {
    Event.START: find_of_start,
    Event.END: find_of_end,
}
OPENERS: Mapping[Event, Callable[[HeardEvent, Sequence[Call], int, str], Decision]] = {
    Event.START: _open_start,
    Event.END: _open_end,
}
EFFECTS: Mapping[Effect, Callable[[Case[Any]], Call]] = {
    Effect.NOTHING: _same,
    Effect.REPEAT: _same,
    Effect.ACCEPT: _accept,
    Effect.FAIL: _fail,
    Effect.RING: _ring,
    Effect.ADD_START: _add_start,
    Effect.CLOSE: _end,
    Effect.ADD_END: _add_end,
    Effect.ELSEWHERE: _taken_elsewhere,
    Effect.GIVE_UP: _give_up,
    Effect.MARK: _mark,
}
REPEATS = (Effect.REPEAT, Effect.ADD_END)
NEWS = (Effect.RING, Effect.CLOSE)


def _leave_group(call: Call, heard: HeardEvent, calls: Sequence[Call]) -> tuple[CallChange, ...]:
    """Let the others of the call's group stop ringing, where they surely did."""
    if call.group_id is None or not leaves_rest_of_group(call, heard):
        return ()
    event = TakenElsewhere(call.ended_at or heard.at)
    others = (other for other in calls if other.group_id == call.group_id and other.id != call.id)
    decided = (decide_about(other, event) for other in others)
    return tuple(change for change in decided if change.kind is not None)
