"""What each effect of the table makes of a call: its next version."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.heard import FellSilent, HeardEvent, MarkedOver, NoEnd, SettledOrder, TakenElsewhere
from gateway.domain.calls.legs import ATTENDED, BLIND, LOST, Leg, is_at
from gateway.domain.calls.queueing import abandoned, gave_up, left_queue, queued, with_queue, with_wait
from gateway.domain.calls.records import is_known_by_records, is_record, on_clock_of
from gateway.domain.calls.results import NOT_ANSWERED, Result, read_result
from gateway.domain.calls.states import Effect, Event, State
from gateway.domain.messages import Direction

E = TypeVar("E")


class Case(NamedTuple, Generic[E]):
    """What an effect is worked out from: the event, the call that it found, by which rule, and the next status."""

    event: E
    call: Call
    rule: PairingRule
    status: str


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


def _ring_here(case: Case[HeardEvent]) -> Call:
    """Let a call ring of which no ring was heard before; it began when it was first told of."""
    began = case.call.started_at
    rings = _ring(case)
    return rings if began is None else rings._replace(started_at=min(began, case.event.moment))


def _ring_again(case: Case[HeardEvent]) -> Call:
    """Open a call anew that was thought to be over: it rings at another extension."""
    return case.call._replace(
        status=case.status, ended_at=None, duration_s=None, result=None, end_heard_at=None, held_at=None
    )


def _add_leg(case: Case[HeardEvent]) -> Call:
    call, heard = case.call, case.event
    began = heard.moment if call.started_at is None else call.started_at
    return call._replace(status=case.status, started_at=began, start_heard_at=call.start_heard_at or heard.at)


def _add_start(case: Case[HeardEvent]) -> Call:
    """Add a start that was overtaken by its answer, or by its end, which may have said how long the call was."""
    heard, call = case.event, case.call
    latest = [at for at in (call.answered_at, call.ended_at) if at is not None]
    if call.start_heard_at is not None or not latest:
        return call
    if call.started_at is None:
        call = call._replace(started_at=min(heard.occurred_at or heard.at, *latest))
        call = call._replace(duration_s=_seconds(call.started_at, call.ended_at))
    return measured(call._replace(start_heard_at=heard.at, paired_by=case.rule.value))


def _answer(case: Case[HeardEvent]) -> Call:
    """Note that the call was answered, also where it was thought to be taken elsewhere or over."""
    call = case.call._replace(status=case.status, ended_at=None, duration_s=None, paired_by=case.rule.value)
    return answered(call, case.event) if call.answered_at is None else measured(call)


def _add_answer(case: Case[HeardEvent]) -> Call:
    """Add who took the call, unless an earlier answer has said so."""
    call = case.call
    if call.answered_at is not None:
        return call
    if call.state is State.ENDED and call.result_text is None:
        call = call._replace(result=Result.ANSWERED.value)
    return answered(call, case.event)


def answered(call: Call, heard: HeardEvent) -> Call:
    """Return ``call`` with what ``heard`` says of who took it; the other side of one that we made is no extension."""
    ours = call.direction != Direction.OUTGOING
    return measured(
        with_wait(with_queue(call, heard), heard.answered_at or heard.moment)._replace(
            answered_at=heard.answered_at or heard.moment,
            answer_heard_at=heard.at,
            answered_by=heard.extension if ours else None,
            answered_agent=heard.agent if ours else None,
        )
    )


def _hold(case: Case[HeardEvent]) -> Call:
    """Note that the call is on hold, which says that somebody took it."""
    call = _taken(case)
    return call if call.held_at is not None else call._replace(held_at=case.event.moment)


def _resume(case: Case[HeardEvent]) -> Call:
    return _taken(case)._replace(held_at=None)


def _taken(case: Case[HeardEvent]) -> Call:
    return case.call if case.call.state is State.TALKING else _answer(case)


def measured(call: Call) -> Call:
    """Return ``call`` with the seconds that it rang and that was spoken, as far as they are known."""
    in_vain = call.ended_at if call.result in NOT_ANSWERED else None
    rang_until = call.answered_at if call.answered_at is not None else in_vain
    ring_s, talk_s = _seconds(call.started_at, rang_until), _seconds(call.answered_at, call.ended_at)
    return call if (ring_s, talk_s) == (call.ring_s, call.talk_s) else call._replace(ring_s=ring_s, talk_s=talk_s)


def _seconds(since: int | None, until: int | None) -> int | None:
    return None if since is None or until is None else max(0, round((until - since) / 1000))


def _move(case: Case[HeardEvent]) -> Call:
    """Close the call here, for it goes on elsewhere; its own end may still be heard."""
    heard, call = case.event, case.call
    ended_at = heard.occurred_at or heard.at
    moved = call._replace(
        status=case.status,
        ended_at=ended_at,
        duration_s=_seconds(call.started_at, ended_at),
        paired_by=case.rule.value,
        result=(Result.FORWARDED if call.answered_at is None else Result.ANSWERED).value,
        transferred_to=heard.to,
        transfer=_kind_of(heard, talks=False),
        held_at=None,
    )
    return measured(moved)


def _hand_on(case: Case[HeardEvent]) -> Call:
    """Let the call go on at its next leg: it rings there, or is talked in already."""
    heard, talks = case.event, case.status == State.TALKING
    handed = case.call._replace(status=case.status, transferred_to=heard.to, transfer=_kind_of(heard, talks=talks))
    return handed._replace(held_at=None, ended_at=None)


def _kind_of(heard: HeardEvent, *, talks: bool) -> str:
    """Return how ``heard`` transferred a call: as the exchange says, else by whether ``talks`` who goes on with it."""
    attended = talks if heard.attended is None else heard.attended
    return ATTENDED if attended else BLIND


def _queue(case: Case[HeardEvent]) -> Call:
    return queued(case.call, case.event)._replace(status=case.status)


def _leave_queue(case: Case[HeardEvent]) -> Call:
    return left_queue(case.call, case.event)._replace(status=case.status)


def _abandon(case: Case[HeardEvent]) -> Call:
    """Close a call whose caller gave up waiting."""
    heard, call = case.event, left_queue(case.call, case.event)
    duration_s = _seconds(call.started_at, heard.moment)
    ended = call._replace(status=case.status, ended_at=heard.moment, end_heard_at=heard.at, duration_s=duration_s)
    return measured(ended._replace(result=Result.ABANDONED.value, paired_by=case.rule.value, held_at=None))


def _add_queue(case: Case[HeardEvent]) -> Call:
    """Add how long the caller waited, which was told late."""
    heard = case.event
    return measured(abandoned(case.call, heard)) if heard.event is Event.ABANDON else with_queue(case.call, heard)


def _leave(case: Case[HeardEvent]) -> Call:
    """Let one leg end, or hear late that it was talked in; what its end says of the call's recording is kept."""
    heard, call = case.event, case.call
    if heard.event is not Event.END:
        return answered(call, heard) if call.answered_at is None else call
    recording_url = call.recording_url or heard.recording_url
    held_at = call.held_at if case.status == State.TALKING else None
    return call._replace(status=case.status, recording_url=recording_url, held_at=held_at)


