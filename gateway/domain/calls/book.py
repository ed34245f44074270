"""The rule book of calls: an event and the calls that it may be about go in, what changes comes out.

``pairing.py`` finds the event's call, the table of ``states.py`` says what the event does to a call in that state, and
the function of that effect (``effects.py``) makes the call's next version. Nobody else decides what becomes of a call:
the store loads the calls that an event may be about and writes what the book says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.calls.call import NOTHING_ATTACHED, Call
from gateway.domain.calls.effects import EFFECTS, Case, answered, end
from gateway.domain.calls.free_fields import added, read_fields
from gateway.domain.calls.ghosts import fell_silent
from gateway.domain.calls.heard import (
    FellSilent,
    HeardEvent,
    MarkedOver,
    NoEnd,
    PlacedOrder,
    SettledOrder,
    TakenElsewhere,
)
from gateway.domain.calls.leg_events import after_event, event_at
from gateway.domain.calls.legs import ATTENDED, changed_at, is_at, seen_from
from gateway.domain.calls.missed import group_of, judged
from gateway.domain.calls.pairing import (
    FoundCall,
    PairingRule,
    find_goes_on,
    find_group,
    find_of_answer,
    find_of_end,
    find_of_hold,
    find_of_note,
    find_of_queue,
    find_of_start,
    find_of_transfer,
    find_picked_up,
    leaves_rest_of_group,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import Effect, Event, State, Transition, after

ANY_TIME = 1 << 62
"""Later than any moment, in milliseconds since 1970: for whether a call fell silent, however long ago."""


class EventKind(StrEnum):
    """What the event log calls an event of a call."""

    CALL_STARTED = "call_started"
    CALL_ANSWERED = "call_answered"
    CALL_HELD = "call_held"
    CALL_RESUMED = "call_resumed"
    CALL_TRANSFERRED = "call_transferred"
    QUEUE_ENTERED = "queue_entered"
    QUEUE_LEFT = "queue_left"
    CALL_ENDED = "call_ended"
    CALL_NOTED = "call_noted"
    CALL_LOST = "call_lost"
    ORDER_PLACED = "order_placed"
    ORDER_SETTLED = "order_settled"
    ACCOUNT_CHOSEN = "account_chosen"
    AGENT_STATE_CHANGED = "agent_state_changed"


KINDS: Mapping[Event, EventKind] = {
    Event.ORDER: EventKind.ORDER_PLACED,
    Event.ACCEPTED: EventKind.ORDER_SETTLED,
    Event.FAILED: EventKind.ORDER_SETTLED,
    Event.START: EventKind.CALL_STARTED,
    Event.ANSWER: EventKind.CALL_ANSWERED,
    Event.RINGS_TOO: EventKind.CALL_STARTED,
    Event.HOLD: EventKind.CALL_HELD,
    Event.RESUME: EventKind.CALL_RESUMED,
    Event.TRANSFER: EventKind.CALL_TRANSFERRED,
    Event.HANDED_ON: EventKind.CALL_STARTED,
    Event.TALKS_ALREADY: EventKind.CALL_TRANSFERRED,
    Event.QUEUE: EventKind.QUEUE_ENTERED,
    Event.LEAVE_QUEUE: EventKind.QUEUE_LEFT,
    Event.ABANDON: EventKind.QUEUE_LEFT,
    Event.LEG_ENDED: EventKind.CALL_ENDED,
    Event.RINGS_ON: EventKind.CALL_ENDED,
    Event.WAITS_ON: EventKind.CALL_ENDED,
    Event.END: EventKind.CALL_ENDED,
    Event.NOTE: EventKind.CALL_NOTED,
    Event.FELL_SILENT: EventKind.CALL_ENDED,
    Event.TAKEN_ELSEWHERE: EventKind.CALL_ENDED,
    Event.NO_END: EventKind.CALL_LOST,
    Event.MARKED_OVER: EventKind.CALL_ENDED,
}


@dataclass(frozen=True, slots=True)
class CallChange:
    """A call as it is from now on; ``kind`` None: nothing that the log is told of has happened to it."""

    call: Call
    kind: EventKind | None


class Note(NamedTuple):
    """What is kept with a call besides its own fields: a further recording's address, what it cost, what was said."""

    at: int
    recording_url: str | None
    cost: str | None
    transcript: str | None


