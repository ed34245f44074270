"""A company's sources as the endpoint knows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.config.sources import SourceSettings
from gateway.config.tables import TenantSettings
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.engine import interpret
from gateway.mapping.events import Interpretation
from gateway.mapping.facts import MappingSource
from gateway.mapping.schema import WebhookMapping
from gateway.texts.text import Text

PREFIX = "/in/"
UNMAPPED = Text("the source has no mapping yet: the request was kept")


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


def read(source: WebhookSource, request: WebhookRequest) -> Interpretation:
    """Return what the source's mapping makes of ``request``."""
    if source.mapping is None:
        return Interpretation(problems=(UNMAPPED,), document={})
    return interpret(source.mapping, request, source.facts)


def operation_of(name: str) -> str:
    """Return what the traffic log calls the requests to the source ``name``."""
    return f"in/{name}"


def split(path: str) -> tuple[str, str]:
    """Return the source's name in ``/in/NAME/TAIL``, in small letters, and the tail."""
    name, _, tail = path.removeprefix(PREFIX).partition("/")
    return name.lower(), tail
