"""What each effect of the table makes of a call: its next version."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent, MarkedOver, NoEnd, SettledOrder, TakenElsewhere
from gateway.domain.calls.pairing import PairingRule
from gateway.domain.calls.results import NOT_ANSWERED, Result, read_result
from gateway.domain.calls.states import Effect, State
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
    return answered(call, case.event)


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
        call._replace(
            answered_at=heard.occurred_at or heard.at,
            answer_heard_at=heard.at,
            answered_by=heard.extension if ours else None,
            answered_agent=heard.agent if ours else None,
        )
    )


def measured(call: Call) -> Call:
    """Return ``call`` with the seconds that it rang and that was spoken, as far as they are known."""
    in_vain = call.ended_at if call.result in NOT_ANSWERED else None
    rang_until = call.answered_at if call.answered_at is not None else in_vain
    return call._replace(ring_s=_seconds(call.started_at, rang_until), talk_s=_seconds(call.answered_at, call.ended_at))


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
    )
    return measured(moved)


def end(case: Case[HeardEvent]) -> Call:
    heard, call = case.event, case.call
    ended_at = heard.occurred_at or heard.at
    duration_s = _seconds(call.started_at, ended_at) if heard.duration_s is None else heard.duration_s
    came_from_elsewhere = case.rule is PairingRule.CALL_ID and call.group_id not in (None, call.id)
    elsewhere = heard.extension not in (call.extension, call.number) and not heard.internal and not came_from_elsewhere
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
    )
    return measured(ended)


def _add_end(case: Case[HeardEvent]) -> Call:
    """Add what the first end did not say."""
    heard, call = case.event, case.call
    result, result_text = _result_of(call, heard)
    is_new = call.result_text is None and (result_text is not None or result == Result.ANSWERED)
    more = call._replace(
        end_heard_at=heard.at if call.end_heard_at is None else call.end_heard_at,
        recording_url=heard.recording_url if call.recording_url is None else call.recording_url,
        duration_s=heard.duration_s if call.duration_s is None else call.duration_s,
        result=result if is_new else call.result,
        result_text=result_text if is_new else call.result_text,
    )
    return call if more == call else measured(more)


def _result_of(call: Call, heard: HeardEvent) -> tuple[str, str | None]:
    """Return how a call ended, as a code and in the exchange's words.

    Where it said nothing, it was answered if anything shows that somebody spoke; else it is unknown, never missed.
    """
    said = read_result(heard.result_text, heard.duration_s)
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
    Effect.ADD_START: _add_start,
    Effect.ANSWER: _answer,
    Effect.ADD_ANSWER: _add_answer,
    Effect.MOVE: _move,
    Effect.CLOSE: end,
    Effect.ADD_END: _add_end,
    Effect.ELSEWHERE: _taken_elsewhere,
    Effect.GIVE_UP: _give_up,
    Effect.MARK: _mark,
}
