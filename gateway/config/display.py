"""The configuration in force as people may see it: every secret masked."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.config.tables import PEERS, Config, Forward


def shown(config: Config) -> dict[str, Any]:
    """Return the configuration in force as plain data with every secret masked, for ``cti-gateway config``."""
    plain = config.model_dump(mode="json", exclude_none=True)
    for tenant_name, tenant in config.tenants.items():
        for group in PEERS:
            for name, peer in getattr(tenant, group).items():
                plain["tenants"][tenant_name][group][name] |= _shown_settings(peer.settings)
        for name, source in tenant.event_sources.items():
            plain["tenants"][tenant_name]["sources"][name] |= _shown_settings(source.settings)
        for name, forward in tenant.forwards.items():
            plain["tenants"][tenant_name]["forwards"][name] |= _shown_by_kind(forward)
    return plain


def _shown_by_kind(forward: Forward) -> dict[str, Any]:
    """Return ``on`` and ``late`` as tables, where kinds of events have settings of their own."""
    tables = {"on": (forward.on, forward.settings_by_kind), "late": (forward.late, forward.late_settings)}
    return {
        key: {kind: _shown_settings(own[kind]) if kind in own else True for kind in kinds}
        for key, (kinds, own) in tables.items()
        if own
    }


def _shown_settings(settings: Any) -> dict[str, Any]:
    if not is_dataclass(settings):
        return {}
    values = ((field, getattr(settings, field.name)) for field in fields(settings))
    return {field.name: _masked(field.name, value) for field, value in values if not _is_default(field, value)}


def _is_default(field: Any, value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(value == field.default_factory())
    return bool(value == field.default)


SECRET_IN_TEXT = re.compile(r"(?i)\b((?:api_?)?key|token|pass(?:word)?|senha|pin|secret|pwd)=[^&\s{]+")


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "****"
    if isinstance(value, Path):
        return str(value)
    if name == "headers" and isinstance(value, Mapping):
        return dict.fromkeys(value, "****")
    if isinstance(value, Mapping):
        return {key: _masked(key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(name, item) for item in value]
    if isinstance(value, str):
        return re.sub(r"//[^/@\s]+@", "//****@", SECRET_IN_TEXT.sub(r"\1=****", value))
    return value
