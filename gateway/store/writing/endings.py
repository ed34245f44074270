"""Calls that end without an event of the exchange: an agent says so, or their end is waited for no longer.

Each function works one draft out within its ``Batch``.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.domain.calls.about import decide_about
from gateway.domain.calls.book import decide_in_vain, legs_told
from gateway.domain.calls.decision import CallChange, EventKind
from gateway.domain.calls.heard import LONGEST_LOGIN, MarkedOver
from gateway.store.writing.candidates import CandidateCall
from gateway.store.writing.drafts import GiveUp, InVain, Over, Recorded

if TYPE_CHECKING:
    from gateway.store.writing.batch import Batch


def mark_over(batch: "Batch", draft: Over) -> Recorded:
    """Close a call of which an agent says that it is over; nothing where it is closed already.

    Raises ``BadParameter``.
    """
    call = batch.call_of(draft.call_id, draft.tenant)
    seq = _happen(batch, call, MarkedOver(draft.by[:LONGEST_LOGIN], draft.at), draft.at)
    return Recorded(call.call.id, seq, repeated=not seq)


def give_up(batch: "Batch", draft: GiveUp) -> int:
    """Close the calls of which no end will be waited for any more; return how many they were."""
    return _lose(batch, batch.calls.going_on(draft.tenant, draft.since, draft.before), draft.at)


def give_up_some(batch: "Batch", draft: InVain) -> int:
    """Close the calls that are known by their ids, of which no end will be waited for any more; return how many."""
    return _lose(batch, [batch.calls.get(call_id) for call_id in draft.call_ids], draft.at)


def _lose(batch: "Batch", calls: Sequence[CandidateCall], at: int) -> int:
    return sum(1 for call in calls if _lose_one(batch, call, at))


def _lose_one(batch: "Batch", call: CandidateCall, at: int) -> bool:
    grouped = batch.calls.with_number(call.tenant, call.call) if call.call.group_id else []
    changes = decide_in_vain(call.call, grouped)
    for change in changes:
        _tell_change(batch, change, at)
    return bool(changes)


def _happen(batch: "Batch", call: CandidateCall, event: MarkedOver, at: int) -> int:
    """Let ``event`` happen to ``call``; its ``seq`` in the log, 0 when it changes nothing."""
    change = decide_about(call.call, event)
    return _tell_change(batch, change, at) if change.kind else 0


def _tell_change(batch: "Batch", change: CallChange, at: int) -> int:
    """Take how a call is from now on, and tell the log so at each of its extensions; the last ``seq``."""
    before = batch.calls.get(change.call.id).call
    call = batch.change(change.call)
    for leg in legs_told(change, before):
        batch.log_event(leg.kind, call, at, {}, leg.extension)
    return batch.log_event(change.kind or EventKind.CALL_LOST, call, at, {})