class LegNews(NamedTuple):
    """What the log is told of a leg at ``extension``, with the call."""

    extension: str
    kind: EventKind


class Decision(NamedTuple):
    """What an event changes: its own ``call``, and ``others``, of which the log tells first; then of ``legs``.

    A ``repeat`` is logged, but shown nowhere as something new. ``is_news``: whether those who asked to be told of
    events hear of it. ``at`` is the extension that it is about, where that is not simply the call's. A ``note`` is kept
    with the call. ``returns``: somebody speaks with its outside party now, whose missed calls are called back by that.
    """

    call: Call
    kind: EventKind
    is_new: bool = False
    repeat: bool = False
    is_news: bool = False
    others: tuple[CallChange, ...] = ()
    at: str | None = None
    legs: tuple[LegNews, ...] = ()
    note: Note | None = None
    returns: bool = False

    @property
    def extension(self) -> str:
        """The extension that is told of it."""
        return self.call.extension if self.at is None else self.at

    @property
    def also_started(self) -> tuple[str, ...]:
        """Further extensions that begin to ring by it."""
        if self.kind is not EventKind.CALL_STARTED:
            return ()
        return tuple(leg.extension for leg in self.legs if leg.kind is EventKind.CALL_STARTED)


def decide(event: HeardEvent, calls: Sequence[Call], new_id: int) -> Decision:
    """Return what ``event`` changes. ``calls`` are those that it may be about; a new call gets ``new_id``."""
    heard, found = _find(event, calls)
    decided = _decide(heard, found, calls, new_id)
    judged = _judged(decided, calls)
    return judged._replace(returns=True) if heard.known and _is_returned(judged, found.call) else judged


def _decide(heard: HeardEvent, found: FoundCall, calls: Sequence[Call], new_id: int) -> Decision:
    if found.call is None:
        status = after(State.NONE, heard.event).state.value
        opened = OPENERS[heard.event](heard, calls, new_id, status)
        return _opened(opened, heard)
    if heard.event is Event.TRANSFER and heard.to is not None and _is_already_at(found.call, heard):
        return Decision(found.call, EventKind.CALL_TRANSFERRED, repeat=True)
    decided = _decide_known(heard, found.call, found.rule, calls)
    if decided.kind is EventKind.CALL_TRANSFERRED and heard.stays_inside and not decided.call.legs:
        return _go_on_again(decided, heard, calls) if decided.repeat else _go_on_there(decided, heard, calls, new_id)
    return decided


def _is_already_at(call: Call, heard: HeardEvent) -> bool:
    """Return whether the call is already where it is said to be transferred to."""
    if not call.legs:
        return heard.to == call.extension
    here = [leg for leg in call.legs if leg.goes_on]
    return bool(here) and all(leg.extension == heard.to for leg in here)


def _decide_known(heard: HeardEvent, call: Call, rule: PairingRule, calls: Sequence[Call]) -> Decision:
    """Decide what becomes of a call that is known."""
    event = event_at(heard, call)
    then = after(call.state, event)
    case = Case(heard, _completed(call, heard), rule, then.state.value)
    changed = after_event(event, heard, case.call, EFFECTS[then.effect](case))
    changed = _with_told(changed, heard)
    told = _with_ref(changed, heard)
    note = _note_of(heard, call, told)
    told = told if note is None else told._replace(note_count=(told.note_count or 0) + 1)
    return Decision(
        told,
        KINDS[heard.event if event is Event.LEG_ENDED else event],
        repeat=note is None and (then.effect in REPEATS or (then.effect in ADDS and changed == call)),
        is_news=note is not None or _is_news(then, changed, call),
        others=_leave_group(told, heard, calls) if _takes(then.effect, told, heard) else (),
        at=_told_at(event, heard, told),
        legs=_leg_news(event, heard, call, told),
        note=note,
    )


