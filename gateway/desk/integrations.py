"""The page of integrations: what CRMs and programs were told, what waits for them, and what was given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import api, filters
from gateway.desk.context import Visit
from gateway.desk.rendering import as_json, page
from gateway.errors import BadParameter
from gateway.store.calls import iso
from gateway.store.letters.kept import KeptLetter, LetterFilter, LetterStanding
from gateway.store.letters.log import LetterLog, TargetCounts
from gateway.texts.text import Text, counted, in_context

PAGE_SIZE = 50
UNDELIVERED = (LetterStanding.DEAD, LetterStanding.WAITING, LetterStanding.SENDING)
"""What the page shows that is not asked for more."""
NAMES: Mapping[LetterStanding, Text] = {
    LetterStanding.WAITING: in_context("of an event for a forward", "waits"),
    LetterStanding.SENDING: in_context("of an event for a forward", "under way"),
    LetterStanding.DELIVERED: in_context("of an event for a forward", "delivered"),
    LetterStanding.EXPIRED: in_context("of an event for a forward", "expired"),
    LetterStanding.SKIPPED: in_context("of an event for a forward", "left out"),
    LetterStanding.DEAD: in_context("of an event for a forward", "not delivered"),
    LetterStanding.DROPPED: in_context("of an event for a forward", "given up"),
}
SHADES = {LetterStanding.DELIVERED: "good", LetterStanding.DEAD: "bad"}


@dataclass(frozen=True, slots=True)
class ShownForward:
    """One forward as the page shows it; ``adapter`` is empty where the configuration has none of that name."""

    name: str
    adapter: str
    counts: TargetCounts
    expires_at: int | None
    alarming: bool
    retry_at: int | None = None
    """When it is tried again that does not answer; a time that is over means that the next event is a trial."""


def integrations(visit: Visit, **more: Any) -> Response:
    """Show all forwards of the company, and the newest events that were not delivered or that match."""
    target, standing = visit.request.args.get("para", ""), visit.request.args.get("situacao", "")
    wanted = LetterFilter(
        target=target or None,
        standings=(LetterStanding(standing),) if standing in NAMES else UNDELIVERED,
        before_id=filters.row_id(visit.request.args.get("antes")),
    )
    found = _log(visit).search(visit.tenant, wanted, limit=PAGE_SIZE + 1)
    asked = {"para": target, "situacao": standing if standing in NAMES else ""}
    older = visit.url("integrations", **asked, antes=found[PAGE_SIZE - 1].id) if len(found) > PAGE_SIZE else None
    shown: dict[str, Any] = {"forwards": _forwards(visit), "letters": found[:PAGE_SIZE], "older": older, "asked": asked}
    names: dict[str, Any] = {"names": NAMES, "shades": SHADES, "done": done_of(visit)}
    return page(visit, "integrations.html", **shown, **names, seq=visit.services.log.newest(visit.tenant), **more)


def letter(visit: Visit, letter_id: int) -> Response:
    """Show one event for a forward, with what was sent and answered. Raises ``NotFound``."""
    found = _found(visit, letter_id)
    shown: dict[str, Any] = {"letter": found, "names": NAMES, "shades": SHADES, "done": done_of(visit)}
    return page(visit, "letter.html", **shown, seq=visit.services.log.newest(visit.tenant))


def retry(visit: Visit) -> Response:
    """Send one event again, or all of a forward that were given up; go back to where that was asked."""
    done = _log(visit).send_again(visit.tenant, _chosen(visit), visit.at)
    return _back(visit, "enviados", done.count)


def drop(visit: Visit) -> Response:
    """Give one event up, or all that wait for a forward; go back to where that was asked."""
    count = _log(visit).drop(visit.tenant, _chosen(visit), visit.at, visit.me.name or visit.me.login)
    return _back(visit, "abandonados", count)


def move(visit: Visit) -> Response:
    """Hand the events of one forward to another. Raises ``NotFound`` where there is no such forward."""
    form = visit.request.form
    source, target = form.get("de", ""), form.get("para", "")
    if target not in visit.settings.forwards or source == target:
        raise NotFound
    return _back(visit, "movidos", _log(visit).move(visit.tenant, source, target, visit.at))


DONE = ("enviados", "abandonados", "movidos")


def done_of(visit: Visit) -> Text | None:
    """Return what was just done, as the address says after it."""
    for name in DONE:
        text = visit.request.args.get(name, "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            return _done(name, int(text))
    return None


def _done(name: str, count: int) -> Text:
    if name == "enviados":
        return counted("{count} event is sent again", "{count} events are sent again", count)
    if name == "abandonados":
        return counted("{count} event was given up", "{count} events were given up", count)
    return counted("{count} event was moved", "{count} events were moved", count)


def _back(visit: Visit, did: str, count: int) -> Response:
    letter_id = filters.row_id(visit.request.form.get("evento"))
    if letter_id and visit.request.form.get("volta") == "evento":
        return redirect(visit.url("letter", letter_id=letter_id, **{did: count}), 303)
    return redirect(visit.url("integrations", **{did: count}), 303)


def _chosen(visit: Visit) -> LetterFilter:
    """Return the event, or the forward whose events are meant. Raises ``NotFound`` where neither is named."""
    form = visit.request.form
    letter_id, target = filters.row_id(form.get("evento")), form.get("para", "")
    if letter_id:
        return LetterFilter(ids=[letter_id])
    if not target:
        raise NotFound
    return LetterFilter(target=target)


def _forwards(visit: Visit) -> Sequence[ShownForward]:
    """Return the forwards of the configuration, then others that events wait for."""
    counts = {target: found for (of, target), found in _log(visit).counts().items() if of == visit.tenant}
    configured = visit.settings.forwards
    names = [*configured, *(name for name in counts if name not in configured)]
    return [_shown(visit, name, counts.get(name, TargetCounts())) for name in names]


def _shown(visit: Visit, name: str, counts: TargetCounts) -> ShownForward:
    log, key = _log(visit), (visit.tenant, name)
    left_ms = log.expire_in_ms(key, counts, visit.at)
    forward = visit.settings.forwards.get(name)
    expires_at = None if left_ms is None else visit.at + left_ms
    alarming = log.is_alarming(key, counts, visit.at)
    return ShownForward(
        name, forward.adapter if forward else "", counts, expires_at, alarming, visit.services.forward_retry_at(key)
    )


def _found(visit: Visit, letter_id: int) -> KeptLetter:
    found = _log(visit).get(visit.tenant, letter_id)
    if found is None:
        raise NotFound
    return found


def _log(visit: Visit) -> LetterLog:
    if visit.services.letters is None:
        raise NotFound
    return visit.services.letters


# for scripts


def api_forwards(visit: Visit) -> Response:
    """Show all forwards, with what waits for each."""
    return as_json({"forwards": [_as_json(each) for each in _forwards(visit)]})


def _as_json(shown: ShownForward) -> dict[str, Any]:
    counts = shown.counts
    oldest_at, expires_at = (iso(at) if at is not None else None for at in (counts.oldest_at, shown.expires_at))
    plain: dict[str, Any] = {"name": shown.name, "adapter": shown.adapter or None, "waiting": counts.waiting}
    plain |= {"dead": counts.dead, "oldest_at": oldest_at, "expires_at": expires_at}
    plain |= {"retry_at": iso(shown.retry_at) if shown.retry_at is not None else None}
    return plain | {"expiring": shown.alarming, "configured": bool(shown.adapter)}


def api_letters(visit: Visit) -> Response:
    """Show the newest events for forwards that match, and where to go on."""
    wanted, limit = filters.letters_by_script(visit.request.args, visit.zone)
    found = _log(visit).search(visit.tenant, wanted, limit=limit)
    more = found[-1].id if len(found) == limit else None
    return as_json({"events": [each.as_json() for each in found], "next_before_id": more})


def api_letter(visit: Visit, letter_id: int) -> Response:
    """Show one event for a forward. Raises ``NotFound``."""
    return as_json(_found(visit, letter_id).as_json())


def api_retry(visit: Visit) -> Response:
    """Send events again: one, all of a forward that were given up, or those of a window of time."""
    done = _log(visit).send_again(visit.tenant, _asked(visit), visit.at)
    return as_json({"ok": True, "count": done.count, "left_alone": done.stale})


def api_drop(visit: Visit) -> Response:
    """Give events up that wait or were not delivered."""
    count = _log(visit).drop(visit.tenant, _asked(visit), visit.at, visit.me.name or visit.me.login)
    return as_json({"ok": True, "count": count})


def api_move(visit: Visit) -> Response:
    """Hand the events of one forward to another. Raises ``BadParameter``."""
    asked = api.posted(visit)
    source, target = str(asked.get("source") or ""), str(asked.get("target") or "")
    if target not in visit.settings.forwards or source == target:
        known = ", ".join(name for name in visit.settings.forwards if name != source)
        raise BadParameter("target", target, expected=Text("one of: {known}", known=known or "-"))
    return as_json({"ok": True, "count": _log(visit).move(visit.tenant, source, target, visit.at)})


def _asked(visit: Visit) -> LetterFilter:
    """Return the events that a script means. Raises ``BadParameter`` where it names none: all would be meant then."""
    wanted, _ = filters.letters_by_script(filters.plain(api.posted(visit)), visit.zone)
    if wanted == LetterFilter():
        raise BadParameter("id", "", expected=Text("id, target, since, until or state"))
    return replace(wanted, before_id=None)
