"""Calls that an event opens: those of which nothing was heard before, and those that a transfer goes on in."""

from collections.abc import Callable, Mapping, Sequence

from gateway.domain.calls.about import leave_group
from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.decision import KINDS, CallChange, Decision, EventKind
from gateway.domain.calls.effects import EFFECTS, Case, answered, end
from gateway.domain.calls.groups import find_group, find_picked_up
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import ATTENDED
from gateway.domain.calls.missed import group_of
from gateway.domain.calls.pairing import find_goes_on
from gateway.domain.calls.states import Effect, Event, State, after
from gateway.domain.calls.told import with_known


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
    call = with_known(call, rang)
    call = call._replace(paired_by=(PairingRule.CALL_ID if heard.call_ref else PairingRule.TRANSFER).value)
    joined = () if rang.group_id else (CallChange(rang._replace(group_id=group_id), None),)
    grouped = [change.call for change in joined] or calls
    left = leave_group(call, heard, grouped)
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


def go_on_there(decided: Decision, heard: HeardEvent, calls: Sequence[Call], new_id: int) -> Decision:
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
    call = with_known(opened, left)._replace(
        direction=left.direction,
        number=left.number,
        number_as_sent=left.number_as_sent,
        call_ref=left.call_ref,
        ref_space=left.ref_space,
        group_id=group_id,
    )
    others = (*decided.others, CallChange(left, decided.kind))
    return Decision(call, EventKind.CALL_STARTED, is_new=True, is_news=True, others=others)


def _attended(left: Call) -> Call:
    return left._replace(transfer=ATTENDED)


def go_on_again(decided: Decision, heard: HeardEvent, calls: Sequence[Call]) -> Decision:
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
        ref_space=heard.ref_space if heard.call_ref else None,
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
    """Return when a call began of which only the end is known: as that says, else by how long it was."""
    if heard.started_at is not None:
        return min(heard.started_at, heard.moment)
    if heard.duration_s is None:
        return None
    return (heard.occurred_at or heard.at) - heard.duration_s * 1000


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