def _opened(decided: Decision, heard: HeardEvent) -> Decision:
    """Return what was decided of a new call, with all that its first event tells."""
    if not (heard.also_rings or heard.fields or heard.line_name) and heard.event is not Event.NOTE:
        return decided
    call = (
        after_event(heard.event, heard, decided.call._replace(legs=()), decided.call)
        if heard.also_rings
        else decided.call
    )
    call = _with_told(call, heard)
    note = _note_of(heard, None, call)
    call = call if note is None else call._replace(note_count=1)
    rings = tuple(LegNews(leg.extension, EventKind.CALL_STARTED) for leg in call.legs[1:])
    return decided._replace(call=call, note=note, legs=rings)


def _completed(call: Call, heard: HeardEvent) -> Call:
    """Return a call with what its first events did not say of it: where it is, and who calls."""
    if call.extension and call.number:
        return call
    direction = call.direction if call.extension else heard.direction.value
    as_sent = call.number_as_sent if call.number else heard.number_as_sent
    extension, number = call.extension or heard.extension, call.number or heard.number
    return call._replace(extension=extension, number=number, number_as_sent=as_sent, direction=direction)


def _is_returned(decided: Decision, before: Call | None) -> bool:
    """Return whether somebody speaks with an outside party, of which nothing had been heard before this event."""
    if decided.call.internal or (before is not None and was_spoken_in(before)):
        return False
    return was_spoken_in(decided.call)


def was_spoken_in(call: Call) -> bool:
    """Return whether somebody surely spoke with the other party."""
    return call.answered_at is not None or call.result == Result.ANSWERED


def _note_of(heard: HeardEvent, before: Call | None, now: Call) -> Note | None:
    """Return what is to be kept with the call besides its fields, which hold one recording only."""
    further = heard.recording_url if heard.recording_url != now.recording_url else None
    if not (further or heard.cost or heard.transcript) or (now.note_count or 0) >= MOST_NOTES:
        return None
    return Note(heard.at, further, heard.cost, heard.transcript)


def _told_at(event: Event, heard: HeardEvent, call: Call) -> str | None:
    """Return at which extension the log is told of an event: that of its leg."""
    if not call.legs:
        return None
    if event is Event.HANDED_ON:
        return heard.to
    return heard.extension if is_at(call, heard.extension) else None


def _leg_news(event: Event, heard: HeardEvent, before: Call, now: Call) -> tuple[LegNews, ...]:
    """Return what is told of legs that change beside the one that the event is about."""
    if not now.legs or now.legs == before.legs:
        return ()
    main = _told_at(event, heard, now)
    others = (extension for extension in changed_at(before, now) if extension != main)
    return tuple(LegNews(extension, _kind_of_leg(event, extension, before, now)) for extension in others)


def _kind_of_leg(event: Event, extension: str, before: Call, now: Call) -> EventKind:
    seen = seen_from(now, extension)
    if seen in (State.RINGING, State.TALKING):
        began = not is_at(before, extension) or seen == State.RINGING
        return EventKind.CALL_STARTED if began else EventKind.CALL_ANSWERED
    return EventKind.CALL_TRANSFERRED if event is Event.HANDED_ON else EventKind.CALL_ENDED


def legs_told(change: CallChange, before: Call) -> tuple[LegNews, ...]:
    """Return what is told of the legs of a call that changes as a whole, beside the extension that it is at."""
    kind = change.kind or EventKind.CALL_ENDED
    others = (extension for extension in changed_at(before, change.call) if extension != change.call.extension)
    return tuple(LegNews(extension, kind) for extension in others)


