"""The list of missed calls: who waits to be called back, who calls back just now, what was taken off by hand.

It is the company's: whoever looks after a customer has that one at the top. A customer leaves it by any call in which
somebody speaks with them, and by hand; by hand it can be undone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import dialling
from gateway.desk.context import Visit
from gateway.desk.problems import said
from gateway.desk.rendering import as_json, page
from gateway.domain import masking
from gateway.domain.calls.missed_list import MissedEntry
from gateway.errors import BadParameter, GatewayError, MissedCleared
from gateway.store.agent_notes import FollowUp
from gateway.store.calls import iso
from gateway.store.missed import ClearedEntry
from gateway.store.writing.drafts import FollowUpDone, MissedAction, MissedDraft, Recorded
from gateway.texts.rendering import render
from gateway.texts.text import Text

SHOWN_CLEARED_MS = 24 * 3600 * 1000
MOST_SHOWN_CLEARED = 30
MOST_SHOWN = 300
"""Customers that the page lists, who wait longest."""
MOST_AT_ONCE = 500
"""Customers that are taken off or put back by one request."""


@dataclass(frozen=True, slots=True)
class MissedBoard:
    """What the page shows: customers of the visitor's own, those of the others, what was taken off by hand, and whom
    somebody is to call again today; ``more`` wait besides.
    """

    mine: Sequence[MissedEntry]
    others: Sequence[MissedEntry]
    cleared: Sequence[ClearedEntry]
    follow_ups: Sequence[FollowUp]
    more: int = 0

    @property
    def count(self) -> int:
        """How many customers wait."""
        return len(self.mine) + len(self.others)


def missed(visit: Visit) -> Response:
    """Show the list: the whole page, or only the list for the page's own script."""
    return _shown(visit)


def badge(visit: Visit) -> Response:
    """Show how many customers wait, for the top of each page."""
    return page(visit, "_missed_badge.html")


def clear(visit: Visit) -> Response:
    """Take customers off the list: the one whose button it was (``uma``), else those that are marked (``ligacao``)."""
    return _changed(visit, MissedAction.CLEAR, _chosen(visit.request.form))


def restore(visit: Visit) -> Response:
    """Put customers back that were taken off."""
    return _changed(visit, MissedAction.RESTORE, _chosen(visit.request.form))


def claim(visit: Visit, call_id: int) -> Response:
    """Say that the visitor calls this customer back: nobody else does meanwhile."""
    return _changed(visit, MissedAction.CLAIM, (call_id,))


def release(visit: Visit, call_id: int) -> Response:
    """Say that the visitor does not call this customer back after all."""
    return _changed(visit, MissedAction.RELEASE, (call_id,))


def call_back(visit: Visit, call_id: int) -> Response:
    """Call the customer back from the visitor's own extension, unless somebody else does; answers like ``dial``."""
    try:
        entry = _entry(visit, call_id)
        _change(visit, MissedAction.CLAIM, (call_id,))
        reply = _dial(visit, entry)
    except GatewayError as error:
        return page(visit, "_notice.html", status=error.http_status, outcome="refused", message=_hidden(visit, error))
    if not visit.by_htmx:
        return redirect(visit.url("missed"), 303)
    return page(visit, "_notice.html", outcome=reply.outcome, message=reply.message)


def follow_up_done(visit: Visit, call_id: int) -> Response:
    """Say that a follow-up is done."""
    _finish_follow_up(visit, call_id)
    return _shown(visit) if visit.by_htmx else redirect(visit.url("missed"), 303)


def _finish_follow_up(visit: Visit, call_id: int) -> bool:
    """Say that a follow-up is done; False where it was already. Raises ``NotFound`` where the visitor has no such."""
    note = visit.services.notes.get(visit.tenant, call_id)
    if note is None or (note.author != visit.me.login and visit.calls.get(call_id) is None):
        raise NotFound
    done: Recorded = visit.services.decide(FollowUpDone(visit.tenant, call_id, visit.me.login, visit.at))
    return not done.repeated