def _note(case: Case[HeardEvent]) -> Call:
    recording_url = case.call.recording_url or case.event.recording_url
    return with_queue(case.call, case.event)._replace(recording_url=recording_url)


def _silence(case: Case[FellSilent]) -> Call:
    """Close a call whose last leg that ended was its last: the ends of the others never came."""
    call = case.call
    over = [leg for leg in call.legs if leg.ended_at is not None]
    last = max(over, key=lambda leg: leg.ended_at or 0)
    legs = tuple(leg._replace(ended_at=last.ended_at, result=LOST) if leg.goes_on else leg for leg in call.legs)
    ended = call._replace(status=case.status, ended_at=last.ended_at, legs=legs, result=_best(over), held_at=None)
    return measured(ended._replace(duration_s=_seconds(ended.started_at, ended.ended_at)))


def _best(legs: Sequence[Leg]) -> str:
    """Return how a call ended by how its legs did: answered where any was, else as the last one did."""
    taken = any(leg.result == Result.ANSWERED for leg in legs)
    return Result.ANSWERED.value if taken else legs[-1].result or Result.UNKNOWN.value


def end(case: Case[HeardEvent]) -> Call:
    heard, call = case.event, _as_told(case.call, case.event)
    ended_at = heard.occurred_at or heard.at
    duration_s = heard.duration_s
    if duration_s is None or _talked_at_several(call):
        duration_s = _seconds(call.started_at, ended_at)
    came_from_elsewhere = case.rule is PairingRule.CALL_ID and call.group_id not in (None, call.id)
    known = heard.extension in (call.extension, call.number, "") or is_at(call, heard.extension)
    elsewhere = not known and not heard.internal and not came_from_elsewhere
    result, result_text = _result_of(call, heard)
    ended = call._replace(
        status=case.status,
        ended_at=ended_at,
        duration_s=duration_s,
        end_heard_at=heard.at,
        recording_url=heard.recording_url or call.recording_url,
        paired_by=case.rule.value,
        result=result,
        result_text=result_text,
        transferred_to=heard.extension if elsewhere else call.transferred_to,
        held_at=None,
        cause=call.cause or heard.cause,
    )
    return measured(gave_up(ended, call, heard))


def _as_told(call: Call, heard: HeardEvent) -> Call:
    """Return ``call`` with what its end says of its answer and of the wait before."""
    told = answered(call, heard) if heard.answered_at is not None and call.answered_at is None else call
    return with_queue(told, heard) if heard.waited_s is not None else told


