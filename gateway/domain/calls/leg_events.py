"""What an event means for a call with several legs: which of them it is about, and what becomes of the call by that.

Only of a call that the exchange names (*id_ligacao*), or that has legs already, one event is about one leg; all other
calls are at one extension. ``event_at`` reads an event so, ``after_event`` says how the legs stand then.
"""

from collections.abc import Callable, Iterable, Mapping

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import ATTENDED, ELSEWHERE, LOST, Leg, leg_at, legs_of, with_legs
from gateway.domain.calls.results import ENDS_THE_WHOLE, NOT_ANSWERED, Result, read_result
from gateway.domain.calls.states import GOING_ON, Event, State
from gateway.domain.calls.windows import END_REPEAT_MS, LONGEST_RING_MS, OVERTAKEN_MS, START_REPEAT_MS


def has_legs(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``heard`` may be about one leg of ``call``."""
    return bool(call.legs) or (heard.call_ref is not None and heard.call_ref == call.call_ref)


def event_at(heard: HeardEvent, call: Call) -> Event:
    """Return what ``heard`` is to ``call``."""
    read = READ.get(heard.event)
    if read is None or _is_at_only_leg(heard, call):
        return heard.event
    has_several = has_legs(heard, call) or call.is_queued or heard.also_rings or heard.goes_on
    return read(heard, call) if has_several else heard.event


def _is_at_only_leg(heard: HeardEvent, call: Call) -> bool:
    """Return whether nothing has to be told apart: most calls are at one extension."""
    if call.legs or heard.also_rings or call.queued_at is not None or heard.event is Event.TRANSFER or heard.goes_on:
        return False
    return heard.extension == call.extension


def _start_at(heard: HeardEvent, call: Call) -> Event:
    if not call.extension:
        return Event.START
    leg = leg_at(call, _end_of(heard, call))
    if leg is None or any(leg_at(call, other) is None for other in heard.also_rings):
        return Event.START if _overtaken(heard, call) else Event.RINGS_TOO
    return Event.START if leg.goes_on or not _rings_anew(heard, call, leg) else Event.RINGS_TOO


def _overtaken(heard: HeardEvent, call: Call) -> bool:
    """Return whether a start was sent before the end of ``call``, which was heard first."""
    said = None not in (heard.occurred_at, call.ended_at)
    return call.state is State.ENDED and said and (heard.occurred_at or 0) <= (call.ended_at or 0)


def _end_of(heard: HeardEvent, call: Call) -> str:
    """Return at which extension ``heard`` is; the two ends of an internal call are told in any order."""
    turned = heard.internal and call.internal and (heard.number, heard.extension) == (call.extension, call.number)
    return call.extension if turned else heard.extension


def _rings_anew(heard: HeardEvent, call: Call, leg: Leg) -> bool:
    """Return whether a leg that is over begins again, as a queue rings one who did not answer the first time."""
    if call.state is State.WAITING or (heard.rings_anew and call.state in GOING_ON):
        return True
    return call.state in GOING_ON and leg.rang_at is not None and heard.moment - leg.rang_at > START_REPEAT_MS


def _transfer_at(heard: HeardEvent, call: Call) -> Event:
    if not heard.stays_inside or call.state not in (State.ORDERED, State.NOTED, *GOING_ON):
        return Event.TRANSFER
    there = leg_at(call, heard.to or "")
    talks = there is not None and there.talks
    return Event.TALKS_ALREADY if heard.attended or talks else Event.HANDED_ON


def _leg_end_at(heard: HeardEvent, call: Call) -> Event:
    extension = _end_of(heard, call)
    leg = leg_at(call, extension)
    if heard.goes_on is not None:
        return _told_end_at(heard, call, extension, leg)
    if leg is None or call.state not in GOING_ON:
        return Event.END
    if not leg.goes_on:
        return Event.LEG_ENDED if _is_own_end(heard, leg) else Event.END
    others = [other for other in call.legs if other.goes_on and other.extension != extension]
    if any(other.talks for other in others):
        return Event.LEG_ENDED
    if any(not _fell_silent(other, leg, heard) for other in others):
        return Event.RINGS_ON
    return Event.WAITS_ON if _waits_on(heard, call, leg) else Event.END


def _told_end_at(heard: HeardEvent, call: Call, extension: str, leg: Leg | None) -> Event:
    """Return what an end is where the exchange says whether the call goes on."""
    if not heard.goes_on:
        return Event.END
    if leg is None or not leg.goes_on or call.state not in GOING_ON:
        return Event.LEG_ENDED
    others = [other for other in call.legs if other.goes_on and other.extension != extension]
    if any(other.talks for other in others):
        return Event.LEG_ENDED
    return Event.RINGS_ON if others else Event.WAITS_ON


def _is_own_end(heard: HeardEvent, leg: Leg) -> bool:
    """Return whether an end is that of a leg that is over already; later it is the end of all that became of it."""
    window = END_REPEAT_MS if leg.transferred_to is None else OVERTAKEN_MS
    return leg.ended_at is not None and abs(heard.moment - leg.ended_at) <= window


def _fell_silent(other: Leg, leg: Leg, heard: HeardEvent) -> bool:
    """Return whether the end of ``leg`` shows that ``other``, which rang with it, rings no more."""
    if leg.rang_at is not None and other.rang_at is not None and other.rang_at - leg.rang_at > LONGEST_RING_MS:
        return False  # it began to ring later: the call goes on there
    if heard.result is not None and heard.result is not Result.UNKNOWN:
        return heard.result not in NOT_ANSWERED and heard.result is not Result.FORWARDED
    if leg.answered_at is not None:
        return other.rang_at is None or other.rang_at <= leg.answered_at
    return leg.rang_at is not None and heard.moment - leg.rang_at > LONGEST_RING_MS


def _waits_on(heard: HeardEvent, call: Call, leg: Leg) -> bool:
    """Return whether the caller still waits in the queue when ``leg`` has rung in vain."""
    if not call.is_queued or leg.answered_at is not None or heard.duration_s or heard.recording_url:
        return False
    if heard.result is None:
        return leg.rang_at is None or heard.moment - leg.rang_at <= LONGEST_RING_MS
    return heard.result in NOT_ANSWERED and heard.result not in ENDS_THE_WHOLE


def _talk_at(heard: HeardEvent, call: Call) -> Event:
    """Return what an answer or a hold is: of a leg that is over it comes late, while the call goes on elsewhere."""
    leg = leg_at(call, _end_of(heard, call))
    if leg is None or leg.goes_on or call.state not in GOING_ON or leg.result == ELSEWHERE:
        return heard.event
    return Event.LEG_ENDED if _was_before_end(heard, leg) else heard.event


def _was_before_end(heard: HeardEvent, leg: Leg) -> bool:
    ended_at = leg.ended_at or 0
    return heard.occurred_at <= ended_at if heard.occurred_at is not None else heard.at - ended_at <= OVERTAKEN_MS


READ: Mapping[Event, Callable[[HeardEvent, Call], Event]] = {
    Event.START: _start_at,
    Event.ANSWER: _talk_at,
    Event.HOLD: _talk_at,
    Event.RESUME: _talk_at,
    Event.TRANSFER: _transfer_at,
    Event.END: _leg_end_at,
}


# how the legs stand then


def after_event(event: Event, heard: HeardEvent, before: Call, now: Call) -> Call:
    """Return ``now``, which ``event`` made of ``before``, with its legs as they are then."""
    change = CHANGES.get(event)
    begins = event in BEGINS and (event is not Event.ANSWER or _answers_elsewhere(heard, before))
    if change is None or not (before.legs or begins or heard.also_rings):
        return now
    if event is Event.START and (before.legs or now.state not in GOING_ON):
        return now
    legs = tuple(change(heard, before, now))
    if now.state is State.ENDED:
        legs = tuple(_ended_with(leg, now, taken=now.answered_at is not None) for leg in legs)
    return with_legs(now, legs) if legs else now


def _answers_elsewhere(heard: HeardEvent, before: Call) -> bool:
    """Return whether a call is taken at an extension where it did not ring."""
    extension = _end_of(heard, before)
    known = not before.extension or not extension or leg_at(before, extension) is not None
    return has_legs(heard, before) and not known


def _started(heard: HeardEvent, before: Call, now: Call) -> list[Leg]:
    """Return the legs with those at which it begins to ring; what rings already is not told anew."""
    known = [_as_left(leg, heard, before) for leg in legs_of(before)] or [Leg(now.extension, now.started_at)]
    rings = {leg.extension for leg in known if leg.goes_on}
    wanted = (_end_of(heard, before), *heard.also_rings)
    return known + [Leg(extension, heard.moment) for extension in wanted if extension and extension not in rings]


def _as_left(leg: Leg, heard: HeardEvent, before: Call) -> Leg:
    """Return a leg that nobody waits for any more, where the call was thought to be over and rings anew, as lost."""
    if not leg.goes_on or before.state in (State.ORDERED, *GOING_ON):
        return leg
    return leg._replace(ended_at=heard.moment, result=LOST)


def _answered(heard: HeardEvent, before: Call, now: Call) -> list[Leg]:
    """Return the legs with the one that was taken; those that rang for it ring no more."""
    moment, extension = heard.answered_at or heard.moment, _end_of(heard, before)
    legs = list(legs_of(before))
    if not extension:
        return legs
    if not any(leg.extension == extension and leg.goes_on for leg in legs):
        legs.append(Leg(extension))
    return [
        _taken(leg, heard, moment) if leg.extension == extension and leg.goes_on else _left(leg, moment) for leg in legs
    ]


def _taken(leg: Leg, heard: HeardEvent, moment: int) -> Leg:
    return leg if leg.answered_at is not None else leg._replace(answered_at=moment, agent=heard.agent)


def _left(leg: Leg, moment: int) -> Leg:
    return leg._replace(ended_at=moment, result=ELSEWHERE) if leg.rings else leg


def _handed_on(heard: HeardEvent, before: Call, now: Call) -> list[Leg]:
    """Return the legs with the one that was transferred, and the one where it goes on."""
    moment, attended = heard.moment, now.transfer == ATTENDED
    alone = now.state is State.RINGING
    legs = [_moved(leg, heard, attended) if _hands_on(leg, heard, alone) else leg for leg in legs_of(before)]
    if not any(leg.extension == heard.to and leg.goes_on for leg in legs):
        legs.append(Leg(heard.to or "", moment))
    return [
        _taken(leg, heard._replace(agent=None), moment)
        if attended and leg.extension == heard.to and leg.goes_on
        else leg
        for leg in legs
    ]


def _hands_on(leg: Leg, heard: HeardEvent, alone: bool) -> bool:
    """Return whether the call is not at ``leg`` any more: nobody speaks with a caller for whom the next one only rings,
    who is ``alone`` then.
    """
    if leg.extension == heard.to:
        return False
    return leg.extension == heard.extension or (leg.talks and alone)


def _moved(leg: Leg, heard: HeardEvent, attended: bool) -> Leg:
    if not leg.goes_on:
        return leg
    result = Result.FORWARDED if leg.answered_at is None else Result.ANSWERED
    moved = leg._replace(ended_at=heard.moment, result=result.value)
    return moved._replace(transferred_to=heard.to, attended=attended)


def _leg_ended(heard: HeardEvent, before: Call, now: Call) -> list[Leg]:
    extension = _end_of(heard, before)
    if heard.event is Event.END:
        return [_over(leg, heard) if leg.extension == extension else leg for leg in legs_of(before)]
    legs = list(legs_of(before))
    last = max(place for place, leg in enumerate(legs) if leg.extension == extension)
    legs[last] = _taken(legs[last], heard, min(heard.moment, legs[last].ended_at or heard.moment))
    return legs


def _over(leg: Leg, heard: HeardEvent) -> Leg:
    if not leg.goes_on:
        return leg
    return leg._replace(ended_at=heard.moment, result=_result_of(leg, heard), result_text=heard.result_text)


def _result_of(leg: Leg, heard: HeardEvent) -> str:
    if leg.answered_at is not None:
        return Result.ANSWERED.value
    said = read_result(heard.result_text, heard.duration_s)
    spoken = heard.duration_s or heard.recording_url
    return (said or (Result.ANSWERED if spoken else Result.UNKNOWN)).value


def _all_ended(heard: HeardEvent, before: Call, now: Call) -> list[Leg]:
    """Return the legs of a call that is over: the event's own as it says, the others with the call."""
    if now.state in GOING_ON:
        return list(legs_of(before))
    extension, legs = _end_of(heard, before), legs_of(before)
    ended_here = any(leg.extension == extension and leg.goes_on for leg in legs) and now.result not in NOT_ANSWERED
    taken = ended_here or any(leg.answered_at is not None for leg in legs)
    return [_over(leg, heard) if leg.extension == extension else _ended_with(leg, now, taken) for leg in legs]


def _ended_with(leg: Leg, now: Call, taken: bool) -> Leg:
    if not leg.goes_on:
        return leg
    silent = ELSEWHERE if taken and leg.rings else now.result
    return leg._replace(ended_at=now.ended_at, result=silent)


CHANGES: Mapping[Event, Callable[[HeardEvent, Call, Call], Iterable[Leg]]] = {
    Event.START: _started,
    Event.RINGS_TOO: _started,
    Event.ANSWER: _answered,
    Event.HOLD: _answered,
    Event.RESUME: _answered,
    Event.HANDED_ON: _handed_on,
    Event.TALKS_ALREADY: _handed_on,
    Event.LEG_ENDED: _leg_ended,
    Event.RINGS_ON: _leg_ended,
    Event.WAITS_ON: _leg_ended,
    Event.TRANSFER: _all_ended,
    Event.ABANDON: _all_ended,
    Event.END: _all_ended,
}
BEGINS = (Event.RINGS_TOO, Event.HANDED_ON, Event.TALKS_ALREADY, Event.WAITS_ON, Event.ANSWER)
"""By these a call has legs of its own from then on."""
