"""The adapters of a configuration's appliances and forwards, and how each is treated."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from gateway import adapter as adapters
from gateway.adapter import Adapter, Limits
from gateway.config import tables as settings
from gateway.config.tables import Config
from gateway.errors import AdapterError, ConfigError
from gateway.orders.circuit_breaker import Rules
from gateway.orders.onsite import OnsiteAppliance, OnsiteRoad
from gateway.relay.by_kind import joined
from gateway.relay.forward_rules import ForwardRules
from gateway.relay.keeping import KeepingAdapter
from gateway.store.captures import CallCaptures
from gateway.store.letters.lifetimes import DAY_MS
from gateway.store.traffic import TrafficLog
from gateway.texts.text import Text
from gateway.traffic.recorded_adapters import RecordedAdapter


def adapters_of(
    config: Config,
    group: str,
    traffic: TrafficLog | None,
    captures: CallCaptures | None = None,
    *,
    onsite: Callable[[str], OnsiteRoad] | None = None,
) -> Mapping[tuple[str, str], Adapter]:
    """Return one adapter for each configured peer, by (tenant, name), overheard where there is a traffic log.

    What adapters capture of calls goes into ``captures``; ``onsite`` gives a tenant's road to gateways on site.
    """
    made: dict[tuple[str, str], Adapter] = {}
    for tenant_name, tenant in config.tenants.items():
        for name, peer in getattr(tenant, group).items():
            keep = partial(_keeping, tenant=tenant_name, target=name, captures=captures)
            adapter = configured_adapter(f"tenants.{tenant_name}.{group}.{name}", name, peer, keep)
            if isinstance(adapter, OnsiteAppliance) and onsite:
                adapter.connect(onsite(tenant_name))
            if traffic:
                most, language = config.traffic.most_kb * 1024, config.language(tenant_name)
                adapter = RecordedAdapter(
                    adapter, tenant_name, name, peer.adapter, add=traffic.add, most_bytes=most, language=language
                )
            made[tenant_name, name] = adapter
    return made


def appliances_alone(config: Config) -> tuple[Mapping[tuple[str, str], Adapter], Mapping[tuple[str, str], Rules]]:
    """Return the appliances of a configuration and how each is treated, without a store. Raises ``ConfigError``."""
    made = adapters_of(config, "appliances", None)
    return made, order_rules(config, made)


def order_rules(config: Config, appliances: Mapping[tuple[str, str], Adapter]) -> Mapping[tuple[str, str], Rules]:
    """Return how each appliance is treated: as configured, else as its adapter knows."""
    return {
        (tenant, name): _rules_of(config.tenants[tenant], name, adapters.limits_of(adapter))
        for (tenant, name), adapter in appliances.items()
    }


def forward_rules(
    config: Config, forwards: Mapping[tuple[str, str], Adapter]
) -> Mapping[tuple[str, str], ForwardRules]:
    """Return how each forward is treated: as configured, else as its adapter knows."""
    return {
        (tenant, name): _rules_of_forward(config.tenants[tenant].forwards[name], adapter)
        for (tenant, name), adapter in forwards.items()
    }


def configured_adapter(
    place: str,
    name: str,
    peer: settings.ApplianceSettings | settings.Forward,
    keep: Callable[[Adapter], Adapter],
) -> Adapter:
    """Return the adapter of an appliance or a forward, as ``keep`` gives it back.

    Raises ``ConfigError``, which names its ``place``.
    """

    def make(own: Any) -> Adapter:
        return keep(adapters.load(peer.adapter)(own, name=name))

    try:
        if isinstance(peer, settings.Forward):
            return joined(peer.settings, peer.settings_by_kind, peer.late_settings, make)
        return make(peer.settings)
    except AdapterError as error:
        preset = getattr(peer, "preset", None)
        where = Text("{place} (preset {name!r})", place=place, name=preset) if preset else place
        raise ConfigError(Text("{place}: {problem}", place=where, problem=error.whole)) from None


def _rules_of(tenant: settings.TenantSettings, name: str, known: Limits) -> Rules:
    peer = tenant.appliances[name]
    return Rules(
        max_orders=peer.max_orders or known.max_orders,
        orders_per_s=peer.orders_per_s or known.orders_per_s,
        wait_s=peer.max_wait_s,
        failures=peer.breaker_failures,
        pause_s=peer.breaker_pause_s,
        zone=ZoneInfo(tenant.timezone),
    )


def _rules_of_forward(forward: settings.Forward, adapter: Adapter) -> ForwardRules:
    has_time = adapters.carries_time(adapter)
    idempotent = adapters.is_idempotent(adapter) if forward.idempotent is None else forward.idempotent
    return ForwardRules(
        parallel=forward.parallel,
        idempotent=idempotent,
        expires_ms={kind: forward.expires_ms(kind, carries_time=has_time) for kind in settings.EVENT_KINDS},
        late=frozenset(forward.late),
        keep_ms=round(forward.keep_days * DAY_MS),
    )


def _keeping(adapter: Adapter, *, tenant: str, target: str, captures: CallCaptures | None) -> Adapter:
    """Return ``adapter``, with ``captures`` for what it keeps of calls, if it keeps anything."""
    return KeepingAdapter(adapter, tenant, target, captures) if captures and adapters.kept_by(adapter) else adapter
