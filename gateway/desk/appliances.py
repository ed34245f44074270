"""The page of appliances: how each is doing, what it did last, what exactly would be sent to it. Rings nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.adapter import WireRequest
from gateway.desk.context import Appliances, Central, Visit
from gateway.desk.event_sources import event_sources
from gateway.desk.onsite import onsite_sites
from gateway.desk.rendering import page
from gateway.domain.messages import PlaceCall
from gateway.domain.roles import Right
from gateway.errors import GatewayError
from gateway.handlers import draft_order
from gateway.orders.circuit_breaker import Health, Rules
from gateway.store.orders import Tried

SHOWN = 8
COUNTED = 100


@dataclass(frozen=True, slots=True)
class ShownAppliance:
    """One appliance as the page shows it. Times are milliseconds, of the newest attempts that were really sent."""

    central: Central
    adapter: str
    fallback: str | None
    hangs_up: bool
    health: Health
    rules: Rules
    latest: Sequence[Tried]
    p50_ms: int | None
    p95_ms: int | None


def appliances(visit: Visit, *, status: int = 200, **more: Any) -> Response:
    """Show all appliances of the company, and ``more`` of what was just done there."""
    shown = [_shown(visit, central) for central in visit.centrals]
    seq = visit.services.log.newest(visit.tenant)
    given = {
        "asked": None,
        "requests": (),
        "event_sources": event_sources(visit),
        "onsite_sites": onsite_sites(visit),
        "keys_change": visit.services.onsite_sites is not None and visit.may(Right.CHANGE_APPLIANCES),
        "site_sample": "",
        "site_name": "",
        "site_problem": "",
    } | more
    return page(visit, "appliances.html", status=status, shown=shown, seq=seq, **given)


def probe(visit: Visit) -> Response:
    """Check whether an appliance can be used; answers with a notice."""
    name = _named(visit, visit.request.form.get("central", ""))
    found = _appliances(visit).probe(visit.tenant, name)
    if not visit.by_htmx:
        return redirect(visit.url("appliances"), 303)
    return page(visit, "_probed.html", ok=found.ok, detail=found.text)


def preview(visit: Visit) -> Response:
    """Show the exact requests of a call from the agent's own extension, secrets masked, without sending them."""
    name, number = _named(visit, visit.request.args.get("central", "")), visit.request.args.get("numero", "").strip()
    asked = {"name": name, "number": number[:255]}
    try:
        found: dict[str, Any] = {"asked": asked, "requests": _requests(visit, name, number[:255]), "problem": ""}
    except GatewayError as error:
        found = {"asked": asked, "requests": (), "problem": error.said(visit.language)}
    return page(visit, "_preview.html", **found) if visit.by_htmx else appliances(visit, **found)


def _requests(visit: Visit, name: str, number: str) -> Sequence[WireRequest]:
    order = PlaceCall(visit.tenant, visit.me.extension, number, visit.origin, visit.at, name, visit.me.login)
    return _appliances(visit).preview(draft_order(order, visit.services.core.tenant(visit.tenant)))


def _shown(visit: Visit, central: Central) -> ShownAppliance:
    centrals, orders, name = _appliances(visit), visit.services.orders, central.name
    found = orders.latest(visit.tenant, name, limit=COUNTED) if orders else ()
    times = sorted(made.took_ms for made in found if made.kind == "dial")
    settings = visit.settings.appliances[name]
    return ShownAppliance(
        central=central,
        adapter=settings.adapter,
        fallback=settings.fallback,
        hangs_up=centrals.can_hang_up(visit.tenant, name),
        health=centrals.health(visit.tenant, name),
        rules=centrals.rules(visit.tenant, name),
        latest=found[:SHOWN],
        p50_ms=_percentile(times, 50),
        p95_ms=_percentile(times, 95),
    )


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def _named(visit: Visit, name: str) -> str:
    if name not in visit.settings.appliances:
        raise NotFound
    return name


def _appliances(visit: Visit) -> Appliances:
    if visit.services.appliances is None:
        raise NotFound
    return visit.services.appliances
