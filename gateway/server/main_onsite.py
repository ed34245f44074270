"""The main gateway's side of gateways on site: where they connect, and their gauges."""

from collections.abc import Callable, Iterator, Mapping

from gateway.clock import milliseconds
from gateway.orders.onsite import OnsiteConfig
from gateway.server.gateway import Gateway
from gateway.server.metrics import LabelledGauges, Labels
from gateway.store.onsite.arrivals import OnsiteArrivals
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites
from gateway.wire.onsite import OnsiteEndpoint
from gateway.wire.onsite_poll import OnsiteStore


def onsite_endpoint(gateway: Gateway) -> OnsiteEndpoint:
    """Return where gateways on site connect to ``gateway``."""
    arrivals = OnsiteArrivals(gateway.journal, gateway.core.draft_of, milliseconds)

    def appliances_of(tenant: str, site: str) -> Iterator[str]:
        table = gateway.config.tenants.get(tenant)
        for name, appliance in table.appliances.items() if table else ():
            if isinstance(appliance.settings, OnsiteConfig) and appliance.settings.onsite == site:
                yield appliance.settings.there or name

    return OnsiteEndpoint(
        OnsiteStore(gateway.onsite_sites, gateway.onsite_orders, arrivals),
        gateway.guesses,
        max_body_bytes=gateway.config.server.max_body_bytes,
        appliances_of=appliances_of,
    )


def onsite_gauges(sites: OnsiteSites) -> LabelledGauges:
    """Return the gauges of gateways on site; they are read in the database, so every process shows the same."""

    def of_each(value: Callable[[OnsiteSite], float]) -> Mapping[Labels, float]:
        return {(site.tenant, site.name): value(site) for site in sites.all() if not site.is_revoked}

    return {
        "cti_onsite_connected": (
            "Whether a gateway on site waits for orders at this moment",
            ("tenant", "site"),
            lambda: of_each(lambda site: float(site.is_connected(milliseconds()))),
        ),
        "cti_onsite_last_seen_timestamp_seconds": (
            "When a gateway on site was last heard of, in seconds since 1970; 0: never",
            ("tenant", "site"),
            lambda: of_each(lambda site: (site.seen_at or 0) / 1000),
        ),
        "cti_onsite_waiting": (
            "Events that waited in the spool of a gateway on site when it was last heard of",
            ("tenant", "site"),
            lambda: of_each(_waiting),
        ),
    }


def _waiting(site: OnsiteSite) -> float:
    found = site.status.get("waiting")
    return float(found) if isinstance(found, int | float) else 0.0
