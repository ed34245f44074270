"""The rule book of calls: an event and the calls that it may be about go in, what changes comes out.

``pairing.py`` finds the event's call, the table of ``states.py`` says what the event does to a call in that state, and
the function of that effect (``effects.py``) makes the call's next version. Nobody else decides what becomes of a call:
the store loads the calls that an event may be about and writes what the book says.
"""

from collections.abc import Callable, Mapping, Sequence

from gateway.domain.calls.about import decide_about, leave_group
from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.consultations import with_consultation
from gateway.domain.calls.decision import KINDS, CallChange, Decision, EventKind, LegNews, Note
from gateway.domain.calls.effects import EFFECTS, Case
from gateway.domain.calls.finding import of_same_exchange
from gateway.domain.calls.ghosts import fell_silent
from gateway.domain.calls.groups import leaves_rest_of_group
from gateway.domain.calls.heard import (
    FellSilent,
    HeardEvent,
    NoEnd,
    PlacedOrder,
)
from gateway.domain.calls.leg_events import after_event, event_at
from gateway.domain.calls.legs import changed_at, is_at, seen_from
from gateway.domain.calls.missed import group_of, judged
from gateway.domain.calls.mixing import said_unsure
from gateway.domain.calls.opening import OPENERS, go_on_again, go_on_there
from gateway.domain.calls.pairing import (
    FoundCall,
    find_of_answer,
    find_of_end,
    find_of_hold,
    find_of_note,
    find_of_queue,
    find_of_start,
    find_of_transfer,
)
from gateway.domain.calls.results import Result
from gateway.domain.calls.states import Effect, Event, State, Transition, after
from gateway.domain.calls.told import completed, with_ref, with_told

ANY_TIME = 1 << 62
"""Later than any moment, in milliseconds since 1970: for whether a call fell silent, however long ago."""


def decide(event: HeardEvent, calls: Sequence[Call], new_id: int) -> Decision:
    """Return what ``event`` changes. ``calls`` are those that it may be about; a new call gets ``new_id``."""
    calls = of_same_exchange(event, calls)
    heard, found = _find(event, calls)
    decided = _decide(heard, found, calls, new_id)
    call = with_consultation(heard, said_unsure(heard, found.call, decided.call, calls), calls)
    if call is not decided.call:
        decided = decided._replace(call=call)
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
        return go_on_again(decided, heard, calls) if decided.repeat else go_on_there(decided, heard, calls, new_id)
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
    case = Case(heard, completed(call, heard), rule, then.state.value)
    changed = after_event(event, heard, case.call, EFFECTS[then.effect](case))
    changed = with_told(changed, heard)
    told = with_ref(changed, heard)
    note = _note_of(heard, call, told)
    told = told if note is None else told._replace(note_count=(told.note_count or 0) + 1)
    return Decision(
        told,
        KINDS[heard.event if event is Event.LEG_ENDED else event],
        repeat=note is None and (then.effect in REPEATS or (then.effect in ADDS and changed == call)),
        is_news=note is not None or _is_news(then, changed, call),
        others=leave_group(told, heard, calls) if _takes(then.effect, told, heard) else (),
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
    call = with_told(call, heard)
    note = _note_of(heard, None, call)
    call = call if note is None else call._replace(note_count=1)
    rings = tuple(LegNews(leg.extension, EventKind.CALL_STARTED) for leg in call.legs[1:])
    return decided._replace(call=call, note=note, legs=rings)


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
    if call.group_id is None:
        return decided if call.state is not State.ENDED and not call.missed else _judged_alone(decided)
    others = {change.call.id: change for change in decided.others}
    now = [others[each.id].call if each.id in others else each for each in calls]
    for each in judged(group_of(call, now)):
        if each.id == call.id:
            decided = decided._replace(call=each)
        else:
            known = others.get(each.id)
            others[each.id] = CallChange(each, (known.kind if known else None) or EventKind.CALL_ENDED)
    return decided._replace(others=tuple(others.values()))


def _judged_alone(decided: Decision) -> Decision:
    """Say of a call that rang at no other extension, too, whether it was missed."""
    anew = next(iter(judged((decided.call,))), None)
    return decided if anew is None else decided._replace(call=anew)


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
