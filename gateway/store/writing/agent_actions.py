"""What agents do with calls: choose accounts, take care of missed calls, write notes, follow up.

Each function works one draft out within its ``Batch``.
"""

from typing import TYPE_CHECKING

from gateway.domain.calls.decision import EventKind
from gateway.store import missed_changes, note_changes, rows
from gateway.store.choosing import choose
from gateway.store.letters import fields as letters
from gateway.store.writing.drafts import Choice, FollowUpDone, MissedDraft, NoteDraft, Recorded, UntoldNote

if TYPE_CHECKING:
    from gateway.store.writing.batch import Batch


def choose_account(batch: "Batch", draft: Choice) -> Recorded:
    """Let a call be of the account that an agent chose, or of none. Raises ``BadParameter``."""
    call = batch.call_of(draft.call_id, draft.tenant)
    batch.flush_rows()  # what this batch has decided of the call counts, too
    account = choose(batch.connection, batch.driver, draft, call.row)
    if account is None:
        call.beside.update(account_id=None, account_code=None, account_name=None, contact=None)
    else:
        call.beside.update(account_id=account.id, account_code=account.code, account_name=account.name)
        call.beside["contact"] = draft.contact or None
    batch.touch(call)
    note_changes.follow_account(batch.connection, call.row)
    told = {"by": draft.by}
    others = {leg.extension for leg in call.call.legs} - {call.row["extension"]}
    for extension in sorted(others):
        batch.log_event(EventKind.ACCOUNT_CHOSEN, call, draft.at, dict(told), extension)
    return Recorded(call.call.id, batch.log_event(EventKind.ACCOUNT_CHOSEN, call, draft.at, told))


def change_missed(batch: "Batch", draft: MissedDraft) -> Recorded:
    """Do what an agent says of customers in the list of missed calls."""
    batch.flush_rows()
    changed = missed_changes.change(batch.connection, draft)
    if not changed:
        return Recorded(draft.call_ids[0], 0, repeated=True)
    told = {"missed_call": changed[-1], "change": draft.action.value, "by": draft.by}
    return Recorded(changed[-1], batch.log_missed(draft.tenant, draft.at, told))


def save_note(batch: "Batch", draft: NoteDraft) -> Recorded:
    """Keep what an agent writes of a call; a finished note is told. Raises ``BadParameter``."""
    batch.flush_rows()
    call = batch.call_of(draft.call_id, draft.tenant)
    before = note_changes.stored(batch.connection, draft.call_id)
    changed = note_changes.save(batch.connection, draft, call.row)
    seq = 0
    if changed and (before.follow_up_at if before else None) != draft.follow_up_at:
        told = {"missed_call": draft.call_id, "change": "follow_up", "by": draft.by}
        seq = batch.log_missed(draft.tenant, draft.at, told)
    if draft.finished:
        seq = _tell_note(batch, draft, draft.at) or seq
    return Recorded(draft.call_id, seq, repeated=not changed)


def tell_untold_note(batch: "Batch", draft: UntoldNote) -> Recorded:
    """Tell of a note that was left alone as it is."""
    note = note_changes.stored(batch.connection, draft.call_id)
    if note is None or note.updated_at > draft.before:
        return Recorded(draft.call_id, 0, repeated=True)
    seq = _tell_note(batch, draft, note.updated_at)
    return Recorded(draft.call_id, seq, repeated=not seq)


def finish_follow_up(batch: "Batch", draft: FollowUpDone) -> Recorded:
    """Say that a follow-up is done."""
    done = note_changes.finish_follow_up(batch.connection, draft.tenant, draft.call_id, by=draft.by, at=draft.at)
    if not done:
        return Recorded(draft.call_id, 0, repeated=True)
    told = {"missed_call": draft.call_id, "change": "follow_up_done", "by": draft.by}
    return Recorded(draft.call_id, batch.log_missed(draft.tenant, draft.at, told))


def _tell_note(batch: "Batch", draft: NoteDraft | UntoldNote, at: int) -> int:
    """Tell the log and forwards of the note of a call as it is; the event's ``seq``, 0 where they know of it."""
    note = note_changes.stored(batch.connection, draft.call_id)
    if note is None or note.revision <= note.told_revision:
        return 0
    call = batch.call_of(draft.call_id, draft.tenant)
    seq = batch.log_event(EventKind.CALL_NOTED, call, at, {"note": rows.agent_note(note)})
    sits = batch.agents.read_at(draft.tenant, call.row["extension"])
    batch.outbox += letters.note_letters(call, draft, note, seq, sits)
    note_changes.mark_told(batch.connection, note)
    return seq