def board(visit: Visit) -> MissedBoard:
    """Return what the visitor sees of the list."""
    me, waiting = visit.me, visit.missed_entries[:MOST_SHOWN]
    mine = [entry for entry in waiting if entry.is_looked_after_by(me.login, me.extension)]
    others = [entry for entry in waiting if entry not in mine]
    cleared = visit.services.missed.cleared(
        visit.tenant, cleared_since=visit.at - SHOWN_CLEARED_MS, since=visit.missed_since, scope=visit.scope
    )
    shown = [replace(each, entry=visit.shown_entry(each.entry)) for each in cleared[:MOST_SHOWN_CLEARED]]
    more = len(visit.missed_entries) - len(waiting)
    return MissedBoard(mine, others, shown, visit.follow_ups, more)


def _hidden(visit: Visit, error: GatewayError) -> str:
    """Say what went wrong, without digits where the visitor may see none."""
    told = said(error, visit.language)
    return re.sub(r"\d{6,}", masking.DOT * 6, told) if visit.masks_numbers else told


def _dial(visit: Visit, entry: MissedEntry) -> Any:
    """Call the customer; who cannot be dialled is not claimed either."""
    form = visit.request.form
    try:
        return dialling.place(visit, entry.newest.number, appliance=form.get("central", ""))
    except GatewayError:
        _change(visit, MissedAction.RELEASE, (entry.id,))
        raise


def _entry(visit: Visit, call_id: int) -> MissedEntry:
    entry = visit.services.missed.entry(
        visit.tenant, call_id, since=visit.missed_since, now=visit.at, scope=visit.scope
    )
    if entry is None:
        raise MissedCleared(call_id)
    return entry


def _changed(visit: Visit, action: MissedAction, call_ids: Sequence[int]) -> Response:
    """Do it, and show the list; where it was refused, with the reason."""
    problem, status = "", 200
    try:
        if call_ids:
            _change(visit, action, call_ids)
    except GatewayError as error:
        problem, status = said(error, visit.language), error.http_status
    if not visit.by_htmx and not problem:
        return redirect(visit.url("missed"), 303)
    return _shown(visit, problem=problem, status=status)


