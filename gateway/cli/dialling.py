"""``dial``: click-to-call from the shell, for real or only shown."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from gateway.adapter import Adapter, Outgoing, WireRequest, defect_of
from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, said
from gateway.cli.terminal import tell, tell_data
from gateway.clock import milliseconds
from gateway.domain.messages import Origin, PlaceCall
from gateway.errors import AdapterError, GatewayError
from gateway.handlers import draft_order
from gateway.orders.dispatcher import outgoing_order
from gateway.store.writing.drafts import Recorded
from gateway.texts.text import Text, counted

HERE = Origin("cli", "local")


@click.command("dial")
@click.argument("extension")
@click.argument("number")
@with_tenant
@click.option("--appliance", help="The appliance that dials.  [default: the extension's]")
@click.option("--dry-run", is_flag=True, help="Print the exact requests instead of sending them.")
@with_place
def dial_command(
    place: DataLocation, extension: str, number: str, tenant: str | None, appliance: str | None, dry_run: bool
) -> None:
    """Let EXTENSION call NUMBER. Exit code 0 when the appliance accepted, 1 otherwise."""
    with place.open() as gateway:
        name = one_tenant(gateway.config, tenant)
        message = PlaceCall(name, extension, number, HERE, milliseconds(), appliance, None)
        if dry_run:
            _show_requests(gateway, message)
            return
        reply = gateway.core.handle(message)
        told = said(reply.message)
        tell(_("{outcome}: {message} (call {call})", outcome=str(reply.outcome), message=told, call=reply.call_id))
        sys.exit(0 if reply.ok else 1)


def _preview(adapter: Adapter, outgoing: Outgoing) -> Sequence[WireRequest]:
    """Return what ``adapter`` would send. Raises ``AdapterError``, also for a defect of the adapter."""
    try:
        return adapter.preview(outgoing)
    except GatewayError:
        raise
    except Exception as error:
        text = Text("the requests cannot be shown, the adapter has a defect: {defect}.", defect=defect_of(error))
        raise AdapterError(text) from error


def _show_requests(gateway: Any, message: PlaceCall) -> None:
    draft = draft_order(message, gateway.core.tenant(message.tenant))
    outgoing: Outgoing = outgoing_order(Recorded(0, 0, 0), draft)
    adapter = gateway.appliances[message.tenant, draft.appliance]
    for request in _preview(adapter, outgoing):
        size = counted("{count} byte", "{count} bytes", len(request.data))
        facts = Text("{size}, {note}", size=size, note=request.note) if request.note else size
        click.echo(_("--- to {peer} ({facts})", peer=request.peer, facts=facts), err=True)
        tell_data(request.shown())
