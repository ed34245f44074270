"""``number`` and ``dial``: what happens to a number, explained and done."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import click

from gateway.adapter import Outgoing
from gateway.bootstrap import tenants
from gateway.commands.place import Place, one_tenant, with_place, with_tenant
from gateway.config import Config
from gateway.delivery import milliseconds
from gateway.domain.dialplan import NothingToDial, dial
from gateway.domain.messages import Origin, PlaceCall
from gateway.domain.numbers import Extensions, NumberPlan, Reading, read
from gateway.domain.tenant import Tenant
from gateway.errors import NotDiallable, UnknownAppliance
from gateway.handlers import draft_order
from gateway.orders import outgoing_order
from gateway.store.drafts import Recorded

HERE = Origin("cli", "local")


@click.command("number")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@with_tenant
@click.option("--appliance", help="Explain dialling by this appliance.  [default: the tenant's]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; no look-up, no dialling.")
@click.option("--area-code", metavar="NN", help="Read as a company in this area code would.")
@click.option("--extensions", metavar="LIST", help="... with these extensions, such as 3500-3599,2xx.")
@with_place
def number_command(
    place: Place,
    values: tuple[str, ...],
    tenant: str | None,
    appliance: str | None,
    as_json: bool,
    area_code: str | None,
    extensions: str | None,
) -> None:
    """Explain step by step how each VALUE is read, matched and dialled. '-' reads values from standard input.

    JSON holds: input, kind (extension, mobile, fixed, special, short, foreign, withheld, unknown), e164, national (what
    the CRM gets), candidates, steps.
    """
    config = place.load()
    name = one_tenant(config, tenant)
    rules = _standing_in(tenants(config)[name], area_code, extensions)
    for value in _each(values):
        reading = read(value, rules.numbers)
        if as_json:
            click.echo(json.dumps(_plain(reading), ensure_ascii=False))
            continue
        _explain(reading)
        _explain_matches(place, config, name, reading)
        _explain_dialling(value, rules, appliance)


def _standing_in(rules: Tenant, area_code: str | None, extensions: str | None) -> Tenant:
    """The tenant with another area code or other extensions. Raises ``click.BadParameter``."""
    try:
        listed = Extensions.parse(extensions.split(",")) if extensions else rules.numbers.extensions
        return replace(rules, numbers=NumberPlan(area_code or rules.numbers.area_code, listed))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _each(values: tuple[str, ...]) -> Iterator[str]:
    for value in values:
        if value == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield value


def _plain(reading: Reading) -> dict[str, Any]:
    plain = asdict(reading)
    wanted = ("input", "kind", "e164", "national", "candidates", "steps")
    return {key: plain[key] for key in wanted}


def _explain(reading: Reading) -> None:
    click.echo(f"read      {reading.input!r}")
    for step in reading.steps:
        click.echo(f"  - {step.text}  [{step.rule}]")
    click.echo(f"kind      {reading.kind}{' (collect call)' if reading.collect else ''}")
    click.echo(f"national  {reading.national or '-'}")
    click.echo(f"e164      {reading.e164 or '-'}")


def _explain_matches(place: Place, config: Config, tenant: str, reading: Reading) -> None:
    click.echo(f"looked up {', '.join(reading.candidates) or '- (not looked up)'}")
    if not (place.folder(config) / "gateway.db").exists():
        click.echo("account   - (no database here yet)")
        return
    with place.open() as gateway:
        owners = gateway.directory.owners(tenant, reading.candidates)
    for owner in owners:
        click.echo(f"account   {owner.name} ({owner.code}){' - ' + owner.contact if owner.contact else ''}")
    if not owners:
        click.echo("account   unknown number")


def _explain_dialling(value: str, rules: Tenant, appliance: str | None) -> None:
    trunk = rules.trunk(appliance) if appliance else rules.trunk_for("")
    if appliance and trunk is None:
        raise UnknownAppliance(appliance, known=[trunk.name for trunk in rules.trunks])
    if trunk is None:
        click.echo("dialled   - (the tenant has no appliance)")
        return
    try:
        dialled = dial(value, trunk.dial_plan, rules.numbers)
    except NothingToDial:
        click.echo(f"dialled   - ({NotDiallable(value)})")
        return
    for step in dialled.steps:
        click.echo(f"  - {step.text}  [{step.rule}]")
    click.echo(f"dialled   {dialled.digits} by {trunk.name!r}")


@click.command("dial")
@click.argument("extension")
@click.argument("number")
@with_tenant
@click.option("--appliance", help="The appliance that dials.  [default: the extension's]")
@click.option("--dry-run", is_flag=True, help="Print the exact requests instead of sending them.")
@with_place
def dial_command(
    place: Place, extension: str, number: str, tenant: str | None, appliance: str | None, dry_run: bool
) -> None:
    """Let EXTENSION call NUMBER. Exit code 0 when the appliance accepted, 1 otherwise."""
    with place.open() as gateway:
        name = one_tenant(gateway.config, tenant)
        message = PlaceCall(name, extension, number, HERE, milliseconds(), appliance, None)
        if dry_run:
            _show_requests(gateway, message)
            return
        reply = gateway.core.handle(message)
        click.echo(f"{reply.outcome}: {reply.message} (call {reply.call_id})")
        sys.exit(0 if reply.ok else 1)


def _show_requests(gateway: Any, message: PlaceCall) -> None:
    draft = draft_order(message, gateway.core.tenant(message.tenant))
    outgoing: Outgoing = outgoing_order(Recorded(0, 0, 0), draft)
    adapter = gateway.appliances[message.tenant, draft.appliance]
    for request in adapter.preview(outgoing):
        click.echo(f"--- to {request.peer} ({len(request.data)} bytes)", err=True)
        click.echo(request.shown())
