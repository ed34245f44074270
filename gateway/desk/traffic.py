"""The traffic log as pages: what came in and went out, raw; an event again; a request as a curl command."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.curl import as_curl, readable
from gateway.desk.rendering import page
from gateway.errors import NotReplayable
from gateway.store.shared.exchange_index import IndexedExchange
from gateway.store.traffic import IN, OUT, TrafficEntry, TrafficFilter, TrafficLog
from gateway.texts.text import Text

PAGE_SIZE = 50
EVENTS = (
    *("ConsultaRamal", "AtendeLigacao", "EsperaLigacao", "RetomaLigacao", "TransfereLigacao", "EntraFila", "SaiFila"),
    *("FinalizaLigacao", "AnotaLigacao", "EstadoAgente"),
)


@dataclass(frozen=True, slots=True)
class TrafficSearch:
    """The form as it was filled in; what cannot be understood counts as not filled in."""

    way: str
    peer: str
    call: str
    since: str
    until: str
    text: str
    failed: bool
    before: int | None

    @classmethod
    def of(cls, asked: "MultiDict[str, str]") -> "TrafficSearch":
        """Read the page's parameters."""
        way, call, before = asked.get("sentido", ""), asked.get("ligacao", "").strip(), asked.get("antes", "")
        return cls(
            way=way if way in (IN, OUT) else "",
            peer=asked.get("cliente", "").strip()[:255],
            call=call if _is_id(call) else "",
            since=asked.get("de", "") if _moment(asked.get("de")) else "",
            until=asked.get("ate", "") if _moment(asked.get("ate")) else "",
            text=asked.get("texto", "").strip()[:200],
            failed=asked.get("falhas") == "1",
            before=int(before) if _is_id(before) else None,
        )

    @property
    def narrow(self) -> bool:
        """Whether anything was filled in."""
        return any((self.way, self.peer, self.call, self.since, self.until, self.text, self.failed))

    def parameters(self, before: int | None = None) -> dict[str, Any]:
        """Return the parameters of a link to the same search, continued before ``before``."""
        named = {"sentido": self.way, "cliente": self.peer, "ligacao": self.call, "de": self.since}
        named |= {"ate": self.until, "texto": self.text, "falhas": "1" if self.failed else ""}
        given: dict[str, Any] = {name: value for name, value in named.items() if value}
        return given | ({"antes": before} if before else {})

    def wanted(self, visit: Visit) -> TrafficFilter:
        """Return the filter as the store understands it; minutes are those of the company's clock."""
        since, until = _moment(self.since), _moment(self.until)
        return TrafficFilter(
            way=self.way or None,
            peer=self.peer or None,
            call_id=int(self.call) if self.call else None,
            since=_milliseconds(since, visit) if since else None,
            until=_milliseconds(until, visit) + 60_000 if until else None,
            text=self.text or None,
            failed=self.failed,
            before_id=self.before,
        )


def traffic(visit: Visit) -> Response:
    """Show the newest entries that match: the whole page, or only its list for the page's own script."""
    search = TrafficSearch.of(visit.request.args)
    found = _log(visit).search(visit.tenant, search.wanted(visit), limit=PAGE_SIZE + 1)
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    older = visit.url("traffic", **search.parameters(shown[-1].id)) if more else None
    template = "_traffic.html" if visit.by_htmx else "traffic.html"
    seq = visit.services.log.newest(visit.tenant)
    others = _others(visit, search)
    return page(visit, template, search=search, entries=shown, older=older, seq=seq, others=others)


def _others(visit: Visit, search: TrafficSearch) -> Sequence[IndexedExchange]:
    """Return what other nodes' traffic logs have of the call that was asked for."""
    return _log(visit).elsewhere(visit.tenant, int(search.call)) if search.call and not search.before else ()


def traffic_entry(visit: Visit, entry_id: int) -> Response:
    """Show one entry, raw."""
    return _shown(visit, _found(visit, entry_id))


def replay(visit: Visit, entry_id: int) -> Response:
    """Have an event served again, as if the exchange had just sent it; show what was answered. Raises
    ``NotReplayable``.
    """
    found = _found(visit, entry_id)
    if not replayable(found):
        raise NotReplayable(Text("entry {id}", id=entry_id))
    status, body = visit.services.replay(found, visit.me.login)
    if visit.by_htmx:
        return page(visit, "_replayed.html", status=200, answer=status, body=body.strip())
    return redirect(visit.url("traffic_entry", entry_id=entry_id), 303)


def replayable(found: TrafficEntry) -> bool:
    """Return whether it may be sent again: an event that came in and was kept whole."""
    is_event = found.operation in EVENTS or found.wire == "webhook"
    return found.way == IN and is_event and found.whole


def _shown(visit: Visit, found: TrafficEntry) -> Response:
    base = visit.request.root_url.removesuffix(f"/t/{visit.tenant}/").rstrip("/")
    return page(
        visit,
        "traffic_entry.html",
        entry=found,
        request=readable(found.request),
        answer=readable(found.answer),
        curl=as_curl(found, base),
        replayable=replayable(found),
        seq=visit.services.log.newest(visit.tenant),
    )


def _log(visit: Visit) -> TrafficLog:
    if visit.services.traffic is None:
        raise NotFound
    return visit.services.traffic


def _found(visit: Visit, entry_id: int) -> TrafficEntry:
    found = _log(visit).get(visit.tenant, entry_id)
    if found is None:
        raise NotFound
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _moment(text: str | None) -> datetime | None:
    """Read what a browser's date-time field sends: ``2026-03-05T14:20``."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if 1970 < moment.year < 9000 and moment.tzinfo is None else None


def _milliseconds(moment: datetime, visit: Visit) -> int:
    return round(moment.replace(tzinfo=visit.zone).timestamp() * 1000)
