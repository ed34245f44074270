"""Which company a request is for.

A first path segment ``/t/TENANT`` wins; then a host name the tenant claims; then the host's first label;
then, where only one tenant is configured, that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gateway.config.tables import ClickToCall, Config
from gateway.config.webhook_sources import WebhookSource, sources_of
from gateway.errors import UnknownTenant
from gateway.texts.languages import DEFAULT, Language
from gateway.wire.auth import Gate, Guesses
from gateway.wire.dialects import Dialect, dialect_of
from gateway.wire.hosts import HOST, bare_host


@dataclass(frozen=True, slots=True)
class Site:
    """One tenant as the wires see it."""

    name: str
    zone: ZoneInfo
    gate: Gate
    click_to_call: ClickToCall
    dialect: Dialect
    appliances: frozenset[str] = frozenset()
    language: Language = DEFAULT
    sources: Mapping[str, WebhookSource] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    """Web pages whose scripts may ask for click-to-call and read the answer."""


class Sites:
    """The tenants of a configuration, found by path and host name."""

    def __init__(self, config: Config, guesses: Guesses) -> None:
        self._by_name: Mapping[str, Site] = {name: site_of(name, config, guesses) for name in config.tenants}
        self._by_host = {
            bare_host(host): self._by_name[name] for name, tenant in config.tenants.items() for host in tenant.hosts
        }
        self._only = next(iter(self._by_name.values())) if len(self._by_name) == 1 else None
        self._of_host = lru_cache(maxsize=1024)(self._find_host)

    def find(self, environ: Mapping[str, Any], named: str | None) -> Site:
        """Return the tenant ``named`` in the path, else that of the Host header. Raises ``UnknownTenant``."""
        if named is None:
            return self._of_host(environ.get("HTTP_HOST", ""))
        site = self._by_name.get(named.lower())
        if site is None:
            raise UnknownTenant(named[:80])
        return site

    def _find_host(self, asked: str) -> Site:
        host = bare_host(asked)
        site = self._by_host.get(host) or self._by_name.get(host.partition(".")[0]) or self._only
        if site is None:
            raise UnknownTenant(host[:80])
        return site


def site_of(name: str, config: Config, guesses: Guesses) -> Site:
    tenant, language = config.tenants[name], config.language(name)
    gate = Gate(name, tenant, guesses)
    dialect = dialect_of(tenant.listener, takes_token=gate.takes_event_token)
    appliances = frozenset(tenant.appliances)
    zone, sources = ZoneInfo(tenant.timezone), sources_of(tenant)
    return Site(name, zone, gate, tenant.click_to_call, dialect, appliances, language, sources, tenant.crm.origins)


def take_tenant(environ: dict[str, Any]) -> str | None:
    """Move a leading ``/t/TENANT`` from PATH_INFO to SCRIPT_NAME and return TENANT, or None."""
    path: str = environ["PATH_INFO"]
    if not path.startswith("/t/"):
        return None
    name, slash, rest = path[3:].partition("/")
    environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/t/{name}"
    environ["PATH_INFO"] = slash + rest or "/"
    return name


def without_tenant(path: str) -> str:
    """Return what ``take_tenant`` leaves of a path."""
    return "/" + path[3:].partition("/")[2] if path.startswith("/t/") else path


def base_url(environ: Mapping[str, Any]) -> str | None:
    """Return ``scheme://HOST`` and tenant's path as the client asked for them; None when Host is not a host."""
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    if not HOST.fullmatch(host):
        return None
    return f"{environ['wsgi.url_scheme']}://{host}{environ.get('SCRIPT_NAME', '')}"
