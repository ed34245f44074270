"""A company's webhooks as wires, desk and commands know them: each with its mapping and what that needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.config.sources import SourceSettings, exchange_of
from gateway.config.tables import TenantSettings
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.engine import interpret
from gateway.mapping.events import Interpretation
from gateway.mapping.facts import MappingSource
from gateway.mapping.schema import WebhookMapping
from gateway.texts.text import Text

UNMAPPED = Text("the source has no mapping yet: the request was kept")


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """One source; without a ``mapping`` its requests are only kept, to be looked at. ``preset`` may be empty.

    ``exchange`` is the name in which the ids of its calls are kept: its own, or what it has that from
    (``config.sources.exchange_of``).
    """

    name: str
    title: str
    preset: str
    mapping: WebhookMapping | None
    facts: MappingSource
    exchange: str

    @property
    def operation(self) -> str:
        """What the traffic log calls the source's requests."""
        return f"in/{self.name}"

    def read(self, request: WebhookRequest) -> Interpretation:
        """Return what the mapping makes of ``request``."""
        if self.mapping is None:
            return Interpretation(problems=(UNMAPPED,), document={})
        return interpret(self.mapping, request, self.facts)


def sources_of(tenant: TenantSettings) -> Mapping[str, WebhookSource]:
    """Return the company's sources by name."""
    return {
        name: _source(name, settings, tenant.timezone, exchange_of(name, tenant.sources))
        for name, settings in tenant.webhooks.items()
    }


def _source(name: str, settings: SourceSettings, timezone: str, exchange: str) -> WebhookSource:
    facts = MappingSource(ZoneInfo(settings.timezone or timezone), settings.extensions)
    return WebhookSource(name, settings.title or name, settings.preset or "", settings.mapping, facts, exchange)
