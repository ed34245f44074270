"""The line of the audit log that an answered request leaves behind, and the pages that show the log."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps, loads
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from gateway.desk.access import address_of
from gateway.desk.context import Visit
from gateway.desk.rendering import page, private
from gateway.domain.audit import NAMES, AuditAction, AuditEntry
from gateway.domain.shown_text import escaped
from gateway.domain.spreadsheets import harmless
from gateway.store.agents import Actor
from gateway.store.audit import AuditFilter
from gateway.store.calls import iso

PAGE_SIZE = 100
SECRET = ("senha", "password", "csrf", "token", "lista")
"""What names of fields hold whose values are never written down."""
SUBJECTS = ("central", "origem", "codigo", "usuario", "visao")
"""Fields that say what something was done with, where the address does not."""
LONGEST_VALUE = 200
LISTENED_ONCE_WITHIN_MS = 10 * 60_000
"""A player asks for a recording again for each part of it: that is one time that somebody listened."""


def actor(visit: Visit) -> Actor:
    """Return who visits, as the audit log has it."""
    return Actor(visit.tenant, visit.me.login, address_of(visit.request)[:64], visit.at)


def note(visit: Visit, action: AuditAction, arguments: Mapping[str, Any]) -> None:
    """Write down that the visitor did ``action``, with the ``arguments`` of the address. Raises ``BusyError``."""
    given: MultiDict[str, str] = visit.request.args if visit.request.method == "GET" else visit.request.form
    told = {name: text[:LONGEST_VALUE] for name, text in given.items() if text and not is_secret(name)}
    subject = next((str(each) for each in (*arguments.values(), *(told.get(name) for name in SUBJECTS)) if each), "")
    detail = dumps(told, ensure_ascii=False) if told else ""
    me = actor(visit)
    entry = AuditEntry(visit.tenant, visit.at, me.login, me.client, action, subject, detail)
    once = LISTENED_ONCE_WITHIN_MS if action is AuditAction.LISTENED else 0
    visit.services.audit.add(entry, once_within_ms=once)


def note_login(visit: Visit, login: str, action: AuditAction) -> None:
    """Write down who logged in or out, or failed to."""
    client = address_of(visit.request)[:64]
    visit.services.audit.add(AuditEntry(visit.tenant, visit.at, login[:64], client, action))


def is_secret(name: str) -> bool:
    """Return whether the value of the field ``name`` must not be written down."""
    return any(part in name.lower() for part in SECRET)


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """What a visitor looks for, as typed; what cannot be read is as if it were not there."""

    login: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "AuditSearch":
        """Read the parameters of an address."""
        before = given.get("antes", "")
        action = given.get("acao", "")
        return cls(
            given.get("usuario", "").strip()[:64],
            action if action in set(AuditAction) else "",
            given.get("objeto", "").strip()[:255],
            given.get("de", "") if _moment(given.get("de")) else "",
            given.get("ate", "") if _moment(given.get("ate")) else "",
            int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        )

    def parameters(self, before: int | None = None) -> dict[str, Any]:
        """Return the parameters of a link to the same search, continued before ``before``."""
        named = {"usuario": self.login, "acao": self.action, "objeto": self.subject, "de": self.since}
        given: dict[str, Any] = {name: value for name, value in (named | {"ate": self.until}).items() if value}
        return given | ({"antes": before} if before else {})

    def wanted(self, visit: Visit) -> AuditFilter:
        """Return the filter as the store understands it; minutes are those of the company's clock."""
        since, until = _milliseconds(self.since, visit), _milliseconds(self.until, visit)
        return AuditFilter(
            self.login or None,
            self.action or None,
            self.subject or None,
            since,
            until + 60_000 if until is not None else None,
            self.before,
        )


def audit(visit: Visit) -> Response:
    """Show the newest entries that match: the whole page, or only its list for the page's own script."""
    search = AuditSearch.of(visit.request.args)
    found = visit.services.audit.newest(visit.tenant, search.wanted(visit), limit=PAGE_SIZE + 1)
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    older = visit.url("audit", **search.parameters(shown[-1].id)) if more else None
    links: dict[str, Any] = {"older": older, "export": visit.url("audit_export", **search.parameters())}
    template = "_audit.html" if visit.by_htmx else "audit.html"
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, template, search=search, entries=shown, actions=NAMES, told=told, seq=seq, **links)


def export(visit: Visit) -> Response:
    """Send all entries that match as CSV."""
    entries = visit.services.audit.pages(visit.tenant, AuditSearch.of(visit.request.args).wanted(visit))
    response = Response(csv_of(entries), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=auditoria.csv"
    return private(response)


def told(entry: AuditEntry) -> Sequence[tuple[str, str]]:
    """Return what was asked for, by name."""
    try:
        found = loads(entry.detail) if entry.detail else {}
    except ValueError:  # cut off
        return [("", escaped(entry.detail))]
    return [
        (str(name), value if isinstance(value, str) else dumps(value, ensure_ascii=False))
        for name, value in found.items()
        if value not in ("", False, None)
    ]


def csv_of(entries: Iterable[AuditEntry]) -> Iterator[bytes]:
    """Yield the lines of a CSV, times as ISO 8601 in UTC; no cell is a formula."""
    yield "\ufeff".encode() + _line(("id", "at", "login", "client", "action", "subject", "detail"))
    for each in entries:
        yield _line((str(each.id), iso(each.at) or "", each.login, each.client, each.action, each.subject, each.detail))


def _line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=";").writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()


def _moment(text: str | None) -> datetime | None:
    """Read what a browser's date-time field sends: ``2026-03-05T14:20``."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if 1970 < moment.year < 9000 and moment.tzinfo is None else None


def _milliseconds(text: str, visit: Visit) -> int | None:
    moment = _moment(text)
    return round(moment.replace(tzinfo=visit.zone).timestamp() * 1000) if moment else None
