"""A company's sources as the endpoint knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.config.sources import SourceSettings
from gateway.config.tables import TenantSettings
from gateway.mapping.facts import MappingSource
from gateway.mapping.schema import WebhookMapping

PREFIX = "/in/"


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """One source; without a ``mapping`` its requests are only kept, to be looked at."""

    name: str
    title: str
    mapping: WebhookMapping | None
    facts: MappingSource


def sources_of(tenant: TenantSettings) -> Mapping[str, WebhookSource]:
    """Return the company's sources by name."""
    webhooks = {name: settings for name, settings in tenant.sources.items() if settings.kind == "webhook"}
    return {name: _source(name, settings, tenant.timezone) for name, settings in webhooks.items()}


def _source(name: str, settings: SourceSettings, timezone: str) -> WebhookSource:
    facts = MappingSource(ZoneInfo(settings.timezone or timezone), settings.extensions)
    return WebhookSource(name, settings.title or name, settings.mapping, facts)


def split(path: str) -> tuple[str, str]:
    """Return the source's name in ``/in/NAME/TAIL``, in small letters, and the tail."""
    name, _, tail = path.removeprefix(PREFIX).partition("/")
    return name.lower(), tail