def _judged(decided: Decision, calls: Sequence[Call]) -> Decision:
    """Say with what was decided which calls were missed by that; the log is told of one that another's end shows."""
    call = decided.call
    if call.group_id is None and call.state is not State.ENDED and not call.missed:
        return decided
    others = {change.call.id: change for change in decided.others}
    now = [others[each.id].call if each.id in others else each for each in calls]
    for each in judged(group_of(call, now)):
        if each.id == call.id:
            decided = decided._replace(call=each)
        else:
            known = others.get(each.id)
            others[each.id] = CallChange(each, (known.kind if known else None) or EventKind.CALL_ENDED)
    return decided._replace(others=tuple(others.values()))


def decide_in_vain(call: Call, calls: Sequence[Call]) -> tuple[CallChange, ...]:
    """Return what becomes of ``call``, whose end is not waited for any more, and of those of ``calls`` it rang with."""
    silent = fell_silent(call, lambda _ms: ANY_TIME)
    change = decide_about(call, FellSilent() if silent else NoEnd())
    if change.kind is None:
        return ()
    others = judged(group_of(change.call, calls)) if call.group_id else judged([change.call])
    found = {each.id: each for each in others}
    change = CallChange(found.pop(call.id, change.call), change.kind)
    return (change, *(CallChange(each, EventKind.CALL_ENDED) for each in found.values()))


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


def decide_about(call: Call, event: SettledOrder | MarkedOver | NoEnd | TakenElsewhere | FellSilent) -> CallChange:
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
    return then.effect in NEWS or (then.effect in NEWS_IF_CHANGED and changed != before)


def _with_ref(call: Call, heard: HeardEvent) -> Call:
    """Let the call have the exchange's id, if it has none yet."""
    return call._replace(call_ref=heard.call_ref) if heard.call_ref and not call.call_ref else call


def _with_told(call: Call, heard: HeardEvent) -> Call:
    """Let the call have what the exchange attaches to it and nobody has said yet; free fields are told anew."""
    if heard.attached != NOTHING_ATTACHED:
        call = call._replace(attached=_both(call.attached, heard.attached))
    if heard.line_name is not None and call.line_name is None:
        call = call._replace(line_name=heard.line_name)
    return call if heard.fields is None else _with_fields(call, heard.fields)


def _with_fields(call: Call, fields: Mapping[str, str]) -> Call:
    known, cut = added(call.fields, fields)
    return call._replace(fields=known, fields_cut=True if cut else call.fields_cut)


