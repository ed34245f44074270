"""What a configuration may say and yet is better changed: ``check`` and ``serve`` warn of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.config.former_names import FORMER_NAMES
from gateway.texts.text import Text

LEAST = 16
"""Characters of a secret that nobody guesses, if a machine made it."""

if TYPE_CHECKING:
    from gateway.config.tables import Config, TenantSettings


def cautions(config: "Config") -> Iterator[tuple[str, Text]]:
    """Yield what each is about (a tenant or a table) and a sentence."""
    for former in config.former_names:
        present = FORMER_NAMES[former]
        yield f"[{former}]", Text("This table is called [{name}] now; the old name goes on working.", name=present)
    if config.server.pin_workers is not None:
        yield "[server]", Text("pin_workers does nothing any more: a worker's events run on one thread. Leave it out.")
    for name, tenant in config.tenants.items():
        if tenant.click_to_call.open_loopback:
            yield name, _open_loopback(name)
        yield from _framing(name, tenant)
    yield from _secrets(config)
    yield from _unmapped(config)


def _framing(name: str, tenant: "TenantSettings") -> Iterator[tuple[str, Text]]:
    """Yield what keeps the panel from working in the CRM's pages, or from being safe there."""
    place, outside = (
        f"[tenants.{name}.crm]",
        [origin for origin in tenant.crm.origins if not is_of_this_machine(origin)],
    )
    if outside and not (tenant.public_url or "").startswith("https://"):
        yield (
            place,
            Text(
                "Browsers keep the login of a panel inside the CRM's pages only over https: reach the gateway by "
                'https, and say so with public_url = "https://..." in [tenants.{tenant}].',
                tenant=name,
            ),
        )
    for origin in outside:
        if origin.startswith("http://"):
            told = Text("{origin} is no https page: who is on the way can change it, and dial by it.", origin=origin)
            yield place, told


def is_of_this_machine(origin: str) -> bool:
    """Return whether a web page's ``origin`` is this machine, whose pages browsers trust without https."""
    host = urlsplit(origin).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _unmapped(config: "Config") -> Iterator[tuple[str, Text]]:
    """Yield the sources whose requests are only kept."""
    for tenant, table in config.tenants.items():
        for name, source in table.webhooks.items():
            if source.mapping is None:
                yield f"[tenants.{tenant}.sources.{name}]", _without_mapping(name, is_kept=config.traffic.record)


def _without_mapping(name: str, *, is_kept: bool) -> Text:
    if is_kept:
        return Text("It has no mapping yet: see what came with 'cti-gateway sources test {name}'.", name=name)
    return Text("It has no mapping, and traffic.record is false: its requests are refused, for none would be kept.")


def _secrets(config: "Config") -> Iterator[tuple[str, Text]]:
    """Yield what is to be said of the secrets of sources, without showing any."""
    owners: dict[str, str] = {}
    for tenant, table in config.tenants.items():
        for name, source in table.webhooks.items():
            place = f"[tenants.{tenant}.sources.{name}]"
            for secret in source.secrets:
                if len(secret) < LEAST:
                    yield (
                        place,
                        Text("The secret has fewer than {least} characters: better make a longer one.", least=LEAST),
                    )
                if owners.setdefault(secret, tenant) != tenant:
                    other = owners[secret]
                    yield (
                        place,
                        Text(
                            "The company {other} has a source with the same secret: each can send as the other.",
                            other=other,
                        ),
                    )


def _open_loopback(tenant: str) -> Text:
    return Text(
        "open_loopback is on: click-to-call needs no credentials from this machine, nor from anybody whom a reverse "
        "proxy on this machine passes on without a word. Set open_loopback = false in [tenants.{tenant}.click_to_call] "
        "and have programs on this machine send a token or a login.",
        tenant=tenant,
    )
