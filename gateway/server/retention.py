"""For how long each company's data is kept, in milliseconds, as the configuration says."""

from collections.abc import Mapping

from gateway.config.tables import Config, RetentionSettings
from gateway.store.letters.lifetimes import DAY_MS
from gateway.store.removing import Ages


def ages(config: Config) -> Mapping[str, Ages]:
    """Return at what age the calls, events and attempts of each company are removed."""
    return {name: _ages_of(tenant.retention) for name, tenant in config.tenants.items()}


def agent_states_ms(config: Config) -> Mapping[str, int]:
    """Return for how long is kept what exchanges tell of each company's agents."""
    return {name: round(tenant.events.agent_states_days * DAY_MS) for name, tenant in config.tenants.items()}


def traffic_ms(config: Config) -> Mapping[str, int]:
    """Return for how long traffic is kept of those companies that say so."""
    kept = {name: _days_ms(tenant.retention.traffic_days) for name, tenant in config.tenants.items()}
    return {name: ms for name, ms in kept.items() if ms is not None}


def _ages_of(wanted: RetentionSettings) -> Ages:
    return Ages(*(_days_ms(days) for days in (wanted.calls_days, wanted.events_days, wanted.attempts_days)))


def _days_ms(days: float | None) -> int | None:
    return None if days is None else round(days * DAY_MS)