def _both(known: tuple[str | None, ...], new: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the ``known`` values, and where one is None the ``new`` one."""
    return tuple(later if first is None else first for first, later in zip(known, new, strict=True))


# a new call


def _open_start(heard: HeardEvent, calls: Sequence[Call], new_id: int, status: str) -> Decision:
    group = find_group(heard, calls)
    group_id = (group.group_id or group.id) if group else None
    started_at = heard.occurred_at or heard.at
    call = _new_call(heard, new_id, status, started_at=started_at, start_heard_at=heard.at, group_id=group_id)
    joined = (CallChange(group._replace(group_id=group_id), None),) if group and group.group_id is None else ()
    return Decision(call, EventKind.CALL_STARTED, is_new=True, is_news=True, others=joined)


def _open_answer(heard: HeardEvent, calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Decide for an answer that no call belongs to: log a call that was taken where it did not ring, or whose start was
    lost.
    """
    rang = find_picked_up(heard, calls)
    if rang is None:
        call = answered(_new_call(heard, new_id, status, started_at=None), heard)
        return Decision(call, EventKind.CALL_ANSWERED, is_new=True, is_news=True)
    group_id = rang.group_id or rang.id
    started_at = rang.started_at if rang.state is State.RINGING else None
    call = answered(_new_call(heard, new_id, status, started_at=started_at, group_id=group_id), heard)
    call = _with_known(call, rang)
    call = call._replace(paired_by=(PairingRule.CALL_ID if heard.call_ref else PairingRule.TRANSFER).value)
    joined = () if rang.group_id else (CallChange(rang._replace(group_id=group_id), None),)
    grouped = [change.call for change in joined] or calls
    left = _leave_group(call, heard, grouped)
    return Decision(call, EventKind.CALL_ANSWERED, is_new=True, is_news=True, others=left or joined)


def _open_transfer(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Return a call of which nothing was heard before it was transferred: it rings there, if that is an extension of
    ours.
    """
    if not heard.stays_inside:
        return _open_left(heard, new_id)
    call = _new_call(heard, new_id, status, started_at=heard.occurred_at or heard.at, start_heard_at=heard.at)
    call = call._replace(extension=heard.to or heard.extension)
    return Decision(call, EventKind.CALL_STARTED, is_new=True, is_news=True)


def _open_left(heard: HeardEvent, new_id: int) -> Decision:
    """Return a call of which only is known that it was transferred to where we see nothing: it is over here."""
    ended = State.ENDED.value
    call = _new_call(heard, new_id, ended, started_at=None)
    moved = EFFECTS[Effect.MOVE](Case(heard, call, PairingRule.ALONE, ended))
    return Decision(moved, EventKind.CALL_TRANSFERRED, is_new=True, is_news=True)


def _go_on_there(decided: Decision, heard: HeardEvent, calls: Sequence[Call], new_id: int) -> Decision:
    """Let a transferred call ring where it goes on, with what is known of it, unless it was heard of there before."""
    group_id = decided.call.group_id or decided.call.id
    left = decided.call._replace(group_id=group_id)
    there = find_goes_on(heard, left, calls)
    if there is not None:
        left = left if heard.attended is not None or there.state is not State.TALKING else _attended(left)
        joined = () if there.group_id else (CallChange(there._replace(group_id=group_id), None),)
        return decided._replace(call=left._replace(group_id=there.group_id or group_id), others=joined)
    status = after(State.NONE, Event.TRANSFER).state.value
    opened = _open_transfer(heard, calls, new_id, status).call
    call = _with_known(opened, left)._replace(
        direction=left.direction,
        number=left.number,
        number_as_sent=left.number_as_sent,
        call_ref=left.call_ref,
        group_id=group_id,
    )
    others = (*decided.others, CallChange(left, decided.kind))
    return Decision(call, EventKind.CALL_STARTED, is_new=True, is_news=True, others=others)


def _attended(left: Call) -> Call:
    return left._replace(transfer=ATTENDED)


def _with_known(call: Call, before: Call) -> Call:
    """Return a ``call`` that goes on from ``before``, with what the exchange has told of that one."""
    fields, cut = added(before.fields, read_fields(call.fields))
    return call._replace(
        attached=_both(call.attached, before.attached),
        line_name=before.line_name if call.line_name is None else call.line_name,
        waited_s=before.waited_s if call.waited_s is None else call.waited_s,
        fields=fields,
        fields_cut=True if cut else before.fields_cut,
    )


def _go_on_again(decided: Decision, heard: HeardEvent, calls: Sequence[Call]) -> Decision:
    """Let a transfer that is told again be about the call that the first telling opened."""
    left = decided.call
    if left.group_id is None or left.transferred_to != heard.to:
        return decided
    there = (call for call in group_of(left, calls) if call.extension == heard.to and call.started_at == left.ended_at)
    opened = next(there, None)
    return decided._replace(call=opened, others=(CallChange(left, None),)) if opened else decided


def _open_end(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Decide for an end that no call belongs to: log a call of which only the end is known."""
    call = _new_call(heard, new_id, status, started_at=_start_of(heard))
    ended = end(Case(heard, call, PairingRule.ALONE, status))
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


def _open_hold(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Decide for a hold that no call belongs to: log a call that somebody speaks in, whose start was lost."""
    call = answered(_new_call(heard, new_id, status, started_at=None), heard)
    held_at = heard.moment if heard.event is Event.HOLD else None
    return Decision(call._replace(held_at=held_at), KINDS[heard.event], is_new=True, is_news=True)


def _open_queue(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Decide for a queue's event that no call belongs to: log a call that is at no extension yet."""
    begins = heard.event is Event.QUEUE
    call = _new_call(heard, new_id, status, started_at=heard.moment if begins else None)
    effect = {Event.QUEUE: Effect.QUEUE, Event.LEAVE_QUEUE: Effect.LEAVE_QUEUE, Event.ABANDON: Effect.ABANDON}
    done = EFFECTS[effect[heard.event]](Case(heard, call, PairingRule.ALONE, status))
    return Decision(done._replace(paired_by=None), KINDS[heard.event], is_new=True, is_news=True)


def _open_note(heard: HeardEvent, _calls: Sequence[Call], new_id: int, status: str) -> Decision:
    """Decide for a note that no call belongs to: log a call of which only that is known."""
    call = _new_call(heard, new_id, status, started_at=None)
    noted = EFFECTS[Effect.NOTE](Case(heard, call, PairingRule.ALONE, status))
    return Decision(noted, EventKind.CALL_NOTED, is_new=True, is_news=True)


def _start_of(heard: HeardEvent) -> int | None:
    if heard.duration_s is None:
        return None
    return (heard.occurred_at or heard.at) - heard.duration_s * 1000


FINDERS: Mapping[Event, Callable[[HeardEvent, Sequence[Call]], FoundCall]] = {
    Event.START: find_of_start,
    Event.ANSWER: find_of_answer,
    Event.HOLD: find_of_hold,
    Event.RESUME: find_of_hold,
    Event.TRANSFER: find_of_transfer,
    Event.QUEUE: find_of_queue,
    Event.LEAVE_QUEUE: find_of_queue,
    Event.ABANDON: find_of_queue,
    Event.END: find_of_end,
    Event.NOTE: find_of_note,
}
OPENERS: Mapping[Event, Callable[[HeardEvent, Sequence[Call], int, str], Decision]] = {
    Event.START: _open_start,
    Event.ANSWER: _open_answer,
    Event.HOLD: _open_hold,
    Event.RESUME: _open_hold,
    Event.TRANSFER: _open_transfer,
    Event.QUEUE: _open_queue,
    Event.LEAVE_QUEUE: _open_queue,
    Event.ABANDON: _open_queue,
    Event.END: _open_end,
    Event.NOTE: _open_note,
}
REPEATS = (Effect.REPEAT, Effect.ADD_END)
ADDS = (
    *(Effect.ADD_START, Effect.ADD_LEG, Effect.ADD_ANSWER, Effect.HOLD, Effect.RESUME, Effect.HAND_ON),
    *(Effect.QUEUE, Effect.LEAVE_QUEUE, Effect.ADD_QUEUE, Effect.LEAVE, Effect.NOTE),
)
"""What is a repeat where it has nothing to add."""
NEWS = (Effect.RING, Effect.RING_HERE, Effect.RING_AGAIN, Effect.ANSWER, Effect.MOVE, Effect.ABANDON, Effect.CLOSE)
NEWS_IF_CHANGED = (Effect.ADD_END, *(effect for effect in ADDS if effect is not Effect.ADD_START))
MOST_NOTES = 100
"""Of one call; what is said beyond that is in the event log only."""


def _takes(effect: Effect, call: Call, heard: HeardEvent) -> bool:
    """Return whether an effect of ``heard`` shows that ``call`` was taken, so that nobody else of its group rings."""
    if effect is Effect.CLOSE:
        return leaves_rest_of_group(call, heard)
    return effect in (Effect.ANSWER, Effect.ADD_ANSWER, Effect.HOLD, Effect.RESUME)


def _leave_group(call: Call, heard: HeardEvent, calls: Sequence[Call]) -> tuple[CallChange, ...]:
    """Let the others of the call's group stop ringing."""
    if call.group_id is None:
        return ()
    event = TakenElsewhere(_taken_at(call, heard), call.extension, call.answered_agent)
    others = (other for other in calls if other.group_id == call.group_id and other.id != call.id)
    decided = (decide_about(other, event) for other in others)
    return tuple(change for change in decided if change.kind is not None)


def _taken_at(call: Call, heard: HeardEvent) -> int:
    return call.answered_at or call.ended_at or heard.at
