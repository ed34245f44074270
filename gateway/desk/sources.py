"""The pages of webhooks: which there are, what came last, and what each mapping makes of it now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from gateway.config.webhook_sources import WebhookSource, sources_of
from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.events import Interpretation
from gateway.mapping.explained import ValueRow, rows
from gateway.mapping.guessing import guess, written
from gateway.mapping.requests import parsed_request
from gateway.store.traffic import IN, TrafficEntry, TrafficFilter

LAST = 20
"""Requests that a source's page shows."""


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event that a mapping makes of a request, with its values and what was looked for and not found."""

    kind: str
    rows: Sequence[ValueRow]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """One request that came, and what the source's mapping makes of it as it is now."""

    entry: TrafficEntry
    request: WebhookRequest
    made: Interpretation

    @property
    def events(self) -> Iterator[ShownEvent]:
        return (ShownEvent(event.kind, tuple(rows(event)), event.missing) for event in self.made.events)

    @property
    def body(self) -> str:
        """The beginning of the body, or of the query where there is none."""
        return self.request.body.decode("utf-8", "replace")[:4000] or self.request.query[:4000]


@dataclass(frozen=True, slots=True)
class ShownSource:
    """One source in the list."""

    source: WebhookSource
    address: str
    last: TrafficEntry | None


def sources(visit: Visit) -> Response:
    """List the company's webhooks, each with its address and the last request to it."""
    shown = [_shown(visit, source) for source in sources_of(visit.settings).values()]
    return page(visit, "sources.html", shown=shown, seq=visit.services.log.newest(visit.tenant))


def source(visit: Visit, name: str) -> Response:
    """Show the last requests of a source with what its mapping makes of each, and a mapping to start from."""
    found = sources_of(visit.settings).get(name)
    if found is None:
        raise NotFound
    shown = [_read(found, entry) for entry in _entries(visit, found, LAST)]
    guessed = written(guess([each.request for each in reversed(shown)]), visit.tenant, name) if shown else ""
    item, seq = _shown(visit, found), visit.services.log.newest(visit.tenant)
    is_kept = visit.services.traffic is not None
    return page(visit, "source.html", item=item, shown=shown, guessed=guessed, is_kept=is_kept, seq=seq)


def _shown(visit: Visit, source: WebhookSource) -> ShownSource:
    address = f"{visit.request.host_url.rstrip('/')}{visit.request.root_path.rstrip('/')}/in/{source.name}"
    return ShownSource(source, address, next(iter(_entries(visit, source, 1)), None))


def _entries(visit: Visit, source: WebhookSource, most: int) -> Sequence[TrafficEntry]:
    log = visit.services.traffic
    wanted = TrafficFilter(way=IN, operation=source.operation)
    return log.search(visit.tenant, wanted, limit=most) if log is not None else ()


def _read(source: WebhookSource, entry: TrafficEntry) -> ShownRequest:
    request = parsed_request(entry.request)
    return ShownRequest(entry, request, source.read(request))
