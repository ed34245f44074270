"""What becomes of a call that an event other than an exchange's is about, and of the others of its group."""

from collections.abc import Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.certainty import PairingRule
from gateway.domain.calls.decision import KINDS, CallChange
from gateway.domain.calls.effects import EFFECTS, Case
from gateway.domain.calls.heard import FellSilent, HeardEvent, MarkedOver, NoEnd, SettledOrder, TakenElsewhere
from gateway.domain.calls.states import Effect, after


def decide_about(call: Call, event: SettledOrder | MarkedOver | NoEnd | TakenElsewhere | FellSilent) -> CallChange:
    """Return what becomes of ``call``, which may be nothing."""
    then = after(call.state, event.event)
    changed = EFFECTS[then.effect](Case(event, call, PairingRule.CALL_ID, then.state.value))
    return CallChange(changed, None if then.effect is Effect.NOTHING else KINDS[event.event])


def leave_group(call: Call, heard: HeardEvent, calls: Sequence[Call]) -> tuple[CallChange, ...]:
    """Let the others of the call's group stop ringing."""
    if call.group_id is None:
        return ()
    event = TakenElsewhere(_taken_at(call, heard), call.extension, call.answered_agent)
    others = (other for other in calls if other.group_id == call.group_id and other.id != call.id)
    decided = (decide_about(other, event) for other in others)
    return tuple(change for change in decided if change.kind is not None)


def _taken_at(call: Call, heard: HeardEvent) -> int:
    return call.answered_at or call.ended_at or heard.at
