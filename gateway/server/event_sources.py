"""The sources of events that a configuration names, ready to be run by this process, and their gauges."""

import os
import socket
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from gateway import event_source
from gateway.clock import milliseconds
from gateway.config.sources import EventSourceSettings, exchange_of
from gateway.config.tables import Config, TenantSettings
from gateway.domain.tenant import Tenant
from gateway.errors import ConfigError
from gateway.event_source import SourcePlace, secrets_in
from gateway.events.runner import SourceTools
from gateway.events.sources import ConfiguredSource, EventSources
from gateway.handlers import Core
from gateway.server.metrics import LabelledGauges, Labels
from gateway.store.event_sources import SourceStanding, SourceStandings
from gateway.store.shared.contract import Lease
from gateway.store.traffic import TrafficLog
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text


def event_sources(
    config: Config,
    core: Core,
    journal: Journal,
    book: SourceStandings,
    lease: Callable[[str], Lease | None],
    traffic: TrafficLog | None,
) -> EventSources:
    """Return all sources that the gateway goes and gets; none runs yet. Raises ``ConfigError``."""
    configured = {
        (tenant, name): configured_source(tenant, name, source, table, core.tenant(tenant))
        for tenant, table in config.tenants.items()
        for name, source in table.event_sources.items()
    }
    tools = SourceTools(
        core=core,
        hand_in=journal.hand_in,
        add=traffic.add if traffic else None,
        most_bytes=config.traffic.most_kb * 1024,
        holder=f"{socket.gethostname()}/{os.getpid()}",
    )
    return EventSources(configured, lease, book, tools)


def configured_source(
    tenant: str, name: str, settings: EventSourceSettings, table: TenantSettings, company: Tenant
) -> ConfiguredSource:
    """Return a source of the configuration, ready to be run. Raises ``ConfigError``."""
    place = SourcePlace(
        tenant=tenant,
        name=name,
        kind=settings.kind,
        exchange=exchange_of(name, table.sources),
        zone=ZoneInfo(settings.timezone or table.timezone),
        is_extension=company.numbers.extensions.matches,
        clock_ahead_ms=None if settings.clock_ahead_s is None else round(settings.clock_ahead_s * 1000),
    )
    try:
        source = event_source.load(settings.kind)(settings.settings, place)
    except ConfigError as error:
        at = f"tenants.{tenant}.sources.{name}"
        raise ConfigError(Text("{place}: {problem}", place=at, problem=error.whole)) from None
    return ConfiguredSource(source, place, tuple(secrets_in(settings.settings)), settings.silent_after_s)


def source_gauges(sources: EventSources) -> LabelledGauges:
    """Return the gauges of all sources; they are read in the database, so every process shows the same."""

    def of_each(value: Callable[[SourceStanding], float]) -> Mapping[Labels, float]:
        found = sources.book.all() if sources.configured else {}
        return {key: value(found.get(key, SourceStanding())) for key in sources.configured}

    return {
        "cti_source_connected": (
            "Whether a source of events is heard at this moment",
            ("tenant", "source"),
            lambda: of_each(lambda standing: float(standing.is_connected(milliseconds()))),
        ),
        "cti_source_last_event_timestamp_seconds": (
            "When a source of events last told of a call, in seconds since 1970; 0: never",
            ("tenant", "source"),
            lambda: of_each(lambda standing: (standing.told_at or 0) / 1000),
        ),
        "cti_source_clock_ahead_seconds": (
            "By how much a source's clock is ahead of the gateway's, as measured; 0 where that is not known",
            ("tenant", "source"),
            lambda: of_each(lambda standing: (standing.clock_ahead_ms or 0) / 1000),
        ),
    }
