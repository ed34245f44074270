"""``onsite``: the gateways on site that may connect to this gateway, and running one of them."""

import os
import signal
import threading
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, said
from gateway.cli.terminal import cell, tell, tell_json
from gateway.clock import milliseconds
from gateway.config.values import TENANT_NAME
from gateway.errors import ConfigError
from gateway.mapping.events import iso
from gateway.texts.text import Text

if TYPE_CHECKING:
    from gateway.store.agents import Actor
    from gateway.store.onsite.sites import OnsiteSite


@click.group("onsite", invoke_without_command=True)
@with_place
@click.pass_context
def onsite_command(context: click.Context, place: DataLocation) -> None:
    """Run a gateway on site: sources and appliances in a network that lets nobody in, one connection to the outside.

    --config names its own small file, which 'onsite add' on the main gateway prints. The other commands are for the
    main gateway, but for 'check'.
    """
    context.obj = place
    if context.invoked_subcommand is None:
        _run(place)


def _run(place: DataLocation) -> None:
    from gateway.onsite.program import run
    from gateway.onsite.settings import load
    from gateway.server import logs

    path = _file(place)
    settings = load(path)
    logs.set_up(settings.log)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_found: stop.set())
    run(settings, place.data or path.parent / settings.data, path.parent, stop)


def _file(place: DataLocation) -> Path:
    """Return the configuration of the gateway on site. Raises ``ConfigError``."""
    if place.config_path is None:
        raise ConfigError(
            Text("a gateway on site needs its configuration."),
            hint=Text("Give it with --config; 'cti-gateway onsite add NAME' on the main gateway prints one."),
        )
    return place.config_path


def _place(context: click.Context, place: DataLocation) -> DataLocation:
    """Return the place that was given behind the command, else the one before it."""
    above: DataLocation = context.obj
    return place if place.config_path or place.data else above


@onsite_command.command("check")
@with_place
@click.pass_context
def onsite_check(context: click.Context, place: DataLocation) -> None:
    """Check a gateway on site: its configuration, the main gateway, its sources and appliances; ring nobody."""
    from gateway.cli.onsite_checks import check

    check(_file(_place(context, place)))


@onsite_command.command("add")
@click.argument("name")
@click.option("--renew", is_flag=True, help="Make a new key for one that is there; the old one opens nothing then.")
@click.option("--url", default="https://cti.example.com", help="The address by which the site reaches this gateway.")
@with_tenant
@with_place
@click.pass_context
def onsite_add(
    context: click.Context, place: DataLocation, name: str, renew: bool, url: str, tenant: str | None
) -> None:
    """Make a key for the gateway on site NAME and print a configuration for it. The key is shown this once."""
    from gateway.config.onsite_sample import onsite_sample

    if not TENANT_NAME.fullmatch(name):
        raise click.ClickException(_("expected small letters, digits and '-' as a name, came {name!r}", name=name))
    with _place(context, place).open() as gateway:
        company = one_tenant(gateway.config, tenant)
        found = gateway.onsite_sites.of(company, name)
        if found and not found.is_revoked and not renew:
            hint = _("'onsite add {name} --renew' makes a new key; the old one opens nothing then.", name=name)
            raise click.ClickException(_("there is a gateway on site {name!r} already.", name=name) + " " + hint)
        key = gateway.onsite_sites.add(company, name, milliseconds(), _actor(company))
        sample = onsite_sample(gateway.config.tenants[company], key, url)
    tell(_("# onsite.toml of {name}: keep it from others, for the key stands in it.", name=name))
    tell(sample)
    tell(_("# Then, at the site: cti-gateway onsite --config onsite.toml"), err=True)


def _actor(company: str) -> "Actor":
    """Return who runs this command, as the audit log has it: the system's user."""
    from gateway.store.agents import Actor

    try:
        user = getuser()
    except (OSError, KeyError):  # the system knows no name for it
        user = str(os.getuid())
    return Actor(company, user[:64], "cti-gateway", milliseconds())


@onsite_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@with_tenant
@with_place
@click.pass_context
def onsite_list(context: click.Context, place: DataLocation, as_json: bool, tenant: str | None) -> None:
    """List the gateways on site: whether each is connected, what waits there, when it was last heard of."""
    with _place(context, place).open() as gateway:
        found = gateway.onsite_sites.all(one_tenant(gateway.config, tenant) if tenant else None)
    now = milliseconds()
    for site in found:
        if as_json:
            tell_json(_as_json(site, now))
        else:
            seen = iso(site.seen_at) if site.seen_at else "-"
            shown = (site.tenant, site.name, said(_state(site, now)), seen, site.address or "-")
            click.echo("	".join(map(cell, shown)))


def _as_json(site: "OnsiteSite", now: int) -> dict[str, object]:
    return {
        "tenant": site.tenant,
        "name": site.name,
        "connected": site.is_connected(now),
        "revoked": site.is_revoked,
        "seen_at": iso(site.seen_at) if site.seen_at else None,
        "address": site.address or None,
        "clock_ahead_ms": site.ahead_ms,
        "status": dict(site.status),
    }


def _state(site: "OnsiteSite", now: int) -> Text:
    if site.is_revoked:
        return Text("key revoked")
    return Text("connected") if site.is_connected(now) else Text("not connected")


@onsite_command.command("revoke")
@click.argument("name")
@with_tenant
@with_place
@click.pass_context
def onsite_revoke(context: click.Context, place: DataLocation, name: str, tenant: str | None) -> None:
    """Revoke the key of the gateway on site NAME: it opens nothing any more, from this moment on."""
    with _place(context, place).open() as gateway:
        company = one_tenant(gateway.config, tenant)
        if not gateway.onsite_sites.revoke(company, name, milliseconds(), _actor(company)):
            raise click.ClickException(_("{company!r} has no gateway on site {name!r}", company=company, name=name))
    click.echo(_("the key of the gateway on site {name!r} is revoked", name=name))
