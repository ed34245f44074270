"""What an agent writes of a call: a note, an outcome, a follow-up.

The page's script saves while the agent types (``static/desk/notes.js``), each time the whole note with the revision
that it was made of; who has an older one is told, and sees both texts. Only a finished note is told to others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import api
from gateway.desk.context import Visit
from gateway.desk.rendering import as_json, page
from gateway.errors import AccessError, BadParameter, NoteChanged
from gateway.store.calls import LoggedCall, iso
from gateway.store.writing.drafts import NoteDraft
from gateway.texts.rendering import render
from gateway.texts.text import Text

LONGEST_NOTE = 8192
"""Bytes of a note as UTF-8."""


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """What somebody wants to save: the whole note, made of its revision ``base``."""

    text: str
    outcome: str | None
    follow_up_at: int | None
    base: int
    finished: bool


def save(visit: Visit, call_id: int) -> Response:
    """Save a note from the form, where there is no script: what is sent is finished."""
    call, form = visit.calls.find(call_id), visit.request.form
    written = WrittenNote(
        _text(form.get("texto", "")),
        _outcome(visit, call, form.get("desfecho", "")),
        _moment(visit, "retorno", form.get("retorno", "")),
        _revision(form.get("revisao") or "0"),
        finished=True,
    )
    try:
        _write(visit, call, written)
    except NoteChanged as changed:
        told: dict[str, Any] = {"call": call, "mine": written, "changed": changed}
        told["seq"] = visit.services.log.newest(visit.tenant)
        return page(visit, "note_changed.html", status=changed.http_status, **told)
    return redirect(visit.url("call", call_id=call_id), 303)


# for scripts, the page's own among them


def api_outcomes(visit: Visit) -> Response:
    """Show the outcomes that a note may have, with their names in the visitor's language."""
    found = [{"code": code, "label": label, "follow_up": asks} for code, label, asks in visit.outcomes()]
    return as_json({"outcomes": found})


def api_note(visit: Visit, call_id: int) -> Response:
    """Show the note of a call; one that nobody has written has revision 0. Raises ``NotFound``."""
    return as_json(_as_json(visit, visit.calls.find(call_id)))


def api_save(visit: Visit, call_id: int) -> Response:
    """Save the note of a call. Raises ``NotFound`` and ``BadParameter``; whose revision is an older one gets 409, with
    the note as it is now.
    """
    call, asked = visit.calls.find(call_id), api.posted(visit)
    written = WrittenNote(
        _text(api.posted_text(asked, "text")),
        _outcome(visit, call, api.posted_text(asked, "outcome")),
        _moment(visit, "follow_up", api.posted_text(asked, "follow_up")),
        _revision(api.posted_text(asked, "revision") or "0"),
        finished=str(asked.get("finished", "")).lower() in ("true", "1"),
    )
    try:
        _write(visit, call, written)
    except NoteChanged as changed:
        message, hint = render(changed.text, visit.language), render(changed.advice, visit.language)
        told = {"ok": False, "code": changed.code, "message": message, "hint": hint}
        return as_json(told | {"note": _as_json(visit, visit.calls.find(call_id))}, status=changed.http_status)
    return as_json({"ok": True, "note": _as_json(visit, visit.calls.find(call_id))})


def _write(visit: Visit, call: LoggedCall, written: WrittenNote) -> None:
    """Have the note written down. Raises ``NoteChanged``, ``BadParameter`` for a finished one that lacks a date, and
    ``AccessError`` where the visitor does not see all of the note.
    """
    if visit.hides_note(call):
        raise AccessError(Text("this note holds a telephone that you may not see."), hint=Text("Ask your supervisor."))
    asks = {each.code for each in visit.settings.outcomes if each.follow_up}
    if written.finished and written.outcome in asks and written.follow_up_at is None:
        raise BadParameter("follow_up", "", expected=Text("the date of the follow-up that this outcome asks for"))
    tenant = visit.services.core.tenant(visit.tenant)
    draft = NoteDraft(
        visit.tenant,
        call.id,
        written.text,
        written.outcome,
        written.follow_up_at,
        written.base,
        by=visit.me.login,
        name=visit.me.name,
        at=visit.at,
        finished=written.finished,
        forwards=tenant.forwards.get("call_noted", ()),
        rules=tenant.telling_rules,
    )
    visit.services.decide(draft)


def _as_json(visit: Visit, call: LoggedCall) -> Mapping[str, Any]:
    told = {"call_id": call.id, "text": call.note or "", "outcome": call.note_outcome}
    told |= {"follow_up": iso(call.follow_up_at), "follow_up_local": visit.local_minute(call.follow_up_at)}
    told |= {"follow_up_done_at": iso(call.follow_up_done_at), "author": call.note_by}
    told |= {"author_name": call.note_author_name, "updated_at": iso(call.noted_at)}
    return told | {"revision": call.note_revision or 0}


def _text(text: str) -> str:
    """Return the note with the line breaks of texts. Raises ``BadParameter`` where it is too long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    size = len(text.encode("utf-8", "replace"))
    if size > LONGEST_NOTE:
        expected = Text("a text of at most {most} bytes; this one has {size}", most=LONGEST_NOTE, size=size)
        raise BadParameter("text", text[:40], expected=expected)
    return text


def _outcome(visit: Visit, call: LoggedCall, code: str) -> str | None:
    """Return an outcome's code, None for an empty text. Raises ``BadParameter`` for one that neither the company offers
    nor the call has already.
    """
    known = [each.code for each in visit.settings.outcomes]
    if code and code == call.note_outcome:
        return code
    if code and code not in known:
        raise BadParameter("outcome", code, expected=Text("one of: {known}", known=", ".join(known) or "-"))
    return code or None


def _moment(visit: Visit, name: str, text: str) -> int | None:
    """Read an ISO 8601 date, or date and time, of the company's zone where it has none. Raises ``BadParameter``."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=visit.zone)
        at = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        at = -1
    if not 0 < at < 1 << 53:
        expected = Text("an ISO 8601 date, or date and time (2026-03-05T14:20)")
        raise BadParameter(name, text[:40], expected=expected)
    return at


def _revision(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 11):
        raise BadParameter("revision", text[:40], expected=Text("the revision of the note that was changed"))
    return int(text)
