"""The sources of events that a configuration names, ready to be run by this process."""

import os
import socket
from collections.abc import Callable
from zoneinfo import ZoneInfo

from gateway import event_source
from gateway.config.sources import EventSourceSettings, exchange_of
from gateway.config.tables import Config, TenantSettings
from gateway.domain.tenant import Tenant
from gateway.errors import ConfigError
from gateway.event_source import SourcePlace, secrets_in
from gateway.events.runner import SourceTools
from gateway.events.sources import ConfiguredSource, EventSources
from gateway.handlers import Core
from gateway.store.event_sources import SourceBook
from gateway.store.journal import Journal
from gateway.store.shared import Lease
from gateway.store.traffic import TrafficLog
from gateway.texts.text import Text


def event_sources(
    config: Config,
    core: Core,
    journal: Journal,
    book: SourceBook,
    lease: Callable[[str], Lease | None],
    traffic: TrafficLog | None,
) -> EventSources:
    """Return all sources that the gateway goes and gets; none runs yet. Raises ``ConfigError``."""
    configured = {
        (tenant, name): _configured(tenant, name, source, table, core.tenant(tenant))
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


def _configured(
    tenant: str, name: str, settings: EventSourceSettings, table: TenantSettings, company: Tenant
) -> ConfiguredSource:
    place = SourcePlace(
        tenant=tenant,
        name=name,
        kind=settings.kind,
        exchange=exchange_of(name, table.sources),
        zone=ZoneInfo(settings.timezone or table.timezone),
        is_extension=company.numbers.extensions.matches,
    )
    try:
        source = event_source.load(settings.kind)(settings.settings, place)
    except ConfigError as error:
        at = f"tenants.{tenant}.sources.{name}"
        raise ConfigError(Text("{place}: {problem}", place=at, problem=error.whole)) from None
    return ConfiguredSource(source, place, tuple(secrets_in(settings.settings)), settings.silent_after_s)