def _shown(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    seq = visit.services.log.newest(visit.tenant)
    template = "_missed.html" if visit.by_htmx else "missed.html"
    return page(visit, template, status=status, seq=seq, **shown_in(visit, problem=problem))


def shown_in(visit: Visit, *, problem: str = "") -> dict[str, Any]:
    """Return what the template of the list needs."""
    # What was marked stays so, but for what was done with.
    marked = set(_ids(visit.request.form.getlist("ligacao")))
    goal_ms = visit.settings.missed.goal_ms
    return {"board": board(visit), "marked": marked, "problem": problem, "goal_ms": goal_ms}


def _change(visit: Visit, action: MissedAction, call_ids: Sequence[int]) -> bool:
    """Have it written down; return whether anything changed. Raises ``MissedClaimed`` and ``MissedCleared``."""
    me, until = visit.me, visit.at + visit.settings.missed.claim_ms
    who = {"by": me.login, "name": me.name, "extension": me.extension}
    at, since, ids = visit.at, visit.missed_since, tuple(call_ids[:MOST_AT_ONCE])
    draft = MissedDraft(visit.tenant, action, ids, at=at, until=until, scope=visit.scope, listed_since=since, **who)
    done: Recorded = visit.services.decide(draft)
    return not done.repeated


def _chosen(form: "MultiDict[str, str]") -> Sequence[int]:
    return _ids(form.getlist("uma")) or _ids(form.getlist("ligacao"))


def _ids(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if re.fullmatch(r"[0-9]{1,15}", text)]


# for scripts


def api_missed(visit: Visit) -> Response:
    """Show the list as JSON, whoever waits longest first."""
    goal_ms = visit.settings.missed.goal_ms
    found = [_as_json(visit, entry, goal_ms) for entry in visit.missed_entries]
    again = [_follow_up_as_json(visit, follow_up) for follow_up in visit.follow_ups]
    return as_json({"goal_s": goal_ms // 1000, "missed": found, "follow_ups": again})


def api_clear(visit: Visit) -> Response:
    """Take customers off the list."""
    done = _change(visit, MissedAction.CLEAR, _asked_ids(visit))
    return _told(visit, done, Text("taken off the list of missed calls"), Text("nothing of that was in the list"))


def api_restore(visit: Visit) -> Response:
    """Put customers back that were taken off."""
    done = _change(visit, MissedAction.RESTORE, _asked_ids(visit))
    return _told(visit, done, Text("put back into the list of missed calls"), Text("nothing of that was taken off"))


def api_claim(visit: Visit, call_id: int) -> Response:
    """Say that the agent calls this customer back. Raises ``MissedClaimed`` and ``MissedCleared``."""
    done = _change(visit, MissedAction.CLAIM, (call_id,))
    return _told(visit, done, Text("nobody else calls this customer back now"), "")


def api_release(visit: Visit, call_id: int) -> Response:
    """Say that the agent does not call this customer back after all."""
    done = _change(visit, MissedAction.RELEASE, (call_id,))
    return _told(visit, done, Text("anybody may call this customer back"), Text("you were not calling back"))


def api_follow_up_done(visit: Visit, call_id: int) -> Response:
    """Say that a follow-up is done. Raises ``NotFound``."""
    done = _finish_follow_up(visit, call_id)
    return _told(visit, done, Text("the follow-up is done"), Text("that was done already"))


def _told(visit: Visit, changed: bool, yes: Text, no: Text | str) -> Response:
    message = yes if changed else no
    text = render(message, visit.language) if isinstance(message, Text) else message
    return as_json({"ok": True, "changed": changed, "message": text})


def _asked_ids(visit: Visit) -> Sequence[int]:
    """Return the calls that a script names: ``call_id``, a number or several. Raises ``BadParameter``."""
    request = visit.request
    given = request.get_json(silent=True) if request.is_json else request.form.getlist("call_id")
    asked = given.get("call_id") if isinstance(given, dict) else given
    texts = [str(each) for each in (asked if isinstance(asked, list) else [asked])]
    found = _ids(texts)
    if not found or len(found) != len(texts) or len(found) > MOST_AT_ONCE:
        expected = Text("the id of a missed call, or a list of up to {most}", most=MOST_AT_ONCE)
        raise BadParameter("call_id", ", ".join(texts), expected=expected)
    return found


def _as_json(visit: Visit, entry: MissedEntry, goal_ms: int) -> Mapping[str, Any]:
    newest, waiting = entry.newest, max(0, visit.at - entry.since)
    told = {"call_id": entry.id, "call_ids": list(entry.call_ids), "since": iso(entry.since)}
    told |= {"last_at": iso(newest.missed_at), "waiting_s": waiting // 1000, "late": waiting > goal_ms}
    names = ("number", "account_id", "account", "account_code", "contact", "owner")
    told |= {name: getattr(newest, name) for name in (*names, "queue", "line", "line_name", "caller_name")}
    mine = entry.is_looked_after_by(visit.me.login, visit.me.extension)
    return told | {"extensions": list(entry.extensions), "mine": mine, "claim": _claim_as_json(entry)}


def _claim_as_json(entry: MissedEntry) -> Mapping[str, Any] | None:
    if entry.claim is None:
        return None
    told = entry.claim._asdict()
    return told | {"claimed_at": iso(entry.claim.claimed_at), "until": iso(entry.claim.until)}


def _follow_up_as_json(visit: Visit, follow_up: FollowUp) -> Mapping[str, Any]:
    note = follow_up.note
    told = {"call_id": note.call_id, "follow_up": iso(note.follow_up_at), "due": follow_up.due_at <= visit.at}
    names = ("number", "extension", "account_id", "account", "account_code", "contact", "owner")
    told |= {name: getattr(follow_up, name) for name in names}
    told |= {name: getattr(note, name) for name in ("text", "outcome", "author", "author_name")}
    return told | {"mine": follow_up.is_looked_after_by(visit.me.login, visit.me.extension)}