def _talked_at_several(call: Call) -> bool:
    return len(call.legs) > 1 and sum(1 for leg in call.legs if leg.answered_at is not None) > 1


def _add_end(case: Case[HeardEvent]) -> Call:
    """Add what the first end did not say; where it was only thought to be over, this is its end."""
    if case.call.legs and any(leg.result == LOST for leg in case.call.legs):
        return end(case)
    if is_record(case.event) and is_known_by_records(case.call):
        return _recorded_anew(case)
    heard = on_clock_of(case.call, case.event)
    call = _as_told(case.call, heard)
    result, result_text = _result_of(call, heard)
    if call.result == Result.ABANDONED and not (heard.duration_s or heard.recording_url):
        result = Result.ABANDONED.value  # a clean hang-up says no more than that
    is_new = call.result_text is None and (result_text is not None or result == Result.ANSWERED)
    more = call._replace(
        end_heard_at=heard.at if call.end_heard_at is None else call.end_heard_at,
        recording_url=heard.recording_url if call.recording_url is None else call.recording_url,
        duration_s=heard.duration_s if call.duration_s is None else call.duration_s,
        result=result if is_new else call.result,
        result_text=result_text if is_new else call.result_text,
        cause=call.cause or heard.cause,
    )
    return call if more == call else measured(more)


def _recorded_anew(case: Case[HeardEvent]) -> Call:
    """Return a call that only records tell of as the newest of them has it."""
    heard, call = case.event, case.call
    nobody = call._replace(answered_at=None, answered_by=None, answered_agent=None, started_at=heard.started_at)
    extension = heard.extension if heard.extension and not heard.internal else call.extension
    anew = end(case._replace(call=nobody._replace(extension=extension)))
    answer_heard_at = None if anew.answered_at is None else call.end_heard_at
    return anew._replace(end_heard_at=call.end_heard_at, paired_by=call.paired_by, answer_heard_at=answer_heard_at)


def _result_of(call: Call, heard: HeardEvent) -> tuple[str, str | None]:
    """Return how a call ended, as a code and in the exchange's words.

    Where it said nothing, it was answered if anything shows that somebody spoke; else it is unknown, never missed.
    """
    said = read_result(heard.result_text, heard.duration_s)
    if call.legs and said in NOT_ANSWERED and any(leg.result == Result.ANSWERED for leg in call.legs):
        return Result.ANSWERED.value, heard.result_text
    if said in NOT_ANSWERED and is_record(heard) and call.answered_at is not None:
        return Result.ANSWERED.value, None  # who told of the answer as it was is believed
    if said is not None:
        return said.value, heard.result_text
    spoken = call.answered_at is not None or heard.duration_s or heard.recording_url or call.recording_url
    return (Result.ANSWERED if spoken else Result.UNKNOWN).value, None


def _taken_elsewhere(case: Case[TakenElsewhere]) -> Call:
    taken = case.call._replace(status=case.status, ended_at=case.event.at, duration_s=0)
    return taken._replace(answered_by=case.event.by, answered_agent=case.event.agent)


def _give_up(case: Case[NoEnd]) -> Call:
    return case.call._replace(status=case.status)


def _mark(case: Case[MarkedOver]) -> Call:
    return case.call._replace(status=case.status, over_by=case.event.by, over_at=case.event.at)


def _accept(case: Case[SettledOrder]) -> Call:
    return case.call._replace(status=case.event.outcome)


def _fail(case: Case[SettledOrder]) -> Call:
    return case.call._replace(status=case.event.outcome, ended_at=case.event.at, duration_s=0)


EFFECTS: Mapping[Effect, Callable[[Case[Any]], Call]] = {
    Effect.NOTHING: _same,
    Effect.REPEAT: _same,
    Effect.ACCEPT: _accept,
    Effect.FAIL: _fail,
    Effect.RING: _ring,
    Effect.RING_HERE: _ring_here,
    Effect.RING_AGAIN: _ring_again,
    Effect.ADD_LEG: _add_leg,
    Effect.ADD_START: _add_start,
    Effect.ANSWER: _answer,
    Effect.ADD_ANSWER: _add_answer,
    Effect.HOLD: _hold,
    Effect.RESUME: _resume,
    Effect.MOVE: _move,
    Effect.HAND_ON: _hand_on,
    Effect.QUEUE: _queue,
    Effect.LEAVE_QUEUE: _leave_queue,
    Effect.ABANDON: _abandon,
    Effect.ADD_QUEUE: _add_queue,
    Effect.LEAVE: _leave,
    Effect.CLOSE: end,
    Effect.ADD_END: _add_end,
    Effect.NOTE: _note,
    Effect.SILENCE: _silence,
    Effect.ELSEWHERE: _taken_elsewhere,
    Effect.GIVE_UP: _give_up,
    Effect.MARK: _mark,
}
