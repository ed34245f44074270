"""What agents write of calls, written in the journal's turn, and not over what somebody else has written meanwhile."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.errors import NoteChanged
from gateway.store import tables
from gateway.store.writing.drafts import NoteDraft

notes = tables.agent_notes


def save(connection: Connection, draft: NoteDraft, call: Mapping[str, Any]) -> bool:
    """Write the note of ``call``; return whether anything changed. Raises ``NoteChanged`` where the note is another
    than the one that was changed, so that no text is lost.
    """
    before = stored(connection, draft.call_id)
    content = {"text": draft.text, "outcome": draft.outcome, "follow_up_at": draft.follow_up_at}
    if _says(before, content):
        return False
    if before is not None and before.revision != draft.base:
        raise NoteChanged(before.text, before.outcome, before.follow_up_at, before.author_name, before.revision)
    who = {"author": draft.by, "author_name": draft.name, "updated_at": draft.at}
    whose = {"account_id": call["account_id"], "number": call["number"]}
    if before is None:
        new = {"call_id": draft.call_id, "tenant": draft.tenant, "created_at": draft.at, "told_revision": 0}
        connection.execute(insert(notes).values({**new, **content, **who, **whose, "revision": 1}))
    else:
        row = {**content, **who, **whose, "revision": before.revision + 1, **_reopened(before, draft)}
        connection.execute(update(notes).where(notes.c.call_id == draft.call_id).values(row))
    return True


def stored(connection: Connection, call_id: int) -> Row[Any] | None:
    """Return the row of a call's note."""
    return connection.execute(select(notes).where(notes.c.call_id == call_id)).first()


def mark_told(connection: Connection, note: Row[Any]) -> None:
    """Note that the log and forwards are told of the note as it is."""
    connection.execute(update(notes).where(notes.c.call_id == note.call_id).values(told_revision=note.revision))


def finish_follow_up(connection: Connection, tenant: str, call_id: int, *, by: str, at: int) -> bool:
    """Say that a follow-up is done; False where there is none, or it was done already."""
    open_one = (notes.c.follow_up_at.is_not(None), notes.c.follow_up_done_at.is_(None))
    here = (notes.c.tenant == tenant, notes.c.call_id == call_id)
    done = update(notes).where(*here, *open_one).values(follow_up_done_at=at, follow_up_done_by=by)
    return connection.execute(done).rowcount > 0


def follow_account(connection: Connection, call: Mapping[str, Any]) -> None:
    """Let the note of a call be of the account that the call is of now."""
    here = update(notes).where(notes.c.call_id == call["id"])
    connection.execute(here.values(account_id=call["account_id"], number=call["number"]))


def _says(before: Row[Any] | None, content: Mapping[str, Any]) -> bool:
    """Return whether the note says just that already; where there is none, whether there is nothing to say."""
    if before is None:
        return not any(content.values())
    return all(getattr(before, name) == value for name, value in content.items())


def _reopened(before: Row[Any], draft: NoteDraft) -> Mapping[str, Any]:
    """Return what has to be forgotten of a follow-up that was done, where it has another date now."""
    if before.follow_up_at == draft.follow_up_at:
        return {}
    return {"follow_up_done_at": None, "follow_up_done_by": None, "follow_up_done_in": None}
